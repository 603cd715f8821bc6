//! The parker: a signal carries what was done before it.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::model;
use crate::park::{Parker, Signal};

/// Longer than any model runs.
const LONG: Duration = Duration::from_secs(3600);

/// Who takes a signal sees what its sender did before, also when it did not have to park.
///
/// Fails when `send` stores with less than release, and when `take` loads with less than acquire.
#[test]
fn loom_park_signal_carries_what_went_before() {
    model(|| {
        // Nobody adopts the parker, and the receiver does not park for good: loom's `unpark` alone
        // would make the receiver see everything.
        let shared = Arc::new((Parker::new(), AtomicUsize::new(0)));
        let sender = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.store(1, Ordering::Relaxed);
                shared.0.send(Signal::Relieve(5));
            })
        };
        assert_eq!(shared.0.wait_for(LONG), Some(Signal::Relieve(5)));
        assert_eq!(shared.1.load(Ordering::Relaxed), 1);
        sender.join().expect("no panic");
    });
}

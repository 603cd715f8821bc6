//! The monitor does not sleep while a worker is awake.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::model;
use crate::idle::Idle;
use crate::monitor::Monitor;

/// The only worker gets up while the monitor lies down: the monitor is woken or stays up.
///
/// Fails when either fence is missing or weaker than `SeqCst`, and when the monitor does not look
/// again after it has said that it sleeps.
#[test]
fn loom_monitor_sleep_against_worker_waking() {
    model(|| {
        let idle = Arc::new(Idle::new(1));
        let monitor = Arc::new(Monitor::new());
        idle.lie_down(0, false);
        let watcher = {
            let (idle, monitor) = (Arc::clone(&idle), Arc::clone(&monitor));
            thread::spawn(move || {
                monitor.parker.adopt();
                monitor.sleep(&idle, || false);
            })
        };
        assert!(idle.get_up(0));
        monitor.look();
        watcher.join().expect("the monitor does not sleep on");
    });
}

/// The scheduler stops while the monitor lies down.
#[test]
fn loom_monitor_sleep_against_stop() {
    model(|| {
        let idle = Arc::new(Idle::new(1));
        let monitor = Arc::new(Monitor::new());
        let stopping = Arc::new(AtomicBool::new(false));
        idle.lie_down(0, false);
        let watcher = {
            let (idle, monitor) = (Arc::clone(&idle), Arc::clone(&monitor));
            let stopping = Arc::clone(&stopping);
            thread::spawn(move || {
                monitor.parker.adopt();
                monitor.sleep(&idle, || stopping.load(Ordering::Relaxed));
            })
        };
        stopping.store(true, Ordering::Relaxed);
        monitor.look();
        watcher.join().expect("the monitor ends");
    });
}

//! Loom models of the two protocols of the parent module.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::thread;

use super::{Expiry, Timers};
use crate::clock::{Clock, Nanos};

const SOON: Nanos = Nanos::from_millis(1);

fn service() -> Timers {
    Timers::new(1, Clock::virtual_at(Nanos::ZERO))
}

fn count(counter: &Arc<AtomicUsize>) -> Expiry {
    let counter = Arc::clone(counter);
    Expiry::Call(Box::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }))
}

/// Exactly one of "fired" and "cancelled" is true.
///
/// Fails when `cancel` looks for the entry under one lock and removes it under another.
#[test]
fn loom_timer_cancel_against_fire() {
    loom::model(|| {
        let timers = Arc::new(service());
        let fired = Arc::new(AtomicUsize::new(0));
        let key = timers.insert_in(0, SOON, count(&fired));
        let worker = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.fire_due(0, SOON)
        });
        let cancelled = usize::from(timers.cancel(key).is_some());
        let returned = worker.join().unwrap();
        assert_eq!(returned + cancelled, 1);
        assert_eq!(fired.load(Ordering::Relaxed), returned);
        assert!(timers.is_empty());
    });
}

/// The worker and the monitor fire the same shard while a third thread adds to it: each timer fires
/// once, and `next` never hides one that is left.
///
/// Fails when `take_due` stores `next` after it has released the lock.
#[test]
fn loom_timer_two_threads_fire_one_shard() {
    loom::model(|| {
        let timers = Arc::new(service());
        let fired = Arc::new(AtomicUsize::new(0));
        timers.insert_in(0, SOON, count(&fired));
        let monitor = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.fire_due(0, SOON)
        });
        let outside = thread::spawn({
            let (timers, fired) = (Arc::clone(&timers), Arc::clone(&fired));
            move || timers.insert_in(0, SOON, count(&fired))
        });
        let mut returned = timers.fire_due(0, SOON);
        returned += monitor.join().unwrap();
        outside.join().unwrap();
        returned += timers.fire_due(0, SOON);
        assert_eq!((returned, fired.load(Ordering::Relaxed)), (2, 2));
    });
}

/// A worker that parks sees an earlier deadline, or whoever sets it sees that the worker is parked.
///
/// Fails when the fence in `announce` is weaker than sequentially consistent.
#[test]
fn loom_timer_earlier_deadline_against_parking() {
    loom::model(|| {
        let timers = Arc::new(service());
        let parked = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(AtomicBool::new(false));
        timers.set_on_earlier({
            let (parked, woken) = (Arc::clone(&parked), Arc::clone(&woken));
            move |_| woken.store(parked.load(Ordering::Relaxed), Ordering::Relaxed)
        });
        let worker = thread::spawn({
            let (timers, parked) = (Arc::clone(&timers), Arc::clone(&parked));
            move || {
                parked.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                timers.next_deadline(0).is_some()
            }
        });
        timers.insert_in(0, SOON, Expiry::Call(Box::new(|| ())));
        let saw_deadline = worker.join().unwrap();
        assert!(saw_deadline || woken.load(Ordering::Relaxed), "the worker sleeps too long");
    });
}

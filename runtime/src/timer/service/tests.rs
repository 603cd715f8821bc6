//! Tests of the service: rounding, cancel, hooks, panics, and threads at the same shard.
#![allow(unsafe_code)] // `Expiry::task` is unsafe to call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;
use std::task::Wake;

use super::*;

fn service(shards: usize) -> Timers {
    Timers::new(shards, Clock::virtual_at(Nanos::ZERO))
}

fn call(action: impl FnOnce() + Send + 'static) -> Expiry {
    Expiry::Call(Box::new(action))
}

fn count(counter: &Arc<AtomicUsize>) -> Expiry {
    let counter = Arc::clone(counter);
    call(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    })
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!((size_of::<TimerKey>(), size_of::<Option<TimerKey>>()), (16, 16));
    assert_eq!(size_of::<Expiry>(), 32);
    fn shared<T: Send + Sync>() {}
    shared::<Timers>();
}

#[test]
fn deadlines_round_up_and_now_rounds_down() {
    let timers = service(1);
    timers.insert(Nanos(1_000_001), call(|| ()));
    assert_eq!(timers.next_deadline(0), Some(Nanos(2_000_000)));
    assert_eq!(timers.fire_due(0, Nanos(1_999_999)), 0);
    assert_eq!(timers.fire_due(0, Nanos(2_000_000)), 1);
    assert_eq!(timers.next_deadline(0), None);
}

#[test]
fn next_deadline_overall_always_makes_progress() {
    let deadlines = [Nanos(1), Nanos::from_millis(100_000), Nanos::MAX];
    for (deadline, cancelled) in deadlines.into_iter().flat_map(|at| [(at, false), (at, true)]) {
        let timers = service(1);
        if cancelled {
            timers.cancel(timers.insert(Nanos(1), call(|| ())));
        }
        timers.insert(deadline, call(|| ()));
        let mut fired = 0;
        for _ in 0..20 {
            let Some(next) = timers.next_deadline_overall() else { break };
            fired += timers.fire_due(0, next);
        }
        assert_eq!((fired, timers.len()), (1, 0), "deadline {deadline:?}");
    }
}

#[test]
fn cancel_returns_the_deadline_once() {
    let timers = service(1);
    let counter = Arc::default();
    let key = timers.insert(Nanos(1_500_000), count(&counter));
    assert_eq!(timers.deadline(key), Some(Nanos(2_000_000)));
    assert_eq!(timers.cancel(key), Some(Nanos(2_000_000)));
    assert_eq!((timers.cancel(key), timers.deadline(key)), (None, None));
    assert_eq!(timers.next_deadline_overall(), None, "cancelled timers do not count");
    assert_eq!(timers.fire_due(0, Nanos::from_millis(9)), 0);
    assert_eq!(timers.next_deadline(0), None, "corrected by the vain attempt");
    assert_eq!(Arc::strong_count(&counter), 1, "the expiry was dropped");
}

#[test]
fn foreign_keys_find_nothing() {
    let (one, many) = (service(1), service(8));
    let keys: Vec<_> = (0..8).map(|_| many.insert(Nanos(1), call(|| ()))).collect();
    assert!(keys[1..].iter().all(|&key| one.cancel(key).is_none()));
}

#[test]
fn threads_outside_spread_over_the_shards() {
    let timers = service(4);
    for _ in 0..8 {
        timers.insert(Nanos(1), call(|| ()));
    }
    assert!((0..4).all(|shard| timers.fire_due(shard, Nanos::from_millis(1)) == 2));
}

#[test]
fn hook_is_called_only_for_earlier_deadlines() {
    let timers = service(2);
    let (sender, calls) = mpsc::channel();
    timers.set_on_earlier(move |shard| sender.send(shard).unwrap());
    timers.insert_in(1, Nanos::from_millis(10), call(|| ()));
    timers.insert_in(1, Nanos::from_millis(10), call(|| ()));
    timers.insert_in(1, Nanos::from_millis(11), call(|| ()));
    timers.insert_in(0, Nanos::from_millis(99), call(|| ()));
    timers.insert_in(1, Nanos::from_millis(9), call(|| ()));
    assert_eq!(calls.try_iter().collect::<Vec<_>>(), [1, 0, 1]);
}

#[test]
fn monitor_fires_only_what_is_overdue() {
    let timers = service(2);
    timers.insert_in(0, Nanos::from_millis(10), call(|| ()));
    timers.insert_in(1, Nanos::from_millis(19), call(|| ()));
    let grace = Duration::from_millis(5);
    assert_eq!(timers.fire_overdue(Nanos::from_millis(14), grace), 0);
    assert_eq!(timers.fire_overdue(Nanos::from_millis(20), grace), 1);
    assert_eq!(timers.len(), 1);
}

#[test]
fn expiries_may_use_the_service() {
    let timers = Arc::new(service(1));
    let victim = timers.insert(Nanos(2), call(|| panic!("cancelled by the other")));
    let inner = Arc::clone(&timers);
    timers.insert_in(
        0,
        Nanos(1),
        call(move || {
            inner.cancel(victim);
            inner.insert(Nanos(3), call(|| ()));
        }),
    );
    // Both are due in the same millisecond, so the victim is already in the batch: cancel is late.
    assert_eq!(timers.fire_due(0, Nanos::from_millis(1)), 2);
    assert_eq!(timers.fire_due(0, Nanos::from_millis(1)), 1);
}

#[test]
fn a_timer_that_sets_itself_again_at_once_does_not_hold_the_worker() {
    fn again(timers: &Arc<Timers>) -> Expiry {
        let timers = Arc::clone(timers);
        call(move || {
            timers.insert(Nanos::ZERO, again(&timers));
        })
    }
    let timers = Arc::new(service(1));
    for _ in 0..2 * BATCH {
        timers.insert(Nanos::ZERO, again(&timers));
    }
    assert_eq!(timers.fire_due(0, Nanos::ZERO), BATCH * BATCHES_PER_CALL);
    assert_eq!(timers.next_deadline(0), Some(Nanos::ZERO), "there is more to do");
    timers.clear();
    assert_eq!(Arc::strong_count(&timers), 1);
}

#[test]
fn a_panic_does_not_lose_the_other_timers() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("expected: dropped");
        }
    }
    let timers = service(1);
    let counter = Arc::default();
    timers.insert(Nanos(1), count(&counter));
    // The second payload is leaked, which Miri would report.
    let payload = (!cfg!(miri)).then(|| Bomb);
    timers.insert(Nanos(1), call(|| std::panic::panic_any(payload)));
    timers.insert(Nanos(1), count(&counter));
    assert_eq!(timers.fire_due(0, Nanos::from_millis(1)), 3);
    assert_eq!(counter.load(Ordering::Relaxed), 2);

    let bomb = Bomb;
    timers.insert(Nanos(1), call(move || drop(bomb)));
    timers.insert(Nanos(1), count(&counter));
    drop(timers);
    assert_eq!(Arc::strong_count(&counter), 1, "dropped in spite of the panic before it");
}

#[test]
fn wakers_and_tasks_are_fired() {
    struct Bell(AtomicBool);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    fn add(data: *const (), value: u64) {
        // SAFETY: `data` is the counter below, which outlives the service.
        let counter = unsafe { &*data.cast::<AtomicU64>() };
        counter.fetch_add(value, Ordering::Relaxed);
    }
    let bell = Arc::new(Bell(AtomicBool::new(false)));
    let counter = AtomicU64::new(0);
    let data: *const AtomicU64 = &raw const counter;
    let timers = service(1);
    timers.insert(Nanos(1), Expiry::Wake(Arc::clone(&bell).into()));
    // SAFETY: `add` takes any thread and time while `counter` lives.
    timers.insert(Nanos(1), unsafe { Expiry::task(add, data.cast(), 7) });
    assert_eq!(timers.fire_due(0, Nanos::from_millis(1)), 2);
    assert!(bell.0.load(Ordering::Relaxed));
    assert_eq!(counter.load(Ordering::Relaxed), 7);
}

#[test]
fn every_timer_is_either_fired_or_cancelled_whoever_tries() {
    let rounds = if cfg!(miri) { 20 } else { 20_000 };
    let timers = Arc::new(service(2));
    let counter = Arc::new(AtomicUsize::new(0));
    let (sender, keys) = mpsc::channel();
    let done = Arc::new(AtomicBool::new(false));
    let firing: Vec<_> = (0..2)
        .map(|_| {
            let (timers, done) = (Arc::clone(&timers), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut fired = 0;
                while !(done.load(Ordering::Acquire) && timers.is_empty()) {
                    fired += timers.fire_due(0, Nanos::from_millis(1));
                    fired += timers.fire_due(1, Nanos::from_millis(1));
                    std::thread::yield_now();
                }
                fired
            })
        })
        .collect();
    let canceller = {
        let timers = Arc::clone(&timers);
        std::thread::spawn(move || keys.iter().filter(|&key| timers.cancel(key).is_some()).count())
    };
    for _ in 0..rounds {
        sender.send(timers.insert(Nanos(1), count(&counter))).unwrap();
    }
    drop(sender);
    let cancelled = canceller.join().unwrap();
    done.store(true, Ordering::Release);
    let fired: usize = firing.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(fired + cancelled, rounds);
    assert_eq!(counter.load(Ordering::Relaxed), fired);
    assert_eq!(Arc::strong_count(&counter), 1, "no expiry is left");
}

#[test]
fn clear_and_drop_release_everything() {
    let counter = Arc::default();
    let timers = service(3);
    for at in 0..100 {
        timers.insert(Nanos::from_millis(1 << (at % 40)), count(&counter));
    }
    timers.clear();
    assert_eq!((timers.len(), Arc::strong_count(&counter)), (0, 1));
    timers.insert(Nanos(1), count(&counter));
    drop(timers);
    assert_eq!(Arc::strong_count(&counter), 1);
}

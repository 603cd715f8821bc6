//! Sleeping and waking: no wakeup is lost.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::model;
use crate::idle::Idle;
use crate::park::Signal;

/// A scheduler reduced to its words: a count in place of the injector, and the stop flag.
struct Small {
    idle: Idle,
    injected: AtomicUsize,
    stopping: AtomicBool,
}

impl Small {
    fn new(workers: usize) -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(workers),
            injected: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        })
    }

    fn has_injected(&self) -> bool {
        self.injected.load(Ordering::Relaxed) != 0
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A foreign thread's part: inject one task, make sure somebody looks.
    fn inject(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
        self.idle.wake_for_injected(|| self.has_injected());
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.idle.wake_all();
    }

    fn take(&self) -> bool {
        let take = |tasks: usize| tasks.checked_sub(1);
        self.injected.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// A worker's part: take tasks until it has `wanted`, or the scheduler stops.
    fn work(&self, worker: usize, wanted: usize, searches: bool) {
        self.idle.parker(worker).adopt();
        let mut searching = false;
        let mut taken = 0;
        while taken < wanted && !self.is_stopping() {
            if self.take() {
                taken += 1;
                self.end_search(&mut searching);
                continue;
            }
            searching = searching || (searches && self.idle.begin_search());
            searching = self.sleep(worker, searching) == Some(Signal::Search);
        }
        self.end_search(&mut searching);
    }

    fn end_search(&self, searching: &mut bool) {
        if std::mem::take(searching) {
            self.idle.end_search(|| self.has_injected());
        }
    }

    fn sleep(&self, worker: usize, searching: bool) -> Option<Signal> {
        self.idle.lie_down(worker, searching);
        let stays_up = self.has_injected() || self.is_stopping();
        if stays_up && self.idle.get_up(worker) {
            return None;
        }
        Some(self.idle.parker(worker).wait())
    }
}

/// A task injected while the worker goes to sleep is found, by its last look or by the wake.
///
/// Fails when the fence in `lie_down` or that in `wake_for_injected` is missing or weaker than
/// `SeqCst`, and when the worker does not look again after it has lain down.
#[test]
fn loom_idle_injected_against_sleep() {
    model(|| {
        let small = Small::new(2);
        let worker = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.work(0, 2, true))
        };
        small.inject();
        small.inject();
        worker.join().expect("the worker gets both tasks");
        assert_eq!(small.idle.searchers(), 0);
    });
}

/// A waker that relies on a searcher does so rightly: when the searcher finds other work, which
/// keeps it busy for ever, it looks for what was injected meanwhile and wakes another worker.
///
/// Fails when `end_search` has no fence, or does not look.
#[test]
fn loom_idle_searcher_hands_on() {
    model(|| {
        let small = Small::new(2);
        let sleeper = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.work(1, 1, false))
        };
        assert!(small.idle.begin_search());
        let pusher = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.inject())
        };
        small.end_search(&mut true);
        pusher.join().expect("no panic");
        sleeper.join().expect("the other worker gets the task");
        assert_eq!(small.idle.searchers(), 0);
    });
}

/// Stopping ends a worker wherever it is, also while a foreign thread wakes it.
///
/// Fails when `wake_all` has no fence, and when a sleeper that gets up by itself does not take
/// its bit atomically: a signal is then left over or waited for in vain.
#[test]
fn loom_idle_stop_against_foreign_wake() {
    model(|| {
        let small = Small::new(2);
        let worker = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.work(0, usize::MAX, true))
        };
        let foreign = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.inject())
        };
        small.stop();
        foreign.join().expect("no panic");
        worker.join().expect("the worker ends");
        assert_eq!(small.idle.searchers(), 0);
    });
}

/// Two wakers and one sleeper: the sleeper is claimed once, and the other waker's searcher that
/// never was leaves no trace.
///
/// Fails when a bit is claimed with a load and a store.
#[test]
fn loom_idle_two_wakers_one_sleeper() {
    model(|| {
        let small = Small::new(2);
        let worker = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.work(0, 2, false))
        };
        let other = {
            let small = Arc::clone(&small);
            thread::spawn(move || small.inject())
        };
        small.inject();
        other.join().expect("no panic");
        worker.join().expect("the worker gets both tasks");
        assert_eq!(small.idle.searchers(), 0);
    });
}

//! The seeded scheduler repeats itself, and varies with its seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::sync::Mutex;
use crate::task::testing::Unit;
use crate::{Config, Drive, Expiry, Nanos, Priority, Scheduler};

fn scheduler(seed: u64) -> Scheduler {
    Scheduler::new(Config { seed: Some(seed), ..Config::default() })
}

/// The order in which 20 tasks take 5 turns each.
fn order(seed: u64) -> Vec<usize> {
    let scheduler = scheduler(seed);
    let order = Arc::new(Mutex::new(Vec::new()));
    let units: Vec<_> = (0..20)
        .map(|id| {
            let (order, left) = (Arc::clone(&order), AtomicU64::new(4));
            Unit::new(move |worker, task| {
                order.lock().push(id);
                if left.load(Ordering::Relaxed) > 0 {
                    left.fetch_sub(1, Ordering::Relaxed);
                    worker.schedule_back(task, Priority::Normal);
                }
            })
        })
        .collect();
    units.iter().for_each(|unit| scheduler.schedule(unit.task(), Priority::Normal));
    assert_eq!(scheduler.drive(&|| false), Drive::Deadlock);
    let order = order.lock().clone();
    assert_eq!(order.len(), 100);
    order
}

#[test]
fn the_same_seed_gives_the_same_order_and_another_seed_another() {
    assert_eq!(order(7), order(7));
    assert_ne!(order(7), order(8));
    let numbers = |seed| {
        let scheduler = scheduler(seed);
        (0..4).map(|_| scheduler.random()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(1), numbers(1));
    assert_ne!(numbers(1), numbers(2));
}

#[test]
fn low_runs_about_once_in_eight_turns() {
    let scheduler = scheduler(3);
    let low_runs = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&low_runs);
    let low = Unit::new(move |worker, task| {
        counter.fetch_add(1, Ordering::Relaxed);
        worker.schedule_back(task, Priority::Low);
    });
    let normal = Unit::new(|worker, task| worker.schedule(task, Priority::Normal));
    scheduler.schedule(low.task(), Priority::Low);
    scheduler.schedule(normal.task(), Priority::Normal);
    let all = if cfg!(miri) { 800 } else { 8_000 };
    let turns = AtomicU64::new(0);
    scheduler.drive(&|| turns.fetch_add(1, Ordering::Relaxed) == all);
    let low_runs = low_runs.load(Ordering::Relaxed);
    assert!((all / 10..all * 3 / 20).contains(&low_runs), "{low_runs} of {all}");
}

#[test]
fn higher_classes_go_first() {
    let scheduler = scheduler(5);
    let order = Arc::new(Mutex::new(Vec::new()));
    let classes = [Priority::Low, Priority::Normal, Priority::High, Priority::Max];
    let units = classes.map(|class| {
        let order = Arc::clone(&order);
        (class, Unit::new(move |_, _| order.lock().push(class)))
    });
    for (class, unit) in &units[2..] {
        scheduler.schedule(unit.task(), *class);
    }
    scheduler.schedule(units[1].1.task(), Priority::Normal);
    scheduler.drive(&|| false);
    assert_eq!(*order.lock(), [Priority::Max, Priority::High, Priority::Normal]);
}

#[test]
fn time_moves_only_when_nothing_is_runnable() {
    let scheduler = scheduler(1);
    let fired_at = Arc::new(Mutex::new(Vec::new()));
    for ms in [30, 10, 20] {
        let (fired_at, handle) = (Arc::clone(&fired_at), scheduler.clone());
        let note = move || fired_at.lock().push(handle.now());
        scheduler.timers().insert(Nanos(ms * 1_000_000), Expiry::Call(Box::new(note)));
    }
    let left = AtomicU64::new(1_000);
    let busy = Unit::new(move |worker, task| {
        assert_eq!(worker.scheduler().now(), Nanos(0));
        if left.fetch_sub(1, Ordering::Relaxed) > 1 {
            worker.schedule(task, Priority::Normal);
        }
    });
    scheduler.schedule(busy.task(), Priority::Normal);
    assert_eq!(scheduler.drive(&|| false), Drive::Deadlock);
    assert_eq!(*fired_at.lock(), [10, 20, 30].map(|ms| Nanos(ms * 1_000_000)));
}

#[test]
fn drive_ends_when_told_when_stopped_and_when_nothing_can_happen() {
    let scheduler = scheduler(1);
    assert_eq!(scheduler.drive(&|| true), Drive::Done);
    assert_eq!(scheduler.drive(&|| false), Drive::Deadlock);
    let stopper = Unit::new(|worker, _| worker.scheduler().stop());
    scheduler.schedule(stopper.task(), Priority::Normal);
    assert_eq!(scheduler.drive(&|| false), Drive::Stopped);
    assert!(scheduler.is_stopped());
}

#[test]
fn a_panic_is_counted_and_a_nested_drive_restores_the_worker() {
    let outer = scheduler(1);
    let inner = scheduler(2);
    let nested = Unit::new(move |worker, _| {
        assert_eq!(inner.drive(&|| false), Drive::Deadlock);
        crate::with_current(|current| assert!(std::ptr::eq(current.expect("still there"), worker)));
    });
    let broken = Unit::new(|_, _| std::panic::panic_any(()));
    outer.schedule(nested.task(), Priority::Normal);
    outer.schedule(broken.task(), Priority::Normal);
    assert_eq!(outer.drive(&|| false), Drive::Deadlock);
    assert_eq!((outer.counters()[0].escaped_panics, outer.counters()[0].polls), (1, 2));
    assert!(crate::with_current(|current| current.is_none()));
}

#[test]
fn another_thread_may_make_tasks_runnable() {
    let scheduler = scheduler(1);
    let ran = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ran);
    let unit = Unit::new(move |_, _| seen.store(true, Ordering::Relaxed));
    std::thread::scope(|scope| {
        scope.spawn(|| scheduler.schedule(unit.task(), Priority::Normal));
    });
    assert_eq!(scheduler.drive(&|| ran.load(Ordering::Relaxed)), Drive::Done);
}

#[test]
#[should_panic(expected = "only a seeded scheduler is driven")]
fn a_threaded_scheduler_is_not_driven() {
    Scheduler::new(Config { workers: 1, ..Config::default() }).drive(&|| true);
}

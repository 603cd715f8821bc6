//! The worker threads: everything runs once, nobody starves, stopping is clean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::sync::Mutex;
use crate::task::testing::Unit;
use crate::{Config, Expiry, Nanos, Priority, Scheduler, Stuck, Worker};

/// Longer than anything here takes on a busy machine, or under Miri.
const LONG: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 60 });

/// How often to do something; seldom under Miri, which is some hundred times slower.
const fn rounds(usual: usize, under_miri: usize) -> usize {
    if cfg!(miri) { under_miri } else { usual }
}

fn started(workers: usize) -> Scheduler {
    let scheduler = Scheduler::new(Config { workers, ..Config::default() });
    scheduler.start(Arc::new(())).expect("threads");
    scheduler
}

fn end(scheduler: &Scheduler) {
    scheduler.stop();
    scheduler.join(LONG).expect("all workers end");
}

/// A thing that is done `count` times; the last time is reported.
fn countdown(count: usize) -> (impl Fn() + Send + Sync + Clone + 'static, mpsc::Receiver<()>) {
    let (done, wait) = mpsc::channel();
    let left = Arc::new(AtomicUsize::new(count));
    let tick = move || {
        if left.fetch_sub(1, Ordering::AcqRel) == 1 {
            done.send(()).expect("somebody waits");
        }
    };
    (tick, wait)
}

#[test]
fn every_task_from_outside_runs_once() {
    const TASKS: usize = rounds(10_000, 40);
    for workers in [1, 2, 4] {
        let scheduler = started(workers);
        let (tick, done) = countdown(TASKS);
        let runs: Arc<Vec<AtomicU64>> = Arc::new((0..TASKS).map(|_| AtomicU64::new(0)).collect());
        let units: Vec<_> = (0..TASKS)
            .map(|i| {
                let (runs, tick) = (Arc::clone(&runs), tick.clone());
                Unit::new(move |_, _| {
                    runs[i].fetch_add(1, Ordering::Relaxed);
                    tick();
                })
            })
            .collect();
        std::thread::scope(|scope| {
            for part in units.chunks(TASKS / 4) {
                let classes = [Priority::Low, Priority::Normal, Priority::High, Priority::Max];
                let scheduler = &scheduler;
                scope.spawn(move || {
                    for (unit, class) in part.iter().zip(classes.iter().cycle()) {
                        scheduler.schedule(unit.task(), *class);
                    }
                });
            }
        });
        done.recv_timeout(LONG).expect("all run");
        end(&scheduler);
        assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
        let polls: u64 = scheduler.counters().iter().map(|counters| counters.polls).sum();
        assert_eq!(polls, TASKS as u64);
    }
}

#[test]
fn tasks_that_wake_tasks_all_run() {
    const TURNS: usize = rounds(50_000, 10);
    for workers in [1, 2, 4] {
        let scheduler = started(workers);
        // Ten units make themselves runnable again and again.
        let (tick, done) = countdown(10 * TURNS);
        let units: Arc<Vec<_>> = Arc::new(
            (0..10)
                .map(|_| {
                    let (tick, left) = (tick.clone(), AtomicUsize::new(TURNS));
                    Unit::new(move |worker: &Worker, task| {
                        if left.fetch_sub(1, Ordering::Relaxed) > 1 {
                            worker.schedule(task, Priority::Normal);
                        }
                        tick();
                    })
                })
                .collect(),
        );
        units.iter().for_each(|unit| scheduler.schedule(unit.task(), Priority::Normal));
        done.recv_timeout(LONG).expect("all run");
        end(&scheduler);
    }
}

#[test]
fn a_sleeping_scheduler_wakes_for_each_of_many_tasks() {
    for workers in [1, 2, 4] {
        let scheduler = started(workers);
        for _ in 0..rounds(2_000, 5) {
            let (tick, done) = countdown(1);
            let unit = Unit::new(move |_, _| tick());
            scheduler.schedule(unit.task(), Priority::Normal);
            done.recv_timeout(LONG).expect("it runs");
        }
        end(&scheduler);
    }
}

#[test]
fn a_chain_through_the_slot_does_not_starve_the_queue() {
    let scheduler = started(1);
    for class in [Priority::Normal, Priority::Low] {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let chain = Unit::new(move |worker: &Worker, task| {
            if !stopped.load(Ordering::Acquire) {
                worker.schedule(task, Priority::Normal);
            }
        });
        let (tick, done) = countdown(1);
        let other = Unit::new(move |_, _| {
            stop.store(true, Ordering::Release);
            tick();
        });
        let tasks = (chain.task(), other.task());
        let starter = Unit::new(move |worker: &Worker, _| {
            worker.schedule(tasks.0, Priority::Normal);
            worker.schedule(tasks.1, class);
        });
        scheduler.schedule(starter.task(), Priority::Normal);
        done.recv_timeout(LONG).expect("the other gets its turn");
    }
    end(&scheduler);
}

#[test]
fn low_gets_its_share_beside_a_busy_normal_task() {
    const SHARE: usize = rounds(1_000, 20);
    let scheduler = started(1);
    let normal_runs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&normal_runs);
    let (tick, done) = countdown(SHARE);
    let normal = Unit::new(move |worker: &Worker, task| {
        seen.fetch_add(1, Ordering::Relaxed);
        worker.schedule(task, Priority::Normal);
    });
    let low = Unit::new(move |worker: &Worker, task| {
        tick();
        worker.schedule(task, Priority::Low);
    });
    // From one task, so that both start at the same moment.
    let (normal_task, low_task) = (normal.task(), low.task());
    let starter = Unit::new(move |worker: &Worker, _| {
        worker.schedule(normal_task, Priority::Normal);
        worker.schedule(low_task, Priority::Low);
    });
    scheduler.schedule(starter.task(), Priority::Normal);
    done.recv_timeout(LONG).expect("low runs");
    let normal_runs = normal_runs.load(Ordering::Relaxed);
    end(&scheduler);
    let enough = SHARE * 69 / 10;
    assert!(normal_runs >= enough, "low took more than its share: {normal_runs} normal runs");
}

#[test]
fn work_behind_a_poll_that_does_not_end_is_taken_over() {
    let scheduler = started(2);
    // The hog makes two tasks runnable (one in its slot, one in its queue) and waits for both.
    let (tick, done) = countdown(2);
    let others: Vec<_> = (0..2)
        .map(|_| {
            let tick = tick.clone();
            Unit::new(move |_, _| tick())
        })
        .collect();
    let tasks: Vec<_> = others.iter().map(|other| other.task()).collect();
    let done = Mutex::new(done);
    let (report, reported) = mpsc::channel();
    let hog = Unit::new(move |worker: &Worker, _| {
        tasks.iter().for_each(|&task| worker.schedule(task, Priority::Normal));
        report.send(done.lock().recv_timeout(LONG)).expect("the test waits");
    });
    scheduler.schedule(hog.task(), Priority::Normal);
    reported.recv_timeout(LONG).expect("the hog ends").expect("both ran beside the hog");
    end(&scheduler);
}

#[test]
fn timers_of_a_stuck_worker_fire() {
    let scheduler = started(2);
    let hog = Unit::new(|worker: &Worker, _| {
        let (done, wait) = mpsc::channel();
        let soon = Nanos(worker.scheduler().now().0 + 1_000_000);
        let call = Box::new(move || done.send(()).expect("the hog waits"));
        worker.scheduler().timers().insert(soon, Expiry::Call(call));
        wait.recv_timeout(LONG).expect("the timer fires beside the hog");
        worker.scheduler().stop();
    });
    scheduler.schedule(hog.task(), Priority::Normal);
    scheduler.join(LONG).expect("the hog ended");
    assert_eq!(escaped_panics(&scheduler), 0);
}

fn escaped_panics(scheduler: &Scheduler) -> u64 {
    scheduler.counters().iter().map(|counters| counters.escaped_panics).sum()
}

#[test]
fn timers_fire_on_a_sleeping_scheduler() {
    for workers in [1, 2, 4] {
        let scheduler = started(workers);
        for delay_ms in [0, 1, 3] {
            let (tick, done) = countdown(1);
            let at = Nanos(scheduler.now().0 + delay_ms * 1_000_000);
            scheduler.timers().insert(at, Expiry::Call(Box::new(tick)));
            done.recv_timeout(LONG).expect("it fires");
            assert!(scheduler.now() >= at);
        }
        end(&scheduler);
    }
}

#[test]
fn an_escaped_panic_is_counted_and_the_worker_goes_on() {
    let scheduler = started(1);
    let broken = Unit::new(|_, _| std::panic::panic_any(()));
    let (tick, done) = countdown(1);
    let sound = Unit::new(move |_, _| tick());
    scheduler.schedule(broken.task(), Priority::Normal);
    scheduler.schedule(sound.task(), Priority::Normal);
    done.recv_timeout(LONG).expect("the worker has survived");
    end(&scheduler);
    assert_eq!(escaped_panics(&scheduler), 1);
}

#[test]
fn stopping_under_load_from_outside_and_inside_is_clean() {
    for round in 0..rounds(1_000, 6) {
        let kept = Arc::new(());
        let scheduler = Scheduler::new(Config { workers: 1 + round % 3, ..Config::default() });
        let units: Arc<Vec<_>> = Arc::new(
            (0..4)
                .map(|_| Unit::new(|worker: &Worker, task| worker.schedule(task, Priority::Normal)))
                .collect(),
        );
        scheduler.start(Arc::clone(&kept) as _).expect("threads");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                units.iter().for_each(|unit| scheduler.schedule(unit.task(), Priority::Normal));
            });
            scope.spawn(|| scheduler.stop());
        });
        scheduler.join(LONG).expect("all workers end");
        assert_eq!(Arc::strong_count(&kept), 1, "the threads have let go");
        scheduler.schedule(units[0].task(), Priority::Normal);
    }
}

#[test]
fn join_names_the_stuck_worker() {
    let scheduler = started(2);
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let hog = Unit::new(move |worker: &Worker, _| {
        begun.send(worker.index()).expect("the test waits");
        released.lock().recv_timeout(LONG).expect("released");
    });
    scheduler.schedule(hog.task(), Priority::Normal);
    let index = begins.recv_timeout(LONG).expect("it runs");
    scheduler.stop();
    let idle_ended = || scheduler.join(Duration::from_millis(20));
    let stuck = std::iter::repeat_with(idle_ended).find_map(|result| match result {
        Err(stuck) if stuck.workers.len() == 1 && !stuck.monitor => Some(stuck),
        Err(_) => None,
        Ok(()) => panic!("the hog still runs"),
    });
    assert_eq!(stuck, Some(Stuck { workers: vec![index], monitor: false }));
    release.send(()).expect("the hog waits");
    scheduler.join(LONG).expect("now it ends");
}

#[test]
fn two_schedulers_keep_to_themselves() {
    let (one, two) = (started(1), started(1));
    let (tick, done) = countdown(1);
    let target = Unit::new(move |worker: &Worker, _| {
        assert_eq!(worker.scheduler().workers(), 1);
        tick();
    });
    let (task, other) = (target.task(), two.clone());
    let sender = Unit::new(move |_: &Worker, _| other.schedule(task, Priority::Normal));
    one.schedule(sender.task(), Priority::Normal);
    done.recv_timeout(LONG).expect("it runs on the other scheduler");
    end(&one);
    end(&two);
    assert_eq!((one.counters()[0].polls, two.counters()[0].polls), (1, 1));
}

#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Scheduler>();
    check::<crate::Task>();
    check::<crate::WorkerCounters>();
}

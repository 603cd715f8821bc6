//! Fairness between priorities, and schedulers that come and go, after Erlang's `scheduler_SUITE`.
//! One worker and turns instead of seconds: the shares do not depend on the machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use beamish::prelude::*;

use crate::support::*;

/// Processes that do nothing but take turns, and the turns each took.
struct Crew(Vec<Arc<AtomicU64>>);

impl Crew {
    fn new(size: usize, priority: Priority) -> Crew {
        Crew((0..size).map(|_| take_turns(priority, u64::MAX)).collect())
    }

    /// Like `new`, but after each hundred turns a process sleeps a little.
    fn part_time(size: usize, priority: Priority) -> Crew {
        Crew((0..size).map(|_| take_turns(priority, 100)).collect())
    }

    fn turns(&self) -> Vec<u64> {
        self.0.iter().map(|turns| turns.load(Ordering::Relaxed)).collect()
    }

    fn total(&self) -> u64 {
        self.turns().iter().sum()
    }

    /// All took about the same number of turns.
    fn assert_equal(&self) {
        let turns = self.turns();
        let (least, most) = (turns.iter().min().unwrap(), turns.iter().max().unwrap());
        assert!(most - least <= most / 5, "unequal: {turns:?}");
    }
}

fn take_turns(priority: Priority, between_naps: u64) -> Arc<AtomicU64> {
    let turns = Arc::new(AtomicU64::new(0));
    let count = turns.clone();
    let body = async move {
        loop {
            for _ in 0..between_naps {
                count.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    SpawnOptions::new().link().priority(priority).spawn(body).unwrap();
    turns
}

/// Lets everybody else run until this crew has taken so many turns.
async fn until(crew: &Crew, turns: u64) {
    set_priority(Priority::Max);
    let limit = now() + PATIENCE;
    while crew.total() < turns {
        assert!(now() < limit, "only {} of {turns} turns", crew.total());
        sleep(Duration::from_millis(1)).await;
    }
}

#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal() {
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let crew = Crew::new(10, priority);
        until(&crew, 50_000).await;
        crew.assert_equal();
    }
}

/// The class of low priority gets about one turn for eight of the normal one.
fn assert_low_share(low: &Crew, normal: &Crew) {
    let share = low.total() as f64 / normal.total() as f64;
    assert!(share > 1.0 / 16.0 && share < 1.0 / 4.0, "low to normal is {share:.3}");
    low.assert_equal();
    normal.assert_equal();
}

/// S-FAIR-2: of eight turns `Low` gets about one, if it is few or many.
#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_few_low() {
    let (normal, low) = (Crew::new(20, Priority::Normal), Crew::new(2, Priority::Low));
    until(&normal, 50_000).await;
    assert_low_share(&low, &normal);
}

#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_many_low() {
    let (normal, low) = (Crew::new(2, Priority::Normal), Crew::new(20, Priority::Low));
    until(&normal, 50_000).await;
    assert_low_share(&low, &normal);
}

/// Those of higher priority that work now and then get what they ask for; the rest is shared.
async fn with_part_time(urgent: Priority) {
    let (normal, low) = (Crew::new(10, Priority::Normal), Crew::new(10, Priority::Low));
    let part_time = Crew::part_time(3, urgent);
    until(&normal, 50_000).await;
    assert_low_share(&low, &normal);
    part_time.assert_equal();
    assert!(part_time.total() >= 300);
}

#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal_with_part_time_high() {
    with_part_time(Priority::High).await;
}

#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal_with_part_time_max() {
    with_part_time(Priority::Max).await;
}

/// While somebody of high priority can run, nobody of a lower one does.
async fn starved_by(urgent: Crew, others: [Crew; 2]) {
    until(&urgent, 1_000).await;
    let before: Vec<u64> = others.iter().map(Crew::total).collect();
    until(&urgent, 50_000).await;
    let after: Vec<u64> = others.iter().map(Crew::total).collect();
    assert_eq!(after, before, "turns taken although others were more urgent");
    urgent.assert_equal();
}

#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal_and_high_with_part_time_max() {
    let part_time = Crew::part_time(3, Priority::Max);
    let others = [Crew::new(10, Priority::Normal), Crew::new(10, Priority::Low)];
    starved_by(Crew::new(5, Priority::High), others).await;
    assert!(part_time.total() >= 300);
}

/// S-FAIR-2: `High` that is always busy keeps the others of its worker from running.
#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal_with_high() {
    let others = [Crew::new(10, Priority::Normal), Crew::new(10, Priority::Low)];
    starved_by(Crew::new(5, Priority::High), others).await;
}

/// S-FAIR-2: so does `Max`, and that of `High` too.
#[beamish::test(workers = 1)]
async fn otp_scheduler_suite_equal_with_high_max() {
    let others = [Crew::new(10, Priority::Normal), Crew::new(5, Priority::High)];
    starved_by(Crew::new(3, Priority::Max), others).await;
}

/// A runtime has as many workers as it was asked for, and at least one.
#[test]
fn otp_scheduler_suite_scheduler_threads() {
    for workers in 1..=4 {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        assert_eq!(runtime.counters().len(), workers);
        let sum = runtime.block_on(async { 1 + 1 }).unwrap();
        assert_eq!(sum, 2);
        runtime.shutdown(PATIENCE).unwrap();
    }
}

/// S-RT-1: runtimes come and go at the same time in all sizes.
#[test]
fn otp_scheduler_suite_simultaneously_change_schedulers_online() {
    runtimes_come_and_go(false);
}

/// The same while their processes spawn and end.
#[test]
fn otp_scheduler_suite_simultaneously_change_schedulers_online_with_exits() {
    runtimes_come_and_go(true);
}

fn runtimes_come_and_go(busy: bool) {
    let threads: Vec<_> = (0..4)
        .map(|thread: usize| {
            std::thread::spawn(move || {
                for round in 0..10 {
                    let workers = 1 + (thread + round) % 4;
                    let runtime = Runtime::builder().workers(workers).build().unwrap();
                    if busy {
                        runtime.spawn(spawns_for_ever()).unwrap();
                    }
                    let outcome = runtime.block_on(async {
                        for _ in 0..100 {
                            ended(spawn(async {})).await;
                        }
                    });
                    assert!(outcome.is_ok());
                    runtime.shutdown(PATIENCE).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

async fn spawns_for_ever() {
    loop {
        let (_, watch) = spawn_monitor(async { yield_now().await });
        down_of(watch).await;
    }
}

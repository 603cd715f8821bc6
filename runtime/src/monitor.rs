//! The monitor: one thread that sees what a stuck worker cannot.
//!
//! # Problem
//!
//! A poll that does not end keeps its worker from running what waits behind it, from firing its
//! timers and from looking at the injector. Searching workers notice; but all others may sleep,
//! because nothing woke them while the backlog was small.
//!
//! # What it does
//!
//! While any worker is awake it looks at all of them, every [`TICK`] at first:
//!
//! * a worker in the same poll as a tick ago, with work waiting: wakes a sleeper with the order to
//!   take it;
//! * the same with timers overdue: fires them itself;
//! * a worker that moves but has done no maintenance since: asks for it. That bounds the wait for
//!   timers and injected tasks when polls have suddenly become long;
//! * injected tasks while somebody sleeps: wakes one. The protocol of `idle.rs` has done so; this
//!   is a second line.
//!
//! Nothing to report for a while, and the ticks get longer, up to [`LONGEST_TICK`]. When all
//! workers sleep, it sleeps too, until one that wakes up finds it asleep.
//!
//! # Not lost
//!
//! M1: the monitor says that it sleeps. M2: fence. M3: it looks whether all workers still sleep,
//! and gets up if not. On the other side, A1: a worker gets up (its bit is gone). A2: fence. A3:
//! it looks whether the monitor sleeps. One of the two fences comes first; so either M3 sees the
//! missing bit or A3 sees the sleeping monitor.

use std::time::Duration;

use crate::board::Board;
use crate::clock::Nanos;
use crate::guard;
use crate::idle::Idle;
use crate::park::{Parker, Signal};
use crate::sync::atomic::{AtomicBool, Ordering, fence};
use crate::threads::Threads;

/// Time between two looks while there is something to see. Short enough that a stuck worker's
/// timers are late by a millisecond or two, long enough to cost nothing (a few us per ms).
const TICK: Duration = Duration::from_millis(1);

/// The longest time between two looks while workers are awake.
const LONGEST_TICK: Duration = Duration::from_millis(10);

/// Ticks with nothing to report before they get longer.
const QUIET_TICKS: u32 = 50;

/// Ticks with all workers asleep before the monitor sleeps too. More than one, so that workers
/// which sleep and wake all the time do not pay for waking it each time.
const IDLE_TICKS: u32 = 3;

/// How late timers must be before the monitor fires them for their worker.
const OVERDUE_NS: u64 = 1_000_000;

/// The part of the monitor that others see.
#[derive(Debug)]
pub(crate) struct Monitor {
    asleep: AtomicBool,
    pub(crate) parker: Parker,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        Self { asleep: AtomicBool::new(false), parker: Parker::new() }
    }

    /// Makes sure that the monitor sees what the caller has just changed: that it has got up, or
    /// that the scheduler stops.
    pub(crate) fn look(&self) {
        // SeqCst: pairs with the fence M2; the order needed is that of "Not lost".
        fence(Ordering::SeqCst); // A2
        // Relaxed: the fence orders the load; the swap picks one waker.
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.parker.send(Signal::Look);
        }
    }

    /// Sleeps until a worker is awake, or the scheduler stops.
    pub(crate) fn sleep(&self, idle: &Idle, stopping: impl Fn() -> bool) {
        self.asleep.store(true, Ordering::Relaxed);
        // SeqCst: pairs with the fences A2, and S2 of a worker that lies down.
        fence(Ordering::SeqCst); // M2
        let stays = idle.all_asleep() && !stopping();
        if stays || !self.asleep.swap(false, Ordering::Relaxed) {
            self.parker.wait();
        }
    }
}

/// What the monitor remembers of a worker from tick to tick.
#[derive(Clone, Copy, Default)]
struct Seen {
    polls: u64,
    maintenances: u64,
    /// Awake at the last tick, so that the counts may be compared.
    awake: bool,
    /// This poll is counted as a long one.
    reported: bool,
}

/// The monitor's own part.
pub(crate) struct Rounds<'a> {
    threads: &'a Threads,
    seen: Vec<Seen>,
    tick: Duration,
    quiet: u32,
    idle: u32,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(threads: &'a Threads) -> Self {
        let seen = vec![Seen::default(); threads.boards.len()];
        Self { threads, seen, tick: TICK, quiet: 0, idle: 0 }
    }

    /// Makes its rounds until the scheduler stops.
    pub(crate) fn run(&mut self) {
        self.threads.monitor.parker.adopt();
        while !self.threads.is_stopping() {
            if self.idle >= IDLE_TICKS {
                self.threads.monitor.sleep(&self.threads.idle, || self.threads.is_stopping());
                (self.idle, self.quiet, self.tick) = (0, 0, TICK);
            }
            // Only `sleep` lets others send a signal, so this is the passing of time.
            self.threads.monitor.parker.wait_for(self.tick);
            self.look();
        }
    }

    fn look(&mut self) {
        self.idle = if self.threads.idle.all_asleep() { self.idle + 1 } else { 0 };
        let now = self.threads.clock.now();
        let mut calm = true;
        for worker in 0..self.seen.len() {
            calm &= self.look_at(worker, now);
        }
        if !self.threads.inject.is_empty() && self.threads.idle.any_asleep() {
            self.threads.wake_one();
        }
        self.set_tick(calm);
    }

    fn set_tick(&mut self, calm: bool) {
        self.quiet = if calm { self.quiet + 1 } else { 0 };
        if self.quiet == 0 {
            self.tick = TICK;
        } else if self.quiet.is_multiple_of(QUIET_TICKS) {
            self.tick = (self.tick * 2).min(LONGEST_TICK);
        }
    }

    /// Looks at one worker; says whether it is well.
    fn look_at(&mut self, worker: usize, now: Nanos) -> bool {
        let board = &*self.threads.boards[worker];
        let before = self.seen[worker];
        let mut seen = Seen {
            polls: board.own.polls.get(),
            maintenances: board.own.maintenances.get(),
            awake: !self.threads.idle.is_asleep(worker),
            reported: false,
        };
        let comparable = before.awake && seen.awake;
        let stuck = comparable && seen.polls == before.polls;
        if stuck {
            seen.reported = before.reported | self.help(worker, board, now, before.reported);
        } else if comparable && seen.maintenances == before.maintenances {
            board.nudge();
        }
        self.seen[worker] = seen;
        !stuck || !seen.reported
    }

    /// Helps a worker that is in the same poll as a tick ago. Whether there was anything to help.
    fn help(&self, worker: usize, board: &Board, now: Nanos, reported: bool) -> bool {
        let overdue = Nanos(now.0.saturating_sub(OVERDUE_NS));
        let late = self.threads.timers.next_deadline(worker).is_some_and(|at| at <= overdue);
        if late {
            // A panic in here is the embedder's; there is no counter of the monitor's own.
            guard::returns(|| {
                self.threads.timers.fire_due(worker, now);
            });
        }
        let waiting = board.has_work();
        if waiting {
            self.threads.idle.relieve(worker);
            board.notes.long_polls.add(u64::from(!reported));
        }
        late || waiting
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::clock::Clock;
    use crate::task::testing::Dummies;
    use crate::timer::{Expiry, Timers};

    /// Two workers that nobody has started: the test plays their part. The second one sleeps.
    fn threads() -> Threads {
        let clock = Clock::virtual_at(Nanos(0));
        let threads = Threads::new(2, clock.clone(), Arc::new(Timers::new(2, clock)));
        threads.idle.parker(1).adopt();
        threads.idle.lie_down(1, false);
        threads
    }

    #[test]
    fn a_sleeper_is_sent_to_a_stuck_worker_with_work_and_the_poll_is_counted_once() {
        let (threads, dummies) = (threads(), Dummies::new(1));
        let mut rounds = Rounds::new(&threads);
        rounds.look();
        assert!(threads.boards[0].own.next.put(dummies.task(0)));
        rounds.look();
        assert_eq!(threads.idle.parker(1).wait_for(TICK), Some(Signal::Relieve(0)));
        rounds.look();
        assert_eq!(threads.boards[0].counters().long_polls, 1);
        assert_eq!(rounds.tick, TICK);
    }

    #[test]
    fn a_stuck_worker_without_work_is_left_alone_and_ticks_get_longer() {
        let threads = threads();
        let mut rounds = Rounds::new(&threads);
        for _ in 0..QUIET_TICKS * 8 {
            rounds.look();
        }
        assert!(threads.idle.is_asleep(1));
        assert_eq!(rounds.tick, LONGEST_TICK);
        assert_eq!(threads.boards[0].counters().long_polls, 0);
    }

    #[test]
    fn overdue_timers_of_a_stuck_worker_are_fired() {
        let threads = threads();
        let fired = Arc::new(AtomicU64::new(0));
        for _ in 0..2 {
            let fired = Arc::clone(&fired);
            let count = Box::new(move || {
                fired.fetch_add(1, Ordering::Relaxed);
            });
            threads.timers.insert(Nanos(1_000_000), Expiry::Call(count));
        }
        // One timer went to each worker, which has woken the sleeper. It sleeps again.
        assert_eq!(threads.idle.parker(1).wait(), Signal::Look);
        threads.idle.lie_down(1, false);
        let mut rounds = Rounds::new(&threads);
        threads.clock.advance_to(Nanos(1_000_000));
        rounds.look();
        rounds.look();
        assert_eq!(fired.load(Ordering::Relaxed), 0, "they are not overdue yet");
        threads.clock.advance_to(Nanos(2_000_000));
        rounds.look();
        assert_eq!(fired.load(Ordering::Relaxed), 1, "the sleeping worker wakes for its own");
    }

    #[test]
    fn a_worker_that_moves_without_maintenance_is_nudged() {
        let threads = threads();
        let mut rounds = Rounds::new(&threads);
        let board = &threads.boards[0];
        for (maintained, nudged) in [(1, false), (1, false), (0, true)] {
            board.own.polls.add(1);
            board.own.maintenances.add(maintained);
            rounds.look();
            assert_eq!(board.is_nudged(), nudged);
        }
        board.take_nudge();
        assert!(!board.is_nudged());
    }
}

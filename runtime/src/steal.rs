//! The thief, who hesitates.
//!
//! # Problem
//!
//! Processes that talk to each other are fastest on one core. A thief that takes whatever it
//! finds tears such groups apart, over and over: eight clients and a server took 54 ns per call
//! on one worker and 277 ns on two with an eager thief.
//!
//! # When to take
//!
//! 1. When the victim's backlog is worth the trip: its queue length times its measured mean poll
//!    time is at least [`WORTH_NS`]. Then half of it, up to a batch.
//! 2. When the victim's poll does not end: something waits there, and its count of polls does
//!    not move while the thief watches for [`WATCH_NS`]. Then also what is in its next slot.
//! 3. When the monitor says so.
//!
//! Otherwise the thief takes nothing and naps (`rest.rs`).

use crate::board::Board;
use crate::clock::Nanos;
use crate::core::Core;
use crate::deque::Steal;
use crate::pace::WORTH_NS;
use crate::queue::BY_URGENCY;
use crate::task::Task;

/// How long a thief watches a victim's poll before it takes from a small backlog. Most polls
/// end sooner; the trip costs as much.
const WATCH_NS: u64 = 2_000;

/// Victims watched at once. With more workers than this a nap later has others' turn.
const WATCHED: usize = 8;

/// Most tasks taken at once. Copying more takes so long that a busy victim has popped in the
/// meantime, which makes the attempt fail.
const BATCH: usize = 64;

impl Core {
    /// Looks at the other workers once, and takes what is worth it.
    pub(crate) fn search(&self) -> Option<Task> {
        self.victims()
            .filter(|victim| victim.backlog_ns() >= WORTH_NS)
            .find_map(|victim| self.steal_from(victim))
            .or_else(|| self.watch())
    }

    /// Watches some victims that have work waiting, and relieves one whose poll does not end.
    fn watch(&self) -> Option<Task> {
        let mut watched = [None; WATCHED];
        let waiting = self.victims().filter(|victim| victim.has_work());
        for (place, victim) in watched.iter_mut().zip(waiting) {
            *place = Some((victim, victim.own.polls.get()));
        }
        watched[0]?;
        self.spin_for(WATCH_NS);
        let stuck = |&(victim, polls): &(&Board, u64)| victim.own.polls.get() == polls;
        watched.into_iter().flatten().filter(stuck).find_map(|(victim, _)| self.relieve(victim))
    }

    fn spin_for(&self, span_ns: u64) {
        let clock = &self.threads.clock;
        let end = Nanos(clock.now().0 + span_ns);
        while clock.now() < end {
            std::hint::spin_loop();
        }
    }

    /// Takes from a stuck worker: half of a queue, or else what is in its next slot.
    pub(crate) fn relieve(&self, victim: &Board) -> Option<Task> {
        self.steal_from(victim).or_else(|| {
            let task = victim.own.next.steal()?;
            self.count_stolen(1);
            Some(task)
        })
    }

    /// Takes half of the victim's most urgent queue that has something, at most a batch.
    fn steal_from(&self, victim: &Board) -> Option<Task> {
        let mut limit = BATCH;
        let mut classes = BY_URGENCY.into_iter();
        let mut class = classes.next()?;
        loop {
            let before = self.queues.len_of(class);
            match victim.doors.steal(class, &self.queues, limit) {
                Steal::Success(task) => {
                    self.count_stolen(1 + self.queues.len_of(class).saturating_sub(before));
                    return Some(task);
                }
                Steal::Empty => class = classes.next()?,
                // The victim has popped while we copied: be quicker.
                Steal::Retry => limit = (limit / 2).max(1),
            }
        }
    }

    fn count_stolen(&self, tasks: usize) {
        self.board.own.steals.add(1);
        self.board.own.stolen_tasks.add(tasks as u64);
    }

    /// The other workers' boards, from a random one on.
    fn victims(&self) -> impl Iterator<Item = &Board> {
        let boards = &self.threads.boards;
        let start = fastrand::usize(..boards.len());
        let order = (start..boards.len()).chain(0..start);
        order.filter(|&index| index != self.index).map(|index| &*boards[index])
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::queue::Queues;
    use crate::task::Priority;
    use crate::task::testing::Dummies;
    use crate::threads::Threads;
    use crate::timer::Timers;

    /// A thief, and the victim's end of its queues.
    fn thief() -> (Core, Queues) {
        let clock = Clock::real();
        let threads = Threads::new(2, clock.clone(), Arc::new(Timers::new(2, clock)));
        let mut queues = threads.take_queues();
        let thief = queues.pop().expect("two workers");
        (Core::new(1, Arc::new(threads), thief), queues.pop().expect("two workers"))
    }

    #[test]
    fn half_of_a_backlog_that_is_worth_the_trip_is_taken() {
        let (thief, victim) = thief();
        let dummies = Dummies::new(8);
        (0..8).for_each(|i| victim.push(dummies.task(i), Priority::Normal));
        thief.threads.boards[0].own.mean_poll_ns.set(WORTH_NS / 8);
        assert_eq!(thief.search(), Some(dummies.task(0)));
        assert_eq!((victim.len(), thief.queues.len()), (4, 3));
        let counters = thief.board.counters();
        assert_eq!((counters.steals, counters.stolen_tasks), (1, 4));
    }

    #[test]
    fn no_more_than_a_batch_is_taken() {
        let (thief, victim) = thief();
        let dummies = Dummies::new(1_000);
        (0..1_000).for_each(|i| victim.push(dummies.task(i), Priority::Low));
        thief.threads.boards[0].own.mean_poll_ns.set(WORTH_NS);
        assert!(thief.search().is_some());
        assert_eq!(thief.queues.len() + 1, BATCH);
    }

    #[test]
    fn a_victim_whose_poll_does_not_end_loses_its_queue_and_then_its_slot() {
        let (thief, victim) = thief();
        let dummies = Dummies::new(2);
        let board = &thief.threads.boards[0];
        assert!(board.own.next.put(dummies.task(0)));
        victim.push(dummies.task(1), Priority::Normal);
        board.own.mean_poll_ns.set(1);
        let taken = [thief.search(), thief.search(), thief.search()];
        assert_eq!(taken, [Some(dummies.task(1)), Some(dummies.task(0)), None]);
    }
}

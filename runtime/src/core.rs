//! A worker's core: its queues, and the choice of what runs next.
//!
//! # The hot path
//!
//! A turn is: look at the turn counter and the nudge, look at the next slot, else pop the normal
//! queue. Making a task runnable is: fill the next slot, else push. No lock, no clock, no fence;
//! one locked instruction where a task is taken out of a queue, because a thief might want the same
//! one.
//!
//! # The cold paths
//!
//! *Maintenance*, every so many turns (see `pace.rs`): measure the pace, publish it, fire the
//! timers that are due, offer a backlog to a sleeper, take injected tasks, notice the stop.
//! *Looking elsewhere*, when nothing is left here, is in `rest.rs` and `steal.rs`.

use std::cell::Cell;
use std::sync::Arc;

use crate::board::Board;
use crate::clock::Nanos;
use crate::guard;
use crate::pace::Pace;
use crate::queue::{Choice, Queues};
use crate::task::{Priority, Task};
use crate::threads::Threads;

/// Every so many maintenances the injector's low queue is looked at first.
const LOW_FIRST: u64 = 8;

/// What a maintenance found.
enum Round {
    GoOn,
    Run(Task),
    Stop,
}

pub(crate) struct Core {
    pub(crate) index: usize,
    pub(crate) threads: Arc<Threads>,
    pub(crate) board: Arc<Board>,
    pub(crate) queues: Queues,
    pub(crate) pace: Pace,
    turns_left: Cell<u32>,
    slot_cap: Cell<u32>,
    /// Uses of the next slot since it was last found empty or capped.
    slot_streak: Cell<u32>,
    /// A queue of this length is offered to a sleeper.
    wake_len: Cell<usize>,
}

impl Core {
    pub(crate) fn new(index: usize, threads: Arc<Threads>, queues: Queues) -> Self {
        let board = Arc::clone(&threads.boards[index]);
        let core = Self {
            index,
            threads,
            board,
            queues,
            pace: Pace::new(),
            turns_left: Cell::new(0),
            slot_cap: Cell::new(0),
            slot_streak: Cell::new(0),
            wake_len: Cell::new(0),
        };
        core.restart_pace();
        core.set_limits();
        core
    }

    /// Makes a task runnable: next if nothing else is, otherwise behind the others.
    #[inline]
    pub(crate) fn schedule(&self, task: Task, priority: Priority) {
        if priority == Priority::Normal && self.board.own.next.put(task) {
            return;
        }
        self.queues.push(task, priority);
        let waiting = self.queues.len_of(priority);
        if waiting >= self.wake_len.get() {
            self.offer(waiting);
        }
    }

    /// Makes a task runnable behind the others of its class.
    ///
    /// The task is most often the one that runs now and is about to return, so it alone is no
    /// reason to wake anybody: a lone process that yields must not wander between workers.
    #[inline]
    pub(crate) fn schedule_back(&self, task: Task, priority: Priority) {
        self.queues.push(task, priority);
        let waiting = self.queues.len_of(priority);
        if waiting > self.wake_len.get() {
            self.offer(waiting);
        }
    }

    /// Offers the backlog to a sleeper. The next offer before the next maintenance needs twice
    /// the backlog: one that nobody takes must not cost a system call at every push.
    #[cold]
    fn offer(&self, waiting: usize) {
        self.wake_len.set(waiting.saturating_mul(2));
        if self.threads.wake_one() {
            self.board.own.wakes.add(1);
        }
    }

    /// The next task to run, counted as a poll; waits for one if need be. `None` when the
    /// scheduler stops.
    #[inline]
    pub(crate) fn next_task(&self) -> Option<Task> {
        let turns = self.turns_left.get();
        if turns == 0 || self.board.is_nudged() {
            match self.maintain() {
                Round::Run(task) => return Some(self.counted(task)),
                Round::Stop => return None,
                Round::GoOn => {}
            }
        } else {
            self.turns_left.set(turns - 1);
        }
        let task = self.local_task().or_else(|| self.look_elsewhere())?;
        Some(self.counted(task))
    }

    #[inline]
    fn counted(&self, task: Task) -> Task {
        self.board.own.polls.add(1);
        task
    }

    /// A task from the next slot or the queues.
    #[inline]
    pub(crate) fn local_task(&self) -> Option<Task> {
        if self.queues.is_mixed() {
            return self.mixed_task();
        }
        self.normal_task()
    }

    #[cold]
    fn mixed_task(&self) -> Option<Task> {
        match self.queues.choose() {
            Choice::Run(task) => Some(task),
            Choice::Normal => self.normal_task().or_else(|| self.queues.pop_low()),
        }
    }

    #[inline]
    fn normal_task(&self) -> Option<Task> {
        let Some(task) = self.board.own.next.take() else {
            self.slot_streak.set(0);
            return self.queues.pop(Priority::Normal);
        };
        let streak = self.slot_streak.get();
        if streak >= self.slot_cap.get() {
            return Some(self.end_streak(task));
        }
        self.slot_streak.set(streak + 1);
        self.board.own.slot_uses.add(1);
        Some(task)
    }

    /// The chain of hand-offs is as long as it may be: the others' turn, if there are others.
    #[cold]
    fn end_streak(&self, task: Task) -> Task {
        self.slot_streak.set(0);
        match self.queues.pop(Priority::Normal) {
            Some(other) => {
                self.queues.push(task, Priority::Normal);
                other
            }
            None => task,
        }
    }

    #[cold]
    fn maintain(&self) -> Round {
        self.board.take_nudge();
        if self.threads.is_stopping() {
            return Round::Stop;
        }
        let now = self.threads.clock.now();
        self.pace.measure(now, self.board.own.polls.get());
        self.set_limits();
        self.fire_timers(now);
        let waiting = self.queues.len();
        self.board.own.queue_depth.set(waiting as u64);
        // More than, as in `schedule_back`: one of them runs next.
        if waiting > self.wake_len.get() {
            self.offer(waiting);
        }
        self.take_injected().map_or(Round::GoOn, Round::Run)
    }

    /// Takes over what follows from the pace, and publishes it.
    fn set_limits(&self) {
        self.turns_left.set(self.pace.turns());
        self.slot_cap.set(self.pace.slot_cap());
        let alone = self.threads.boards.len() == 1;
        self.wake_len.set(if alone { usize::MAX } else { self.pace.worthwhile_len() });
        self.board.own.mean_poll_ns.set(self.pace.mean_ns());
        self.board.own.maintenances.add(1);
    }

    /// Measures the pace afresh from now: what went before was not polls.
    pub(crate) fn restart_pace(&self) {
        self.pace.restart(self.threads.clock.now(), self.board.own.polls.get());
    }

    /// Fires this worker's timers that are due. What they make runnable is local.
    pub(crate) fn fire_timers(&self, now: Nanos) {
        let timers = &self.threads.timers;
        if timers.next_deadline(self.index).is_none_or(|deadline| deadline > now) {
            return;
        }
        let fire = || {
            timers.fire_due(self.index, now);
        };
        self.board.own.escaped_panics.add(u64::from(!guard::returns(fire)));
        // That took time, too, and was no poll.
        self.restart_pace();
    }

    /// Takes a share of the injected tasks, and the first of them to run.
    pub(crate) fn take_injected(&self) -> Option<Task> {
        let inject = &self.threads.inject;
        if inject.is_empty() {
            return None;
        }
        let before = self.queues.len();
        let task = if self.board.own.maintenances.get().is_multiple_of(LOW_FIRST) {
            inject.take_low_first(&self.queues)
        } else {
            inject.take(&self.queues)
        }?;
        self.board.own.injected.add((self.queues.len() + 1).saturating_sub(before) as u64);
        Some(task)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::task::testing::Dummies;
    use crate::timer::Timers;

    /// The only worker of a scheduler that nobody has started; time stands still.
    fn alone() -> Core {
        let clock = Clock::virtual_at(Nanos(0));
        let threads = Threads::new(1, clock.clone(), Arc::new(Timers::new(1, clock)));
        let queues = threads.take_queues().pop().expect("one worker");
        Core::new(0, Arc::new(threads), queues)
    }

    #[test]
    fn the_first_woken_runs_next_and_the_others_follow_in_order() {
        let (core, dummies) = (alone(), Dummies::new(3));
        (0..3).for_each(|i| core.schedule(dummies.task(i), Priority::Normal));
        let order = std::array::from_fn(|_| core.next_task());
        assert_eq!(order, [0, 1, 2].map(|i| Some(dummies.task(i))));
        assert_eq!((core.board.counters().polls, core.board.counters().slot_uses), (3, 1));
    }

    #[test]
    fn a_task_that_yields_goes_behind_the_others() {
        let (core, dummies) = (alone(), Dummies::new(2));
        core.queues.push(dummies.task(1), Priority::Normal);
        core.schedule_back(dummies.task(0), Priority::Normal);
        assert_eq!(core.local_task(), Some(dummies.task(1)));
        assert_eq!(core.local_task(), Some(dummies.task(0)));
    }

    #[test]
    fn a_chain_of_hand_offs_ends_when_another_task_waits() {
        let (core, dummies) = (alone(), Dummies::new(2));
        let (chain, other) = (dummies.task(0), dummies.task(1));
        let links_before_other = || {
            let next = || {
                core.schedule(chain, Priority::Normal);
                core.local_task()
            };
            std::iter::from_fn(next).take(1_000).take_while(|&task| task != other).count()
        };
        assert_eq!(links_before_other(), 1_000, "nothing else waits");
        core.queues.push(other, Priority::Normal);
        assert!(links_before_other() <= core.slot_cap.get() as usize);
    }

    #[test]
    fn urgent_tasks_go_before_the_slot_and_low_ones_get_their_turn_beside_it() {
        let (core, dummies) = (alone(), Dummies::new(3));
        core.schedule(dummies.task(0), Priority::Normal);
        core.schedule(dummies.task(1), Priority::High);
        assert_eq!(core.local_task(), Some(dummies.task(1)));
        core.schedule(dummies.task(2), Priority::Low);
        let turns = std::iter::from_fn(|| {
            core.schedule(dummies.task(0), Priority::Normal);
            core.local_task()
        });
        assert_eq!(turns.take(8).filter(|&task| task == dummies.task(2)).count(), 1);
    }

    #[test]
    fn injected_tasks_are_taken_at_maintenance_although_local_ones_wait() {
        let (core, dummies) = (alone(), Dummies::new(2));
        let (local, injected) = (dummies.task(0), dummies.task(1));
        core.threads.inject.push(injected, Priority::Normal);
        let turns = std::iter::from_fn(|| {
            core.schedule_back(local, Priority::Normal);
            core.next_task()
        });
        assert!(turns.take(62).any(|task| task == injected));
    }

    #[test]
    fn no_task_is_given_out_after_the_stop() {
        let (core, dummies) = (alone(), Dummies::new(1));
        core.schedule(dummies.task(0), Priority::Normal);
        core.threads.stop();
        assert_eq!(core.next_task(), None);
        assert!(core.board.own.next.is_full(), "it stays unrun");
    }
}

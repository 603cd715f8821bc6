//! A worker's run queues: one per [`Priority`], and the choice between them.
//!
//! Almost every task is normal, so the hot path looks at the normal queue alone. A task of
//! another class sets a local hint, `mixed`, that sends the owner down the slower path until the
//! other three queues are empty again. Only the owner pushes, so only the owner needs the hint;
//! a thief that empties those queues merely leaves it set until the owner's next look.

use std::cell::Cell;

use crate::deque::{Steal, Stealer, Worker};
use crate::task::{Priority, Task};

/// Number of priority classes.
pub(crate) const CLASSES: usize = 4;

/// Of this many turns that normal and low tasks share, low gets one. BEAM's ratio.
pub(crate) const LOW_SHARE: u32 = 8;

/// Classes in the order in which they are served, and stolen.
pub(crate) const BY_URGENCY: [Priority; CLASSES] =
    [Priority::Max, Priority::High, Priority::Normal, Priority::Low];

/// What one look at the queues in class order found to do.
pub(crate) enum Choice {
    /// Run this.
    Run(Task),
    /// Normal's turn (the next slot, then the normal queue); if it has nothing, low's.
    Normal,
}

/// The owner's ends of a worker's run queues.
pub(crate) struct Queues {
    queues: [Worker<Task>; CLASSES],
    /// Something may wait in a queue other than the normal one.
    mixed: Cell<bool>,
    /// Turns since low was last served.
    turns_without_low: Cell<u32>,
}

impl Queues {
    pub(crate) fn new() -> Self {
        Self {
            queues: std::array::from_fn(|_| Worker::new_fifo()),
            mixed: Cell::new(false),
            turns_without_low: Cell::new(0),
        }
    }

    /// The thieves' ends.
    pub(crate) fn doors(&self) -> Doors {
        Doors { stealers: std::array::from_fn(|class| self.queues[class].stealer()) }
    }

    /// Queues a task behind the others of its class.
    #[inline]
    pub(crate) fn push(&self, task: Task, priority: Priority) {
        if priority != Priority::Normal {
            self.mixed.set(true);
        }
        self.queues[priority as usize].push(task);
    }

    #[inline]
    pub(crate) fn pop(&self, priority: Priority) -> Option<Task> {
        self.queues[priority as usize].pop()
    }

    /// Whether something may wait in a queue other than the normal one.
    #[inline]
    pub(crate) fn is_mixed(&self) -> bool {
        self.mixed.get()
    }

    /// How many tasks of one class wait.
    #[inline]
    pub(crate) fn len_of(&self, priority: Priority) -> usize {
        self.queues[priority as usize].len()
    }

    /// How many tasks wait, of all classes.
    pub(crate) fn len(&self) -> usize {
        self.queues.iter().map(Worker::len).sum()
    }

    /// Picks in class order. Call it only when [`is_mixed`](Self::is_mixed).
    #[cold]
    pub(crate) fn choose(&self) -> Choice {
        if let Some(task) = self.pop(Priority::Max).or_else(|| self.pop(Priority::High)) {
            return Choice::Run(task);
        }
        if self.len_of(Priority::Low) == 0 {
            self.mixed.set(false);
            return Choice::Normal;
        }
        let turns = self.turns_without_low.get() + 1;
        if turns >= LOW_SHARE
            && let Some(task) = self.pop_low()
        {
            return Choice::Run(task);
        }
        self.turns_without_low.set(turns);
        Choice::Normal
    }

    /// Low's turn: because it is due, or because nothing else waits.
    pub(crate) fn pop_low(&self) -> Option<Task> {
        self.turns_without_low.set(0);
        self.pop(Priority::Low)
    }

    /// Lets `take` move tasks of one class in from elsewhere. It gets the queue to fill and
    /// returns the first task.
    pub(crate) fn fill(
        &self,
        priority: Priority,
        take: impl FnOnce(&Worker<Task>) -> Steal<Task>,
    ) -> Steal<Task> {
        if priority != Priority::Normal {
            self.mixed.set(true);
        }
        take(&self.queues[priority as usize])
    }
}

/// The thieves' ends of a worker's run queues.
pub(crate) struct Doors {
    stealers: [Stealer<Task>; CLASSES],
}

impl Doors {
    /// How many tasks wait behind these doors, of all classes.
    pub(crate) fn len(&self) -> usize {
        self.stealers.iter().map(Stealer::len).sum()
    }

    /// Takes about half of what waits in one class, at most `limit` and at least one; the first
    /// is returned, the rest goes to the thief's own queue of the class.
    pub(crate) fn steal(&self, priority: Priority, thief: &Queues, limit: usize) -> Steal<Task> {
        let door = &self.stealers[priority as usize];
        if door.is_empty() {
            return Steal::Empty;
        }
        thief.fill(priority, |own| door.steal_batch_with_limit_and_pop(own, limit))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::task::testing::Dummies;

    fn drain(queues: &Queues) -> Vec<Task> {
        let next = || match queues.is_mixed().then(|| queues.choose()) {
            Some(Choice::Run(task)) => Some(task),
            _ => queues.pop(Priority::Normal).or_else(|| queues.pop_low()),
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn classes_are_served_by_urgency_and_in_order() {
        let dummies = Dummies::new(8);
        let queues = Queues::new();
        let order = [6, 7, 4, 5, 2, 3, 0, 1];
        for i in 0..8 {
            let class = [Priority::Low, Priority::Normal, Priority::High, Priority::Max][i / 2];
            queues.push(dummies.task(i), class);
        }
        assert_eq!(drain(&queues), order.map(|i| dummies.task(i)));
        assert!(!queues.is_mixed());
    }

    #[test]
    fn low_gets_one_turn_in_eight() {
        let dummies = Dummies::new(2);
        let queues = Queues::new();
        for _ in 0..800 {
            queues.push(dummies.task(0), Priority::Low);
            queues.push(dummies.task(1), Priority::Normal);
        }
        let low = drain(&queues)[..800].iter().filter(|&&task| task == dummies.task(0)).count();
        assert_eq!(low, 100);
    }

    #[test]
    fn a_thief_takes_half_of_one_class() {
        let dummies = Dummies::new(8);
        let (owner, thief) = (Queues::new(), Queues::new());
        let doors = owner.doors();
        for i in 0..8 {
            owner.push(dummies.task(i), Priority::High);
        }
        assert!(matches!(doors.steal(Priority::Normal, &thief, 64), Steal::Empty));
        assert!(matches!(doors.steal(Priority::High, &thief, 64), Steal::Success(_)));
        assert_eq!((owner.len(), thief.len(), doors.len()), (4, 3, 4));
        assert!(thief.is_mixed());
    }
}

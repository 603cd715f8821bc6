//! The injector: where tasks go that are made runnable by a thread that is not a worker of this
//! scheduler.
//!
//! One queue per class, shared by all workers. A worker looks here at each maintenance, about
//! every 150 us, and whenever it has nothing else; it takes its fair share at once, runs the
//! first task of it and queues the others behind its own.

use crate::deque::{Injector, Steal};
use crate::queue::{BY_URGENCY, CLASSES, Queues};
use crate::sync::CachePadded;
use crate::task::{Priority, Task};

/// Most tasks taken from the injector at once: a share that lasts a few microseconds, so that a
/// flood reaches the other workers before one has hoarded it.
const BATCH: usize = 32;

pub(crate) struct Inject {
    queues: CachePadded<[Injector<Task>; CLASSES]>,
    workers: usize,
}

impl Inject {
    pub(crate) fn new(workers: usize) -> Self {
        Self { queues: CachePadded::new(std::array::from_fn(|_| Injector::new())), workers }
    }

    /// Queues a task. The caller then wakes a worker, see `Idle::wake_for_injected`.
    pub(crate) fn push(&self, task: Task, priority: Priority) {
        self.queues[priority as usize].push(task);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues.iter().all(Injector::is_empty)
    }

    /// How many tasks wait.
    #[cfg(all(test, not(loom)))]
    fn len(&self) -> usize {
        self.queues.iter().map(Injector::len).sum()
    }

    /// Takes a share of the most urgent class that has something: the first task of it is
    /// returned, the others go to `own`.
    pub(crate) fn take(&self, own: &Queues) -> Option<Task> {
        BY_URGENCY.into_iter().find_map(|class| self.take_class(class, own))
    }

    /// As [`take`](Self::take), but low goes first. Called now and then, so that a flood of
    /// normal tasks from outside does not keep low ones out for ever.
    pub(crate) fn take_low_first(&self, own: &Queues) -> Option<Task> {
        self.take_class(Priority::Low, own).or_else(|| self.take(own))
    }

    fn take_class(&self, class: Priority, own: &Queues) -> Option<Task> {
        let queue = &self.queues[class as usize];
        while !queue.is_empty() {
            let share = (queue.len() / self.workers + 1).min(BATCH);
            let batch = own.fill(class, |own| queue.steal_batch_with_limit_and_pop(own, share));
            match batch {
                Steal::Success(task) => return Some(task),
                Steal::Empty => return None,
                Steal::Retry => std::hint::spin_loop(),
            }
        }
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::task::testing::Dummies;

    #[test]
    fn the_most_urgent_class_comes_first_and_is_shared_fairly() {
        let dummies = Dummies::new(12);
        let inject = Inject::new(2);
        inject.push(dummies.task(0), Priority::Normal);
        for i in 1..11 {
            inject.push(dummies.task(i), Priority::High);
        }
        let own = Queues::new();
        assert_eq!(inject.take(&own), Some(dummies.task(1)));
        assert!((1..=5).contains(&own.len()), "took {}", own.len());
        assert_eq!(inject.len() + own.len() + 1, 11);
        inject.push(dummies.task(11), Priority::Low);
        assert_eq!(inject.take_low_first(&own), Some(dummies.task(11)));
        assert!(!inject.is_empty());
    }
}

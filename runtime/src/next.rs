//! The next slot: room for one task that runs before the worker's queue.
//!
//! # Problem
//!
//! A process that sends and then waits should hand the processor straight to the receiver: the
//! message is in this core's cache, and the queue need not be touched. But a task that only its
//! owner can reach starves when the owner is stuck in a long poll.
//!
//! # Protocol
//!
//! One pointer, null when the slot is empty.
//!
//! 1. Only the owner makes the slot full, and only when it is empty. Nobody else ever writes
//!    anything but null, so an owner that has read null may store, without a lock.
//! 2. Whoever empties the slot does so under a lock that favours the owner (biased.rs): owner and
//!    thief cannot both get the task. A thief comes when a poll does not end, so hardly ever.
//!
//! The first task in stays: a second one made runnable in the same poll goes to the queue. So a
//! process that wakes several others wakes them in that order, and neither filling nor emptying
//! costs the owner a locked instruction.
//!
//! This is one of the crate's few modules with `unsafe` code.
#![allow(unsafe_code)] // Turns the slot's pointer back into the task that it was.

use std::ptr::{self, NonNull};

use crate::biased::BiasedLock;
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::task::{Header, Task};

#[derive(Debug)]
pub(crate) struct NextSlot {
    task: AtomicPtr<Header>,
    emptying: BiasedLock,
}

impl NextSlot {
    pub(crate) fn new() -> Self {
        Self { task: AtomicPtr::new(ptr::null_mut()), emptying: BiasedLock::new() }
    }

    /// Owner only: fills the slot if it is empty. Returns whether it did.
    #[inline]
    #[must_use]
    pub(crate) fn put(&self, task: Task) -> bool {
        // Relaxed: no one else fills the slot, so null cannot be out of date; a value that is
        // out of date (a thief has just taken the task) only costs the use of the slot.
        if !self.task.load(Ordering::Relaxed).is_null() {
            return false;
        }
        // Release: pairs with the acquire in `steal`, so that a thief sees what the owner did to
        // the task before it was made runnable.
        self.task.store(task.as_ptr().as_ptr(), Ordering::Release);
        true
    }

    /// Owner only: empties the slot.
    #[inline]
    pub(crate) fn take(&self) -> Option<Task> {
        if !self.is_full() {
            return None;
        }
        // Relaxed: the owner reads back its own store, or what a thief stored under the lock.
        let header = NonNull::new(self.emptying.owner(|| self.empty(Ordering::Relaxed)))?;
        // SAFETY: the pointer is that of a task which `put` was given, and rule 2 makes this the
        // only place that gets it back.
        Some(unsafe { Task::from_raw(header) })
    }

    /// Anyone: whether a task waits here. A hint, but for the owner "empty" is certain.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        !self.task.load(Ordering::Relaxed).is_null()
    }

    /// Anyone but the owner: takes the task away from it.
    pub(crate) fn steal(&self) -> Option<Task> {
        if !self.is_full() {
            return None;
        }
        // Acquire: pairs with the release in `put`.
        let header = NonNull::new(self.emptying.other(|| self.empty(Ordering::Acquire))?)?;
        // SAFETY: as in `take`.
        Some(unsafe { Task::from_raw(header) })
    }

    /// Under the lock.
    #[inline]
    fn empty(&self, order: Ordering) -> *mut Header {
        let header = self.task.load(order);
        // The owner may fill an empty slot meanwhile, which must not be undone.
        if !header.is_null() {
            self.task.store(ptr::null_mut(), Ordering::Relaxed);
        }
        header
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::task::testing::Dummies;

    #[test]
    fn the_first_task_stays_until_it_is_taken() {
        let dummies = Dummies::new(2);
        let slot = NextSlot::new();
        assert!(slot.put(dummies.task(0)));
        assert!(!slot.put(dummies.task(1)));
        assert_eq!(slot.take(), Some(dummies.task(0)));
        assert_eq!((slot.take(), slot.steal()), (None, None));
        assert!(slot.put(dummies.task(1)));
        assert!(slot.is_full());
        assert_eq!(slot.steal(), Some(dummies.task(1)));
        assert!(!slot.is_full());
    }
}

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
//!    anything but null, so an owner that has read null may use a plain store.
//! 2. Whoever empties the slot does so with a swap or compare-exchange that reads the task:
//!    owner and thief cannot both get it.
//!
//! The first task in stays: a second one made runnable in the same poll goes to the queue. So a
//! process that wakes several others wakes them in that order, and filling costs no locked
//! instruction.
//!
//! This is one of the crate's few modules with `unsafe` code.
#![allow(unsafe_code)] // Turns the slot's pointer back into the task that it was.

use std::ptr::{self, NonNull};

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::task::{Header, Task};

#[derive(Debug)]
pub(crate) struct NextSlot(AtomicPtr<Header>);

impl NextSlot {
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Owner only: fills the slot if it is empty. Returns whether it did.
    #[inline]
    #[must_use]
    pub(crate) fn put(&self, task: Task) -> bool {
        // Relaxed: no one else fills the slot, so null cannot be out of date; a value that is
        // out of date (a thief has just taken the task) only costs the use of the slot.
        if !self.0.load(Ordering::Relaxed).is_null() {
            return false;
        }
        // Release: pairs with the acquire in `steal`, so that a thief sees what the owner did to
        // the task before it was made runnable.
        self.0.store(task.as_ptr().as_ptr(), Ordering::Release);
        true
    }

    /// Owner only: empties the slot.
    #[inline]
    pub(crate) fn take(&self) -> Option<Task> {
        // Relaxed: see `put`; a stale value is caught by the swap.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Relaxed: the owner reads back its own store. The read-modify-write decides between
        // the owner and a thief.
        let header = NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Relaxed))?;
        // SAFETY: the pointer is that of a task which `put` was given, and rule 2 makes this the
        // only place that gets it back.
        Some(unsafe { Task::from_raw(header) })
    }

    /// Anyone: whether a task waits here. A hint.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }

    /// Anyone: takes the task away from the owner.
    pub(crate) fn steal(&self) -> Option<Task> {
        let seen = NonNull::new(self.0.load(Ordering::Relaxed))?;
        // Acquire: pairs with the release in `put`.
        let (taken, lost) = (Ordering::Acquire, Ordering::Relaxed);
        self.0.compare_exchange(seen.as_ptr(), ptr::null_mut(), taken, lost).ok()?;
        // SAFETY: as in `take`.
        Some(unsafe { Task::from_raw(seen) })
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

//! A cell that must be used by one thread after the other: loom checks it.
#![allow(unsafe_code, reason = "makes loom's checked cell safe to use")]

use loom::cell::UnsafeCell;

/// Fails the model if two accesses overlap, or are not ordered by what happened between them.
pub(super) struct Watched<T>(UnsafeCell<T>);

// SAFETY: the one access is exclusive: loom panics otherwise.
unsafe impl<T: Send> Sync for Watched<T> {}

impl<T> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: loom panics before it calls the closure when another access is going on, or
        // does not happen before this one.
        self.0.with_mut(|value| f(unsafe { &mut *value }))
    }
}

//! What happens at a deadline.
#![allow(unsafe_code)] // Calls a function pointer with the pointer that came along with it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// What happens at a deadline, on whichever thread finds that it has passed.
///
/// It should be short: it delays the timers behind it. A panic in it is caught once the panic hook
/// has reported it, so that the other timers are not lost.
pub enum Expiry {
    /// Wakes a waker.
    Wake(Waker),
    /// Calls a closure.
    Call(Box<dyn FnOnce() + Send>),
    /// Calls a plain function, without any allocation. Made by [`Expiry::task`].
    Task(TaskExpiry),
}

/// A function and its arguments; see [`Expiry::task`].
#[derive(Clone, Copy)]
pub struct TaskExpiry {
    fire: unsafe fn(*const (), u64),
    data: *const (),
    value: u64,
}

// SAFETY: whoever made it promised that the call is sound from any thread (`Expiry::task`).
unsafe impl Send for TaskExpiry {}

impl Expiry {
    /// An expiry that calls `fire(data, value)`, once at most. It owns nothing: when it is
    /// cancelled, or dropped with the service, nothing is called.
    ///
    /// It is meant for type-stable memory: `data` points to an object that may have changed hands
    /// by the deadline, and `value` tells `fire` for which of its users the timer was set.
    ///
    /// # Safety
    ///
    /// Calling `fire(data, value)` must be sound from any thread at any time until the timer is
    /// known not to run: until `cancel` has returned a deadline, or the call itself has returned,
    /// or the service was dropped. That a cancel returned `None` does not mean that the call is
    /// over.
    #[inline]
    #[must_use]
    pub const unsafe fn task(fire: unsafe fn(*const (), u64), data: *const (), value: u64) -> Self {
        Self::Task(TaskExpiry { fire, data, value })
    }

    /// Does it.
    #[inline]
    fn run(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Call(call) => call(),
            // SAFETY: promised by the caller of `Expiry::task`; the entry was taken out of the
            // wheel, so no cancel has returned its deadline.
            Self::Task(task) => unsafe { (task.fire)(task.data, task.value) },
        }
    }
}

impl fmt::Debug for TaskExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskExpiry").field("value", &self.value).finish_non_exhaustive()
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wake(_) => f.write_str("Wake"),
            Self::Call(_) => f.write_str("Call"),
            Self::Task(task) => task.fmt(f),
        }
    }
}

/// Runs an expiry; a panic ends here.
#[inline]
pub(super) fn run_guarded(expiry: Expiry) {
    guard(|| expiry.run());
}

/// Drops expiries one by one; a panic in one does not keep the others from being dropped.
pub(super) fn drop_all(expiries: impl Iterator<Item = Expiry>) {
    for expiry in expiries {
        guard(|| drop(expiry));
    }
}

#[inline]
fn guard(action: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(action)) {
        // The payload's own drop may panic as well; that second payload is leaked.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
    }
}

/// How many expiries a batch holds: they are taken out under one lock, which others wait for.
pub(super) const BATCH: usize = 64;

/// Expiries taken out of a wheel and not yet run.
pub(super) struct Batch {
    expiries: [Option<Expiry>; BATCH],
    len: usize,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { expiries: [const { None }; BATCH], len: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, expiry: Expiry) {
        self.expiries[self.len] = Some(expiry);
        self.len += 1;
    }

    /// Runs everything in order and returns how many there were.
    pub(super) fn run(mut self) -> usize {
        self.expiries[..self.len].iter_mut().filter_map(Option::take).for_each(run_guarded);
        self.len
    }
}

//! A lock that its owner takes for almost nothing, and anybody else for a lot.
//!
//! # Problem
//!
//! Much belongs to one worker, which uses it all the time, and must be within reach of others all
//! the same: what is about to run next there, the free places it keeps. An ordinary lock costs
//! the owner two locked instructions each time, for the sake of somebody who hardly ever comes.
//!
//! # Protocol
//!
//! Two flags: `entered`, written by the owner, and `wanted`, written by others, who take turns
//! under a mutex.
//!
//! 1. The owner sets `entered`, passes the light half of a barrier, and looks at `wanted`. If it
//!    is not set, the owner is in; it clears `entered` when it leaves.
//! 2. Anybody else takes the mutex, sets `wanted`, passes the heavy half, and waits until
//!    `entered` is not set. Then it is in; it clears `wanted` when it leaves.
//! 3. An owner that sees `wanted` clears `entered` and goes the way of the others: the mutex.
//!
//! The barrier (barrier.rs) makes one of the two see the other. The model `loom_biased` checks it.
//!
//! # Costs
//!
//! The owner: three stores to a line of its own. Others: a mutex, and the heavy half of the
//! barrier, which interrupts every core that runs a thread of this program.

use std::fmt;

use crate::barrier;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, thread};

/// See the module's documentation. It holds no data: what it guards is relaxed atomics. Their users
/// may rely on it, so use it as it says.
pub struct BiasedLock {
    entered: AtomicBool,
    wanted: AtomicBool,
    others: Mutex<()>,
}

impl BiasedLock {
    /// A free lock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entered: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            others: Mutex::new(()),
        }
    }

    /// Calls `f` while nobody else is inside.
    ///
    /// Only the owner may call this: one thread, or several that exclude each other. `f` must not
    /// use the lock again.
    #[inline(always)]
    pub fn owner<R>(&self, f: impl FnOnce() -> R) -> R {
        // Relaxed: the barrier orders it before the look.
        self.entered.store(true, Ordering::Relaxed);
        barrier::light();
        // Acquire: pairs with the release with which another one left.
        if self.wanted.load(Ordering::Acquire) {
            return self.owner_waits(f);
        }
        let _inside = Inside(&self.entered);
        f()
    }

    #[cold]
    #[inline(never)]
    fn owner_waits<R>(&self, f: impl FnOnce() -> R) -> R {
        drop(Inside(&self.entered));
        let _turn = self.others.lock(); // now as one of them
        f()
    }

    /// Calls `f` while neither the owner nor anybody else is inside; for anybody but the owner.
    /// `None` if the operating system refuses the barrier; then `f` was not called.
    #[cold]
    pub fn other<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        let _turn = self.others.lock();
        // Relaxed: the barrier orders it before the look.
        self.wanted.store(true, Ordering::Relaxed);
        let _inside = Inside(&self.wanted);
        barrier::heavy().then(|| {
            // Acquire: pairs with the release with which the owner left.
            while self.entered.load(Ordering::Acquire) {
                thread::yield_now();
            }
            f()
        })
    }
}

/// Clears a flag when it is dropped, so that a panic inside locks nobody out.
struct Inside<'a>(&'a AtomicBool);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: pairs with the acquire of the one who looks at the flag.
        self.0.store(false, Ordering::Release);
    }
}

impl Default for BiasedLock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BiasedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedLock").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn owner_and_others_exclude_each_other() {
        barrier::prepare();
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        let (lock, count) = (BiasedLock::new(), AtomicU64::new(0));
        // Not atomic as a whole: two at once lose counts.
        let add = || count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..rounds / 10).for_each(|_| assert!(lock.other(add).is_some())));
            }
            (0..rounds).for_each(|_| lock.owner(add));
        });
        assert_eq!(count.into_inner(), rounds + 2 * (rounds / 10));
    }
}

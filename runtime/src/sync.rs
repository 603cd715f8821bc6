//! The one place where the standard library's primitives are exchanged for loom's.
//!
//! Code that is modelled takes its atomics, locks and threads from here. Under `cfg(loom)` they
//! are loom's, so that a model explores every interleaving of them; otherwise they are the
//! standard library's atomics and threads and `parking_lot`'s locks. Locks that no model touches
//! come from [`plain`].
//!
//! `parking_lot` keeps queues of threads in integers that it turns into pointers. Miri cannot check
//! such pointers, so under `cfg(miri)` all locks are the standard library's: what remains is checked
//! with strict provenance.
//!
//! The run queues have their own exchange, in `deque.rs`.

/// Atomics and fences.
pub(crate) mod atomic {
    #[cfg(loom)]
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence,
    };
    #[cfg(not(loom))]
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

/// Threads: a handle to one, and what a thread does to itself.
pub(crate) mod thread {
    #[cfg(loom)]
    pub(crate) use loom::thread::{Thread, current, park, yield_now};
    #[cfg(not(loom))]
    pub(crate) use std::thread::{Thread, current, park, yield_now};

    use std::time::Duration;

    /// Parks for at most `limit`. Loom has no time: a model sees a spurious return.
    #[cfg(loom)]
    pub(crate) fn park_timeout(_limit: Duration) {
        loom::thread::yield_now();
    }

    /// Parks for at most `limit`.
    #[cfg(not(loom))]
    pub(crate) fn park_timeout(limit: Duration) {
        std::thread::park_timeout(limit);
    }
}

/// Loom's thread-locals, which know nothing of constants.
#[cfg(loom)]
macro_rules! model_local {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const $value:block;) => {
        loom::thread_local! { $(#[$attribute])* static $name: $type = $value; }
    };
}
#[cfg(loom)]
pub(crate) use model_local as thread_local;
#[cfg(not(loom))]
pub(crate) use std::thread_local;

#[cfg(not(loom))]
pub(crate) use self::plain::Mutex;

#[cfg(loom)]
pub(crate) use self::model::Mutex;

/// Loom's lock behind `parking_lot`'s signatures.
#[cfg(loom)]
mod model {
    use loom::sync::MutexGuard;

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model that panics while it holds a lock has failed already")
        }
    }
}

/// Locks that are not exchanged for loom's.
pub(crate) mod plain {
    #[cfg(miri)]
    pub(crate) use super::standard::{Condvar, Mutex};
    #[cfg(not(miri))]
    pub(crate) use parking_lot::{Condvar, Mutex};
}

/// The standard library's locks behind `parking_lot`'s signatures, as far as we use them.
#[cfg(miri)]
mod standard {
    use std::ops::{Deref, DerefMut};
    use std::sync::{self, PoisonError, WaitTimeoutResult};
    use std::time::Instant;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    /// Empty only while it waits.
    pub(crate) struct MutexGuard<'a, T>(Option<sync::MutexGuard<'a, T>>);

    #[derive(Debug)]
    pub(crate) struct Condvar(sync::Condvar);

    const NOT_WAITING: &str = "whoever has a guard does not wait with it";

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_deref().expect(NOT_WAITING)
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_deref_mut().expect(NOT_WAITING)
        }
    }

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Self(sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let locked = guard.0.take().expect(NOT_WAITING);
            guard.0 = Some(self.0.wait(locked).unwrap_or_else(PoisonError::into_inner));
        }

        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            end: Instant,
        ) -> WaitTimeoutResult {
            let limit = end.saturating_duration_since(Instant::now());
            let locked = guard.0.take().expect(NOT_WAITING);
            let waited = self.0.wait_timeout(locked, limit);
            let (locked, result) = waited.unwrap_or_else(PoisonError::into_inner);
            guard.0 = Some(locked);
            result
        }
    }
}

/// Keeps a value on cache lines of its own.
///
/// 128 bytes, not 64: x86-64 prefetches lines in pairs, and some 64-bit ARM cores have lines of
/// 128 bytes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

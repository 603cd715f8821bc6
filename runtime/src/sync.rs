//! The one place where the standard library's primitives are exchanged for loom's.
//!
//! Code that is modelled takes its atomics, locks and threads from here. Under `cfg(loom)` they
//! are loom's, so that a model explores every interleaving of them; otherwise they are the
//! standard library's atomics and threads and `parking_lot`'s locks.
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
pub(crate) use parking_lot::Mutex;

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

//! The loom shim: the atomics, and the locks and thread-locals of modelled code, come from here.
//!
//! Ordinary builds use the standard library and `parking_lot`; `--cfg loom` builds use loom's
//! types, which explore every interleaving the memory model allows. Nothing else in the crate may
//! name either. Locks that no model touches come from [`plain`].
//!
//! `parking_lot` keeps queues of threads in integers that it turns into pointers. Miri cannot check
//! such pointers, so under `cfg(miri)` all locks are the standard library's: what remains is checked
//! with strict provenance.

#[cfg(not(loom))]
pub(crate) use self::plain::{Mutex, RwLock};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    thread_local,
};

#[cfg(loom)]
pub(crate) use self::locks::{Mutex, RwLock};
#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
/// Loom's thread-locals, which know nothing of constants.
#[cfg(loom)]
macro_rules! model_local {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const $value:block;) => {
        loom::thread_local! { $(#[$attribute])* static $name: $type = $value; }
    };
}

#[cfg(loom)]
pub(crate) use model_local as thread_local;

/// What `SeqCst` accesses on both sides promise, and loom does not know: it takes them for acquire
/// and release. A model needs a fence between the two accesses.
#[inline(always)]
pub(crate) fn model_fence() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// A cell with loom's access interface: loom checks that accesses never overlap.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Locks that no model touches.
pub(crate) mod plain {
    #[cfg(miri)]
    pub(crate) use super::locks::{Mutex, RwLock};
    #[cfg(not(miri))]
    pub(crate) use parking_lot::{Mutex, RwLock};
}

/// Loom's locks, or the standard library's, behind `parking_lot`'s signatures.
#[cfg(any(loom, miri))]
mod locks {
    #[cfg(loom)]
    use loom::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};
    use std::sync::PoisonError;
    #[cfg(not(loom))]
    use std::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(sync::RwLock<T>);

    impl<T> RwLock<T> {
        /// For statics; loom's locks cannot be in one.
        #[cfg(not(loom))]
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

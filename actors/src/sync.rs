//! The loom shim: the atomics, and the locks and thread-locals of modelled code, come from here.
//!
//! Ordinary builds use the standard library and `parking_lot`; `--cfg loom` builds use loom's
//! types, which explore every interleaving the memory model allows. Nothing else in the crate may
//! name either, except locks that no model touches.

#[cfg(not(loom))]
pub(crate) use parking_lot::{Mutex, RwLock};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    thread_local,
};

#[cfg(loom)]
pub(crate) use self::model::{Mutex, RwLock};
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

/// Loom's locks behind `parking_lot`'s signatures.
#[cfg(loom)]
mod model {
    use loom::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    const POISONED: &str = "a model that panics while it holds a lock has failed already";

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect(POISONED)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().expect(POISONED)
        }

        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().expect(POISONED)
        }
    }
}

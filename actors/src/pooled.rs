//! A box in the memory pool.
//!
//! For what processes own one of, and often leave on another core than they made it on.
#![allow(unsafe_code, reason = "the leaf that owns pooled memory")]

use std::{
    alloc::Layout,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

use beamish_runtime::pool;

/// What `Box` is, with the pool in place of the global allocator.
#[derive(Debug)]
pub(crate) struct Pooled<T>(NonNull<T>);

// SAFETY: a `Pooled` owns its `T` alone, as a `Box` does.
unsafe impl<T: Send> Send for Pooled<T> {}

impl<T: Default> Default for Pooled<T> {
    #[inline]
    fn default() -> Self {
        let memory = pool::allocate(Layout::new::<T>()).cast::<T>();
        // SAFETY: fresh memory of that layout. Should `default` unwind, it is leaked.
        unsafe { memory.write(T::default()) };
        Self(memory)
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a `Pooled` owns a live `T`.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Pooled<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: a `Pooled` owns a live `T`, and is borrowed for as long.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Pooled<T> {
    fn drop(&mut self) {
        struct Free<T>(NonNull<T>);
        impl<T> Drop for Free<T> {
            fn drop(&mut self) {
                // SAFETY: allocated with this layout; the owner is going away.
                unsafe { pool::release(self.0.cast(), Layout::new::<T>()) }
            }
        }
        // The memory is freed even if dropping the value panics.
        let _free = Free(self.0);
        // SAFETY: the value is live, and dropped here only.
        unsafe { ptr::drop_in_place(self.0.as_ptr()) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn it_owns_its_value() {
        let counted = Arc::new(());
        let mut pooled = Pooled::<Option<Arc<()>>>::default();
        *pooled = Some(counted.clone());
        assert!(pooled.is_some());
        drop(pooled);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}

//! The body of a process: its future, type-erased behind one thin pointer.
//!
//! What `Pin<Box<dyn Future<Output = ExitReason>>>` is, but 8 bytes in the slot instead of 16, and
//! from the memory pool, since processes often end on another core than they were made on.
#![allow(unsafe_code, reason = "the leaf that owns the memory of futures")]

use std::{
    alloc::Layout,
    any::type_name,
    pin::Pin,
    ptr::{self, NonNull},
    task::{Context, Poll},
};

use beamish_runtime::pool;

use crate::exit::{ExitReason, IntoExit};

/// An owned, pinned future that ends in an exit reason.
#[derive(Debug)]
pub(crate) struct Body(NonNull<Header>);

struct Header {
    vtable: &'static VTable,
}

struct VTable {
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<ExitReason>,
    drop_future: unsafe fn(NonNull<Header>),
    layout: Layout,
    type_name: fn() -> &'static str,
}

#[repr(C)]
struct Cell<F> {
    header: Header,
    future: F,
}

// SAFETY: `Body::new` takes `Send` futures only, and a body has one owner.
unsafe impl Send for Body {}

impl Body {
    #[inline]
    pub(crate) fn new<F>(future: F) -> Self
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        let memory = pool::allocate(Layout::new::<Cell<F>>()).cast::<Cell<F>>();
        let cell = memory.as_ptr();
        // SAFETY: fresh memory of that layout. Field by field, so that the future moves once.
        unsafe {
            (&raw mut (*cell).header).write(Header { vtable: Self::vtable::<F>() });
            (&raw mut (*cell).future).write(future);
        }
        Self(memory.cast())
    }

    const fn vtable<F: Future<Output: IntoExit>>() -> &'static VTable {
        const {
            &VTable {
                poll: poll::<F>,
                drop_future: drop_future::<F>,
                layout: Layout::new::<Cell<F>>(),
                type_name: type_name::<F>,
            }
        }
    }

    fn table(&self) -> &'static VTable {
        // SAFETY: a body owns a live cell, whose header stays as it is.
        unsafe { self.0.as_ref() }.vtable
    }

    /// A way to poll the body where it is kept.
    #[inline]
    pub(crate) fn to_poll(&self) -> Pollable {
        Pollable(self.0)
    }
}

/// A body that is kept elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Pollable(NonNull<Header>);

impl Pollable {
    #[inline]
    pub(crate) fn kind(self) -> BodyKind {
        // SAFETY: made from a live body, and used while it lives.
        BodyKind(unsafe { self.0.as_ref() }.vtable)
    }

    /// # Safety
    /// The body lives, and nobody else uses it.
    #[inline]
    pub(crate) unsafe fn poll(self, context: &mut Context<'_>) -> Poll<ExitReason> {
        // SAFETY: the table belongs to this cell; the caller's promise.
        unsafe { (self.0.as_ref().vtable.poll)(self.0, context) }
    }
}

/// What is known of a body without holding it.
#[derive(Clone, Copy)]
pub(crate) struct BodyKind(&'static VTable);

impl BodyKind {
    /// Bytes of the future and its header.
    pub(crate) fn size(self) -> usize {
        self.0.layout.size()
    }

    /// The future's type, which names the function it comes from.
    pub(crate) fn type_name(self) -> &'static str {
        (self.0.type_name)()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        struct Free(NonNull<Header>, Layout);
        impl Drop for Free {
            fn drop(&mut self) {
                // SAFETY: allocated with this layout; the body that owned it is going away.
                unsafe { pool::release(self.0.cast(), self.1) }
            }
        }
        // The memory is freed even if dropping the future panics.
        let _free = Free(self.0, self.table().layout);
        // SAFETY: the future is live: it is dropped here only, once.
        unsafe { (self.table().drop_future)(self.0) }
    }
}

/// # Safety
/// `body` is a live `Cell<F>` that the caller owns.
unsafe fn poll<F: Future<Output: IntoExit>>(
    body: NonNull<Header>,
    context: &mut Context<'_>,
) -> Poll<ExitReason> {
    // SAFETY: the caller owns the cell; the future never moves: it is dropped where it lies.
    let future = unsafe { Pin::new_unchecked(&mut (*body.cast::<Cell<F>>().as_ptr()).future) };
    future.poll(context).map(IntoExit::into_exit)
}

/// # Safety
/// `body` is a live `Cell<F>` that the caller owns; its future is gone afterwards.
unsafe fn drop_future<F>(body: NonNull<Header>) {
    // SAFETY: by the caller's promise.
    unsafe { ptr::drop_in_place(&raw mut (*body.cast::<Cell<F>>().as_ptr()).future) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{sync::Arc, task::Waker};

    use super::*;

    #[test]
    fn a_body_runs_its_future_and_drops_it_once() {
        let counted = Arc::new(());
        let inside = counted.clone();
        let body = Body::new(async move { drop(inside) });
        let mut context = Context::from_waker(Waker::noop());
        // SAFETY: the body is ours.
        let polled = unsafe { body.to_poll().poll(&mut context) };
        assert!(matches!(polled, Poll::Ready(ExitReason::Normal)));
        drop(body);
        let inside = counted.clone();
        drop(Body::new(async move { drop(inside) }));
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}

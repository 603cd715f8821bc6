//! Wakers: how futures from elsewhere wake a process.
//!
//! A process waiting for messages needs no waker: the inbox schedules it. Only futures from
//! elsewhere clone the waker they are polled with. So a process is first polled with a waker that
//! is just a pointer to its slot; the first clone makes a real one, which keeps the runtime's
//! memory alive, and from then on the process is polled with that one, so that `Waker::will_wake`
//! recognises it.
#![allow(unsafe_code, reason = "the leaf that makes wakers from slot pointers")]

use std::{
    mem::ManuallyDrop,
    ptr::{self, NonNull},
    sync::Arc,
    task::{RawWaker, RawWakerVTable, Wake, Waker},
};

use crate::{pid::Pid, shared::Shared, slot::Slot, sync::Ordering, turn::Turn};

/// What a cloned waker is.
struct ProcessWaker {
    shared: Arc<Shared>,
    pid: Pid,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.wake(self.pid);
    }
}

/// Calls `f` with the waker to poll the process with.
#[inline]
pub(crate) fn with_waker<R>(turn: &Turn<'_>, f: impl FnOnce(&Waker) -> R) -> R {
    let slot = turn.slot();
    // Relaxed: only a hint; a clone made elsewhere at this moment shows next time.
    if slot.waker_cloned.load(Ordering::Relaxed) {
        return f(&kept(turn));
    }
    // SAFETY: the vtable below keeps the contract of `RawWaker`: the pointer is a live slot for as
    // long as this borrowed waker, which `f` can not keep; clones own what they need.
    let waker = unsafe { Waker::new(ptr::from_ref(slot).cast(), &BORROWED) };
    // Dropping it would do nothing.
    let waker = ManuallyDrop::new(waker);
    f(&waker)
}

/// The waker that this process's futures share.
fn kept(turn: &Turn<'_>) -> Waker {
    let known = turn.private().if_extra(|extra| extra.rare.as_ref()?.waker.clone());
    known.flatten().unwrap_or_else(|| {
        let waker = own(turn.slot());
        turn.private().with_extra(|extra| extra.rare().waker = Some(waker.clone()));
        waker
    })
}

fn own(slot: &Slot) -> Waker {
    Waker::from(Arc::new(ProcessWaker { shared: slot.shared().arc(), pid: slot.pid() }))
}

static BORROWED: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, ignore);

/// # Safety
/// `data` is a live slot.
unsafe fn slot<'a>(data: *const ()) -> &'a Slot {
    // SAFETY: the caller's promise.
    unsafe { NonNull::new_unchecked(data.cast_mut()).cast::<Slot>().as_ref() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: a borrowed waker lives inside `with_waker`, while the slot's process is polled.
    let slot = unsafe { slot(data) };
    slot.waker_cloned.store(true, Ordering::Relaxed);
    let waker = ManuallyDrop::new(own(slot));
    RawWaker::new(waker.data(), waker.vtable())
}

/// Dropping a borrowed waker does nothing, so waking by value and by reference are the same.
unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`.
    let slot = unsafe { slot(data) };
    slot.shared().wake(slot.pid());
}

unsafe fn ignore(_data: *const ()) {}

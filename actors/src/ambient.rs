//! The current process: what `me()` and its kind act for.
//!
//! A worker sets it for the length of a turn. It is a pointer to the turn on the worker's stack,
//! in a thread-local without destructor: finding it costs one load.
#![allow(unsafe_code, reason = "the leaf that reads the thread-local pointer to the turn")]

use std::{cell::Cell, ptr};

use crate::{pid::Pid, sync::thread_local, turn::Turn};

thread_local! {
    static CURRENT: Cell<*const Turn<'static>> = const { Cell::new(ptr::null()) };
}

/// Sets the current process until dropped; then the one before is back.
pub(crate) struct Entered<'a> {
    before: *const Turn<'static>,
    _turn: &'a Turn<'a>,
}

/// Makes this turn's process the current one.
#[inline]
pub(crate) fn enter<'a>(turn: &'a Turn<'a>) -> Entered<'a> {
    let pointer = ptr::from_ref(turn).cast::<Turn<'static>>();
    Entered { before: CURRENT.with(|current| current.replace(pointer)), _turn: turn }
}

/// Leaves no process the current one until the turn is over: its slot may have a new tenant.
pub(crate) fn leave() {
    CURRENT.with(|current| current.set(ptr::null()));
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.before));
    }
}

/// Calls `f` with the turn of the current process, if there is one.
#[inline]
pub(crate) fn try_turn<R>(f: impl FnOnce(Option<&Turn<'_>>) -> R) -> R {
    let turn = CURRENT.with(Cell::get);
    // SAFETY: `Entered` borrows the turn for as long as the pointer is set, and `f` can not keep
    // the reference: its lifetime is any.
    f(unsafe { turn.as_ref() })
}

/// The current process, if there is one.
#[must_use]
pub fn current() -> Option<Pid> {
    try_turn(|turn| turn.map(Turn::pid))
}

/// Calls `f` with the turn of the current process.
///
/// # Panics
/// Outside a process, with a message that says what to do.
#[inline]
#[track_caller]
pub(crate) fn with_turn<R>(f: impl FnOnce(&Turn<'_>) -> R) -> R {
    try_turn(|turn| match turn {
        Some(turn) => f(turn),
        None => outside(),
    })
}

#[cold]
#[track_caller]
fn outside() -> ! {
    panic!(
        "no current process: call this from inside a process, that is, from a future run by \
         `Runtime::block_on`, `Runtime::spawn`, `spawn`, `#[beamish::main]` or `#[beamish::test]`"
    )
}

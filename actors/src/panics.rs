//! Panics: how they are caught, and what they say.
//!
//! A panic inside a process is the process's exit reason, not a message on stderr: a panic hook,
//! installed with the first runtime, keeps what the panic says (message, place, backtrace if
//! enabled) for the exit reason. Panics outside processes go to the hook that was there before.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind},
    sync::Once,
};

use crate::{
    ambient,
    exit::{ExitReason, PanicReport},
};

thread_local! {
    /// What the last panic on this thread said.
    static LAST: RefCell<Option<PanicReport>> = const { RefCell::new(None) };
}

/// The payload by which `exit` unwinds.
struct Unwind(ExitReason);

/// Leaves the current process by unwinding, without a panic message.
pub(crate) fn unwind(reason: ExitReason) -> ! {
    resume_unwind(Box::new(Unwind(reason)))
}

/// Installs the hook, once per program.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if ambient::try_turn(|turn| turn.is_some()) { keep(info) } else { before(info) }
        }));
    });
}

fn keep(info: &PanicHookInfo<'_>) {
    let message = text(info.payload()).to_owned();
    let location = info.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    let report = PanicReport::new(message, location, backtrace);
    // A panic while a thread ends, after its locals are gone, is not kept.
    let _ = LAST.try_with(|last| last.replace(Some(report)));
}

fn text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a value that is not text"
    }
}

/// The exit reason that a caught unwind amounts to.
#[cold]
pub(crate) fn reason(payload: Box<dyn Any + Send>) -> ExitReason {
    match payload.downcast::<Unwind>() {
        Ok(unwind) => unwind.0,
        Err(payload) => {
            let words = text(&*payload);
            // What was kept may be of another panic: one that was caught, while this one was
            // resumed, for which no hook runs.
            let kept =
                LAST.try_with(RefCell::take).ok().flatten().filter(|kept| kept.message() == words);
            let report = kept.unwrap_or_else(|| PanicReport::new(words.to_owned(), None, None));
            drop_payload(payload);
            ExitReason::Panic(report)
        }
    }
}

/// A panic payload may panic when it is dropped.
fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // The payload of the second panic could go on like this for ever: leave it.
        std::mem::forget(second);
    }
}

/// Runs code of a user that must not unwind into ours.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Some(reason) = caught(f) {
        discard(reason);
    }
}

/// As [`contain`]; the reason if it tried, which is to be [`discard`]ed.
pub(crate) fn caught(f: impl FnOnce()) -> Option<ExitReason> {
    catch_unwind(AssertUnwindSafe(f)).err().map(reason)
}

/// Drops a reason, in which there may be a value of a user that panics when it is dropped.
pub(crate) fn discard(reason: ExitReason) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(reason))) {
        drop_payload(second);
    }
}

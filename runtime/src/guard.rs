//! The backstop against panics that escape from the embedder's code.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f`; says whether it returned rather than panicked.
///
/// The embedder is expected to catch its own panics. Those that get here are only counted: what
/// they left half done is the embedder's, so there is nothing to repair here.
pub(crate) fn returns(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).map_err(discard).is_ok()
}

/// Drops a panic's payload, whose own `Drop` may panic again.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Twice;

    impl Drop for Twice {
        fn drop(&mut self) {
            std::panic::panic_any(());
        }
    }

    #[test]
    fn a_payload_that_panics_in_drop_is_survived() {
        assert!(!returns(|| std::panic::panic_any(Twice)));
        assert!(returns(|| ()));
    }
}

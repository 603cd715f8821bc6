//! The clauses of `docs/semantics.md` that need a test of their own; the other tests name the
//! clauses that they check. `ci/clauses` keeps the two together.

#[path = "../conformance/support.rs"]
#[allow(dead_code, reason = "shared with the other test binary")]
mod support;

mod processes;
mod receiving;
mod runtimes;
mod signals;
mod suspension;
mod time;
mod turns;

//! What must not break anything: panics wherever code of a user runs, the ends of numbers, floods
//! of messages and processes, futures and threads from elsewhere, shutdown under load.
//!
//! Each test is one cell of a table in the head: a cause, and what others see of it. Clauses named
//! `S-...` are those of `docs/semantics.md`.

mod bombs;
mod bombs_in_reasons;
mod foreign;
mod guards;
mod limit;
mod load;
mod outside;
mod reasons;
mod reports;
mod runtimes;
mod scene;
mod shutdown;
mod timers;
mod wakers;

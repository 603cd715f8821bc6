//! Timers: something to do at a deadline, cancellable until it is done.
//!
//! [`Timers`] holds one timing wheel per worker (a *shard*), each behind its own lock, so that
//! workers setting timers do not meet. A timer is an [`Expiry`] with a deadline; its [`TimerKey`]
//! says where it is.
//!
//! # Granularity
//!
//! One millisecond. A deadline is rounded up to the next whole millisecond, and a timer fires when
//! the last whole millisecond of now has reached it: late by up to a millisecond (and by as long as
//! the worker takes to look), never early. The one exception is the last millisecond before
//! [`Nanos::MAX`](crate::Nanos::MAX), 584 years away.
//!
//! Timers of equal deadline (after rounding) in the same shard fire in the order in which they were
//! set. Nothing is promised between shards.
//!
//! # Cancel against fire
//!
//! A timer is pending as long as its entry is in its shard's wheel, and entries are put in and
//! taken out under that shard's lock only.
//!
//! 1. Firing takes a batch of due entries out under the lock, releases it, and runs them.
//! 2. Cancelling takes the entry out under the lock, releases it, and drops the expiry.
//! 3. So exactly one of the two gets the entry. A cancel that returns a deadline means that the
//!    expiry has not run and never will. A cancel that returns `None` means that it has run, is
//!    running, or is about to in the thread that took it.
//!
//! No expiry runs, and none is dropped, while a lock is held: it may set and cancel timers.
//!
//! # Earlier deadlines against parking
//!
//! Beside its wheel each shard has an atomic `next`: a time that is not after its earliest deadline,
//! written under the lock, read without it. A worker that parks until `next` must not miss an
//! earlier timer that another thread sets meanwhile:
//!
//! 1. Whoever makes `next` earlier executes a sequentially consistent fence and then calls the
//!    scheduler's hook ([`Timers::set_on_earlier`]), which looks whether the worker is parked, and
//!    wakes it if so.
//! 2. The worker marks itself as parked, executes a sequentially consistent fence, and then reads
//!    [`Timers::next_deadline`] to know how long to sleep.
//! 3. Of two such fences one comes first, so at least one side sees the other: the hook sees the
//!    mark, or the worker sees the deadline.
//!
//! Cancelling leaves `next` alone. So it may name a time at which nothing is due any more; then the
//! worker wakes once for nothing, which costs less than keeping `next` exact for receive time-outs,
//! nearly all of which are cancelled.
//!
//! # Stuck workers
//!
//! Any thread may fire any shard. [`Timers::fire_overdue`] is for the monitor: it fires those that
//! their workers have neglected.

mod expiry;
#[cfg(all(test, loom))]
mod models;
mod service;
mod wheel;

pub use expiry::{Expiry, TaskExpiry};
pub use service::{TimerKey, Timers};

//! The machinery under beamish: a work-stealing scheduler, its timers and clock, and pools of
//! memory. It knows tasks, not processes; application authors use the `beamish` crate instead.
//!
//! # Example
//!
//! An embedder puts a [`Header`] first into its own type, and hands out a [`Task`] whenever the
//! thing should run once.
//!
//! ```
//! use std::ptr::NonNull;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use beamish_runtime::{Config, Drive, Header, Priority, Scheduler, Task, VTable, Worker};
//!
//! #[repr(C)]
//! struct Job {
//!     header: Header,
//!     runs: AtomicU32,
//! }
//!
//! unsafe fn run(task: Task, worker: &Worker) {
//!     // SAFETY: every task of this vtable starts a `Job` that is alive.
//!     let job = unsafe { task.as_ptr().cast::<Job>().as_ref() };
//!     if job.runs.fetch_add(1, Ordering::Relaxed) == 0 {
//!         worker.schedule_back(task, Priority::Normal); // once more
//!     }
//! }
//! static JOBS: VTable = VTable { run };
//!
//! let job = Job { header: Header::new(&JOBS), runs: AtomicU32::new(0) };
//! // SAFETY: the job outlives the scheduler's use of it.
//! let task = unsafe { Task::from_raw(NonNull::from(&job).cast()) };
//!
//! let scheduler = Scheduler::new(Config { seed: Some(1), ..Config::default() });
//! scheduler.schedule(task, Priority::Normal);
//! assert_eq!(scheduler.drive(&|| job.runs.load(Ordering::Relaxed) == 2), Drive::Done);
//! ```
//!
//! # Where things are
//!
//! | what | where |
//! |---|---|
//! | the handle, its options, starting and stopping | [`Scheduler`] |
//! | what is run | [`Task`], [`Header`], [`VTable`], [`Priority`] |
//! | what runs it | [`Worker`], [`with_current`] |
//! | deadlines | [`Timers`], [`Nanos`], [`clock::Clock`] |
//! | memory | [`pool`] |
//! | locks and barriers for what one worker owns | [`BiasedLock`], [`barrier`] |

pub mod barrier;
mod biased;
mod board;
pub mod clock;
mod core;
mod counters;
mod deque;
mod guard;
mod idle;
mod inject;
#[cfg(all(test, loom))]
mod loom_tests;
mod monitor;
mod next;
mod pace;
pub mod pages;
mod park;
pub mod pool;
mod prefetch;
mod queue;
mod rest;
mod scheduler;
mod seeded;
mod steal;
mod sync;
mod task;
#[cfg(all(test, not(loom)))]
mod tests;
mod threads;
pub mod timer;
pub mod worker;

pub use biased::BiasedLock;
pub use clock::Nanos;
pub use counters::WorkerCounters;
pub use prefetch::prefetch;
pub use scheduler::{Config, Drive, Scheduler, Stuck};
pub use task::{Header, Priority, Task, VTable};
pub use timer::{Expiry, TaskExpiry, TimerKey, Timers};
pub use worker::{Worker, current_index, with_current};

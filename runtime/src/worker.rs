//! The worker: what runs tasks, and the thread-local that says which one runs here.
//!
//! This is one of the crate's few modules with `unsafe` code.
#![allow(unsafe_code)] // Runs tasks; follows the thread-local pointer to the current worker.

use std::cell::Cell;
use std::{fmt, ptr};

use crate::core::Core;
use crate::guard;
use crate::scheduler::Scheduler;
use crate::sync::thread_local;
use crate::task::{Priority, Task};

/// One of the scheduler's workers, as seen by the task that it runs.
///
/// A worker belongs to one thread: it is neither `Send` nor `Sync`. Tasks get it as an argument;
/// other code asks [`with_current`].
pub struct Worker {
    scheduler: Scheduler,
    role: Role,
}

// The core is inline on purpose: a task that becomes runnable is one pointer away from its queue.
#[allow(clippy::large_enum_variant)]
enum Role {
    /// One of several threads.
    Threaded(Core),
    /// The one thread that drives a seeded scheduler.
    Seeded,
}

impl Worker {
    pub(crate) fn threaded(scheduler: Scheduler, core: Core) -> Self {
        Self { scheduler, role: Role::Threaded(core) }
    }

    pub(crate) fn seeded(scheduler: Scheduler) -> Self {
        Self { scheduler, role: Role::Seeded }
    }

    /// The worker's number, from 0 to [`Scheduler::workers`] - 1.
    #[inline]
    #[must_use]
    pub fn index(&self) -> usize {
        match &self.role {
            Role::Threaded(core) => core.index,
            Role::Seeded => 0,
        }
    }

    /// The scheduler that this worker belongs to.
    #[inline]
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Makes `task` runnable on this worker: as the very next one if no other is waiting to be
    /// that, otherwise behind the others of its class. Another worker may take it if this one has
    /// much to do, or is stuck.
    ///
    /// A short cut for [`Scheduler::schedule`], without the look at the thread-local.
    #[inline]
    pub fn schedule(&self, task: Task, priority: Priority) {
        match &self.role {
            Role::Threaded(core) => core.schedule(task, priority),
            Role::Seeded => self.scheduler.schedule_outside(task, priority),
        }
    }

    /// Makes `task` runnable behind everything of its class that waits on this worker, never as
    /// the very next one. For a task that yields.
    #[inline]
    pub fn schedule_back(&self, task: Task, priority: Priority) {
        match &self.role {
            Role::Threaded(core) => core.schedule_back(task, priority),
            Role::Seeded => self.scheduler.schedule_outside(task, priority),
        }
    }

    /// A worker thread's life: runs tasks until the scheduler stops.
    pub(crate) fn work(&self) {
        let Role::Threaded(core) = &self.role else { return };
        core.threads.idle.parker(core.index).adopt();
        self.enter(|| {
            // A panic leaves the loop; coming back is all there is to do. No guard per task: it
            // would cost something at every turn.
            while !guard::returns(|| self.run_until_stopped(core)) {
                core.board.own.escaped_panics.add(1);
            }
        });
    }

    fn run_until_stopped(&self, core: &Core) {
        while let Some(task) = core.next_task() {
            // SAFETY: `next_task` has just taken the task out of a queue or slot, and each of
            // them gives a task out once.
            unsafe { task.run(self) };
        }
    }

    /// Runs one task as the current worker.
    pub(crate) fn run_one(&self, task: Task) {
        // SAFETY: the seeded scheduler, the only caller, has just taken the task out of its queue.
        self.enter(|| unsafe { task.run(self) });
    }

    /// Calls `f` with this worker as the thread's current one; then the one before is back.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _restore = Restore(CURRENT.with(|current| current.replace(self)));
        f()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("index", &self.index()).finish_non_exhaustive()
    }
}

thread_local! {
    // Constant, and nothing to drop: reading it is one load from a fixed place.
    static CURRENT: Cell<*const Worker> = const { Cell::new(ptr::null()) };
}

/// Puts the former current worker back.
struct Restore(*const Worker);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.0));
    }
}

/// Calls `f` with the worker that this thread is right now, if it is one.
///
/// ```
/// assert!(beamish_runtime::with_current(|worker| worker.is_none()));
/// ```
#[inline(always)] // One load and a test, on every path; left to itself the compiler calls it.
pub fn with_current<R>(f: impl FnOnce(Option<&Worker>) -> R) -> R {
    let current = CURRENT.with(Cell::get);
    // SAFETY: `enter` sets the pointer from a reference that outlives its call, and puts the
    // former one back before it returns, whichever way. So it is null or points to a worker in a
    // frame further up this thread's stack, and stays so while `f` runs.
    f(unsafe { current.as_ref() })
}

/// The index of the worker that this thread is right now, if it is one.
///
/// ```
/// assert_eq!(beamish_runtime::current_index(), None);
/// ```
#[inline]
#[must_use]
pub fn current_index() -> Option<usize> {
    with_current(|worker| worker.map(Worker::index))
}

//! What the scheduler runs: a thin pointer to something that starts with a [`Header`].
//!
//! The scheduler knows nothing of processes. An embedder lays out its own type with a
//! [`Header`] as the first field, keeps it in memory that outlives the scheduler, and hands
//! out [`Task`]s. A `Task` in a queue is the permission to run that thing **once**: the
//! embedder's own state word decides when the next permission may be handed out, so that the
//! same thing is never in two queues.
//!
//! This is one of the crate's few modules with `unsafe` code.
#![allow(unsafe_code)] // Sends raw pointers between threads and calls through the vtable.

use std::fmt;
use std::ptr::NonNull;

use crate::worker::Worker;

/// The first field of every schedulable thing.
///
/// It must be the first field of a `#[repr(C)]` struct, so that a pointer to the header is a
/// pointer to the whole.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    vtable: &'static VTable,
}

impl Header {
    /// A header whose tasks are run by `vtable`.
    #[inline]
    #[must_use]
    pub const fn new(vtable: &'static VTable) -> Self {
        Self { vtable }
    }
}

/// How a kind of task is run. One static per kind.
#[derive(Debug)]
pub struct VTable {
    /// Runs the task once on the worker.
    ///
    /// The function must not unwind in the ordinary course of things: the scheduler catches a
    /// panic that escapes and counts it, but it cannot know what the panic left behind.
    ///
    /// # Safety
    ///
    /// The scheduler calls it at most once for each [`Task`] that was scheduled, with that
    /// task, on a worker of the scheduler that it was scheduled on.
    pub run: unsafe fn(Task, &Worker),
}

/// The permission to run one schedulable thing once: a thin pointer to its [`Header`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Task(NonNull<Header>);

// SAFETY: a `Task` is only a pointer. Whoever makes one promises (see `Task::from_raw`) that
// the memory outlives it and that running it once on any thread is sound.
unsafe impl Send for Task {}
// SAFETY: as above; a shared `Task` gives nothing but a copy of the pointer.
unsafe impl Sync for Task {}

impl Task {
    /// Makes the permission to run the thing that `header` starts.
    ///
    /// # Safety
    ///
    /// * `header` points to a valid [`Header`] that stays valid until the task has run, or, if
    ///   it never runs, until the scheduler and all its worker threads are gone.
    /// * Running it once, on any thread, through the vtable in that header is sound.
    #[inline]
    #[must_use]
    pub unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// The pointer that this task was made from.
    #[inline]
    #[must_use]
    pub fn as_ptr(self) -> NonNull<Header> {
        self.0
    }

    /// Runs the task, using up the permission.
    ///
    /// # Safety
    ///
    /// The caller took this task out of a queue (or slot), and nobody else did.
    #[inline]
    pub(crate) unsafe fn run(self, worker: &Worker) {
        // SAFETY: `from_raw` promised a valid header until the task has run.
        let run = unsafe { self.0.as_ref() }.vtable.run;
        // SAFETY: the caller owns the permission; the vtable belongs to this header.
        unsafe { run(self, worker) }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.0).finish()
    }
}

/// How soon a task runs, compared with the others that wait.
///
/// `Max` goes before `High`, and `High` before the rest: while any of them is runnable on a
/// worker, nothing lower runs there. `Normal` and `Low` share what is left at about 8 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// Runs at about one turn in eight while normal tasks wait, freely otherwise.
    Low = 0,
    /// What almost everything uses.
    #[default]
    Normal = 1,
    /// Before everything normal. It starves lower classes if it never rests.
    High = 2,
    /// Before everything else. Kept for the system's own helpers.
    Max = 3,
}

/// Tasks for this crate's own tests.
#[cfg(test)]
pub(crate) mod testing {
    #[cfg(not(loom))]
    use std::any::Any;

    use super::*;
    #[cfg(not(loom))]
    use crate::sync::Mutex;

    /// Tasks that do nothing; to be told apart, never to be run.
    #[derive(Debug)]
    pub(crate) struct Dummies(Box<[Header]>);

    impl Dummies {
        pub(crate) fn new(count: usize) -> Self {
            static VTABLE: VTable = VTable { run: |_, _| unreachable!("a dummy was run") };
            Self((0..count).map(|_| Header::new(&VTABLE)).collect())
        }

        pub(crate) fn task(&self, index: usize) -> Task {
            // SAFETY: tests keep the dummies longer than their tasks, and never run them.
            unsafe { Task::from_raw(NonNull::from(&self.0[index])) }
        }
    }

    /// A task that calls a closure each time it runs.
    ///
    /// It is never freed: a worker may still be in the closure when the test, which heard from
    /// the closure, is over. See [`KEPT`].
    #[cfg(not(loom))]
    #[repr(C)]
    pub(crate) struct Unit<F> {
        header: Header,
        body: F,
    }

    /// All units ever made. What a static leads to is no leak to the sanitizer, which goes on
    /// looking for everything else that these tests leave behind.
    #[cfg(not(loom))]
    static KEPT: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

    #[cfg(not(loom))]
    impl<F: Fn(&Worker, Task) + Send + Sync + 'static> Unit<F> {
        pub(crate) fn new(body: F) -> &'static Self {
            let header = Header::new(&VTable { run: Self::run });
            let unit: &'static Self = Box::leak(Box::new(Self { header, body }));
            KEPT.lock().push(unit);
            unit
        }

        pub(crate) fn task(&'static self) -> Task {
            // SAFETY: the unit is there for ever; its body is `Sync`. The pointer is made from the
            // whole unit, so it may be used for the whole of it.
            unsafe { Task::from_raw(NonNull::from(self).cast()) }
        }

        unsafe fn run(task: Task, worker: &Worker) {
            // SAFETY: the header is the first field of a `Unit<F>`, which is never freed.
            let unit = unsafe { task.as_ptr().cast::<Self>().as_ref() };
            (unit.body)(worker, task);
        }
    }
}

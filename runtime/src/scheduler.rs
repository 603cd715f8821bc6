//! The scheduler's handle, and what it is made from.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use crate::clock::{Clock, Nanos};
use crate::counters::WorkerCounters;
use crate::seeded::Seeded;
use crate::task::{Priority, Task};
use crate::threads::Threads;
use crate::timer::Timers;
use crate::worker;

/// What a [`Scheduler`] is made from. All fields have a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Worker threads; at least 1. By default one per logical processor.
    pub workers: usize,
    /// What the threads' names start with. By default `beamish`.
    pub name: String,
    /// `Some(seed)` makes a single-threaded scheduler with virtual time and repeatable choices;
    /// `workers` then counts for nothing. By default `None`.
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { workers: num_cpus::get(), name: "beamish".to_owned(), seed: None }
    }
}

/// Threads that had not ended when [`Scheduler::join`] gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The indexes of the workers that still run a task.
    pub workers: Vec<usize>,
    /// Whether the monitor thread still runs, most likely in what a timer has called.
    pub monitor: bool,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "workers {:?} have not ended in time", self.workers)?;
        if self.monitor { f.write_str(", nor has the monitor") } else { Ok(()) }
    }
}

impl std::error::Error for Stuck {}

/// Why [`Scheduler::drive`] has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drive {
    /// The condition holds.
    Done,
    /// The condition does not hold, nothing is runnable, and no timer is set.
    Deadlock,
    /// The scheduler was stopped before the condition held.
    Stopped,
}

/// A scheduler; the handle is cheap to clone and may be used from any thread.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use beamish_runtime::{Config, Scheduler};
///
/// let scheduler = Scheduler::new(Config { workers: 2, ..Config::default() });
/// scheduler.start(Arc::new(()))?;
/// scheduler.stop();
/// scheduler.join(Duration::from_secs(5)).expect("no task is stuck");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    workers: usize,
    clock: Clock,
    timers: Arc<Timers>,
    mode: Mode,
}

enum Mode {
    Threaded(Arc<Threads>),
    Seeded(Box<Seeded>),
}

impl Scheduler {
    /// Makes a scheduler. Nothing runs before [`start`](Self::start), or
    /// [`drive`](Self::drive) if it is seeded; tasks and timers may be given to it at once.
    ///
    /// # Panics
    ///
    /// With more than 65,535 workers.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let workers = if config.seed.is_some() { 1 } else { config.workers.max(1) };
        let clock = if config.seed.is_some() { Clock::virtual_at(Nanos(0)) } else { Clock::real() };
        let timers = Arc::new(Timers::new(workers, clock.clone()));
        let mode = match config.seed {
            Some(seed) => {
                let seeded = Seeded::new(seed, clock.clone(), Arc::clone(&timers));
                Mode::Seeded(Box::new(seeded))
            }
            None => {
                let threads = Threads::new(workers, clock.clone(), Arc::clone(&timers));
                Mode::Threaded(Arc::new(threads))
            }
        };
        Self { shared: Arc::new(Shared { name: config.name, workers, clock, timers, mode }) }
    }

    /// Starts the worker threads and their monitor. Each keeps `keep_alive` until it ends, and
    /// drops it before [`join`](Self::join) counts it as ended: put there what tasks and timers
    /// point to. It must not be something whose drop joins this scheduler.
    ///
    /// Does nothing when the scheduler is seeded, or was started or stopped before. The threads
    /// keep the scheduler alive too: it runs until [`stop`](Self::stop).
    ///
    /// # Errors
    ///
    /// The operating system's, when it refuses a thread. The scheduler is then stopped.
    pub fn start(&self, keep_alive: Arc<dyn Any + Send + Sync>) -> io::Result<()> {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.start(self, &self.shared.name, &keep_alive),
            Mode::Seeded(_) => Ok(()),
        }
    }

    /// Makes `task` runnable. From any thread.
    ///
    /// On one of this scheduler's workers the task stays there, and is the very next one to run
    /// if no other is waiting to be that; see [`Worker::schedule`](crate::Worker::schedule). From
    /// other threads it goes through the injector, and a sleeping worker is woken.
    ///
    /// After [`stop`](Self::stop) the task stays unrun.
    #[inline]
    pub fn schedule(&self, task: Task, priority: Priority) {
        worker::with_current(|current| match current {
            Some(worker) if worker.scheduler().is(self) => worker.schedule(task, priority),
            _ => self.schedule_outside(task, priority),
        });
    }

    /// Makes `task` runnable behind everything of its class that waits on the same worker, never
    /// as the very next one: for a task that yields. From other threads it is the same as
    /// [`schedule`](Self::schedule).
    #[inline]
    pub fn schedule_back(&self, task: Task, priority: Priority) {
        worker::with_current(|current| match current {
            Some(worker) if worker.scheduler().is(self) => worker.schedule_back(task, priority),
            _ => self.schedule_outside(task, priority),
        });
    }

    #[inline]
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    #[cold]
    pub(crate) fn schedule_outside(&self, task: Task, priority: Priority) {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.inject(task, priority),
            Mode::Seeded(seeded) => seeded.schedule(task, priority),
        }
    }

    /// Time since the scheduler was made; virtual when it is seeded.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.shared.clock.now()
    }

    /// The scheduler's timers.
    #[inline]
    #[must_use]
    pub fn timers(&self) -> &Timers {
        &self.shared.timers
    }

    /// Tells the threads to end, each after the task that it runs. Tasks that wait, and those
    /// that are scheduled from now on, stay unrun. From any thread, also from a task; a second
    /// call does nothing.
    pub fn stop(&self) {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.stop(),
            Mode::Seeded(seeded) => seeded.stop(),
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.is_stopping(),
            Mode::Seeded(seeded) => seeded.is_stopped(),
        }
    }

    /// Waits for at most `limit` until all threads have ended. Returns at once when none runs.
    ///
    /// A task that calls this waits for its own thread, and so in vain.
    ///
    /// # Errors
    ///
    /// [`Stuck`] names those that have not ended. It may be called again.
    pub fn join(&self, limit: Duration) -> Result<(), Stuck> {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.join(limit),
            Mode::Seeded(_) => Ok(()),
        }
    }

    /// Seeded only: runs tasks on this thread until `until()` holds, which is asked before each
    /// task. When nothing is runnable, time jumps to the next deadline.
    ///
    /// ```
    /// use beamish_runtime::{Config, Drive, Scheduler};
    ///
    /// let scheduler = Scheduler::new(Config { seed: Some(7), ..Config::default() });
    /// assert_eq!(scheduler.drive(&|| false), Drive::Deadlock);
    /// ```
    ///
    /// # Panics
    ///
    /// When the scheduler is not seeded, and when another thread drives it already.
    #[track_caller]
    pub fn drive(&self, until: &dyn Fn() -> bool) -> Drive {
        match &self.shared.mode {
            Mode::Seeded(seeded) => seeded.drive(self, until),
            Mode::Threaded(_) => panic!("only a seeded scheduler is driven; start this one"),
        }
    }

    /// What each worker has counted so far.
    #[must_use]
    pub fn counters(&self) -> Vec<WorkerCounters> {
        match &self.shared.mode {
            Mode::Threaded(threads) => threads.counters(),
            Mode::Seeded(seeded) => vec![seeded.counters()],
        }
    }

    /// How many workers there are; 1 when the scheduler is seeded.
    #[inline]
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.workers
    }

    /// A random number, for choices rather than secrets. From the seed when the scheduler is
    /// seeded.
    #[must_use]
    pub fn random(&self) -> u64 {
        match &self.shared.mode {
            Mode::Threaded(_) => fastrand::u64(..),
            Mode::Seeded(seeded) => seeded.random(),
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped = self.is_stopped();
        f.debug_struct("Scheduler")
            .field("name", &self.shared.name)
            .field("workers", &self.workers())
            .field("stopped", &stopped)
            .finish_non_exhaustive()
    }
}

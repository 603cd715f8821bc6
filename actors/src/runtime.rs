//! Runtimes: what processes live in.

use std::{any::Any, fmt, io, sync::Arc, time::Duration};

use beamish_runtime::{Config, Drive, Scheduler, WorkerCounters};
use crossbeam_channel::bounded;
use thiserror::Error;

use crate::{
    ambient::try_turn,
    body::Body,
    exit::{ExitReason, IntoExit},
    links::NoProc,
    panics,
    pid::Pid,
    report::{CrashReport, Hook, Reporter},
    shared::{Shared, share},
    spawn::{SpawnError, SpawnOptions, Start},
    sync::plain::Mutex,
};

/// How many processes a runtime holds unless told otherwise: OTP's present default.
pub const DEFAULT_PROCESS_LIMIT: u32 = 1 << 20;

/// The most processes a runtime can be told to hold: OTP's bound.
pub const MAX_PROCESS_LIMIT: u32 = (1 << 27) - 1;

/// The most workers a runtime can be told to have.
const MAX_WORKERS: usize = 65_535;

/// How long dropping a runtime waits for processes that never await.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// A set of workers, and the processes that run on them.
///
/// Several runtimes may live in one program; names, limits and counters belong to one. Dropping a
/// runtime ends its processes with `killed` and its worker threads; it waits up to 5 seconds for
/// processes that do not await (see [`Runtime::shutdown`] for saying how long, and hearing of them).
///
/// ```
/// let runtime = beamish_actors::Runtime::builder().workers(2).build()?;
/// assert_eq!(runtime.block_on(async { 6 * 7 }).unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// Whether `shutdown` has done what dropping would do.
    is_shut: bool,
}

/// A way to reach a runtime from any thread, without keeping it running.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("node", &self.shared.node())
            .field("processes", &self.shared.living())
            .finish_non_exhaustive()
    }
}

/// How a runtime is made. See [`Runtime::builder`].
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    workers: Option<usize>,
    process_limit: Option<u32>,
    seed: Option<u64>,
    quiet: bool,
    on_crash: Option<Hook>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("process_limit", &self.process_limit)
            .field("seed", &self.seed)
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// How many worker threads run processes. Default: one per logical core.
    ///
    /// `build` fails with 0.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// How many processes may live at once. Default: [`DEFAULT_PROCESS_LIMIT`]; at most
    /// [`MAX_PROCESS_LIMIT`]. Reaching it makes a spawn fail with [`SpawnError::ProcessLimit`].
    pub fn process_limit(mut self, processes: u32) -> Self {
        self.process_limit = Some(processes);
        self
    }

    /// One thread, the caller of [`Runtime::block_on`], runs all processes; which one is next is
    /// drawn from this seed, and time is virtual: it stands still while anything can run, and
    /// jumps to the next timer when nothing can. The same seed gives the same run, as long as the
    /// processes use nothing but the runtime.
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Prints no crash reports. They still go to [`Builder::on_crash`].
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Is called for every abnormal end of a process, on the worker, before anyone else is told.
    /// It must not block. A panic in it is ignored.
    pub fn on_crash(mut self, hook: impl Fn(&CrashReport) + Send + Sync + 'static) -> Self {
        self.on_crash = Some(Box::new(hook));
        self
    }

    /// Makes the runtime and starts its workers.
    ///
    /// # Errors
    /// If a setting is out of range ([`io::ErrorKind::InvalidInput`]), or the operating system
    /// gives no thread.
    pub fn build(self) -> io::Result<Runtime> {
        let limit = self.process_limit.unwrap_or(DEFAULT_PROCESS_LIMIT);
        if self.workers == Some(0) {
            return Err(invalid("a runtime needs at least one worker"));
        }
        if self.workers > Some(MAX_WORKERS) {
            return Err(invalid("a runtime has at most 65,535 workers"));
        }
        if !(1..=MAX_PROCESS_LIMIT).contains(&limit) {
            return Err(invalid("the process limit must be from 1 to 134,217,727"));
        }
        panics::install_hook();
        let defaults = Config::default();
        let workers = self.workers.unwrap_or(defaults.workers);
        let scheduler = Scheduler::new(Config { workers, seed: self.seed, ..defaults });
        let reporter = Reporter::new(self.quiet, self.on_crash);
        let shared = share(scheduler, self.seed.is_some(), limit, reporter);
        let runtime = Runtime { handle: Handle { shared }, is_shut: false };
        let keep_alive: Arc<dyn Any + Send + Sync> = runtime.handle.shared.clone();
        runtime.handle.shared.scheduler.start(keep_alive)?;
        Ok(runtime)
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// Processes that did not end in time: they never await, or something they hold is still being
/// dropped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{} processes did not end within {limit:?}: {processes:?}; they do not await, or are still ending",
    processes.len()
)]
pub struct ShutdownError {
    /// The processes, those included that are ending and no longer alive.
    pub processes: Vec<Pid>,
    /// How long they had.
    pub limit: Duration,
}

/// How often a runtime that shuts down looks for processes that have not been told.
const TELL_AGAIN: Duration = Duration::from_millis(100);

/// What exists in a runtime: for tests that look for leaks.
///
/// `links`, `monitors` and `messages` are counted in builds with debug assertions only, and 0
/// otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Living processes, and those that are just ending.
    pub processes: u64,
    /// Registered names.
    pub names: usize,
    /// Timers that have not fired.
    pub timers: usize,
    /// Ends of links: two per link.
    pub links: i64,
    /// Active monitors, by their watchers.
    pub monitors: i64,
    /// Messages in mailboxes.
    pub messages: i64,
}

impl Runtime {
    /// Starts making a runtime.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A way to reach this runtime from any thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs a future as a process of this runtime and waits for its end. Returns what the future
    /// returns.
    ///
    /// Blocks the calling thread. Other processes go on after it.
    ///
    /// # Errors
    /// The exit reason, if the process ended otherwise than by returning: by a panic, `exit`, or an
    /// exit signal. [`ExitReason::Custom`] of a [`SpawnError`] if it could not be started.
    ///
    /// # Panics
    /// On a worker thread of this runtime (a process would block the worker it runs on), and, in a
    /// seeded runtime, when nothing can run any more: a deadlock. The message names the processes.
    pub fn block_on<F>(&self, future: F) -> Result<F::Output, ExitReason>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let place = result.clone();
        let reason = self.run(async move {
            let output = future.await;
            *place.lock() = Some(output);
        });
        result.lock().take().ok_or(reason)
    }

    /// Runs a future as a process of this runtime, waits for its end, and tells why it ended.
    ///
    /// Blocks the calling thread. Other processes go on after it.
    ///
    /// # Panics
    /// As [`Runtime::block_on`].
    pub fn run<F>(&self, future: F) -> ExitReason
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        let shared = &self.handle.shared;
        try_turn(|turn| {
            let inside = turn.is_some_and(|turn| turn.shared().node() == shared.node());
            assert!(
                !inside,
                "`block_on` inside a process of the same runtime would block its worker: await instead"
            );
        });
        let (sender, ended) = bounded(1);
        let mut options = SpawnOptions::new();
        let start = Start::outside(Body::new(future), &mut options, Some(sender));
        if let Err(error) = shared.start(None, start) {
            return ExitReason::custom(error);
        }
        if shared.drive(&|| !ended.is_empty()) == Some(Drive::Deadlock) {
            self.deadlock();
        }
        ended.recv().unwrap_or(ExitReason::Killed)
    }

    fn deadlock(&self) -> ! {
        let processes = self.handle.shared.processes();
        panic!(
            "deadlock: none of the processes {processes:?} can run, and no timer is set; each \
             waits for a message or a future that nobody will complete"
        )
    }

    /// Starts a process, from any thread.
    ///
    /// # Errors
    /// If the limit is reached or the runtime shuts down.
    pub fn spawn<F>(&self, future: F) -> Result<Pid, SpawnError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Ends all processes, as if by `kill`, and the workers. New processes are refused.
    ///
    /// # Errors
    /// If some processes had not ended within `limit`: they run without awaiting, or something they
    /// hold is still being dropped. Their worker threads end when they do.
    pub fn shutdown(mut self, limit: Duration) -> Result<(), ShutdownError> {
        self.is_shut = true;
        self.handle.stop(limit)
    }

    /// What exists in this runtime now.
    #[must_use]
    pub fn census(&self) -> Census {
        self.handle.census()
    }

    /// What each worker has done so far.
    #[must_use]
    pub fn counters(&self) -> Vec<WorkerCounters> {
        self.handle.shared.scheduler.counters()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if !self.is_shut {
            // Who wants to hear of stuck processes calls `shutdown`.
            let _ = self.handle.stop(DROP_LIMIT);
        }
    }
}

impl Handle {
    /// How many worker threads the runtime has; a seeded one counts as one.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.scheduler.workers()
    }

    /// As [`Runtime::spawn`].
    ///
    /// # Errors
    /// As [`Runtime::spawn`].
    pub fn spawn<F>(&self, future: F) -> Result<Pid, SpawnError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.spawn_with(SpawnOptions::new(), future)
    }

    /// As [`Runtime::spawn`], with options. Nobody is there to be linked or to hold a monitor:
    /// those options do nothing.
    ///
    /// # Errors
    /// As [`Runtime::spawn`], and if the name is taken.
    pub fn spawn_with<F>(&self, mut options: SpawnOptions, future: F) -> Result<Pid, SpawnError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.shared.start(None, Start::outside(Body::new(future), &mut options, None))
    }

    /// The process of this name.
    #[must_use]
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.shared.names.whereis(name)
    }

    /// Whether the process is alive.
    #[must_use]
    pub fn is_alive(&self, pid: Pid) -> bool {
        self.shared.is_alive(pid)
    }

    /// As [`Runtime::census`].
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            processes: self.shared.living(),
            names: self.shared.names.len(),
            timers: self.shared.scheduler.timers().len(),
            links: self.shared.tally.links.get(),
            monitors: self.shared.tally.monitors.get(),
            messages: self.shared.tally.messages.get(),
        }
    }

    fn stop(&self, limit: Duration) -> Result<(), ShutdownError> {
        let shared = &self.shared;
        shared.close();
        let result = self.wait_for_all(limit);
        // Timers for names outlive their makers.
        shared.scheduler.timers().clear();
        shared.scheduler.stop();
        // Workers that run a stuck process end with it; the rest end at once.
        let grace = if result.is_ok() { limit } else { Duration::ZERO };
        let _ = shared.scheduler.join(grace);
        result
    }

    fn wait_for_all(&self, limit: Duration) -> Result<(), ShutdownError> {
        let shared = &self.shared;
        let _ = shared.drive(&|| shared.living() == 0);
        let start = std::time::Instant::now();
        let (mut pause, mut told) = (Duration::from_micros(20), start);
        while shared.living() > 0 {
            let _ = shared.drive(&|| shared.living() == 0);
            if start.elapsed() >= limit {
                let processes = shared.not_ended();
                // The last one may have ended just now.
                let ended = shared.living() == 0;
                return if ended { Ok(()) } else { Err(ShutdownError { processes, limit }) };
            }
            // A process that was being born when the others were told hears of it now.
            if told.elapsed() >= TELL_AGAIN {
                shared.close();
                told = std::time::Instant::now();
            }
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// The current process's runtime.
///
/// # Errors
/// [`NoProc`] outside a process.
pub fn current_runtime() -> Result<Handle, NoProc> {
    try_turn(|turn| turn.map(|turn| Handle { shared: turn.shared().arc() })).ok_or(NoProc)
}

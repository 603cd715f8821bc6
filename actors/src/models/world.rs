//! A small world: a real runtime whose workers are the threads of a model.

use std::sync::{Arc, Mutex};

use beamish_runtime::{Config, Drive, Scheduler};
use crossbeam_channel::Sender;
use loom::thread;

use crate::{
    Pid, SpawnOptions,
    body::Body,
    delivery::deliver_anywhere,
    exit::{ExitReason, IntoExit},
    node::Message,
    report::Reporter,
    shared::{Shared, share},
    spawn::{SpawnError, Start},
};

/// A runtime, and the crashes in it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) shared: Arc<Shared>,
    crashes: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A runtime that holds this many processes.
    pub(super) fn new(limit: u32) -> Self {
        Self::with_scheduler(limit, 1, Some(0))
    }

    /// As [`World::new`], with two workers that run nothing: for models of what each of them owns.
    pub(super) fn idle(limit: u32) -> Self {
        Self::with_scheduler(limit, 2, None)
    }

    fn with_scheduler(limit: u32, workers: usize, seed: Option<u64>) -> Self {
        let config = Config { workers, name: String::new(), seed };
        let crashes = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&crashes);
        let hook = move |report: &crate::CrashReport| {
            record.lock().unwrap().push(report.to_string());
        };
        let reporter = Reporter::new(true, Some(Box::new(hook)));
        Self { shared: share(Scheduler::new(config), seed.is_some(), limit, reporter), crashes }
    }

    pub(super) fn spawn<F>(&self, future: F) -> Pid
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.try_spawn(future).unwrap()
    }

    pub(super) fn try_spawn<F>(&self, future: F) -> Result<Pid, SpawnError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.start(Body::new(future), None)
    }

    /// As [`World::spawn`]; a thread is told of the end.
    pub(super) fn spawn_for<F>(&self, watcher: Sender<ExitReason>, future: F) -> Pid
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        self.start(Body::new(future), Some(watcher)).unwrap()
    }

    fn start(&self, body: Body, watcher: Option<Sender<ExitReason>>) -> Result<Pid, SpawnError> {
        let mut options = SpawnOptions::new();
        self.shared.start(None, Start::outside(body, &mut options, watcher))
    }

    pub(super) fn send<M: Send + 'static>(&self, pid: Pid, message: M) {
        deliver_anywhere(pid, Message::new(message));
    }

    /// Runs processes on this thread until none is runnable. Any number of threads may do so at
    /// once: the seeded scheduler tells them apart by the operating system's threads, of which a
    /// model has one. Each of them is worker 0.
    pub(super) fn work(&self) {
        assert_eq!(self.shared.scheduler.drive(&|| false), Drive::Deadlock);
    }

    /// Two workers run everything there is to run: this thread is one of them.
    pub(super) fn run_on_two(&self) {
        let other = {
            let world = self.clone();
            thread::spawn(move || world.work())
        };
        self.work();
        other.join().unwrap();
        self.settle();
    }

    /// Tells a process that all is quiet, and lets it look.
    pub(super) fn go(&self, pid: Pid) {
        self.send(pid, Go);
        self.settle();
    }

    /// As [`World::go`]: that must be the last thing that the process waits for.
    pub(super) fn last_go(&self, pid: Pid) {
        self.go(pid);
        assert!(!self.shared.is_alive(pid), "it waits for something else");
    }

    /// Runs what is left when the other threads have ended, and looks for crashes: the assertions
    /// that failed inside processes.
    pub(super) fn settle(&self) {
        self.work();
        let crashes = self.crashes.lock().unwrap();
        assert!(crashes.is_empty(), "{}", crashes.join("\n"));
    }

    /// Ends all processes, and looks for what they left behind.
    pub(super) fn end(self) {
        self.settle();
        self.shared.close();
        self.settle();
        assert_eq!((self.shared.living(), self.shared.names.len()), (0, 0));
    }
}

/// Says that all is quiet.
pub(super) struct Go;

/// A process may end with it.
impl IntoExit for Go {
    fn into_exit(self) -> ExitReason {
        ExitReason::Normal
    }
}

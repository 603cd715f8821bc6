//! The seeded scheduler: one thread, random choices from a seed, virtual time.
//!
//! It stands behind the same handle as the worker threads, so that the same tasks run on both. A
//! run is repeatable: with the same seed and the same tasks, the same order. What makes it so:
//!
//! * tasks run one at a time, on the thread that calls `drive`;
//! * the next task is picked at random among those of the highest waiting class, so that no
//!   program can rely on an order that the worker threads do not promise. Low gets one turn in
//!   eight while normal tasks wait;
//! * time stands still while anything is runnable, and then jumps to the next deadline. So a
//!   program in which some task is always runnable never sees time pass.
//!
//! Other threads may make tasks runnable, under the lock, but `drive` does not wait for them, and
//! when they do it is up to the operating system: such a run is not repeatable.

use std::sync::Arc;
use std::thread::{self, ThreadId};

use crate::clock::Clock;
use crate::counters::WorkerCounters;
use crate::guard;
use crate::queue::{BY_URGENCY, CLASSES, LOW_SHARE};
use crate::scheduler::{Drive, Scheduler};
use crate::sync::Mutex;
use crate::task::{Priority, Task};
use crate::timer::Timers;
use crate::worker::Worker;

pub(crate) struct Seeded {
    state: Mutex<State>,
    clock: Clock,
    timers: Arc<Timers>,
}

struct State {
    runnable: [Vec<Task>; CLASSES],
    rng: fastrand::Rng,
    stopped: bool,
    driver: Option<ThreadId>,
    counters: WorkerCounters,
}

impl State {
    /// Takes a random task of the class whose turn it is.
    fn pick(&mut self) -> Option<Task> {
        let waits = |class: &Priority| !self.runnable[*class as usize].is_empty();
        let mut class = BY_URGENCY.into_iter().find(waits)?;
        if class == Priority::Normal && waits(&Priority::Low) && self.rng.u32(..LOW_SHARE) == 0 {
            class = Priority::Low;
        }
        let tasks = &mut self.runnable[class as usize];
        let task = tasks.swap_remove(self.rng.usize(..tasks.len()));
        self.counters.polls += 1;
        self.counters.queue_depth = self.runnable.iter().map(|tasks| tasks.len() as u64).sum();
        Some(task)
    }
}

/// What there is to do.
enum Turn {
    Run(Task),
    Wait,
    Stop,
}

impl Seeded {
    pub(crate) fn new(seed: u64, clock: Clock, timers: Arc<Timers>) -> Self {
        let state = State {
            runnable: Default::default(),
            rng: fastrand::Rng::with_seed(seed),
            stopped: false,
            driver: None,
            counters: WorkerCounters::default(),
        };
        Self { state: Mutex::new(state), clock, timers }
    }

    pub(crate) fn schedule(&self, task: Task, priority: Priority) {
        let mut state = self.state.lock();
        if !state.stopped {
            state.runnable[priority as usize].push(task);
        }
    }

    pub(crate) fn random(&self) -> u64 {
        self.state.lock().rng.u64(..)
    }

    pub(crate) fn counters(&self) -> WorkerCounters {
        self.state.lock().counters
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    /// Runs tasks until `until()`.
    pub(crate) fn drive(&self, scheduler: &Scheduler, until: &dyn Fn() -> bool) -> Drive {
        let _seat = self.take_seat();
        let worker = Worker::seeded(scheduler.clone());
        loop {
            if until() {
                return Drive::Done;
            }
            match self.turn() {
                Turn::Run(task) => self.guarded(|| worker.run_one(task)),
                Turn::Wait if !self.next_instant(&worker) => return Drive::Deadlock,
                Turn::Wait => {}
                Turn::Stop => return Drive::Stopped,
            }
        }
    }

    fn turn(&self) -> Turn {
        let mut state = self.state.lock();
        if state.stopped {
            return Turn::Stop;
        }
        state.pick().map_or(Turn::Wait, Turn::Run)
    }

    /// Moves time to the next deadline and fires what is due. False if there is no deadline.
    fn next_instant(&self, worker: &Worker) -> bool {
        let Some(deadline) = self.timers.next_deadline_overall() else { return false };
        self.clock.advance_to(deadline);
        self.guarded(|| {
            worker.enter(|| self.timers.fire_due(0, self.clock.now()));
        });
        true
    }

    fn guarded(&self, f: impl FnOnce()) {
        if !guard::returns(f) {
            self.state.lock().counters.escaped_panics += 1;
        }
    }

    /// Makes this thread the driver. A task may drive again, from within; another thread may not.
    fn take_seat(&self) -> Seat<'_> {
        let this = thread::current().id();
        let mut state = self.state.lock();
        assert!(
            state.driver.is_none_or(|driver| driver == this),
            "a seeded scheduler is driven by one thread at a time"
        );
        Seat { seeded: self, before: state.driver.replace(this) }
    }
}

/// The right to drive; gives it back to whoever had it before.
struct Seat<'a> {
    seeded: &'a Seeded,
    before: Option<ThreadId>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.seeded.state.lock().driver = self.before;
    }
}

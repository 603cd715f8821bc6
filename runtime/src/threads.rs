//! What the worker threads of one scheduler share.

use std::any::Any;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::barrier;
use crate::board::Board;
use crate::clock::Clock;
use crate::core::Core;
use crate::counters::WorkerCounters;
use crate::guard;
use crate::idle::Idle;
use crate::inject::Inject;
use crate::monitor::{Monitor, Rounds};
use crate::queue::Queues;
use crate::scheduler::{Scheduler, Stuck};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::plain::{Condvar, Mutex};
use crate::task::{Priority, Task};
use crate::timer::Timers;
use crate::worker::Worker;

pub(crate) struct Threads {
    pub(crate) boards: Box<[Arc<Board>]>,
    pub(crate) inject: Inject,
    pub(crate) idle: Arc<Idle>,
    pub(crate) monitor: Monitor,
    pub(crate) clock: Clock,
    pub(crate) timers: Arc<Timers>,
    stopping: AtomicBool,
    /// The queues, until their workers start.
    waiting: Mutex<Vec<Queues>>,
    crew: Mutex<Crew>,
    crew_changed: Condvar,
}

/// The threads that were started.
#[derive(Default)]
struct Crew {
    /// By worker, the monitor last: whether it runs.
    running: Vec<bool>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn new(workers: usize, clock: Clock, timers: Arc<Timers>) -> Self {
        barrier::prepare();
        let waiting: Vec<Queues> = (0..workers).map(|_| Queues::new()).collect();
        let idle = Arc::new(Idle::new(workers));
        let sleepers = Arc::clone(&idle);
        // The timers make the fence that `wake` asks for.
        timers.set_on_earlier(move |worker| {
            sleepers.wake(worker);
        });
        Self {
            boards: waiting.iter().map(|queues| Arc::new(Board::new(queues.doors()))).collect(),
            inject: Inject::new(workers),
            idle,
            monitor: Monitor::new(),
            clock,
            timers,
            stopping: AtomicBool::new(false),
            waiting: Mutex::new(waiting),
            crew: Mutex::default(),
            crew_changed: Condvar::new(),
        }
    }

    /// The owner's ends of all queues, as `start` would take them.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn take_queues(&self) -> Vec<Queues> {
        std::mem::take(&mut *self.waiting.lock())
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        // Acquire: pairs with the release in `stop`; whoever stops also sees what went before.
        self.stopping.load(Ordering::Acquire)
    }

    /// Takes a task from outside and makes sure that some worker sees it.
    pub(crate) fn inject(&self, task: Task, priority: Priority) {
        if self.is_stopping() {
            return;
        }
        self.inject.push(task, priority);
        self.idle.wake_for_injected(|| !self.inject.is_empty());
    }

    /// Wakes a sleeper to search, unless somebody does already. Whether it did.
    pub(crate) fn wake_one(&self) -> bool {
        self.idle.wake_one(|| !self.inject.is_empty())
    }

    pub(crate) fn counters(&self) -> Vec<WorkerCounters> {
        self.boards.iter().map(|board| board.counters()).collect()
    }

    /// Starts the threads. A second call does nothing.
    pub(crate) fn start(
        self: &Arc<Self>,
        scheduler: &Scheduler,
        name: &str,
        keep_alive: &Arc<dyn Any + Send + Sync>,
    ) -> io::Result<()> {
        let queues = std::mem::take(&mut *self.waiting.lock());
        if queues.is_empty() || self.is_stopping() {
            return Ok(());
        }
        let monitor = queues.len();
        for (index, queues) in queues.into_iter().enumerate() {
            let (threads, scheduler) = (Arc::clone(self), scheduler.clone());
            self.spawn(index, format!("{name}-{index}"), keep_alive, move || {
                Worker::threaded(scheduler, Core::new(index, threads, queues)).work();
            })?;
        }
        let threads = Arc::clone(self);
        self.spawn(monitor, format!("{name}-monitor"), keep_alive, move || {
            Rounds::new(&threads).run();
        })
    }

    /// Starts one thread. If the system refuses, stops those that run already.
    fn spawn(
        self: &Arc<Self>,
        index: usize,
        name: String,
        keep_alive: &Arc<dyn Any + Send + Sync>,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let (threads, keep_alive) = (Arc::clone(self), Arc::clone(keep_alive));
        let mut crew = self.crew.lock();
        crew.running.resize(index, false);
        crew.running.push(true);
        let started = thread::Builder::new().name(name).spawn(move || {
            // Whatever happens, the thread is seen to end.
            guard::returns(body);
            guard::returns(|| drop(keep_alive));
            threads.left(index);
        });
        match started {
            Ok(handle) => crew.handles.push(handle),
            Err(refused) => {
                crew.running.pop();
                drop(crew);
                self.stop();
                return Err(refused);
            }
        }
        Ok(())
    }

    fn left(&self, index: usize) {
        self.crew.lock().running[index] = false;
        self.crew_changed.notify_all();
    }

    /// Tells all threads to end.
    pub(crate) fn stop(&self) {
        // Release: pairs with the acquire in `is_stopping`.
        self.stopping.store(true, Ordering::Release);
        self.boards.iter().for_each(|board| board.nudge());
        self.idle.wake_all();
        self.monitor.look();
    }

    /// Waits for the threads to end.
    pub(crate) fn join(&self, limit: Duration) -> Result<(), Stuck> {
        let end = Instant::now().checked_add(limit);
        let mut crew = self.crew.lock();
        while crew.running.contains(&true) {
            let timed_out = match end {
                Some(end) => self.crew_changed.wait_until(&mut crew, end).timed_out(),
                None => {
                    self.crew_changed.wait(&mut crew);
                    false
                }
            };
            if timed_out && crew.running.contains(&true) {
                return Err(self.stuck(&crew));
            }
        }
        let handles = std::mem::take(&mut crew.handles);
        drop(crew);
        for handle in handles {
            // The thread has nothing left to do but to end; its body cannot panic.
            let _ = handle.join();
        }
        Ok(())
    }

    fn stuck(&self, crew: &Crew) -> Stuck {
        let workers = self.boards.len();
        Stuck {
            workers: (0..workers.min(crew.running.len())).filter(|&i| crew.running[i]).collect(),
            monitor: crew.running.get(workers) == Some(&true),
        }
    }
}

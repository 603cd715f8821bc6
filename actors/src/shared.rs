//! What all handles, workers and wakers of a runtime share, and how signals are delivered.

use std::sync::{Arc, Weak, atomic::AtomicU32};

use beamish_runtime::{Drive, Scheduler, TimerKey, barrier};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::{
    inbox::Wake,
    name::Name,
    names::{Names, RegisterError},
    node::Message,
    panics,
    pid::Pid,
    report::Reporter,
    signal::Signal,
    slot::Slot,
    spawn::{SpawnError, Start},
    sync::{AtomicBool, AtomicU64, Ordering, plain::RwLock},
    table::Table,
    tally::Tally,
    turn::{self, Turn},
};

/// What all handles, workers and wakers of a runtime share.
pub(crate) struct Shared {
    node: u32,
    this: Weak<Shared>,
    pub(crate) scheduler: Scheduler,
    pub(crate) table: Table,
    pub(crate) names: Names,
    locals: Box<[Local]>,
    closing: AtomicBool,
    seeded: bool,
    pub(crate) reporter: Reporter,
    pub(crate) tally: Tally,
}

/// What each worker counts for itself, on a line of its own. The last one serves all threads that
/// are no workers.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Local {
    references: AtomicU64,
    spawned: AtomicU64,
    /// Processes whose slot was given back, on this worker.
    exited: AtomicU64,
    index: u64,
}

impl Local {
    /// The next reference. 48 bits count, the rest tells the supplier.
    #[inline]
    pub(crate) fn next_reference(&self) -> u64 {
        (self.index << 48) | count_one(&self.references)
    }
}

/// Counts one more, on the worker that alone writes this counter.
#[inline]
fn count_one(counter: &AtomicU64) -> u64 {
    if cfg!(loom) {
        // The threads of a model are all worker 0 (models/world.rs).
        return counter.fetch_add(1, Ordering::Release) + 1;
    }
    let count = counter.load(Ordering::Relaxed) + 1;
    counter.store(count, Ordering::Release);
    count
}

/// The runtimes of this program, for sends from outside.
static RUNTIMES: RwLock<Option<HashMap<u32, Weak<Shared>, FxBuildHasher>>> = RwLock::new(None);

static NEXT_NODE: AtomicU32 = AtomicU32::new(1);

/// The runtime of a pid, if it still exists.
pub(crate) fn runtime_of(pid: Pid) -> Option<Arc<Shared>> {
    RUNTIMES.read().as_ref()?.get(&pid.node())?.upgrade()
}

impl Shared {
    #[inline]
    pub(crate) fn node(&self) -> u32 {
        self.node
    }

    pub(crate) fn arc(&self) -> Arc<Self> {
        match self.this.upgrade() {
            Some(arc) => arc,
            None => unreachable!("whoever runs in a runtime keeps it alive"),
        }
    }

    pub(crate) fn weak(&self) -> Weak<Self> {
        self.this.clone()
    }

    #[inline]
    pub(crate) fn local(&self, worker: usize) -> &Local {
        &self.locals[worker]
    }

    /// The supply of threads that are no workers.
    pub(crate) fn outside(&self) -> usize {
        self.locals.len() - 1
    }

    /// The slot of a living process.
    #[inline]
    pub(crate) fn find(&self, pid: Pid) -> Option<&Slot> {
        if pid.node() != self.node {
            return None;
        }
        self.table.get(pid.index()).filter(|slot| slot.generation() == pid.generation())
    }

    pub(crate) fn is_alive(&self, pid: Pid) -> bool {
        if pid.node() != self.node {
            return runtime_of(pid).is_some_and(|other| other.is_alive(pid));
        }
        self.find(pid).is_some_and(|slot| slot.is_alive(pid.generation()))
    }

    /// Polls a process again.
    pub(crate) fn wake(&self, pid: Pid) {
        if let Some(slot) = self.find(pid)
            && slot.inbox.wake() == Wake::Schedule
        {
            self.scheduler.schedule(slot.task(), slot.priority());
        }
    }

    /// Cancels a timer; what it held is dropped without harm to the caller.
    pub(crate) fn cancel_contained(&self, key: TimerKey) {
        panics::contain(|| {
            self.scheduler.timers().cancel(key);
        });
    }

    pub(crate) fn register(&self, name: Name, pid: Pid) -> Result<(), RegisterError> {
        match self.find(pid) {
            Some(slot) => self.names.register(name, pid, slot),
            None => Err(RegisterError::NoProc(pid)),
        }
    }

    /// Starts a process; `by` is the turn of the spawning process, if it is one of this runtime.
    #[inline]
    pub(crate) fn start(&self, by: Option<&Turn<'_>>, start: Start<'_>) -> Result<Pid, SpawnError> {
        let list = by.map_or(self.outside(), |turn| turn.worker().index());
        self.count(list, |local| &local.spawned);
        // Against `close`, which has the other half: either we see it closing, or it sees us
        // counted.
        barrier::light();
        let slot = if self.closing.load(Ordering::Relaxed) {
            Err(SpawnError::Closing)
        } else {
            self.table.acquire(list, self).ok_or(SpawnError::ProcessLimit)
        };
        match slot {
            Ok(slot) => {
                // Before it is scheduled: then the slot may soon have another tenant.
                let pid = slot.pid();
                match start.settle(self, slot, by) {
                    Ok(()) => Ok(pid),
                    Err(error) => self.not_started(list, error),
                }
            }
            Err(error) => {
                // What the destructor of the body does must not harm the caller.
                panics::contain(|| drop(start));
                self.not_started(list, error)
            }
        }
    }

    #[cold]
    fn not_started(&self, list: usize, error: SpawnError) -> Result<Pid, SpawnError> {
        self.count(list, |local| &local.exited);
        Err(error)
    }

    /// Counts one more. A worker alone writes its counters, so it needs no read-modify-write; the
    /// last ones are those of all other threads.
    ///
    /// Release pairs with the Acquire in `living`: who finds everyone gone sees what they did.
    #[inline]
    fn count(&self, list: usize, counter: impl Fn(&Local) -> &AtomicU64) {
        let counter = counter(self.local(list));
        if list == self.outside() {
            counter.fetch_add(1, Ordering::Release);
        } else {
            count_one(counter);
        }
    }

    /// Lets a slot again, to someone else.
    pub(crate) fn let_again(&self, list: usize, slot: &Slot) {
        if slot.retire() {
            self.table.release(list, slot.index());
        } else {
            self.table.replace_used_up();
        }
    }

    /// A process is gone.
    pub(crate) fn vacate(&self, worker: usize, slot: &Slot) {
        self.let_again(worker, slot);
        self.count(worker, |local| &local.exited);
    }

    /// How many processes live, exactly when nothing is being spawned.
    pub(crate) fn living(&self) -> u64 {
        let exited: u64 = self.locals.iter().map(|l| l.exited.load(Ordering::Acquire)).sum();
        let spawned: u64 = self.locals.iter().map(|l| l.spawned.load(Ordering::Acquire)).sum();
        spawned - exited
    }

    pub(crate) fn processes(&self) -> Vec<Pid> {
        // Whoever is seen alive after his pid was read has been born: pids of those to come are
        // not told.
        let living = |pid: &Pid| self.is_alive(*pid);
        self.table.slots().map(Slot::pid).filter(living).collect()
    }

    /// Those that [`Shared::living`] counts: also who is ending, and no longer alive.
    pub(crate) fn not_ended(&self) -> Vec<Pid> {
        self.table.taken().map(Slot::pid).collect()
    }

    /// Runs a seeded runtime on this thread; nothing to do for one with workers.
    pub(crate) fn drive(&self, until: &dyn Fn() -> bool) -> Option<Drive> {
        self.seeded.then(|| self.scheduler.drive(until))
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Tells every process to stop, and refuses new ones.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        // The other half is in `start`. If the system refuses, what is being spawned at this very
        // moment may be missed here; it is dropped with the table, as what workers are stuck in.
        let _ = barrier::heavy();
        for pid in self.processes() {
            self.deliver(pid, Message::signal(Signal::Stop));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtimes) = RUNTIMES.write().as_mut() {
            runtimes.remove(&self.node);
        }
    }
}

/// Makes the shared part of a runtime, and makes it known to this program.
pub(crate) fn share(
    scheduler: Scheduler,
    seeded: bool,
    limit: u32,
    reporter: Reporter,
) -> Arc<Shared> {
    let node = NEXT_NODE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let workers = scheduler.workers();
    let shared = Arc::new_cyclic(|this| Shared {
        node,
        seeded,
        this: this.clone(),
        scheduler,
        table: Table::new(limit, workers, !seeded, &turn::VTABLE),
        names: Names::default(),
        locals: (0..=workers as u64).map(|index| Local { index, ..Local::default() }).collect(),
        closing: AtomicBool::new(false),
        reporter,
        tally: Tally::default(),
    });
    RUNTIMES.write().get_or_insert_default().insert(node, Arc::downgrade(&shared));
    shared
}

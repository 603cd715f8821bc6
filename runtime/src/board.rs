//! A worker's board: what the others may read of it, and the doors at which they may take work.
//!
//! Everything a worker owns that can be run hangs here, so that whoever finds it stuck can take
//! the work away.
//!
//! The words that the worker writes at every turn share one pair of cache lines; the words that
//! others write have another. Counters are only ever written by their one writer, with a plain
//! load and store, and read by others as hints and statistics, so everything is relaxed.

use crate::counters::WorkerCounters;
use crate::next::NextSlot;
use crate::queue::Doors;
use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A count with one writer.
#[derive(Debug)]
pub(crate) struct Count(AtomicU64);

impl Count {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Relaxed: a statistic or a hint; it orders nothing.
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Relaxed: see `get`.
    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The writer only: no read-modify-write, because nobody else writes.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.set(self.get() + more);
    }
}

/// Written by the worker.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) next: NextSlot,
    /// Polls begun: while it stands still and the worker is awake, one poll goes on.
    pub(crate) polls: Count,
    pub(crate) slot_uses: Count,
    pub(crate) mean_poll_ns: Count,
    /// Maintenances done.
    pub(crate) maintenances: Count,
    pub(crate) queue_depth: Count,
    pub(crate) steals: Count,
    pub(crate) stolen_tasks: Count,
    pub(crate) injected: Count,
    pub(crate) parks: Count,
    pub(crate) wakes: Count,
    pub(crate) escaped_panics: Count,
}

/// Written by others.
#[derive(Debug)]
pub(crate) struct Notes {
    /// Please do your maintenance at the next turn.
    nudged: AtomicBool,
    /// Written by the monitor.
    pub(crate) long_polls: Count,
}

pub(crate) struct Board {
    pub(crate) own: CachePadded<Own>,
    pub(crate) notes: CachePadded<Notes>,
    pub(crate) doors: Doors,
}

impl Board {
    pub(crate) fn new(doors: Doors) -> Self {
        let own = Own {
            next: NextSlot::new(),
            polls: Count::new(),
            slot_uses: Count::new(),
            mean_poll_ns: Count::new(),
            maintenances: Count::new(),
            queue_depth: Count::new(),
            steals: Count::new(),
            stolen_tasks: Count::new(),
            injected: Count::new(),
            parks: Count::new(),
            wakes: Count::new(),
            escaped_panics: Count::new(),
        };
        let notes = Notes { nudged: AtomicBool::new(false), long_polls: Count::new() };
        Self { own: CachePadded::new(own), notes: CachePadded::new(notes), doors }
    }

    /// Asks the worker to do its maintenance at its next turn.
    pub(crate) fn nudge(&self) {
        // Release: pairs with the acquire in `take_nudge`, so that the worker then sees why (the
        // stop flag).
        self.notes.nudged.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_nudged(&self) -> bool {
        // Relaxed: only decides whether to call `take_nudge`, a turn sooner or later.
        self.notes.nudged.load(Ordering::Relaxed)
    }

    /// The worker only.
    pub(crate) fn take_nudge(&self) {
        if self.is_nudged() {
            // Acquire: pairs with the release in `nudge`.
            self.notes.nudged.swap(false, Ordering::Acquire);
        }
    }

    /// How long what waits here would last at the worker's pace.
    pub(crate) fn backlog_ns(&self) -> u64 {
        (self.doors.len() as u64).saturating_mul(self.own.mean_poll_ns.get())
    }

    /// Whether anything waits here, in the queues or the next slot.
    pub(crate) fn has_work(&self) -> bool {
        self.own.next.is_full() || self.doors.len() > 0
    }

    pub(crate) fn counters(&self) -> WorkerCounters {
        let own = &*self.own;
        WorkerCounters {
            polls: own.polls.get(),
            steals: own.steals.get(),
            stolen_tasks: own.stolen_tasks.get(),
            injected: own.injected.get(),
            parks: own.parks.get(),
            wakes: own.wakes.get(),
            slot_uses: own.slot_uses.get(),
            queue_depth: own.queue_depth.get(),
            long_polls: self.notes.long_polls.get(),
            escaped_panics: own.escaped_panics.get(),
            mean_poll_ns: own.mean_poll_ns.get(),
        }
    }
}

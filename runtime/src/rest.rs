//! What a worker does when its own queues are empty: look elsewhere, nap, sleep.
//!
//! The order is: the injector and its own timers, then the other workers' backlogs if not too
//! many search already, then a nap, a few times, each twice as long; then sleep until somebody
//! wakes it. The protocol that loses no wakeup is that of `idle.rs`.

use std::time::Duration;

use crate::clock::Nanos;
use crate::core::Core;
use crate::park::Signal;
use crate::task::Task;

/// The first nap between two searches. A backlog that is worth a trip lasts longer than 8 us, so
/// a nap of this length misses little; shorter ones cost the busy workers cache lines.
const NAP_NS: u64 = 100_000;

/// Naps before a worker sleeps for good. The last takes 800 us; by then the monitor has ticked.
const NAPS: u32 = 4;

/// How a worker is looking for work.
struct Quest {
    /// Counted among the searchers.
    searching: bool,
    naps: u32,
}

impl Core {
    /// Finds a task, or waits for one. `None` when the scheduler stops.
    #[cold]
    pub(crate) fn look_elsewhere(&self) -> Option<Task> {
        self.board.own.queue_depth.set(0);
        let mut quest = Quest { searching: false, naps: 0 };
        while !self.threads.is_stopping() {
            if let Some(task) = self.near().or_else(|| self.far(&mut quest)) {
                self.end_quest(&quest);
                return Some(task);
            }
            if let Some(task) = self.rest(&mut quest) {
                return Some(task);
            }
        }
        self.end_quest(&quest);
        None
    }

    fn end_quest(&self, quest: &Quest) {
        if quest.searching {
            self.threads.idle.end_search(|| !self.threads.inject.is_empty());
            self.restart_pace();
        }
    }

    /// Work from the injector or the worker's own timers.
    fn near(&self) -> Option<Task> {
        self.take_injected().or_else(|| {
            self.fire_timers(self.threads.clock.now());
            self.local_task()
        })
    }

    /// Work from other workers.
    fn far(&self, quest: &mut Quest) -> Option<Task> {
        if !quest.searching {
            quest.searching = self.threads.boards.len() > 1 && self.threads.idle.begin_search();
        }
        if quest.searching { self.search() } else { None }
    }

    /// Sleeps once: for a nap, until the next deadline, or until somebody wakes it. Returns a
    /// task only if it was woken to take over a stuck worker's.
    fn rest(&self, quest: &mut Quest) -> Option<Task> {
        let nap = (quest.searching && quest.naps < NAPS).then(|| Nanos(NAP_NS << quest.naps));
        let woken = self.sleep(nap, quest.searching);
        quest.searching = woken == Some(Signal::Search);
        quest.naps = if woken.is_some() { 0 } else { quest.naps + 1 };
        self.threads.monitor.look();
        self.restart_pace();
        match woken {
            Some(Signal::Relieve(stuck)) => self.relieve(&self.threads.boards[stuck]),
            _ => None,
        }
    }

    /// Lies down and sleeps. The signal if somebody woke it, nothing if it got up by itself.
    fn sleep(&self, nap: Option<Nanos>, searching: bool) -> Option<Signal> {
        let idle = &self.threads.idle;
        idle.lie_down(self.index, searching);
        // Step S3: whatever was given to this worker before the fence in `lie_down` is seen here.
        let stays_up = self.threads.is_stopping() || !self.threads.inject.is_empty();
        let limit = if stays_up { Some(Duration::ZERO) } else { self.longest_sleep(nap) };
        self.board.own.parks.add(u64::from(!stays_up));
        let parker = idle.parker(self.index);
        let signal = match limit {
            Some(limit) => parker.wait_for(limit),
            None => return Some(parker.wait()),
        };
        // Step S4: time is up. If a waker was faster, its signal is on the way.
        signal.or_else(|| (!idle.get_up(self.index)).then(|| parker.wait()))
    }

    /// How long this worker may sleep before something of its own is due.
    fn longest_sleep(&self, nap: Option<Nanos>) -> Option<Duration> {
        let deadline = self.threads.timers.next_deadline(self.index);
        let until_deadline = deadline.map(|at| at.0.saturating_sub(self.threads.clock.now().0));
        let limit = match (until_deadline, nap.map(|nap| nap.0)) {
            (Some(deadline), Some(nap)) => Some(deadline.min(nap)),
            (deadline, nap) => deadline.or(nap),
        };
        limit.map(Duration::from_nanos)
    }
}

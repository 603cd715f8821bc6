//! How fast a worker goes, and what follows from it.
//!
//! A worker reads the clock only now and then: it divides the time since it last did by the
//! polls since then, and keeps a moving average. From that mean it derives how many turns it may
//! take before its next maintenance, how many tasks in its queue make a backlog worth another
//! worker's trip, and how long a chain of hand-offs through the next slot may be. The thieves
//! judge by the same mean, which the worker publishes.

use std::cell::Cell;

use crate::clock::Nanos;

/// A backlog is worth a trip to another worker when it would last longer than this. Waking a
/// sleeper, and fetching tasks and their data from another core's cache, costs a few
/// microseconds; measured on two cores, less makes groups that talk to each other fall apart.
pub(crate) const WORTH_NS: u64 = 8_000;

/// Wanted time between two maintenances. Short against the millisecond of the timers, long
/// against a clock reading and a look at the injector (some 50 ns).
const MAINTENANCE_NS: u64 = 150_000;

/// Most turns between two maintenances, however short the polls: limits the wait of injected
/// tasks when polls suddenly become long. A prime, so as not to beat with periodic loads.
const MAX_TURNS: u64 = 61;

/// Most consecutive uses of the next slot while other tasks wait.
const SLOT_CAP: u64 = 32;

/// ... and the longest time that they may take together. Long polls make the chain shorter.
const SLOT_SPAN_NS: u64 = 100_000;

/// Mean poll time assumed before the first measurement: that of a process that does a little.
const FIRST_GUESS_NS: u64 = 500;

/// Longest sample that counts, so that one stuck poll does not spoil the mean for long.
const LONGEST_SAMPLE_NS: u64 = 10_000_000;

/// A sample's weight in the moving average is one in this.
const SMOOTHING: u64 = 4;

/// A worker's pace. Only the worker itself uses it.
#[derive(Debug)]
pub(crate) struct Pace {
    mean_ns: Cell<u64>,
    window_start: Cell<Nanos>,
    window_polls: Cell<u64>,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            mean_ns: Cell::new(FIRST_GUESS_NS),
            window_start: Cell::new(Nanos(0)),
            window_polls: Cell::new(0),
        }
    }

    /// Starts measuring afresh: the time until now was not spent on polls.
    pub(crate) fn restart(&self, now: Nanos, polls: u64) {
        self.window_start.set(now);
        self.window_polls.set(polls);
    }

    /// Takes in the time since the last call, and the polls made in it.
    pub(crate) fn measure(&self, now: Nanos, polls: u64) {
        let elapsed = now.0.saturating_sub(self.window_start.get().0);
        if let Some(sample) = elapsed.checked_div(polls - self.window_polls.get()) {
            let sample = sample.min(LONGEST_SAMPLE_NS);
            let mean = self.mean_ns.get();
            self.mean_ns.set(((mean * (SMOOTHING - 1) + sample) / SMOOTHING).max(1));
            self.restart(now, polls);
        }
    }

    /// The mean length of a poll, at least 1 ns.
    pub(crate) fn mean_ns(&self) -> u64 {
        self.mean_ns.get()
    }

    /// Turns until the next maintenance.
    pub(crate) fn turns(&self) -> u32 {
        (MAINTENANCE_NS / self.mean_ns()).clamp(1, MAX_TURNS) as u32
    }

    /// The number of waiting tasks from which on a backlog is worth a trip.
    pub(crate) fn worthwhile_len(&self) -> usize {
        (WORTH_NS / self.mean_ns()).max(1) as usize
    }

    /// How often the next slot may be used in a row while other tasks wait.
    pub(crate) fn slot_cap(&self) -> u32 {
        (SLOT_SPAN_NS / self.mean_ns()).clamp(1, SLOT_CAP) as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The pace after many polls of this length.
    fn settled(poll_ns: u64) -> Pace {
        let pace = Pace::new();
        for i in 1..=100 {
            pace.measure(Nanos(i * 61 * poll_ns), i * 61);
        }
        pace
    }

    #[test]
    fn short_polls_mean_long_rounds_and_large_worthwhile_backlogs() {
        let pace = settled(50);
        assert_eq!((pace.turns(), pace.worthwhile_len(), pace.slot_cap()), (61, 160, 32));
    }

    #[test]
    fn long_polls_mean_maintenance_at_every_turn() {
        let pace = settled(300_000);
        assert_eq!((pace.turns(), pace.worthwhile_len(), pace.slot_cap()), (1, 1, 1));
    }

    #[test]
    fn time_without_polls_and_time_asleep_do_not_count() {
        let pace = settled(100);
        pace.measure(Nanos(u64::MAX), 6_100);
        assert_eq!(pace.mean_ns(), 100);
        pace.restart(Nanos(9_000_000_000), 6_100);
        pace.measure(Nanos(9_000_000_400), 6_104);
        assert_eq!(pace.mean_ns(), 100);
    }

    #[test]
    fn one_stuck_poll_is_forgotten_in_a_few_rounds() {
        let pace = settled(100);
        let mut now = 10_000_000_000;
        pace.restart(Nanos(0), 0);
        pace.measure(Nanos(now), 1);
        assert!(pace.mean_ns() > 1_000_000);
        for i in 1..=50 {
            now += 6_100;
            pace.measure(Nanos(now), 1 + 61 * i);
        }
        assert!(pace.mean_ns() < 110);
    }
}

//! Time as the scheduler sees it: nanoseconds since its origin, read from the machine's monotonic
//! clock or from a virtual one that moves only when it is told to.
//!
//! The virtual clock is what makes a seeded run repeatable: when nothing is runnable, the
//! scheduler advances it to the next deadline, so a test that sleeps for a year ends at once.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nanoseconds in a millisecond, the granularity of timers.
const NANOS_PER_MS: u64 = 1_000_000;

/// A point in time, or a length of time, in nanoseconds; as a point it counts from the
/// scheduler's origin.
///
/// Arithmetic saturates: nothing overflows, and [`Nanos::MAX`] (584 years) is the end of time.
///
/// ```
/// use std::time::Duration;
/// use beamish_runtime::Nanos;
///
/// let start = Nanos::from(Duration::from_millis(2));
/// assert_eq!(start + Duration::from_nanos(5), Nanos(2_000_005));
/// assert_eq!(start - Nanos::MAX, Nanos::ZERO);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The end of time, 584 years after the origin.
    pub const MAX: Self = Self(u64::MAX);

    /// `ms` milliseconds, saturating.
    #[inline]
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(NANOS_PER_MS))
    }

    /// The nanoseconds.
    #[inline]
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded down: the last one that has surely passed.
    #[inline]
    #[must_use]
    pub const fn millis_floor(self) -> u64 {
        self.0 / NANOS_PER_MS
    }

    /// Whole milliseconds, rounded up: the first one that is surely not early.
    #[inline]
    #[must_use]
    pub const fn millis_ceil(self) -> u64 {
        self.0.div_ceil(NANOS_PER_MS)
    }

    /// This much later; [`Nanos::MAX`] at most.
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This much earlier, or the time since `other`; zero at least.
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Duration::from(*self), f)
    }
}

impl From<Duration> for Nanos {
    /// Durations beyond [`Nanos::MAX`] become it.
    #[inline]
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    #[inline]
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.0)
    }
}

impl Add for Nanos {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Add<Duration> for Nanos {
    type Output = Self;

    #[inline]
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration.into())
    }
}

impl AddAssign<Duration> for Nanos {
    #[inline]
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Nanos {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Sub<Duration> for Nanos {
    type Output = Self;

    #[inline]
    fn sub(self, duration: Duration) -> Self {
        self.saturating_sub(duration.into())
    }
}

/// A clock: real or virtual. Clones of one clock always agree.
///
/// ```
/// use beamish_runtime::clock::{Clock, Nanos};
///
/// let clock = Clock::virtual_at(Nanos::ZERO);
/// clock.advance_to(Nanos::from_millis(3));
/// clock.advance_to(Nanos::from_millis(1)); // never backwards
/// assert_eq!(clock.now(), Nanos::from_millis(3));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real { origin: Instant },
    Virtual { now: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's monotonic clock; its origin is this call.
    #[must_use]
    pub fn real() -> Self {
        Self(Kind::Real { origin: Instant::now() })
    }

    /// A clock that shows `now` until [`advance_to`](Self::advance_to) moves it.
    #[must_use]
    pub fn virtual_at(now: Nanos) -> Self {
        Self(Kind::Virtual { now: Arc::new(AtomicU64::new(now.0)) })
    }

    /// The time since the origin. Never less than an earlier reading on the same thread.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Nanos {
        match &self.0 {
            Kind::Real { origin } => origin.elapsed().into(),
            // Acquire: pairs with the release in `advance_to`, so that whoever sees the new time
            // also sees what its mover did before.
            Kind::Virtual { now } => Nanos(now.load(Ordering::Acquire)),
        }
    }

    /// Moves a virtual clock on to `to`. Does nothing when it is already there or beyond.
    ///
    /// # Panics
    ///
    /// On a real clock, which nobody can move.
    #[track_caller]
    pub fn advance_to(&self, to: Nanos) {
        match &self.0 {
            Kind::Real { .. } => panic!("only a virtual clock can be advanced"),
            // Release: pairs with the acquire in `now`.
            Kind::Virtual { now } => now.fetch_max(to.0, Ordering::Release),
        };
    }

    /// Whether this clock moves only when told.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.0, Kind::Virtual { .. })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Nanos::MAX + Duration::from_nanos(1), Nanos::MAX);
        assert_eq!(Nanos::ZERO - Duration::from_nanos(1), Nanos::ZERO);
        assert_eq!(Nanos(7) - Nanos(9), Nanos::ZERO);
        assert_eq!(Nanos::from(Duration::MAX), Nanos::MAX);
        assert_eq!(Nanos::from_millis(u64::MAX), Nanos::MAX);
    }

    #[test]
    fn milliseconds_round_both_ways() {
        assert_eq!((Nanos(1_999_999).millis_floor(), Nanos(1_000_001).millis_ceil()), (1, 2));
        assert_eq!((Nanos(2_000_000).millis_floor(), Nanos(2_000_000).millis_ceil()), (2, 2));
        assert_eq!(Nanos::MAX.millis_ceil(), Nanos::MAX.millis_floor() + 1);
    }

    #[test]
    fn durations_survive_the_round_trip() {
        let duration = Duration::new(3, 4);
        assert_eq!(Duration::from(Nanos::from(duration)), duration);
    }

    #[test]
    fn virtual_clock_is_shared_and_never_goes_back() {
        let clock = Clock::virtual_at(Nanos(5));
        let other = clock.clone();
        other.advance_to(Nanos(9));
        clock.advance_to(Nanos(2));
        assert_eq!((clock.now(), other.now()), (Nanos(9), Nanos(9)));
        assert!(clock.is_virtual());
    }

    #[test]
    fn real_clock_starts_at_its_origin_and_moves_on() {
        let clock = Clock::real();
        let first = clock.now();
        while clock.now() == first {
            std::hint::spin_loop();
        }
        assert!(clock.now() > first && !clock.is_virtual());
    }

    #[test]
    #[should_panic(expected = "only a virtual clock")]
    fn real_clock_cannot_be_advanced() {
        Clock::real().advance_to(Nanos::MAX);
    }
}

//! The sharded timer service. The protocols are described in the parent module.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::Duration;

use super::expiry::{BATCH, Batch, Expiry, drop_all};
use super::wheel::{Key, Wheel};
use crate::clock::{Clock, Nanos};
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::sync::{CachePadded, Mutex};

#[cfg(all(test, not(loom)))]
mod tests;

/// `next` of a shard without timers. No deadline is that far: they are nanoseconds / 1,000,000.
const NEVER: u64 = u64::MAX;

/// Batches per call of [`Timers::fire_due`]: 4,096 expiries take a worker well under a
/// millisecond, and then it should look at its processes again. Fewer for Miri's sake.
const BATCHES_PER_CALL: usize = if cfg!(miri) { 4 } else { 64 };

/// Names a timer. `Copy`, 16 bytes; it never comes to name another timer of the same service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    sequence: NonZeroU64,
    index: u32,
    shard: u16,
}

impl TimerKey {
    fn wheel_key(self) -> Key {
        Key { sequence: self.sequence, index: self.index }
    }
}

struct Shard {
    /// Milliseconds; not after the earliest deadline. Written under the lock of `wheel` only.
    next: CachePadded<AtomicU64>,
    wheel: Mutex<Wheel<Expiry>>,
}

/// All pending timers of a scheduler. See the [module](super) for its promises.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::sync::Arc;
/// use beamish_runtime::clock::{Clock, Nanos};
/// use beamish_runtime::{Expiry, Timers};
///
/// let clock = Clock::virtual_at(Nanos::ZERO);
/// let timers = Timers::new(1, clock.clone());
/// let rang = Arc::new(AtomicBool::new(false));
/// let bell = Arc::clone(&rang);
/// let key = timers.insert(
///     Nanos::from_millis(5),
///     Expiry::Call(Box::new(move || bell.store(true, Ordering::Relaxed))),
/// );
///
/// clock.advance_to(timers.next_deadline_overall().unwrap());
/// assert_eq!(timers.fire_due(0, clock.now()), 1);
/// assert!(rang.load(Ordering::Relaxed));
/// assert_eq!(timers.cancel(key), None, "it has fired");
/// ```
pub struct Timers {
    shards: Box<[Shard]>,
    on_earlier: OnceLock<Box<dyn Fn(usize) + Send + Sync>>,
    /// Where the next timer of a thread that is no worker goes.
    rotation: AtomicUsize,
}

impl Timers {
    /// A service with one shard per worker, whose time starts at what `clock` shows.
    ///
    /// # Panics
    ///
    /// With no workers, or more than 65,535.
    #[must_use]
    pub fn new(workers: usize, clock: Clock) -> Self {
        assert!(workers > 0 && workers <= usize::from(u16::MAX), "1 to 65,535 workers");
        let now = clock.now().millis_floor();
        let shard = |_| Shard {
            next: CachePadded::new(AtomicU64::new(NEVER)),
            wheel: Mutex::new(Wheel::new(now)),
        };
        Self {
            shards: (0..workers).map(shard).collect(),
            on_earlier: OnceLock::new(),
            rotation: AtomicUsize::new(0),
        }
    }

    /// Sets what is called, with the shard's number, after its earliest deadline has become
    /// earlier: by the thread that did it, a worker's own insertions included, with no lock held.
    /// The module says what it may rely on.
    ///
    /// # Panics
    ///
    /// When it was set before.
    pub fn set_on_earlier(&self, hook: impl Fn(usize) + Send + Sync + 'static) {
        assert!(self.on_earlier.set(Box::new(hook)).is_ok(), "the hook can be set once only");
    }

    /// Sets a timer: in the current worker's shard, or, from any other thread, in one after the
    /// other. A deadline that has passed is due at once.
    ///
    /// # Panics
    ///
    /// When there are 2^32 - 1 timers in the shard.
    #[inline]
    pub fn insert(&self, deadline: Nanos, expiry: Expiry) -> TimerKey {
        let shard = crate::worker::current_index()
            .filter(|&worker| worker < self.shards.len())
            .unwrap_or_else(|| self.next_in_rotation());
        self.insert_in(shard, deadline, expiry)
    }

    /// The shard for a thread that is no worker, or one of a larger scheduler.
    #[cold]
    fn next_in_rotation(&self) -> usize {
        // Relaxed: any distribution will do.
        self.rotation.fetch_add(1, Ordering::Relaxed) % self.shards.len()
    }

    #[inline]
    pub(super) fn insert_in(&self, index: usize, deadline: Nanos, expiry: Expiry) -> TimerKey {
        let shard = &self.shards[index];
        let deadline = deadline.millis_ceil().min(Nanos::MAX.millis_floor());
        let mut wheel = shard.wheel.lock();
        let key = wheel.insert(deadline, expiry);
        // Relaxed, like the store: the lock orders all writes of `next`.
        let earlier = deadline < shard.next.load(Ordering::Relaxed);
        if earlier {
            shard.next.store(deadline, Ordering::Relaxed);
        }
        drop(wheel);
        if earlier {
            self.announce(index);
        }
        TimerKey { sequence: key.sequence, index: key.index, shard: index as u16 }
    }

    fn announce(&self, shard: usize) {
        // Pairs with the fence of a worker that parks: either it sees the new `next`, or the hook
        // sees that it is parked.
        fence(Ordering::SeqCst);
        if let Some(hook) = self.on_earlier.get() {
            hook(shard);
        }
    }

    /// Cancels a timer. Returns its deadline (in whole milliseconds) if it was still pending: then
    /// it will not fire. `None` means that it has fired, is about to, or was cancelled before.
    #[inline]
    pub fn cancel(&self, key: TimerKey) -> Option<Nanos> {
        let shard = self.shards.get(usize::from(key.shard))?;
        let removed = shard.wheel.lock().remove(key.wheel_key());
        // The lock is free again before the expiry, which may do anything, is dropped.
        removed.map(|(deadline, _expiry)| Nanos::from_millis(deadline))
    }

    /// The deadline of a timer, in whole milliseconds, if it is still pending.
    #[inline]
    #[must_use]
    pub fn deadline(&self, key: TimerKey) -> Option<Nanos> {
        let shard = self.shards.get(usize::from(key.shard))?;
        shard.wheel.lock().deadline(key.wheel_key()).map(Nanos::from_millis)
    }

    /// Fires the timers of a shard that are due at `now` and returns how many there were. Costs one
    /// load when none is. Any thread may call it for any shard.
    ///
    /// Does at most a few thousand per call; when more are due, [`next_deadline`](
    /// Self::next_deadline) is not after `now`.
    #[inline]
    pub fn fire_due(&self, shard: usize, now: Nanos) -> usize {
        let Some(shard) = self.shards.get(shard) else { return 0 };
        let now = now.millis_floor();
        // Relaxed: only a hint. Who makes it earlier calls the hook; everything else is read under
        // the lock.
        if shard.next.load(Ordering::Relaxed) > now { 0 } else { shard.fire(now) }
    }

    /// For the monitor: fires the shards whose deadline passed at least `grace` ago, because their
    /// workers are stuck. Returns how many timers it fired.
    pub fn fire_overdue(&self, now: Nanos, grace: Duration) -> usize {
        let overdue =
            |&shard: &usize| self.next_deadline(shard).is_some_and(|at| at + grace <= now);
        (0..self.shards.len()).filter(overdue).map(|shard| self.fire_due(shard, now)).sum()
    }

    /// When `shard` wants [`fire_due`](Self::fire_due) to be called next: not after its earliest
    /// deadline, but possibly before it. `None` if it has no timers. Takes no lock.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self, shard: usize) -> Option<Nanos> {
        // Relaxed: see `announce` for what a worker that parks has to do before.
        let next = self.shards.get(shard)?.next.load(Ordering::Relaxed);
        (next != NEVER).then(|| Nanos::from_millis(next))
    }

    /// The earliest [`next_deadline`](Self::next_deadline) of all shards, found under their locks,
    /// so that cancelled timers do not count. For schedulers with virtual time: calling
    /// [`fire_due`](Self::fire_due) at that time always brings them nearer to the deadline.
    #[must_use]
    pub fn next_deadline_overall(&self) -> Option<Nanos> {
        self.shards.iter().filter_map(Shard::next_under_lock).min().map(Nanos::from_millis)
    }

    /// How many timers are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.wheel.lock().len()).sum()
    }

    /// Whether no timer is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all pending timers without firing them: for a scheduler that has stopped.
    pub fn clear(&self) {
        for shard in &self.shards {
            let expiries = {
                let mut wheel = shard.wheel.lock();
                shard.next.store(NEVER, Ordering::Relaxed); // Under the lock, as always.
                wheel.drain()
            };
            drop_all(expiries);
        }
    }
}

impl Shard {
    /// The later of two times that are not after the earliest deadline: what the wheel can tell,
    /// which may be the start of a slot, and `next`, which may belong to a cancelled timer. It has
    /// to be both, or `fire_due` would do nothing at that time.
    fn next_under_lock(&self) -> Option<u64> {
        let wheel = self.wheel.lock();
        // Relaxed: written under this lock.
        wheel.next_expiry().map(|start| start.max(self.next.load(Ordering::Relaxed)))
    }

    /// Fires what is due, batch by batch, each taken out under the lock and run without it.
    fn fire(&self, now: u64) -> usize {
        let mut fired = 0;
        for _ in 0..BATCHES_PER_CALL {
            let mut batch = Batch::new();
            let more = self.take_due(now, &mut batch);
            fired += batch.run();
            if !more {
                break;
            }
        }
        fired
    }

    fn take_due(&self, now: u64, batch: &mut Batch) -> bool {
        let mut wheel = self.wheel.lock();
        let more = wheel.advance(now, BATCH, &mut |expiry| batch.push(expiry));
        let next = wheel.next_expiry().unwrap_or(NEVER);
        self.next.store(next, Ordering::Relaxed); // Under the lock, as always.
        more
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

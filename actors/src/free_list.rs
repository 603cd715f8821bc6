//! A worker's own free slots: the worker takes and gives them all day, others hardly ever.
//!
//! The lock favours the owner (`BiasedLock`), so a spawn and an exit pay no locked instruction for
//! it. Somebody else comes only when the process limit is reached, and not even then if the list is
//! seen to be empty.

use beamish_runtime::BiasedLock;

use crate::sync::{AtomicU32, AtomicUsize, Mutex, Ordering};

/// Free slots that move between lists at a time: enough to make the common lock rare, few enough
/// that the lists of idle workers hold little back. Models use as few of everything as they can.
pub(crate) const BATCH: usize = if cfg!(loom) { 2 } else { 32 };

/// A list gives some away when it holds more than two batches.
const CAPACITY: usize = 2 * BATCH + 1;

/// See the module's documentation. On cache lines of its own.
#[repr(align(128))]
pub(crate) struct FreeList {
    lock: BiasedLock,
    /// For a list with several owners: which of them it is now.
    owners: Option<Mutex<()>>,
    len: AtomicUsize,
    indices: [AtomicU32; CAPACITY],
}

/// The list, in the hands of one who holds its lock. All accesses are relaxed: the lock orders them.
pub(crate) struct Held<'a>(&'a FreeList);

impl FreeList {
    /// An empty list; `shared` if several threads use it as their own.
    pub(crate) fn new(shared: bool) -> Self {
        Self {
            lock: BiasedLock::new(),
            owners: shared.then(|| Mutex::new(())),
            len: AtomicUsize::new(0),
            indices: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    /// Calls `f` with the list. For its owner, who must not come back in `f`.
    #[inline(always)]
    pub(crate) fn hold<R>(&self, f: impl FnOnce(Held<'_>) -> R) -> R {
        match &self.owners {
            None => self.lock.owner(|| f(Held(self))),
            Some(owners) => {
                let _owner = owners.lock();
                self.lock.owner(|| f(Held(self)))
            }
        }
    }

    /// Takes a slot out of the list. For anybody, as long as he does not hold the list.
    pub(crate) fn take(&self) -> Option<u32> {
        // Relaxed: slots that were given back before the caller heard of it are seen here; about
        // others there is no order in time.
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.lock.other(|| Held(self).pop())?
    }

    /// What is in the list, as far as can be seen without holding it. For anybody.
    pub(crate) fn glance(&self) -> impl Iterator<Item = u32> {
        // Relaxed: as in `take`. Whatever is seen, it is no place outside of the list.
        let len = self.len.load(Ordering::Relaxed);
        self.indices[..len].iter().map(|index| index.load(Ordering::Relaxed))
    }
}

impl Held<'_> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn push(&self, index: u32) {
        let len = self.len();
        self.0.indices[len].store(index, Ordering::Relaxed);
        self.0.len.store(len + 1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<u32> {
        let len = self.len().checked_sub(1)?;
        self.0.len.store(len, Ordering::Relaxed);
        Some(self.0.indices[len].load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len() == CAPACITY
    }

    /// Takes out all but the newest batch, oldest first.
    pub(crate) fn split_off_oldest(&self) -> impl Iterator<Item = u32> {
        let gone = self.len().saturating_sub(BATCH);
        let index = |at: usize| self.0.indices[at].load(Ordering::Relaxed);
        let oldest: Vec<u32> = (0..gone).map(index).collect();
        for at in gone..self.len() {
            self.0.indices[at - gone].store(index(at), Ordering::Relaxed);
        }
        self.0.len.store(self.len() - gone, Ordering::Relaxed);
        oldest.into_iter()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_out_first_and_the_oldest_are_given_away() {
        let list = FreeList::new(false);
        list.hold(|list| {
            (0..CAPACITY as u32).for_each(|index| list.push(index));
            assert!(list.is_full());
            assert_eq!(list.split_off_oldest().collect::<Vec<_>>(), Vec::from_iter(0..33));
            assert_eq!((list.len(), list.pop()), (BATCH, Some(64)));
        });
        assert_eq!(list.take(), Some(63));
        while list.take().is_some() {}
        assert_eq!(list.hold(|list| list.pop()), None);
    }
}

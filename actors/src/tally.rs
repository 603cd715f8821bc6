//! Counts for the leak census, kept in builds with debug assertions only.

use std::sync::atomic::{AtomicI64, Ordering};

/// What exists in a runtime besides what its tables count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) links: Count,
    pub(crate) monitors: Count,
    pub(crate) messages: Count,
}

/// A counter that costs nothing in release builds: all workers would share its cache line.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicI64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, n: i64) {
        if cfg!(debug_assertions) {
            // Relaxed: read when everything is quiet.
            self.0.fetch_add(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

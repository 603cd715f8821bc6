//! The biased lock: owner against another, and a third.
#![allow(unsafe_code)] // Reads and writes loom's checked cell.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model;
use crate::biased::BiasedLock;

/// A count that loom guards against two at once.
struct Count {
    lock: BiasedLock,
    cell: UnsafeCell<u32>,
}

impl Count {
    fn new() -> Arc<Self> {
        Arc::new(Self { lock: BiasedLock::new(), cell: UnsafeCell::new(0) })
    }

    fn add(&self) {
        // SAFETY: the lock is held. Loom checks it.
        self.cell.with_mut(|cell| unsafe { *cell += 1 });
    }
}

fn count(others: usize, entries: u32) {
    model(move || {
        let count = Count::new();
        let others: Vec<_> = (0..others)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || assert!(count.lock.other(|| count.add()).is_some()))
            })
            .collect();
        (0..entries).for_each(|_| count.lock.owner(|| count.add()));
        let all = entries + others.len() as u32;
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        // SAFETY: everybody else has ended. Loom checks it.
        assert_eq!(count.cell.with(|cell| unsafe { *cell }), all);
    });
}

/// Owner and another one are never inside at the same time, and each sees what the other did.
///
/// Fails without either half of the barrier, when the owner leaves or the other one waits with less
/// than release and acquire, when the other one leaves or the owner looks with less, and when the
/// owner goes in although it is wanted.
#[test]
fn loom_biased_owner_against_another() {
    count(1, 2);
}

/// Others exclude each other, too.
///
/// Fails when an owner that gives way does so without the mutex.
#[test]
fn loom_biased_owner_against_two() {
    count(2, 1);
}

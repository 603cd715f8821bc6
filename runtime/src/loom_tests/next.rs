//! The next slot: owner against thief.
#![allow(unsafe_code)] // Reads and writes loom's checked cells.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model;
use crate::next::NextSlot;
use crate::task::Task;
use crate::task::testing::Dummies;

/// What each of two tasks carries; loom checks that reads come after the write.
struct Loads {
    dummies: Dummies,
    cells: [UnsafeCell<u32>; 2],
}

impl Loads {
    fn new() -> Arc<Self> {
        Arc::new(Self { dummies: Dummies::new(2), cells: [UnsafeCell::new(0), UnsafeCell::new(0)] })
    }

    fn write(&self, index: usize) -> Task {
        // SAFETY: the writer is alone: the task is not in the slot yet. Loom checks it.
        self.cells[index].with_mut(|cell| unsafe { *cell = 1 });
        self.dummies.task(index)
    }

    /// How often each task was got, given what was.
    fn read(&self, got: &[Task]) -> [u32; 2] {
        let mut times = [0; 2];
        for task in got {
            let index = usize::from(*task != self.dummies.task(0));
            // SAFETY: the reader has taken the task out of the slot. Loom checks it.
            times[index] += self.cells[index].with_mut(|cell| unsafe { *cell });
        }
        times
    }
}

/// A task goes to the owner or to the thief, exactly once, with what was written before.
///
/// Fails when `put` stores with less than release, when `steal` loads with less than acquire, when
/// `take` goes without the lock, and when a thief empties a slot that it found empty.
#[test]
fn loom_next_slot_gives_each_task_once() {
    model(|| {
        let (slot, loads) = (Arc::new(NextSlot::new()), Loads::new());
        let thief = {
            let (slot, loads) = (Arc::clone(&slot), Arc::clone(&loads));
            thread::spawn(move || {
                let got: Vec<Task> = [slot.steal(), slot.steal()].into_iter().flatten().collect();
                loads.read(&got)
            })
        };
        let mut got = Vec::new();
        for index in 0..2 {
            let task = loads.write(index);
            if !slot.put(task) {
                got.push(task);
            }
            got.extend(slot.take());
        }
        got.extend(slot.take());
        let (mine, thiefs) = (loads.read(&got), thief.join().expect("no panic"));
        assert_eq!([mine[0] + thiefs[0], mine[1] + thiefs[1]], [1, 1]);
    });
}

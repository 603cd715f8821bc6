//! The process table: slots are let to one at a time, and all of them are let.

use loom::thread;

use super::{model, world::World};

impl World {
    /// Takes a slot out of the table.
    fn take(&self, list: usize) -> Option<u32> {
        self.shared.table.acquire(list, &self.shared).map(|slot| slot.index())
    }
}

/// Two spawns at a limit of two, while nobody lives: both succeed, in different slots.
///
/// Fails when a list gets its new slots under another lock than that under which it was empty, and
/// when the batch has left the common list before it is in the other one.
#[test]
fn loom_table_two_spawns_at_the_limit() {
    model(|| {
        let world = World::idle(2);
        let other = {
            let world = world.clone();
            thread::spawn(move || world.take(0))
        };
        let (mine, other) = (world.take(1), other.join().unwrap());
        assert!(mine.is_some() && other.is_some() && mine != other);
    });
}

/// A list gives some of its many free slots to all while another thread takes as many as were free
/// before: it gets them.
///
/// Fails when the slots on their way to the common list are in neither.
#[test]
fn loom_table_release_against_spawns() {
    model(|| {
        let world = World::idle(5);
        let slots = [0; 5].map(|list| world.take(list).unwrap());
        slots[1..].iter().for_each(|slot| world.shared.table.release(0, *slot));
        let other = {
            let world = world.clone();
            thread::spawn(move || [1; 4].map(|list| world.take(list)))
        };
        world.shared.table.release(0, slots[0]);
        let mut taken = other.join().unwrap().to_vec();
        assert!(taken.iter().all(Option::is_some), "{taken:?}");
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 4);
    });
}

/// The runtime closes while a process is spawned: either the spawn is refused, or the new process
/// is counted among the living, who are waited for.
///
/// Fails when either half of the barrier between the count and the flag is missing.
#[test]
fn loom_table_spawn_against_close() {
    model(|| {
        let world = World::new(1);
        let closer = {
            let world = world.clone();
            thread::spawn(move || {
                world.shared.close();
                world.shared.living()
            })
        };
        let spawned = world.try_spawn(async {}).is_ok();
        let living = closer.join().unwrap();
        assert!(!spawned || living == 1);
        world.end();
    });
}

/// A slot gets its next tenant while somebody looks whether the former one lives: he does not.
///
/// Fails when the inbox is opened without publishing the generation.
#[test]
fn loom_table_next_tenant_against_a_look() {
    model(|| {
        let world = World::idle(1);
        let slot = || world.shared.table.get(0).unwrap();
        world.take(0).unwrap();
        let former = slot().generation();
        let looker = {
            let world = world.clone();
            thread::spawn(move || world.shared.table.get(0).unwrap().is_alive(former))
        };
        assert!(slot().retire());
        slot().inbox.open();
        assert!(!looker.join().unwrap());
    });
}

/// Two threads that are no workers find their common list empty: it gets one batch.
///
/// Fails when the second one gets a batch without looking at the list again.
#[test]
fn loom_table_two_spawns_from_outside() {
    model(|| {
        let world = World::idle(4);
        let outside = world.shared.outside();
        let other = {
            let world = world.clone();
            thread::spawn(move || world.take(outside))
        };
        let (mine, other) = (world.take(outside), other.join().unwrap());
        assert!(mine.is_some() && other.is_some() && mine != other);
    });
}

//! Names: an ended process leaves none behind.

use super::{model, world::World};
use crate::receive;

/// A process ends, and another takes its slot, while it is given a name.
///
/// Fails when either fence that stands for the orderings in `names.rs` is missing, when
/// the end of a process does not look at the flag, and when `Slot::is_alive` compares the
/// generation before it looks at the inbox: the inbox may be that of the next tenant by then.
#[test]
fn loom_name_registration_against_exit() {
    model(|| {
        let world = World::new(1);
        let mortal = world.spawn(async {});
        let worker = {
            let world = world.clone();
            loom::thread::spawn(move || {
                world.work();
                world.spawn(receive::<()>());
                world.work();
            })
        };
        let registered = world.shared.register("name".into(), mortal).is_ok();
        worker.join().unwrap();
        world.settle();
        assert_eq!(world.shared.names.whereis("name"), None, "registered: {registered}");
        world.end();
    });
}

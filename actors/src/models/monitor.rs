//! Monitors: exactly one `Down`, or none after the monitor was ended.

use std::time::Duration;

use super::{
    model,
    world::{Go, World},
};
use crate::{
    Down, ExitReason, ambient::with_turn, demonitor, demonitor_flush, monitor, receive,
    spawn_monitor,
};

/// Whether a `Down` waits in the mailbox of the current process; takes it out.
async fn down_waits() -> bool {
    receive::<Down>().timeout(Duration::ZERO).await.is_ok()
}

/// A process is monitored while it ends: the watcher hears of it exactly once, either of the end
/// or that it was too late.
///
/// Fails when an ending process does not answer what it had not read, and when a sender whose push
/// was refused does not answer.
#[test]
fn loom_monitor_against_exit() {
    model(|| {
        let world = World::new(2);
        let watched = world.spawn(async {});
        let watcher = world.spawn(async move {
            let watch = monitor(watched);
            let down = receive::<Down>().await;
            assert_eq!(down.monitor, watch);
            assert!(matches!(down.reason, ExitReason::Normal | ExitReason::NoProc));
            receive::<Go>().await;
            assert!(!down_waits().await);
        });
        world.run_on_two();
        world.last_go(watcher);
        world.end();
    });
}

/// A process that is monitored from its first moment tells its real reason, however fast it ends.
///
/// Fails when the child's side of the monitor is not made before the child runs.
#[test]
fn loom_monitor_of_a_newborn() {
    model(|| {
        let world = World::new(2);
        let parent = world.spawn(async {
            let (child, watch) = spawn_monitor(async {});
            let down = receive::<Down>().await;
            assert_eq!((down.monitor, down.pid), (watch, Some(child)));
            assert_eq!(down.reason, ExitReason::Normal);
            receive::<Go>().await;
            assert!(!down_waits().await);
        });
        world.run_on_two();
        world.last_go(parent);
        world.end();
    });
}

/// A monitor is ended while its process ends: no `Down` comes after `demonitor` has said that the
/// monitor was active, and exactly one is there if it was not.
///
/// Fails when a `Down` without a monitor becomes a message all the same.
#[test]
fn loom_monitor_demonitor_against_exit() {
    model(|| {
        let world = World::new(2);
        let watched = world.spawn(async {});
        let watcher = world.spawn(async move {
            let watch = monitor(watched);
            let early = down_waits().await;
            let active = demonitor(watch);
            assert_ne!(early, active);
            receive::<Go>().await;
            assert!(!down_waits().await);
        });
        world.run_on_two();
        world.last_go(watcher);
        world.end();
    });
}

/// As before, with flush: no `Down` is ever seen after it.
///
/// Fails when the flush takes out nothing.
#[test]
fn loom_monitor_flush_against_exit() {
    model(|| {
        let world = World::new(2);
        let watched = world.spawn(async {});
        let watcher = world.spawn(async move {
            let watch = monitor(watched);
            // Takes in what has come, so that a `Down` may wait in the mailbox.
            assert!(receive::<Go>().timeout(Duration::ZERO).await.is_err());
            demonitor_flush(watch);
            receive::<Go>().await;
            assert!(!down_waits().await);
        });
        world.run_on_two();
        world.last_go(watcher);
        world.end();
    });
}

/// A monitor that is ended while its request is on the way leaves no trace at the watched process.
///
/// Fails when a demonitor request is ignored.
#[test]
fn loom_monitor_demonitor_on_the_way() {
    model(|| {
        let world = World::new(2);
        let watched = world.spawn(async {
            receive::<Go>().await;
            let watchers = with_turn(|turn| turn.private().if_extra(|extra| extra.watchers.len()));
            assert_eq!(watchers.unwrap_or(0), 0);
        });
        world.spawn(async move {
            let watch = monitor(watched);
            assert!(demonitor(watch));
        });
        world.run_on_two();
        world.last_go(watched);
        world.end();
    });
}

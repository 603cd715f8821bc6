//! Aliases: nothing comes through one that was turned off.

use std::time::Duration;

use super::{
    Parcel, model,
    world::{Go, World},
};
use crate::{
    Alias, AliasMode, AliasOptions, Down, MonitorOptions, alias, alias_with, monitor_with, receive,
    send, spawn, unalias,
};

/// Takes a parcel out of the mailbox of the current process, if one waits.
async fn parcel() -> Option<u32> {
    receive::<Parcel>().timeout(Duration::ZERO).await.ok().map(Parcel::open)
}

/// A message is sent while the alias is turned off: it is there before, or never.
///
/// Fails when a message through an inactive alias is delivered.
#[test]
fn loom_alias_send_against_unalias() {
    model(|| {
        let world = World::new(2);
        let owner = world.spawn(async {
            let alias = alias();
            spawn(async move { send(alias, Parcel::new(1)) });
            parcel().await;
            assert!(unalias(alias));
            receive::<Go>().await;
            assert_eq!(parcel().await, None);
        });
        world.run_on_two();
        world.last_go(owner);
        world.end();
    });
}

/// Two reply to an alias that takes one reply: one arrives.
///
/// Fails when the first reply leaves the alias active.
#[test]
fn loom_alias_takes_one_reply() {
    model(|| {
        let world = World::new(3);
        let owner = world.spawn(async {
            let alias = alias_with(AliasOptions::new().reply());
            for number in 1..=2 {
                spawn(async move { send(alias, Parcel::new(number)) });
            }
            let first = receive::<Parcel>().await.open();
            assert!(first == 1 || first == 2);
            receive::<Go>().await;
            assert_eq!(parcel().await, None);
        });
        world.run_on_two();
        world.last_go(owner);
        world.end();
    });
}

/// A request under a monitor whose alias ends with the reply, to a process that ends: the client
/// gets the reply or the `Down`, never both.
///
/// Fails when the reply leaves the monitor active.
#[test]
fn loom_alias_reply_ends_the_monitor() {
    model(|| {
        let world = World::new(3);
        let server = world.spawn(async {
            if let Some(alias) = receive::<Option<Alias>>().await {
                send(alias, Parcel::new(1));
            }
        });
        world.spawn(async move { send(server, None::<Alias>) });
        let client = world.spawn(async move {
            let options = MonitorOptions::new().alias(AliasMode::ReplyDemonitor);
            send(server, monitor_with(server, options).alias());
            receive::<Go>().await;
            let down = receive::<Down>().timeout(Duration::ZERO).await.is_ok();
            assert_ne!(parcel().await.is_some(), down);
        });
        world.run_on_two();
        world.last_go(client);
        world.end();
    });
}

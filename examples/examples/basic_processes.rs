//! Three ways to start a process: on its own, linked to its parent, watched by its parent.
//!
//! ```text
//! cargo run --example basic_processes
//! ```
//!
//! Two processes crash on purpose here; their crash reports go to stderr.

use beamish::prelude::*;

/// Zakat on wealth above the nisab: one part in forty. Nothing is due below it.
fn zakat(wealth: u64, nisab: u64) -> u64 {
    if wealth > nisab { wealth / 40 } else { 0 }
}

#[beamish::main]
async fn main() {
    greet().await;
    on_its_own().await;
    linked().await;
    trapped().await;
    watched().await;
}

/// A process is a future with a mailbox. Messages are values of any type: here a type per meaning.
async fn greet() {
    struct Greet(&'static str);
    struct Stop;

    let (greeter, watch) = spawn_monitor(async {
        receive! {
            Greet(name): Greet => println!("hello, {name}"),
            _: Stop => println!("stopping"),
        }
    });
    send(greeter, Greet("Alice"));
    let down = receive::<Down>().filter(move |down| down.monitor == watch).await;
    println!("the greeter ended: {}", down.reason);
}

/// `spawn`: the child shares nothing with its parent. What it finds out, it sends.
async fn on_its_own() {
    struct Due(u64);

    let parent = me();
    spawn(async move { send(parent, Due(zakat(10_000, 5_000))) });
    let Due(amount) = receive().await;
    println!("zakat on 10000: {amount}");
}

/// `spawn_link`: parent and child stand and fall together. To watch a parent fall we need to stand
/// outside, so this one is a process of its own.
async fn linked() {
    let (_parent, _watch) = spawn_monitor(async {
        spawn_link(async { exit("the gateway is gone") });
        receive::<()>().await; // Waits for a message that never comes: the link ends it.
    });
    let down: Down = receive().await;
    println!("the parent of a crashed child ended: {}", down.reason);
}

/// A process that traps exits gets its links' ends as messages and lives on: a supervisor's trick.
async fn trapped() {
    trap_exit(true);
    let child = spawn_link(async { exit("the gateway is gone again") });
    let Exit { from, reason } = receive().await;
    println!("trapped the end of our child ({}): {reason}", from == child);
    trap_exit(false);
}

/// `spawn_monitor`: the parent is told how the child ended, and nothing else happens to it.
async fn watched() {
    let (child, watch) =
        spawn_monitor(async { println!("zakat on 3000: {}", zakat(3_000, 5_000)) });
    receive! {
        down: Down if down.monitor == watch => {
            println!("the child ended ({}): {}", down.pid == Some(child), down.reason);
        }
        after Duration::from_secs(5) => println!("the child takes too long"),
    }
}

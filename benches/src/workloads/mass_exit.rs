//! `n` processes are linked to one; it exits, and the one that monitors them learns of every end.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Members(Vec<Pid>);
struct Go;
struct Ready;
struct Never;

pub(crate) async fn run(params: Params) -> Sample {
    let parent = me();
    let hub = spawn(async move {
        send(parent, Members((0..params.n).map(|_| spawn_link(member(parent))).collect()));
        receive::<Never>().await;
    });
    let Members(members) = receive::<Members>().await;
    for member in members {
        monitor(member);
        send(member, Go);
    }
    for _ in 0..params.n {
        receive::<Ready>().await;
    }
    let start = Instant::now();
    exit_process(hub, ExitReason::Shutdown);
    for _ in 0..params.n {
        receive::<Down>().await;
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

/// Signals arrive in order: a member that has its `Go` has its monitor, too.
async fn member(parent: Pid) {
    receive::<Go>().await;
    send(parent, Ready);
    receive::<Never>().await;
}

//! A tree of processes, ten children each, adds up the numbers of its `n` leaves.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

/// Children of every process that is not a leaf.
const CHILDREN: u64 = 10;

struct Sum(u64);

pub(crate) async fn run(params: Params) -> Sample {
    let leaves = power_of_ten(params.n as u64);
    let start = Instant::now();
    spawn(node(me(), 0, leaves));
    let Sum(sum) = receive::<Sum>().await;
    let elapsed = start.elapsed();
    assert_eq!(sum, leaves * (leaves - 1) / 2, "sum of the leaves");
    Sample::Time { ops: nodes(leaves), elapsed }
}

#[expect(clippy::manual_async_fn, reason = "an async fn that spawns itself cannot prove `Send`")]
fn node(parent: Pid, first: u64, leaves: u64) -> impl Future<Output = ()> + Send {
    async move {
        if leaves == 1 {
            send(parent, Sum(first));
            return;
        }
        let share = leaves / CHILDREN;
        for index in 0..CHILDREN {
            spawn(node(me(), first + index * share, share));
        }
        let mut sum = 0;
        for _ in 0..CHILDREN {
            let Sum(part) = receive::<Sum>().await;
            sum += part;
        }
        send(parent, Sum(sum));
    }
}

/// A full tree has as many leaves.
fn power_of_ten(n: u64) -> u64 {
    CHILDREN.pow(n.ilog10())
}

/// Leaves and inner nodes.
fn nodes(leaves: u64) -> u64 {
    if leaves == 1 { 1 } else { leaves + nodes(leaves / CHILDREN) }
}

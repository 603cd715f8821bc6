//! A tree of tasks, ten children each, adds up the numbers of its `n` leaves.

use std::time::Instant;

use measure::{Params, Sample};

/// Children of every task that is not a leaf.
const CHILDREN: u64 = 10;

pub(crate) async fn run(params: Params) -> Sample {
    let leaves = power_of_ten(params.n as u64);
    let start = Instant::now();
    let sum = tokio::spawn(node(0, leaves)).await.expect("the root answers");
    let elapsed = start.elapsed();
    assert_eq!(sum, leaves * (leaves - 1) / 2, "sum of the leaves");
    Sample::Time { ops: nodes(leaves), elapsed }
}

/// Its answer is its output: a join handle costs less than a channel per task.
#[expect(clippy::manual_async_fn, reason = "an async fn that spawns itself cannot prove `Send`")]
fn node(first: u64, leaves: u64) -> impl Future<Output = u64> + Send {
    async move {
        if leaves == 1 {
            return first;
        }
        let share = leaves / CHILDREN;
        let child = |index| tokio::spawn(node(first + index * share, share));
        let children: Vec<_> = (0..CHILDREN).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await.expect("the child answers");
        }
        sum
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

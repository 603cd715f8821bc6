//! Runtimes: what `block_on` tells, and the end of a run in which nothing can happen any more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
};

use beamish::prelude::*;

use crate::support::*;

fn seeded(seed: u64) -> Runtime {
    Runtime::builder().seeded(seed).quiet().build().unwrap()
}

/// S-RT-2: `block_on` returns the output, or the reason; the other processes go on after it.
#[test]
fn block_on_returns_the_output_or_the_reason() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    assert_eq!(runtime.block_on(async { 6 * 7 }), Ok(42));
    assert_eq!(
        runtime.block_on(async { if me().to_string().is_empty() { 1 } else { exit("why") } }),
        Err(reason("why"))
    );
    let panicked = runtime.block_on(async { panic!("within") }).unwrap_err();
    assert!(panicked.is_panic());
    let killed = runtime.block_on(async {
        exit_process(me(), ExitReason::Kill);
        forever().await;
    });
    assert_eq!(killed, Err(ExitReason::Killed));

    let (told, words) = mpsc::channel();
    let starts = async move {
        spawn(async move {
            receive::<Stop>().await;
            told.send("after it").unwrap();
        })
    };
    let pid = runtime.block_on(starts).unwrap();
    send(pid, Stop);
    assert_eq!(words.recv_timeout(PATIENCE), Ok("after it"));
}

/// S-RT-5: a seeded run in which nothing can happen any more ends with a panic that names those who
/// wait.
#[test]
fn a_deadlock_of_a_seeded_runtime_is_told() {
    let runtime = seeded(5);
    let waits = runtime.spawn(forever()).unwrap();
    let run = AssertUnwindSafe(|| runtime.block_on(forever()));
    let panic = catch_unwind(run).expect_err("nobody will ever send");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("deadlock") && text.contains(&waits.to_string()), "{text}");
}

/// S-RT-5: another seed makes other choices: the order is not always the same.
#[test]
fn the_seed_decides_who_is_next() {
    let order = |seed| {
        let body = async {
            let parent = me();
            for n in 0..20_u32 {
                spawn(async move { send(parent, n) });
            }
            let mut order = Vec::new();
            while order.len() < 20 {
                order.push(receive::<u32>().await);
            }
            order
        };
        seeded(seed).block_on(body).unwrap()
    };
    let orders: Vec<_> = (0..10).map(order).collect();
    assert_eq!(orders, (0..10).map(order).collect::<Vec<_>>());
    assert!(orders.iter().any(|other| *other != orders[0]));
}

//! Taking turns: nobody keeps the others from running who receives, yields or blocks.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
    mpsc,
};

use beamish::prelude::*;

use crate::support::*;

/// S-FAIR-1: a process that always has a message, and never waits, lets others run.
#[beamish::test(workers = 1)]
async fn a_full_mailbox_is_no_reason_to_keep_the_worker() {
    const MESSAGES: u32 = 100_000;
    let turns = Arc::new(AtomicU32::new(0));
    let count = turns.clone();
    spawn_link(async move {
        loop {
            count.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    });
    for n in 0..MESSAGES {
        send(me(), n);
    }
    assert_eq!(turns.load(Ordering::SeqCst), 0, "nothing was awaited");
    for n in 0..MESSAGES {
        assert_eq!(receive::<u32>().await, n);
    }
    let turns = turns.load(Ordering::SeqCst);
    assert!(turns > MESSAGES / 1_000, "{turns} turns of the other");
}

/// S-FAIR-3: what waits behind a process that blocks its worker is taken over by another.
#[beamish::test(workers = 2)]
async fn another_worker_takes_over_what_waits_behind_a_blocking_process() {
    for _ in 0..20 {
        let (told, done) = mpsc::channel();
        for n in 0..100 {
            let told = told.clone();
            spawn(async move {
                yield_now().await;
                told.send(n).unwrap();
            });
        }
        // This process keeps its worker while the hundred run.
        let mut seen: Vec<u32> =
            (0..100).map(|_| done.recv_timeout(PATIENCE).expect("they run")).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..100));
        yield_now().await;
    }
}

/// S-TIME-8: a sleep keeps only its own process from going on, and leaves the messages alone.
#[beamish::test(workers = 1)]
async fn others_run_while_one_sleeps() {
    let sleeper = me();
    spawn(async move {
        for n in 0..1_000_u32 {
            send(sleeper, n);
            yield_now().await;
        }
    });
    // All of them run on one worker.
    eventually!({
        sleep(Duration::from_millis(1)).await;
        process_info(me()).await.unwrap().message_queue_len == 1_000
    });
    assert_eq!(drain::<u32>().await.len(), 1_000);
}

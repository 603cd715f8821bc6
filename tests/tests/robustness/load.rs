//! Floods: of messages, of processes, of links. Nothing recurses, nobody else is kept waiting.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Instant as StdInstant,
};

use beamish::{Runtime, prelude::*};

use crate::scene::*;

/// A sanitizer looks at what happens, not at how often.
const MESSAGES: u64 = if cfg!(sanitizer) { 1_000_000 } else { 10_000_000 };
const LINKED: usize = if cfg!(sanitizer) { 100_000 } else { 1_000_000 };
const CHAIN: usize = 100_000;

/// S-SEND-5, S-PROC-6: a mailbox has no limit, and goes with its process.
#[test]
fn ten_million_messages_go_with_their_receiver() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let body = async {
        let child = start(forever());
        for _ in 0..MESSAGES {
            send(child.pid, ());
        }
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

#[test]
fn ten_million_messages_go_with_their_runtime() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let child = runtime.spawn(forever()).unwrap();
    runtime.block_on(async move { (0..MESSAGES).for_each(|_| send(child, ())) }).unwrap();
    runtime.shutdown(LIMIT).unwrap();
}

#[test]
fn a_million_linked_processes_end_with_one_while_a_ticker_ticks() {
    let runtime =
        Runtime::builder().workers(2).process_limit(LINKED as u32 + 10).quiet().build().unwrap();
    let (stop, lateness) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let ticking = runtime.spawn(ticker(stop.clone(), lateness.clone())).unwrap();
    let (told, ready) = mpsc::channel();
    let head = async move {
        for _ in 0..LINKED {
            spawn_link(forever());
        }
        told.send(()).unwrap();
        receive::<u8>().await;
        exit("the head")
    };
    let head = runtime.spawn(head).unwrap();
    ready.recv_timeout(6 * LIMIT).expect("all are spawned");
    assert_eq!(runtime.census().processes, LINKED as u64 + 2);
    let before = lateness.swap(0, Ordering::Relaxed);
    let start = StdInstant::now();
    send(head, 1_u8);
    while runtime.census().processes > 1 {
        assert!(start.elapsed() < 6 * LIMIT, "all linked processes end");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let (took, worst) = (start.elapsed(), lateness.load(Ordering::Relaxed));
    println!("ended in {took:?}; the ticker was late by at most {worst} us, before {before} us");
    assert!(u128::from(worst) < LIMIT.as_micros() / 10, "the ticker was late by {worst} us");
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(async move { until(|| !is_alive(ticking)).await }).unwrap();
    finish(runtime, 2);
}

/// Sleeps a millisecond at a time; keeps the worst lateness in microseconds.
async fn ticker(stop: Arc<AtomicBool>, lateness: Arc<AtomicU64>) {
    while !stop.load(Ordering::Relaxed) {
        let start = now();
        sleep(Duration::from_millis(1)).await;
        let late = start.elapsed() - Duration::from_millis(1);
        lateness.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
    }
}

#[test]
fn a_chain_of_links_ends_from_its_head() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let body = async {
        let parent = me();
        let last = start(async move {
            link_of_chain(CHAIN, parent);
            forever().await;
        });
        // The far end of the chain says that all of it is there.
        receive::<ChainEnd>().timeout(LIMIT).await.expect("the chain is made");
        exit_process(last.pid, "the head");
        assert_eq!(end_of(last).await, ExitReason::custom("the head"));
        let handle = beamish::current_runtime().unwrap();
        until(|| handle.census().processes == 1).await;
        assert_eq!(handle.census().links, 0);
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

struct ChainEnd;

/// Spawns the next link of the chain, which does the same.
fn link_of_chain(left: usize, told: Pid) {
    if left == 0 {
        return send(told, ChainEnd);
    }
    let next: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        link_of_chain(left - 1, told);
        forever().await;
    });
    spawn_link(next);
}

/// S-MON-1: each monitor gives exactly one `Down`.
#[test]
fn a_hundred_thousand_monitors_on_one_process_fire_once_each() {
    const MONITORS: usize = 100_000;
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let body = async {
        let child = spawn(forever());
        let mut watches: Vec<_> = (0..MONITORS).map(|_| monitor(child)).collect();
        // Every other one is taken back.
        watches.retain({
            let mut n = 0;
            move |watch| {
                n += 1;
                n % 2 == 0 || !demonitor(*watch)
            }
        });
        exit_process(child, "end");
        let mut fired = std::collections::HashSet::new();
        for _ in &watches {
            let down = receive::<Down>().timeout(LIMIT).await.unwrap();
            assert_eq!(down.reason, ExitReason::custom("end"));
            assert!(fired.insert(down.monitor), "one notice for each");
        }
        assert!(watches.iter().all(|watch| fired.contains(watch)));
        assert!(receive::<Down>().timeout(Duration::ZERO).await.is_err());
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

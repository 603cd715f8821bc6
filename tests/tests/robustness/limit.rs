//! The process limit: exact, and an error value. (S-PROC-9)

use std::{
    io::ErrorKind,
    panic::catch_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use beamish::{Runtime, SpawnError, prelude::*};

use crate::scene::*;

const WORKERS: [usize; 3] = [1, 2, 4];

fn limited(workers: usize, limit: u32) -> Runtime {
    Runtime::builder().workers(workers).process_limit(limit).quiet().build().unwrap()
}

/// Tries to spawn a process that waits for ever.
fn try_spawn() -> Result<Pid, SpawnError> {
    SpawnOptions::new().spawn(forever()).map(|spawned| spawned.pid)
}

/// S-PROC-9: at the limit a spawn returns an error, and one below it does not.
#[test]
fn as_many_processes_as_the_limit_says_and_not_one_more() {
    // Odd numbers, and such that fill batches and segments of the table to the last place.
    for limit in [1, 2, 31, 32, 33, 64, 255, 256, 257, 1_000] {
        for workers in WORKERS {
            let runtime = limited(workers, limit);
            let body = async move {
                for n in 1..limit {
                    assert!(try_spawn().is_ok(), "process {n} of {limit}");
                }
                assert_eq!(try_spawn(), Err(SpawnError::ProcessLimit));
            };
            runtime.block_on(body).unwrap();
            // The body has ended: there is room for one.
            runtime.spawn(forever()).unwrap();
            assert_eq!(runtime.spawn(forever()), Err(SpawnError::ProcessLimit));
            runtime.shutdown(LIMIT).unwrap();
        }
    }
}

/// S-PROC-9: a process counts until it has told everyone of its end.
async fn spawn_soon<T>(try_to: impl Fn() -> Result<T, SpawnError>) -> T {
    let start = now();
    loop {
        match try_to() {
            Ok(spawned) => return spawned,
            Err(error) => assert!(start.elapsed() < LIMIT, "{error}"),
        }
        yield_now().await;
    }
}

/// S-PROC-9: a process counts until it has told everyone of its end, and not much longer.
#[test]
fn whoever_has_seen_an_end_can_soon_spawn_in_its_place() {
    for workers in WORKERS {
        let runtime = limited(workers, 2);
        let body = async {
            for _ in 0..2_000 {
                let spawned = spawn_soon(|| SpawnOptions::new().monitor().spawn(async {})).await;
                let watch = spawned.monitor.unwrap();
                receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
            }
        };
        runtime.block_on(body).unwrap();
        finish(runtime, workers.min(1));
    }
}

/// S-NOTICE-1: who has so many to tell that it takes several turns is not listed when the first is
/// told.
#[test]
fn whoever_is_the_first_to_see_an_end_can_soon_spawn_in_its_place() {
    let runtime = limited(1, 2);
    let body = async {
        let child = spawn(forever());
        for _ in 0..5_000 {
            monitor(child);
        }
        exit_process(child, ExitReason::Kill);
        receive::<Down>().await;
        assert!(!processes().contains(&child));
        spawn_soon(try_spawn).await;
    };
    runtime.block_on(body).unwrap();
    finish_full(runtime);
}

#[test]
fn a_thread_that_has_seen_an_end_can_run_in_its_place() {
    for workers in WORKERS {
        let runtime = limited(workers, 1);
        for _ in 0..2_000 {
            runtime.block_on(async {}).unwrap();
        }
        runtime.shutdown(LIMIT).unwrap();
    }
}

/// S-PROC-9: the plain functions panic at the limit.
#[test]
fn the_short_forms_panic_at_the_limit_and_leave_nothing_behind() {
    let runtime = limited(2, 2);
    let body = async {
        let child = spawn(forever());
        let attempts: [fn() -> Pid; 3] =
            [|| spawn(forever()), || spawn_link(forever()), || spawn_monitor(forever()).0];
        for attempt in attempts {
            let payload = catch_unwind(attempt).unwrap_err();
            assert!(payload.downcast::<String>().unwrap().contains("process limit"));
        }
        let info = process_info(me()).await.unwrap();
        assert!(info.links.is_empty() && info.monitors.is_empty());
        exit_process(child, ExitReason::Kill);
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 1);
}

#[test]
fn a_runtime_at_its_limit_refuses_from_outside_too() {
    let runtime = limited(2, 1);
    runtime.spawn(forever()).unwrap();
    let reason = runtime.block_on(async {}).unwrap_err();
    assert_eq!(reason.downcast_ref::<SpawnError>(), Some(&SpawnError::ProcessLimit));
    finish_full(runtime);
}

/// Ends a runtime that has no room for a look at its workers.
fn finish_full(runtime: Runtime) {
    let handle = runtime.handle();
    runtime.shutdown(LIMIT).unwrap();
    assert_eq!(handle.census(), beamish::runtime::Census::default());
}

#[test]
fn spawners_on_all_workers_share_the_limit_exactly() {
    const LIMIT_OF_ALL: usize = 200;
    const SPAWNERS: usize = 8;
    for workers in WORKERS {
        let runtime = limited(workers, (LIMIT_OF_ALL + SPAWNERS + 1) as u32);
        let (living, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (living.clone(), most.clone());
        let body = async move {
            let spawners: Vec<_> =
                (0..SPAWNERS).map(|_| spawn_monitor(fill(counts.clone()))).collect();
            spawners.iter().for_each(|(spawner, _)| send(*spawner, Go));
            let mut spawned = 0;
            for (_, watch) in spawners {
                let down = receive::<Down>().filter(move |down| down.monitor == watch);
                let down = down.timeout(LIMIT).await.unwrap();
                spawned += down.reason.downcast_ref::<usize>().unwrap();
            }
            // The spawners are at their end; each has filled the table until it was refused.
            assert_eq!(spawned, LIMIT_OF_ALL);
        };
        runtime.block_on(body).unwrap();
        assert!(most.load(Ordering::SeqCst) <= LIMIT_OF_ALL + SPAWNERS);
        runtime.shutdown(LIMIT).unwrap();
        assert_eq!(living.load(Ordering::SeqCst), 0);
    }
}

struct Go;

/// Spawns until it is refused; tells how many it has spawned, as its exit reason.
async fn fill((living, most): (Arc<AtomicUsize>, Arc<AtomicUsize>)) -> ExitReason {
    let mut spawned = 0_usize;
    receive::<Go>().await;
    loop {
        let living = living.clone();
        let now = living.fetch_add(1, Ordering::SeqCst) + 1;
        let counted = on_drop(move || {
            living.fetch_sub(1, Ordering::SeqCst);
        });
        let child = SpawnOptions::new().spawn(async move {
            let _counted = counted;
            forever().await;
        });
        if child.is_err() {
            break;
        }
        most.fetch_max(now, Ordering::SeqCst);
        spawned += 1;
        yield_now().await;
    }
    // Stays until all have been refused, so as not to make room for the others.
    sleep(Duration::from_millis(200)).await;
    ExitReason::custom(spawned)
}

#[test]
fn no_spawn_is_refused_while_there_is_room() {
    // Each thread and process has a place of its own, which it uses one process at a time.
    const SPAWNERS: u32 = 6;
    for workers in WORKERS {
        let runtime = limited(workers, 2 * SPAWNERS);
        let (done, refusals) = mpsc::channel();
        for _ in 0..SPAWNERS {
            let done = done.clone();
            runtime.spawn(async move { done.send(places_in_turn(500).await).unwrap() }).unwrap();
        }
        for _ in 0..SPAWNERS {
            assert_eq!(refusals.recv_timeout(LIMIT), Ok(0), "refusals on {workers} workers");
        }
        runtime.shutdown(LIMIT).unwrap();
    }
}

/// Spawns one process after the other, each when the one before is no more; counts refusals.
async fn places_in_turn(turns: u32) -> u32 {
    let mut refused = 0;
    for _ in 0..turns {
        let Ok(spawned) = SpawnOptions::new().monitor().spawn(async {}) else {
            refused += 1;
            yield_now().await;
            continue;
        };
        receive::<Down>().after(spawned.monitor.unwrap()).await;
    }
    refused
}

#[test]
fn threads_outside_share_the_limit_too() {
    let runtime = Arc::new(limited(2, 100));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let runtime = runtime.clone();
            thread::spawn(move || (0..100).filter(|_| runtime.spawn(forever()).is_ok()).count())
        })
        .collect();
    let spawned: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(spawned, 100);
    assert_eq!(runtime.census().processes, 100);
}

#[test]
fn settings_out_of_range_are_errors() {
    let most = beamish::runtime::MAX_PROCESS_LIMIT;
    for builder in [
        Runtime::builder().process_limit(0),
        Runtime::builder().process_limit(most + 1),
        Runtime::builder().workers(0),
        Runtime::builder().workers(70_000),
    ] {
        let text = format!("{builder:?}");
        let error = builder.build().map(drop).expect_err(&text);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
    let runtime = Runtime::builder().workers(1).process_limit(most).build().unwrap();
    runtime.block_on(async {}).unwrap();
}

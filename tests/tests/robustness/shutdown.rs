//! Shutting down: under load, from anywhere, with processes that do not let go. (S-RT-3)

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Instant as StdInstant,
};

use beamish::{Runtime, SpawnError, prelude::*, runtime::Census};

use crate::scene::*;

/// What the load of a run has to do with the outside.
#[derive(Default)]
struct Outside {
    stop: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
    pids: Mutex<Vec<Pid>>,
    work: AtomicUsize,
    living: AtomicUsize,
}

/// Spawns, sends, sets timers, waits for wakes; some end, some crash, some trap exits.
fn load(outside: Arc<Outside>, generation: u32) -> Job {
    Box::pin(work(outside, generation))
}

async fn work(outside: Arc<Outside>, generation: u32) {
    outside.living.fetch_add(1, Ordering::SeqCst);
    let counted = outside.clone();
    let _counted = on_drop(move || {
        counted.living.fetch_sub(1, Ordering::SeqCst);
    });
    outside.pids.lock().unwrap().push(me());
    trap_exit(generation.is_multiple_of(3));
    for turn in 0_u32.. {
        outside.work.fetch_add(1, Ordering::Relaxed);
        if generation < 3 && turn < 3 {
            let child = load(outside.clone(), generation + 1);
            let options = SpawnOptions::new().monitor();
            let options = if turn == 0 { options.link() } else { options };
            if options.spawn(child).is_err() {
                return;
            }
        }
        let other = pick(&outside.pids, turn as usize);
        other.into_iter().for_each(|pid| send(pid, turn));
        send_after(Duration::from_micros(u64::from(turn % 2_000)), me(), turn);
        if turn % 7 == 0 {
            wait_for_a_thread(&outside).await;
        }
        let _ = receive::<u32>().timeout(Duration::from_micros(50)).await;
        assert!(turn % 50 != 49, "some crash");
    }
}

type Job = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn pick(pids: &Mutex<Vec<Pid>>, n: usize) -> Option<Pid> {
    let pids = pids.lock().unwrap();
    pids.get(n * 31 % pids.len().max(1)).copied()
}

/// Is pending once; some thread wakes it.
async fn wait_for_a_thread(outside: &Outside) {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        outside.wakers.lock().unwrap().push(context.waker().clone());
        Poll::Pending
    })
    .await;
}

/// A thread that wakes and sends until it is told to stop, whatever becomes of the runtime.
fn pester(outside: &Outside) {
    for n in 0.. {
        let wakers = std::mem::take(&mut *outside.wakers.lock().unwrap());
        wakers.iter().for_each(Waker::wake_by_ref);
        pick(&outside.pids, n).into_iter().for_each(|pid| send(pid, n as u32));
        wakers.into_iter().for_each(Waker::wake);
        if outside.stop.load(Ordering::Relaxed) {
            return;
        }
        thread::yield_now();
    }
}

/// One runtime under load, shut down when it has done some work.
fn run_under_load(workers: usize, work: usize, end: impl FnOnce(Runtime)) {
    let runtime = Runtime::builder().workers(workers).quiet().build().unwrap();
    let handle = runtime.handle();
    let outside = Arc::new(Outside::default());
    for _ in 0..4 {
        runtime.spawn(load(outside.clone(), 0)).unwrap();
    }
    let pesterer = outside.clone();
    let pesterer = thread::spawn(move || pester(&pesterer));
    while outside.work.load(Ordering::Relaxed) < work {
        thread::yield_now();
    }
    end(runtime);
    assert_eq!(handle.census(), Census::default(), "something was left behind");
    assert_eq!(outside.living.load(Ordering::SeqCst), 0, "all futures are dropped");
    assert_eq!(handle.spawn(async {}), Err(SpawnError::Closing));
    drop(handle);
    // The runtime is gone, and is still being woken and sent to.
    outside.stop.store(true, Ordering::Relaxed);
    pesterer.join().unwrap();
}

/// S-RT-3: a shutdown ends all processes and drops what they hold.
#[test]
fn under_load_nothing_hangs_and_nothing_is_left_behind() {
    for turn in 0..300 {
        let workers = [1, 2, 4][turn % 3];
        let work = turn * 37 % 3_000;
        run_under_load(workers, work, |runtime| {
            let start = StdInstant::now();
            runtime.shutdown(LIMIT).expect("all processes end");
            assert!(start.elapsed() < LIMIT / 2, "it took {:?}", start.elapsed());
        });
    }
}

/// S-RT-3: so does dropping a runtime.
#[test]
fn dropping_a_runtime_under_load_ends_it_too() {
    for turn in 0..60 {
        run_under_load([1, 2, 4][turn % 3], turn * 11 % 500, drop);
    }
}

#[test]
fn a_runtime_that_never_ran_anything_goes_at_once() {
    for turn in 0..100 {
        let runtime = Runtime::builder().workers(1 + turn % 4).quiet().build().unwrap();
        if turn % 2 == 0 { drop(runtime) } else { runtime.shutdown(LIMIT).unwrap() }
    }
}

/// A process that occupies its worker until the returned sender is dropped.
fn stuck(runtime: &Runtime) -> (Pid, mpsc::Sender<()>) {
    let (told, started) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let body = async move {
        told.send(()).unwrap();
        let _ = gate.lock().unwrap().recv();
    };
    let pid = runtime.spawn(body).unwrap();
    started.recv_timeout(LIMIT).unwrap();
    (pid, release)
}

/// S-RT-3, S-LIVE-2: a process that never awaits can not be ended, and is named when the limit is
/// over.
#[test]
fn a_process_that_does_not_await_is_reported_and_does_not_hold_up_the_shutdown() {
    for workers in [2, 4] {
        let runtime = Runtime::builder().workers(workers).quiet().build().unwrap();
        let (pid, release) = stuck(&runtime);
        for _ in 0..100 {
            runtime.spawn(forever()).unwrap();
        }
        let limit = Duration::from_millis(200);
        let start = StdInstant::now();
        let error = runtime.shutdown(limit).unwrap_err();
        let took = start.elapsed();
        assert_eq!((error.processes.as_slice(), error.limit), (&[pid][..], limit));
        assert!(error.to_string().contains(&pid.to_string()), "{error}");
        assert!(took >= limit && took < Duration::from_secs(3), "it took {took:?}");
        drop(release);
    }
}

#[test]
fn a_process_whose_end_does_not_come_to_an_end_is_reported() {
    for ends_before in [true, false] {
        let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
        let (told, dropping) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let held = on_drop(move || {
            told.send(()).unwrap();
            let _ = gate.recv();
        });
        let body = async move {
            let _held = held;
            forever().await;
        };
        let pid = runtime.spawn(body).unwrap();
        if ends_before {
            runtime.block_on(async move { exit_process(pid, ExitReason::Kill) }).unwrap();
            dropping.recv_timeout(LIMIT).unwrap();
            assert!(!runtime.handle().is_alive(pid));
        }
        let error = runtime.shutdown(Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.processes, [pid]);
        drop(release);
    }
}

#[test]
fn a_process_that_lets_go_in_time_is_no_error() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let (_, release) = stuck(&runtime);
    let handle = runtime.handle();
    runtime.spawn(forever()).unwrap();
    let thread = thread::spawn(move || runtime.shutdown(LIMIT));
    while handle.spawn(async {}).is_ok() {
        thread::yield_now();
    }
    drop(release);
    thread.join().unwrap().expect("all processes end");
    assert_eq!(handle.census(), Census::default());
}

#[test]
fn what_waits_behind_a_stuck_process_is_dropped_when_that_one_ends() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let (_, release) = stuck(&runtime);
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let [future, message] = [dropped.clone(), dropped.clone()];
        let counted = on_drop(move || {
            future.fetch_add(1, Ordering::SeqCst);
        });
        let body = async move {
            let _counted = counted;
            forever().await;
        };
        let pid = runtime.spawn(body).unwrap();
        send(
            pid,
            on_drop(move || {
                message.fetch_add(100, Ordering::SeqCst);
            }),
        );
    }
    let error = runtime.shutdown(Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.processes.len(), 11);
    drop(release);
    let start = StdInstant::now();
    // Ten futures and ten messages.
    while dropped.load(Ordering::SeqCst) < 1_010 && start.elapsed() < LIMIT {
        thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 1_010);
}

/// A message that unparks its receiver is handed over, not queued: it must not be forgotten when the
/// receiver never runs.
#[test]
fn what_was_handed_to_a_process_that_never_runs_is_dropped() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let parked: Vec<Pid> = (0..10).map(|_| runtime.spawn(forever()).unwrap()).collect();
    let waiting = parked.clone();
    // With one worker, whoever has answered a question is parked when the answer is read.
    runtime
        .block_on(async move {
            for pid in waiting {
                settle(pid).await;
            }
        })
        .unwrap();
    let (_, release) = stuck(&runtime);
    let dropped = Arc::new(AtomicUsize::new(0));
    for pid in parked {
        let dropped = dropped.clone();
        let count = move || {
            dropped.fetch_add(1, Ordering::SeqCst);
        };
        send(pid, on_drop(count));
    }
    runtime.shutdown(Duration::from_millis(20)).unwrap_err();
    assert_eq!(dropped.load(Ordering::SeqCst), 0, "they have not run");
    drop(release);
    let start = StdInstant::now();
    while dropped.load(Ordering::SeqCst) < 10 && start.elapsed() < LIMIT {
        thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 10);
}

#[test]
fn a_process_hears_of_the_shutdown_as_a_refused_spawn_and_as_its_end() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let (told, seen) = mpsc::channel();
    let body = async move {
        let _held = on_drop({
            let told = told.clone();
            move || {
                let refused = SpawnOptions::new().spawn(async {}).map(drop);
                told.send(refused).unwrap();
                send(me(), "late");
                send_after(Duration::ZERO, me(), "late");
            }
        });
        told.send(Ok(())).unwrap();
        forever().await;
    };
    runtime.spawn(body).unwrap();
    assert_eq!(seen.recv_timeout(LIMIT), Ok(Ok(())));
    let handle = runtime.handle();
    runtime.shutdown(LIMIT).unwrap();
    assert_eq!(seen.recv_timeout(LIMIT), Ok(Err(SpawnError::Closing)));
    assert_eq!(handle.census(), Census::default());
}

#[test]
fn a_thread_that_waits_for_a_process_is_told_when_the_runtime_goes() {
    let runtime = Arc::new(Runtime::builder().workers(2).quiet().build().unwrap());
    let barrier = Arc::new(Barrier::new(2));
    let waiting = {
        let (handle, barrier) = (runtime.handle(), barrier.clone());
        let other = Runtime::builder().workers(1).quiet().build().unwrap();
        // A runtime can not go while a thread is in its `block_on`: so the wait is a monitor.
        let pid = handle.spawn(forever()).unwrap();
        thread::spawn(move || {
            other.block_on(async move {
                let watch = monitor(pid);
                settle(pid).await;
                barrier.wait();
                receive::<Down>().after(watch).timeout(LIMIT).await.unwrap().reason
            })
        })
    };
    barrier.wait();
    drop(runtime);
    assert_eq!(waiting.join().unwrap().unwrap(), ExitReason::Killed);
}

/// S-RT-3, S-LIVE-3: neither suspension nor trapping keeps a process from being ended.
#[test]
fn a_suspended_process_and_one_that_traps_exits_end_too() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let body = async {
        let (suspended, trapping) = (
            spawn(forever()),
            spawn(async {
                trap_exit(true);
                forever().await;
            }),
        );
        suspend_process(suspended).await.unwrap();
        settle(trapping).await;
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

#[test]
fn a_shutdown_in_the_middle_of_a_long_farewell_ends_it() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let (told, ready) = mpsc::channel();
    let body = async move {
        trap_exit(true);
        let child = spawn(forever());
        for _ in 0..50_000 {
            monitor(child);
        }
        exit_process(child, ExitReason::Kill);
        receive::<Down>().await;
        told.send(()).unwrap();
        forever().await;
    };
    runtime.spawn(body).unwrap();
    ready.recv_timeout(LIMIT).unwrap();
    let handle = runtime.handle();
    runtime.shutdown(LIMIT).unwrap();
    assert_eq!(handle.census(), Census::default());
}

#[test]
fn a_seeded_runtime_goes_like_any_other() {
    for seed in 0..50 {
        let runtime = Runtime::builder().seeded(seed).quiet().build().unwrap();
        let handle = runtime.handle();
        let outside = Arc::new(Outside::default());
        let body = load(outside.clone(), 2);
        runtime.spawn(body).unwrap();
        runtime.block_on(async { sleep(Duration::from_millis(3)).await }).unwrap();
        runtime.shutdown(LIMIT).unwrap();
        assert_eq!(handle.census(), Census::default());
        assert_eq!(outside.living.load(Ordering::SeqCst), 0);
    }
}

/// A seeded runtime has no worker that could end a process which was being born.
#[test]
fn a_seeded_runtime_ends_what_is_spawned_meanwhile() {
    for seed in 0..if cfg!(sanitizer) { 100 } else { 1_000 } {
        let runtime = Runtime::builder().seeded(seed).quiet().build().unwrap();
        let handle = runtime.handle();
        let gate = Arc::new(Barrier::new(2));
        let opened = gate.clone();
        let spawner = thread::spawn(move || {
            opened.wait();
            while handle.spawn(forever()).is_ok() {}
        });
        gate.wait();
        runtime.shutdown(LIMIT).expect("all processes end");
        spawner.join().unwrap();
    }
}

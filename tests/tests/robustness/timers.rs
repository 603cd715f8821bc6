//! Timers: never early, at every length, and exactly one of cancelled and delivered. (S-TIME)

use std::{
    pin::Pin,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use beamish::prelude::*;

use crate::scene::*;

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Lengths around every edge of the timing wheel (64 ms to the power of n), and of other clocks:
/// 2^30 ms are 12 days, 2^32 ms are 49 days.
fn lengths() -> Vec<Duration> {
    let edges = (0..7).map(|level| 64_u64.pow(level)).chain([1 << 30, 1 << 31, 1 << 32]);
    let mut lengths: Vec<_> =
        edges.flat_map(|ms| [ms - 1, ms, ms + 1]).map(Duration::from_millis).collect();
    lengths.extend([12 * DAY, 12 * DAY + MS, 49 * DAY, 50 * DAY, 10 * YEAR, 100 * YEAR]);
    lengths.extend([Duration::from_nanos(1), Duration::from_micros(999), MS + MS / 2]);
    lengths
}

/// S-TIME-1, S-TIME-7: in virtual time a sleep of any length ends at its moment.
#[beamish::test(seeds = 5)]
async fn sleeps_of_every_length_end_at_their_time() {
    for length in lengths() {
        let start = now();
        sleep(length).await;
        let slept = start.elapsed();
        assert!(slept >= length && slept <= length + MS, "{length:?}: slept {slept:?}");
    }
}

#[beamish::test(seeds = 5)]
async fn timers_of_every_length_fire_at_their_time_and_in_order() {
    let start = now();
    for length in lengths() {
        send_after(length, me(), length);
    }
    let mut sorted = lengths();
    sorted.sort();
    // Those of one millisecond are of one moment, in the order in which they were set.
    let rounded = |length: &Duration| length.as_nanos().div_ceil(MS.as_nanos());
    let mut expected = lengths();
    expected.sort_by_key(rounded);
    for length in expected {
        let fired = receive::<Duration>().await;
        assert_eq!(rounded(&fired), rounded(&length));
        assert!(start.elapsed() >= fired && start.elapsed() <= fired + MS, "{fired:?}");
    }
}

#[beamish::test(seeds = 5)]
async fn timeouts_of_every_length_end_at_their_time() {
    for length in lengths() {
        let start = now();
        assert!(receive::<Never>().timeout(length).await.is_err());
        receive! { _: Never => unreachable!(), after length => {} }
        let waited = start.elapsed();
        assert!(waited >= 2 * length && waited <= 2 * (length + MS), "{length:?}: {waited:?}");
    }
}

#[beamish::test(seeds = 5)]
async fn a_short_timer_is_on_time_however_old_the_clock_and_however_far_another() {
    let far = send_after(Duration::MAX, me(), "far");
    let farther = send_after(500 * YEAR, me(), "farther");
    for age in [12 * DAY, 13 * DAY, 24 * DAY, YEAR, 69 * YEAR, 100 * YEAR] {
        sleep(age).await;
        for length in [Duration::ZERO, MS, 63 * MS, 64 * MS, 65 * MS, 4_096 * MS] {
            let start = now();
            send_after(length, me(), 1_u8);
            assert_eq!(receive::<u8>().await, 1);
            assert!(start.elapsed() >= length && start.elapsed() <= length + MS);
        }
    }
    assert!(cancel_timer(far).is_some() && cancel_timer(farther).is_some());
}

#[beamish::test(seeds = 5)]
async fn a_timer_of_the_longest_duration_is_pending_and_can_be_cancelled() {
    let timer = send_after(Duration::MAX, me(), 1_u8);
    let left = read_timer(timer).unwrap();
    assert!(left > 500 * YEAR, "{left:?}");
    sleep(YEAR).await;
    assert!(cancel_timer(timer).unwrap() <= left - YEAR);
    let child = spawn(async { sleep(Duration::MAX).await });
    let other = spawn(async {
        let _ = receive::<Never>().timeout(Duration::MAX).await;
    });
    sleep(YEAR).await;
    assert!(is_alive(child) && is_alive(other));
    exit_process(child, ExitReason::Kill);
    exit_process(other, ExitReason::Kill);
}

/// S-TIME-6: in a seeded runtime timers of one moment fire in the order of their setting.
#[beamish::test(seeds = 20)]
async fn ten_thousand_timers_of_one_moment_come_in_the_order_of_their_setting() {
    let at = now() + Duration::from_secs(5);
    for n in 0..10_000_u32 {
        send_at(at, me(), n);
    }
    for n in 0..10_000 {
        assert_eq!(receive::<u32>().await, n);
    }
}

/// S-TIME-2: a timer at a moment that has passed is sent at once.
#[beamish::test(seeds = 20)]
async fn a_moment_that_has_passed_is_now() {
    sleep(DAY).await;
    let past = now();
    sleep(MS).await;
    let start = now();
    send_at(past, me(), 1_u8);
    sleep_until(past).await;
    sleep(Duration::ZERO).await;
    assert_eq!(receive::<u8>().await, 1);
    assert!(start.elapsed() <= MS);
}

/// S-TIME-4: what was cancelled does not come, what came is not cancelled.
#[beamish::test(seeds = 20)]
async fn a_cancelled_timer_does_not_fire_and_one_that_fired_is_not_cancelled() {
    let timers: Vec<_> =
        (0..200_u32).map(|n| send_after(Duration::from_millis(u64::from(n)), me(), n)).collect();
    sleep(100 * MS).await;
    let cancelled: Vec<bool> = timers.iter().map(|t| cancel_timer(*t).is_some()).collect();
    assert!(timers.iter().all(|timer| cancel_timer(*timer).is_none()));
    sleep(DAY).await;
    let mut delivered = [false; 200];
    while let Ok(n) = receive::<u32>().timeout(Duration::ZERO).await {
        delivered[n as usize] = true;
    }
    for n in 0..200 {
        assert!(delivered[n] != cancelled[n], "timer {n}");
    }
}

/// S-TIME-4: timers that are due at the very moment at which others cancel them.
#[beamish::test(workers = 2)]
async fn exactly_one_of_cancelled_and_delivered_on_real_threads() {
    const TIMERS: usize = 4_000;
    let parent = me();
    let delivered = Arc::new(AtomicUsize::new(0));
    let timers: Vec<_> =
        (0..TIMERS).map(|n| send_after(Duration::from_micros(2 * n as u64), parent, n)).collect();
    let cancellers: Vec<_> = (0..2)
        .map(|half| {
            let timers: Vec<_> = timers.iter().copied().skip(half).step_by(2).collect();
            spawn_monitor(async move {
                let mut cancelled = 0_usize;
                for timer in timers {
                    cancelled += usize::from(cancel_timer(timer).is_some());
                    if cancelled.is_multiple_of(16) {
                        yield_now().await;
                    }
                }
                ExitReason::custom(cancelled)
            })
        })
        .collect();
    let mut cancelled = 0;
    for (_, watch) in cancellers {
        let down = receive::<Down>().filter(move |down| down.monitor == watch);
        cancelled += down.timeout(LIMIT).await.unwrap().reason.downcast_ref::<usize>().unwrap();
    }
    let expected = TIMERS - cancelled;
    let mut seen = vec![false; TIMERS];
    for _ in 0..expected {
        let n = receive::<usize>().timeout(LIMIT).await.expect("what was not cancelled comes");
        assert!(!std::mem::replace(&mut seen[n], true), "no timer fires twice");
        delivered.fetch_add(1, Ordering::Relaxed);
    }
    sleep(20 * MS).await;
    assert!(receive::<usize>().timeout(Duration::ZERO).await.is_err(), "both happened");
}

/// S-TIME-1: sleeps, timers and time-outs are never early.
#[beamish::test(workers = 2)]
async fn real_timers_are_never_early() {
    for micros in [0, 1, 500, 999, 1_000, 1_001, 1_500, 3_000, 20_000] {
        let length = Duration::from_micros(micros);
        let start = std::time::Instant::now();
        sleep(length).await;
        assert!(start.elapsed() >= length, "sleep of {length:?}");
        let start = std::time::Instant::now();
        send_after(length, me(), 1_u8);
        receive::<u8>().await;
        assert!(start.elapsed() >= length, "timer of {length:?}");
        let start = std::time::Instant::now();
        assert!(receive::<u8>().timeout(length).await.is_err());
        assert!(start.elapsed() >= length, "timeout of {length:?}");
    }
}

/// S-TIME-5: the timers of a receiver that ends are released; a timer for a dead one is none.
#[beamish::test]
async fn timers_of_a_process_that_ends_are_released() {
    let handle = beamish::current_runtime().unwrap();
    let child = start(async {
        for n in 0..1_000_u32 {
            send_after(DAY, me(), n);
        }
        sleep(DAY).await;
    });
    for n in 0..1_000_u32 {
        send_after(DAY, child.pid, n);
    }
    settle(child.pid).await;
    until(|| handle.census().timers == 2_001).await;
    exit_process(child.pid, ExitReason::Kill);
    end_of(child).await;
    assert_eq!(handle.census().timers, 0);
    // One that is set for a process which is gone is none.
    send_after(DAY, child.pid, 1_u8);
    assert_eq!(handle.census().timers, 0);
}

/// S-TIME-5: so are those that are set while it dies.
#[beamish::test]
async fn timers_set_while_their_receiver_dies_are_released() {
    let handle = beamish::current_runtime().unwrap();
    for _ in 0..200 {
        let child = start(forever());
        let setters: Vec<_> = (0..2)
            .map(|_| {
                start(async move {
                    for n in 0..20_u32 {
                        send_after(DAY, child.pid, n);
                    }
                })
            })
            .collect();
        exit_process(child.pid, ExitReason::Kill);
        end_of(child).await;
        for setter in setters {
            end_of(setter).await;
        }
    }
    until(|| handle.census().timers <= 1).await;
}

#[beamish::test(seeds = 50)]
async fn a_sleep_that_moves_to_another_process_wakes_that_one() {
    let mut sleeping = Box::pin(sleep(Duration::from_secs(5)));
    let start = now();
    assert!(poll_once(sleeping.as_mut()).await.is_none());
    let child = spawn_monitor(async move {
        sleeping.await;
        ExitReason::custom(start.elapsed())
    });
    let down = receive::<Down>().after(child.1).await;
    assert_eq!(down.reason, ExitReason::custom(Duration::from_secs(5)));
}

/// Polls a future once.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[beamish::test]
async fn a_sleep_that_moves_back_and_forth_wakes_whoever_has_it() {
    let parent = me();
    let mut sleeping = Box::pin(sleep(50 * MS));
    for _ in 0..10 {
        assert!(poll_once(sleeping.as_mut()).await.is_none());
        spawn(async move {
            assert!(poll_once(sleeping.as_mut()).await.is_none());
            send(parent, sleeping);
        });
        sleeping = receive().await;
    }
    sleeping.await;
    assert_eq!(beamish::current_runtime().unwrap().census().timers, 0);
}

/// A sleep that has begun in a process of this runtime.
fn begun_in(runtime: &Runtime, length: Duration) -> Pin<Box<beamish::Sleep>> {
    let begin = async move {
        let mut sleeping = Box::pin(sleep(length));
        assert!(poll_once(sleeping.as_mut()).await.is_none());
        (sleeping,)
    };
    runtime.block_on(begin).unwrap().0
}

/// S-TIME-4: timers are read and cancelled on any thread, with the same answers as in a process.
#[test]
fn a_timer_is_read_and_cancelled_on_any_thread() {
    for builder in [Runtime::builder().workers(2), Runtime::builder().seeded(1)] {
        let runtime = builder.quiet().build().unwrap();
        let set = async {
            let [to_name, fired] = [DAY, Duration::ZERO].map(|time| send_after(time, "nobody", ()));
            sleep(MS).await;
            until(|| read_timer(fired).is_none()).await;
            [
                to_name,
                fired,
                send_after(DAY, me(), "the receiver ends"),
                send_after(DAY, "nobody", ()),
            ]
        };
        let [timer, fired, lost, left_behind] = runtime.block_on(set).unwrap();
        assert!(read_timer(timer).is_some_and(|left| left <= DAY && left > DAY / 2));
        let other = thread::spawn(move || cancel_timer(timer)).join().unwrap();
        assert!(other.is_some_and(|left| left <= DAY && left > DAY / 2));
        for timer in [timer, fired, lost] {
            assert_eq!((read_timer(timer), cancel_timer(timer)), (None, None));
        }
        assert_eq!(runtime.census().timers, 1);
        runtime.shutdown(LIMIT).unwrap();
        assert_eq!((read_timer(left_behind), cancel_timer(left_behind)), (None, None));
    }
}

/// S-TIME-4: of a timer that threads cancel at the moment at which it fires, exactly one of them
/// or the receiver hears.
#[test]
fn a_timer_that_many_threads_cancel_is_cancelled_once_or_fires() {
    const TIMERS: usize = 4_000;
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let (told, set) = mpsc::channel();
    let (done, cancelled) = mpsc::channel();
    let receiver = async move {
        let after = |n: usize| send_after(Duration::from_micros(2 * n as u64), me(), n);
        told.send((0..TIMERS).map(after).collect::<Vec<_>>()).unwrap();
        let expected = TIMERS - receive::<Cancelled>().await.0;
        for _ in 0..expected {
            receive::<usize>().timeout(LIMIT).await.expect("what was not cancelled comes");
        }
        done.send(receive::<usize>().timeout(20 * MS).await.is_err()).unwrap();
    };
    let receiver = runtime.spawn(receiver).unwrap();
    let timers = Arc::new(set.recv_timeout(LIMIT).unwrap());
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let timers = timers.clone();
            let cancel = move || timers.iter().filter(|t| cancel_timer(**t).is_some()).count();
            thread::spawn(cancel)
        })
        .collect();
    let count = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    send(receiver, Cancelled(count));
    assert_eq!(cancelled.recv_timeout(LIMIT), Ok(true), "both happened");
}

/// How many timers were cancelled.
struct Cancelled(usize);

#[test]
fn a_sleep_may_be_dropped_outside_of_any_runtime() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let sleep_for = |length: Duration| begun_in(&runtime, length);
    // While its runtime lives: the timer goes with it.
    let sleeping = sleep_for(DAY);
    assert_eq!(runtime.census().timers, 1);
    thread::spawn(move || drop(sleeping)).join().unwrap();
    assert_eq!(runtime.census().timers, 0);
    // In another runtime, and after its own is gone.
    let (one, other) = (sleep_for(DAY), sleep_for(DAY));
    let second = Runtime::builder().workers(1).quiet().build().unwrap();
    second.block_on(async move { drop(one) }).unwrap();
    assert_eq!(runtime.census().timers, 1);
    runtime.shutdown(LIMIT).unwrap();
    drop(other);
}

#[test]
fn a_sleep_may_go_on_in_another_runtime() {
    let runtimes =
        [1, 2].map(|workers| Runtime::builder().workers(workers).quiet().build().unwrap());
    let begun = begun_in(&runtimes[0], 50 * MS);
    runtimes[1].block_on(begun).unwrap();
    assert_eq!(runtimes[0].census().timers, 0);
    assert_eq!(runtimes[1].census().timers, 0);
}

/// Several threads wait at one barrier and then set and cancel timers of one runtime.
#[test]
fn timers_are_set_and_cancelled_from_all_workers_at_once() {
    let runtime = Runtime::builder().workers(4).quiet().build().unwrap();
    let body = async {
        let barrier = Arc::new(Barrier::new(2));
        let children: Vec<_> = (0..2)
            .map(|_| {
                let barrier = barrier.clone();
                start(async move {
                    barrier.wait();
                    for n in 0..5_000_u64 {
                        let timer = send_after(Duration::from_micros(n % 3_000), me(), n);
                        if n % 2 == 0 && cancel_timer(timer).is_some() {
                            continue;
                        }
                        assert_eq!(receive::<u64>().await, n);
                    }
                })
            })
            .collect();
        for child in children {
            assert_eq!(end_of(child).await, ExitReason::Normal);
        }
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 4);
}

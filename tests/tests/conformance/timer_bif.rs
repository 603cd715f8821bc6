//! Timers, after Erlang's `timer_bif_SUITE`. The clock is virtual wherever time passes.

use std::{sync::mpsc, time::Duration};

use beamish::prelude::*;

use crate::support::*;

/// 2^31 milliseconds: more than three weeks.
const BIG: Duration = Duration::from_millis(1 << 31);

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_start_timer_1() {
    let timer = start_timer(SECOND, me(), "plopp");
    let fired = next::<TimeoutMessage<&str>>().await;
    assert_eq!((fired.timer, fired.message), (timer.reference(), "plopp"));
    assert_eq!(read_timer(timer), None);
    assert_eq!(cancel_timer(timer), None);
    assert_eq!(read_timer(timer), None);

    let timer = start_timer(SECOND, me(), "plapp");
    let left = cancel_timer(timer).expect("it still runs");
    assert!(left > SECOND * 9 / 10 && left <= SECOND, "{left:?}");
    assert_eq!(cancel_timer(timer), None);
    sleep(2 * SECOND).await;
    expect_no_message().await;

    start_timer(SECOND, me(), "plopp");
    sleep(SECOND * 9 / 10).await;
    expect_no_message().await;
    next::<TimeoutMessage<&str>>().await;
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_send_after_1() {
    let start = now();
    let timer = send_after(SECOND, me(), "plipp");
    assert_eq!(next::<&str>().await, "plipp");
    assert!(now() - start >= SECOND);
    assert_eq!(read_timer(timer), None);
}

/// Messages come in the order of their times.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_send_after_2() {
    for millis in [5_000_u64, 0, 200, 100, 500, 300, 400] {
        send_after(Duration::from_millis(millis), me(), millis);
    }
    for expected in [0_u64, 100, 200, 300, 400, 500, 5_000] {
        assert_eq!(next::<u64>().await, expected);
    }
    for millis in [100_u64, 101, 102, 103] {
        send_after(Duration::from_millis(millis), me(), millis);
    }
    for expected in [100_u64, 101, 102, 103] {
        assert_eq!(next::<u64>().await, expected);
    }
}

/// S-TIME-4: a timer that is over is no error.
#[beamish::test]
async fn otp_timer_bif_suite_cancel_timer_1() {
    let timer = send_after(SECOND, me(), "never");
    assert!(cancel_timer(timer).is_some());
    assert_eq!(cancel_timer(timer), None);
}

/// S-TIME-4: any process may cancel a timer, and knows at once how it went.
#[beamish::test(seeds = 20)]
async fn otp_timer_bif_suite_cancel_timer_sync() {
    let timers: Vec<Timer> = (0..100).map(|_| send_after(BIG, me(), "never")).collect();
    let cancelled = ask(spawn(servant()), async move {
        let lefts: Vec<_> = timers.iter().map(|&timer| cancel_timer(timer)).collect();
        assert!(timers.iter().all(|&timer| read_timer(timer).is_none()));
        lefts
    })
    .await;
    assert!(cancelled.iter().all(|left| left.is_some_and(|left| left <= BIG)));
    sleep(2 * BIG).await;
    expect_no_message().await;
}

/// The largest times are taken and never come.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_start_timer_e() {
    let timer = start_timer(Duration::MAX, me(), "never");
    sleep(BIG).await;
    expect_no_message().await;
    assert!(cancel_timer(timer).is_some());
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_send_after_e() {
    let timer = send_after(Duration::MAX, me(), "never");
    sleep(BIG).await;
    expect_no_message().await;
    assert!(cancel_timer(timer).is_some());
}

/// S-TIME-4: a timer that nobody knows (its runtime is gone) is no error either.
#[beamish::test]
async fn otp_timer_bif_suite_cancel_timer_e() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let timer = runtime.block_on(async { send_after(BIG, "nobody", "never") }).unwrap();
    assert!(read_timer(timer).is_some());
    drop(runtime);
    assert_eq!((read_timer(timer), cancel_timer(timer)), (None, None));
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_start_timer_big() {
    big_timer(start_timer(BIG, me(), "never")).await;
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_send_after_big() {
    big_timer(send_after(BIG, me(), "never")).await;
}

async fn big_timer(timer: Timer) {
    sleep(SECOND / 5).await;
    let gone = BIG - cancel_timer(timer).expect("it still runs");
    assert!(gone >= SECOND / 5 && gone < SECOND, "{gone:?}");
}

#[beamish::test]
async fn otp_timer_bif_suite_read_timer_trivial() {
    let timer = send_after(BIG, me(), "never");
    assert!(cancel_timer(timer).is_some());
    assert_eq!(read_timer(timer), None);
}

/// Reading tells what cancelling then tells, and changes nothing.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_read_timer() {
    let timer = send_after(BIG, me(), "never");
    sleep(SECOND / 5).await;
    let read = read_timer(timer).expect("it still runs");
    assert!(BIG - read >= SECOND / 5 && BIG - read < SECOND);
    let left = cancel_timer(timer).expect("it still runs");
    assert!(left <= read && read - left <= Duration::from_millis(1));
    assert_eq!(read_timer(timer), None);
}

/// The same from another process.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_read_timer_async() {
    let timer = send_after(2 * BIG, me(), "never");
    sleep(SECOND / 5).await;
    let (read, left, again) = ask(spawn(servant()), async move {
        (read_timer(timer), cancel_timer(timer), read_timer(timer))
    })
    .await;
    let (read, left) = (read.expect("it still runs"), left.expect("it still runs"));
    assert!(left <= read && read - left <= Duration::from_millis(1));
    assert_eq!(again, None);
}

/// S-TIME-4, S-TIME-5: timers to dead processes are freed: to one dead before, and to one that dies
/// meanwhile.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_cleanup() {
    let pid = spawn(async {});
    ended(pid).await;
    for timer in two_timers(pid) {
        assert_eq!(read_timer(timer), None, "the target was dead before");
    }

    let pid = spawn(forever());
    let timers = two_timers(pid);
    assert!(timers.iter().all(|&timer| read_timer(timer).is_some()));
    exit_process(pid, ExitReason::Kill);
    ended(pid).await;
    assert!(timers.iter().all(|&timer| read_timer(timer).is_none()));
    assert!(timers.iter().all(|&timer| cancel_timer(timer).is_none()));

    let pid = spawn(forever());
    let timers = two_timers(pid);
    assert!(timers.iter().all(|&timer| cancel_timer(timer).is_some()));
    assert!(timers.iter().all(|&timer| read_timer(timer).is_none()));

    let timers = two_timers(me());
    next::<TimeoutMessage<&str>>().await;
    next::<&str>().await;
    assert!(timers.iter().all(|&timer| read_timer(timer).is_none()));
}

fn two_timers(pid: Pid) -> [Timer; 2] {
    [start_timer(10 * SECOND, pid, "hej"), send_after(11 * SECOND, pid, "hej")]
}

/// Big and small messages, to a receiver that runs and to one that waits: all arrive whole.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_evil_timers() {
    let receiver = me();
    for size in [0, 100_000] {
        for by_other in [false, true] {
            let set = async move {
                for count in 0..200_u64 {
                    let message = (count, "x".repeat(size));
                    start_timer(Duration::from_millis(count), receiver, message);
                }
            };
            if by_other {
                spawn_link(set);
            } else {
                set.await;
                yield_now().await;
            }
            let mut seen = Vec::new();
            for _ in 0..200 {
                let (count, text) = next::<TimeoutMessage<(u64, String)>>().await.message;
                assert_eq!(text.len(), size);
                seen.push(count);
            }
            assert!(seen.is_sorted());
            assert_eq!(seen.len(), 200);
        }
    }
    expect_no_message().await;
}

/// S-TIME-3: a timer to a name finds whoever has the name when it fires.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_registered_process() {
    let (first, second) = (spawn(servant()), spawn(servant()));
    register("registered_process", first).unwrap();
    send_after(SECOND, "registered_process", "one");
    start_timer(3 * SECOND, "registered_process", "two");
    send_after(5 * SECOND, "registered_process", "nobody");
    sleep(2 * SECOND).await;
    unregister("registered_process").unwrap();
    register("registered_process", second).unwrap();
    sleep(2 * SECOND).await;
    unregister("registered_process").unwrap();
    sleep(2 * SECOND).await;
    register("registered_process", me()).unwrap();

    assert_eq!(ask(first, drain::<&str>()).await, ["one"]);
    assert_eq!(ask(second, drain::<TimeoutMessage<&str>>()).await.len(), 1);
    assert!(ask(second, drain::<&str>()).await.is_empty());
    expect_no_message().await;
}

/// Many timers of one moment do not keep the others from running, and all of them fire.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_same_time_yielding() {
    let deadline = now() + SECOND;
    for _ in 0..10_000 {
        send_at(deadline, me(), "now");
    }
    for _ in 0..10_000 {
        next::<&str>().await;
        assert!(now() - deadline < Duration::from_millis(10));
    }
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_same_time_yielding_with_cancel() {
    cancel_in_the_thick(|timers| async { cancel_all(timers) }).await;
}

#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_same_time_yielding_with_cancel_other() {
    let other = spawn(servant());
    cancel_in_the_thick(|timers| ask(other, async { cancel_all(timers) })).await;
}

/// How many were still running.
fn cancel_all(timers: Vec<Timer>) -> usize {
    timers.into_iter().filter(|&timer| cancel_timer(timer).is_some()).count()
}

/// Cancels half of many timers of one moment at that moment: each was cancelled or fires.
async fn cancel_in_the_thick<F>(cancel: impl FnOnce(Vec<Timer>) -> F)
where
    F: Future<Output = usize>,
{
    let deadline = now() + SECOND;
    let timers: Vec<Timer> = (0..5_000).map(|_| send_at(deadline, me(), "now")).collect();
    let every_second = timers.iter().copied().step_by(2).collect();
    sleep_until(deadline).await;
    let cancelled = cancel(every_second).await;
    sleep(SECOND).await;
    assert_eq!(drain::<&str>().await.len() + cancelled, timers.len());
}

/// A process that ends takes its many timers with it.
#[beamish::test(seed = 1)]
async fn otp_timer_bif_suite_auto_cancel_yielding() {
    let pid = spawn(forever());
    let timers: Vec<Timer> = (0..10_000_u64)
        .map(|count| send_after(SECOND + Duration::from_millis(count % 10), pid, count))
        .collect();
    exit_process(pid, ExitReason::Kill);
    ended(pid).await;
    assert_eq!(cancel_all(timers), 0);
}

/// S-FAIR-3: the timers of a worker that stands still are fired by the others.
#[beamish::test(workers = 2)]
async fn otp_timer_bif_suite_suspended_scheduler_timeout() {
    let (told, fired) = mpsc::channel();
    let receiver = spawn(async move {
        loop {
            told.send(receive::<u64>().await).unwrap();
        }
    });
    for round in 0..5 {
        for count in 0..10 {
            send_after(Duration::from_millis(count), receiver, 10 * round + count);
        }
        // This process holds the worker that has the timers.
        let seen: Vec<u64> =
            (0..10).map(|_| fired.recv_timeout(PATIENCE).expect("they fire")).collect();
        assert_eq!(seen.iter().sum::<u64>(), 100 * round + 45);
        yield_now().await;
    }
}

/// Zero timers set from the message of a zero timer, many at a time: other timers still come.
#[beamish::test]
async fn otp_timer_bif_suite_multizero_timeout_in_timeout() {
    let limit = Duration::from_millis(200);
    let start = now();
    send_after(limit, me(), "over");
    for _ in 0..100 {
        send_after(Duration::ZERO, me(), 0_u32);
    }
    loop {
        receive! {
            generation: u32 => {
                send_after(Duration::ZERO, me(), generation + 1);
            },
            "over": &str => break,
            after PATIENCE => panic!("zero timers keep others out"),
        }
    }
    let elapsed = now() - start;
    assert!(elapsed >= limit && elapsed < 50 * limit, "{elapsed:?}");
}

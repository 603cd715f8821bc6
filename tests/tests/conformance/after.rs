//! Receive with a time limit, after Erlang's `after_SUITE`. The clock is virtual: a minute is free.

use std::time::Duration;

use beamish::prelude::*;

use crate::support::*;

/// S-TIME-1: a minute's limit is never early, and at most 0.1 % late, with a neighbour that wakes
/// every 100 ms.
#[beamish::test(seed = 1)]
async fn otp_after_suite_t_after() {
    spawn_link(async {
        loop {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let start = now();
    receive! { after 60 * SECOND => () }
    let elapsed = now() - start;
    assert!(elapsed >= 60 * SECOND, "early: {elapsed:?}");
    assert!(elapsed <= 60 * SECOND + Duration::from_millis(60), "late: {elapsed:?}");
}

/// Short limits, alone and while messages arrive that are not the awaited one.
#[beamish::test(seed = 1)]
async fn otp_after_suite_receive_after() {
    for limit in [1, 10, 100, 1_000] {
        let limit = Duration::from_millis(limit);
        let start = now();
        assert!(receive::<Never>().timeout(limit).await.is_err());
        assert!(now() - start >= limit);
    }
    let receiver = me();
    let pest = spawn_link(async move {
        loop {
            sleep(Duration::from_millis(10)).await;
            send(receiver, "not this");
        }
    });
    let start = now();
    assert!(receive::<Stop>().timeout(SECOND).await.is_err());
    let elapsed = now() - start;
    assert!(elapsed >= SECOND && elapsed < SECOND + Duration::from_millis(10), "{elapsed:?}");
    unlink(pest);
    exit_process(pest, ExitReason::Kill);
}

/// A limit of weeks can be set, and does not keep a message from being seen.
#[beamish::test(seed = 1)]
async fn otp_after_suite_receive_after_big() {
    let weeks = Duration::from_millis(0xf799_9977);
    let receiver = me();
    let sender = spawn(async move {
        sleep(3 * SECOND).await;
        send(receiver, "here is a message");
    });
    assert_eq!(receive::<&str>().timeout(weeks).await, Ok("here is a message"));
    ended(sender).await;
    let start = now();
    assert!(receive::<&str>().timeout(weeks).await.is_err());
    assert!(now() - start >= weeks);
}

/// Durations cannot be negative or no number; the largest one just never ends.
#[beamish::test(seed = 1)]
async fn otp_after_suite_receive_after_errors() {
    let receiver = me();
    spawn_link(async move {
        sleep(1_000_000 * SECOND).await;
        send(receiver, "late");
    });
    assert_eq!(receive::<&str>().timeout(Duration::MAX).await, Ok("late"));
}

/// S-RECV-3: a limit of zero that is only known at run time: one full look at the mailbox.
#[beamish::test]
async fn otp_after_suite_receive_var_zero() {
    let zero = Duration::from_millis(0).checked_mul(3).unwrap();
    send(me(), 'x');
    send(me(), 'y');
    assert!(receive::<char>().filter(|it| *it == 'z').timeout(zero).await.is_err());
    receive! { after zero => () }
    send(me(), 'w');
    for expected in ['x', 'y', 'w'] {
        assert_eq!(next::<char>().await, expected);
    }
}

/// S-RECV-3: a poll looks at the whole mailbox once.
#[beamish::test]
async fn otp_after_suite_receive_zero() {
    send(me(), 'x');
    send(me(), 'y');
    let found = receive! {
        'z': char => true,
        after 0 => false,
    };
    assert!(!found);
    send(me(), 'w');
    receive! { after 0 => () }
    let found = receive! {
        'w': char => true,
        after 0 => false,
    };
    assert!(found, "a poll looks at the whole mailbox");
    assert_eq!(next::<char>().await, 'x');
    assert_eq!(next::<char>().await, 'y');
}

/// Limits that run out around the time messages come, again and again.
#[beamish::test(seeds = 20)]
async fn otp_after_suite_multi_timeout() {
    let receiver = me();
    spawn_link(async move {
        for number in 0..200_u32 {
            sleep(Duration::from_millis(1)).await;
            send(receiver, number);
        }
    });
    let mut expected = 0;
    while expected < 200 {
        match receive::<u32>().timeout(Duration::from_millis(1)).await {
            Ok(number) => {
                assert_eq!(number, expected);
                expected += 1;
            }
            Err(_) => expect_no_message().await,
        }
    }
}

/// The edges of 32 bits in milliseconds are not special.
#[beamish::test(seed = 1)]
async fn otp_after_suite_receive_after_32bit() {
    for limit in [0x7fff_ffff_u64, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000] {
        let limit = Duration::from_millis(limit);
        let start = now();
        assert!(receive::<Never>().timeout(limit).await.is_err());
        let elapsed = now() - start;
        assert!(elapsed >= limit && elapsed < limit + SECOND, "{elapsed:?} of {limit:?}");
    }
}

/// Ten thousand limits that run out together.
#[beamish::test(seed = 1)]
async fn otp_after_suite_receive_after_blast() {
    for _ in 0..10_000 {
        spawn_monitor(async {
            assert!(receive::<Never>().timeout(3 * SECOND).await.is_err());
        });
    }
    for _ in 0..10_000 {
        assert_eq!(next::<Down>().await.reason, ExitReason::Normal);
    }
}

//! How processes end, after the "spawn and exit" group of Erlang's `process_SUITE`.

use std::{panic::AssertUnwindSafe, time::Duration};

use beamish::prelude::*;

use crate::support::*;

/// S-PROC-6: what a process owns is given back when it ends.
#[beamish::test]
async fn otp_process_suite_spawn_with_binaries() {
    for _ in 0..150 {
        let megabytes = vec![42_u8; 2 << 20];
        let (_, watch) = spawn_monitor(async move {
            assert_eq!(megabytes.len(), 2 << 20);
        });
        assert_eq!(down_of(watch).await, ExitReason::Normal);
    }
}

fn garbage() -> String {
    "garbage ".repeat(16 * 1024)
}

/// S-PROC-4: `exit(reason)` ends a process with that reason, however big it is.
#[beamish::test]
async fn otp_process_suite_t_exit_1() {
    trap_exit(true);
    for _ in 0..10 {
        let pid = spawn_link(async { exit(garbage()) });
        assert_eq!(exit_of(pid).await, reason(garbage()));
    }
}

/// S-EXIT-1: an exit signal from another process ends one that does not trap, with its reason.
#[beamish::test]
async fn otp_process_suite_t_exit_2_other() {
    trap_exit(true);
    for _ in 0..10 {
        let pid = spawn_link(forever());
        exit_process(pid, garbage());
        assert_eq!(exit_of(pid).await, reason(garbage()));
    }
}

/// S-EXIT-1: `Normal` from another process does nothing, `Kill` ends with `Killed`.
#[beamish::test]
async fn otp_process_suite_t_exit_2_other_normal() {
    trap_exit(true);
    let pid = spawn_link(servant());
    exit_process(pid, ExitReason::Normal);
    ask(pid, async {}).await;
    assert!(process_info(pid).await.is_some());
    expect_no_message().await;
    exit_process(pid, ExitReason::Kill);
    assert_eq!(exit_of(pid).await, ExitReason::Killed);
}

/// S-EXIT-1: a process that traps exits sees its own exit signal as a message.
#[beamish::test]
async fn otp_process_suite_self_exit() {
    trap_exit(true);
    for _ in 0..200 {
        exit_process(me(), garbage());
        assert_eq!(exit_of(me()).await, reason(garbage()));
    }
}

/// S-EXIT-1: `Normal` that a process sends itself ends it.
#[beamish::test]
async fn otp_process_suite_normal_suicide_exit() {
    trap_exit(true);
    let pid = spawn_link(async {
        exit_process(me(), ExitReason::Normal);
        yield_now().await;
        panic!("it lives");
    });
    assert_eq!(exit_of(pid).await, ExitReason::Normal);
}

/// S-EXIT-1: any other reason that a process sends itself ends it with that reason.
#[beamish::test]
async fn otp_process_suite_abnormal_suicide_exit() {
    trap_exit(true);
    let pid = spawn_link(async {
        exit_process(me(), garbage());
        yield_now().await;
        panic!("it lives");
    });
    assert_eq!(exit_of(pid).await, reason(garbage()));
}

/// What catches a panic does not catch an exit signal, not even one's own.
#[beamish::test]
async fn otp_process_suite_t_exit_2_catch() {
    trap_exit(true);
    let pid = spawn_link(async {
        let caught = std::panic::catch_unwind(AssertUnwindSafe(|| exit_process(me(), "die")));
        drop(caught);
        yield_now().await;
        exit("the signal was caught");
    });
    assert_eq!(exit_of(pid).await, reason("die"));
}

/// An exit signal at the time a receive's limit runs out.
#[beamish::test(seeds = 100)]
async fn otp_process_suite_exit_and_timeout() {
    trap_exit(true);
    let limit = Duration::from_millis(25);
    let waiting = spawn_link(async move {
        receive::<Never>().timeout(limit).await.ok();
        receive::<Never>().timeout(10 * SECOND).await.ok();
    });
    let killer = SpawnOptions::new().link().priority(Priority::High).spawn(async move {
        sleep(limit).await;
        exit_process(waiting, "you are dead");
    });
    assert_eq!(exit_of(waiting).await, reason("you are dead"));
    assert_eq!(exit_of(killer.unwrap().pid).await, ExitReason::Normal);
}

/// S-EXIT-2: of two exit signals the first one counts.
#[beamish::test(seeds = 100)]
async fn otp_process_suite_exit_twice() {
    exit_twice().await;
}

#[beamish::test]
async fn otp_process_suite_exit_twice_threads() {
    for _ in 0..1_000 {
        exit_twice().await;
    }
}

async fn exit_twice() {
    trap_exit(true);
    let low = spawn_link(async {
        loop {
            yield_now().await;
        }
    });
    let high = SpawnOptions::new().link().priority(Priority::High).spawn(async move {
        exit_process(low, "first");
        exit_process(low, "second");
    });
    assert_eq!(exit_of(low).await, reason("first"));
    assert_eq!(exit_of(high.unwrap().pid).await, ExitReason::Normal);
}

/// S-PROC-4: the reason of a panic reaches a parent that traps exits, however long its text is.
#[beamish::test]
async fn otp_process_suite_trap_exit_badarg() {
    trap_exit(true);
    for _ in 0..10 {
        let pid = spawn_link(async { panic!("bad argument: {}", garbage()) });
        let reason = exit_of(pid).await;
        assert!(reason.is_panic() && reason.is_abnormal());
        assert!(reason.to_string().contains("bad argument"), "{reason}");
    }
}

/// A panic inside a library function is a panic like any other.
#[beamish::test]
async fn otp_process_suite_trap_exit_badarg_in_bif() {
    trap_exit(true);
    for _ in 0..10 {
        let pid = spawn_link(async {
            let text = String::from("not a number");
            let _number: u32 = text.parse().unwrap();
        });
        let reason = exit_of(pid).await;
        assert!(reason.is_panic(), "{reason}");
    }
}

/// A process may begin with much that it was given.
#[beamish::test]
async fn otp_process_suite_spawn_huge_arglist() {
    for _ in 0..100 {
        let (argument, text) = ([7_u64; 4_096], garbage());
        let (_, watch) = spawn_monitor(async move {
            yield_now().await;
            assert_eq!((argument.iter().sum::<u64>(), text.len()), (7 * 4_096, garbage().len()));
        });
        assert_eq!(down_of(watch).await, ExitReason::Normal);
    }
}

/// S-PROC-3: a pid does not come back soon, although its slot may.
#[beamish::test]
async fn otp_process_suite_no_pid_wrap() {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20_000 {
        let (pid, watch) = spawn_monitor(async {});
        assert!(seen.insert(pid), "{pid} was used before");
        down_of(watch).await;
    }
}

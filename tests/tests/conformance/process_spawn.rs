//! Spawning with options, after the `spawn_request` group of Erlang's `process_SUITE`. Here a spawn
//! is done when it returns, so there is no request to abandon and no reply to wait for.

use beamish::prelude::*;

use crate::support::*;

/// Each combination of options does what it says, and puts nothing else into our mailbox.
#[beamish::test]
async fn otp_process_suite_spawn_request_bif() {
    for (linked, monitored) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut options = SpawnOptions::new();
        if linked {
            options = options.link();
        }
        if monitored {
            options = options.monitor();
        }
        let spawned = options.spawn(servant()).unwrap();
        assert_eq!(links_of(me()).await.contains(&spawned.pid), linked);
        assert_eq!(spawned.monitor.is_some(), monitored);
        let info = process_info(spawned.pid).await.unwrap();
        assert_eq!(info.monitored_by.contains(&me()), monitored);
        expect_no_message().await;
        let watch = monitor(spawned.pid);
        send(spawned.pid, Stop);
        assert_eq!(down_of(watch).await, ExitReason::Normal);
        if let Some(watch) = spawned.monitor {
            assert_eq!(down_of(watch).await, ExitReason::Normal);
        }
        expect_no_message().await;
    }
}

#[beamish::test]
async fn otp_process_suite_spawn_request_monitor_demonitor() {
    let (pid, watch) = spawn_monitor(servant());
    assert!(demonitor(watch));
    let later = monitor(pid);
    send(pid, Stop);
    assert_eq!(down_of(later).await, ExitReason::Normal);
    expect_no_message().await;
}

/// S-PROC-2: the child may end before the parent is back from the spawn: its own reason is seen all
/// the same.
#[beamish::test(seeds = 100)]
async fn otp_process_suite_spawn_request_monitor_child_exit() {
    monitored_child_exits().await;
}

#[beamish::test]
async fn otp_process_suite_spawn_request_monitor_child_exit_threads() {
    for _ in 0..1_000 {
        monitored_child_exits().await;
    }
}

async fn monitored_child_exits() {
    let (pid, watch) = spawn_monitor(async { exit("bye") });
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.pid, down.reason), (watch, Some(pid), reason("bye")));
}

/// S-PROC-2: a child that ends at once tells its link the real reason.
#[beamish::test(seeds = 100)]
async fn otp_process_suite_spawn_request_link_child_exit() {
    linked_child_exits().await;
}

#[beamish::test]
async fn otp_process_suite_spawn_request_link_child_exit_threads() {
    for _ in 0..1_000 {
        linked_child_exits().await;
    }
}

async fn linked_child_exits() {
    trap_exit(true);
    let pid = spawn_link(async { exit("bye") });
    let exit = next::<Exit>().await;
    assert_eq!((exit.from, exit.reason), (pid, reason("bye")));
}

/// S-EXIT-1: the reason of a linked process ends one that does not trap, and is a message to one
/// that does.
#[beamish::test(seeds = 100)]
async fn otp_process_suite_spawn_request_link_parent_exit() {
    linked_parent_exits(ExitReason::Kill).await;
    linked_parent_exits(ExitReason::Shutdown).await;
}

#[beamish::test(seeds = 100)]
async fn otp_process_suite_spawn_request_link_parent_exit_compound_reason() {
    linked_parent_exits(ExitReason::custom("a reason with a text")).await;
}

#[beamish::test]
async fn otp_process_suite_spawn_request_link_parent_exit_threads() {
    for _ in 0..1_000 {
        linked_parent_exits(ExitReason::Kill).await;
    }
}

async fn linked_parent_exits(reason: ExitReason) {
    let (tester, parting) = (me(), reason.clone());
    let (parent, watch) = spawn_monitor(async move {
        let child = spawn_link(forever());
        let trapping = spawn_link(async move {
            trap_exit(true);
            send(tester, Stop);
            let exit = next::<Exit>().await;
            send(tester, exit.reason);
        });
        send(tester, (child, trapping));
        receive::<Stop>().await;
        exit(parting);
    });
    let (child, trapping) = receive::<(Pid, Pid)>().await;
    let child_watch = monitor(child);
    next::<Stop>().await;
    assert_eq!(links_of(trapping).await, [parent]);
    send(parent, Stop);
    assert_eq!(receive::<ExitReason>().await, reason);
    assert_eq!(down_of(child_watch).await, reason);
    assert_eq!(down_of(watch).await, reason);
}

/// S-PROC-1: a child that nobody waits for runs on its own, and tells its parent nothing.
#[beamish::test]
async fn otp_process_suite_spawn_request_abandon_bif() {
    let children: Vec<Pid> = (0..100).map(|_| spawn(async { exit("bye") })).collect();
    for pid in children {
        ended(pid).await;
    }
    expect_no_message().await;
}

/// S-PROC-9: a spawn answers by its value only: with a pid, or with an error when there is no room.
#[test]
fn otp_process_suite_spawn_request_reply_option() {
    let runtime = Runtime::builder().workers(1).process_limit(8).quiet().build().unwrap();
    let outcome = runtime.block_on(async {
        let mut children = Vec::new();
        let refused = loop {
            match SpawnOptions::new().link().monitor().spawn(forever()) {
                Ok(child) => children.push(child.pid),
                Err(refused) => break refused,
            }
        };
        assert!(children.len() < 16, "{} children with a limit of 8", children.len());
        assert!(!refused.to_string().is_empty());
        assert_eq!(links_of(me()).await.len(), children.len());
        expect_no_message().await;

        // There is room again once one has ended.
        unlink(children[0]);
        exit_process(children[0], ExitReason::Kill);
        ended(children[0]).await;
        SpawnOptions::new().spawn(async {}).unwrap();
        for pid in children {
            unlink(pid);
            exit_process(pid, ExitReason::Kill);
        }
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

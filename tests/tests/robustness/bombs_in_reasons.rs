//! Exit reasons whose destructors panic: the last to let go of one may be anybody. (S-PROC-5)

use std::sync::mpsc;

use beamish::prelude::*;

use crate::scene::*;

#[test]
fn in_a_reason_that_nobody_else_holds() {
    survive(|| async {
        let child = spawn(async { exit(ExitReason::custom(Bomb("reason"))) });
        until(|| !is_alive(child)).await;
    });
}

#[test]
fn in_the_reason_of_an_exit_signal_through_an_alias_that_is_off() {
    survive(|| async {
        let parent = me();
        let child = start(async move {
            let off = alias();
            unalias(off);
            send(parent, off);
            receive::<u8>().await;
        });
        let off = receive::<Alias>().timeout(LIMIT).await.unwrap();
        exit_process(off, ExitReason::custom(Bomb("reason")));
        send(child.pid, 1_u8);
        assert_eq!(end_of(child).await, ExitReason::Normal);
    });
}

#[test]
fn in_the_reason_of_an_exit_signal_behind_another() {
    survive(|| async {
        let (go, gate) = mpsc::channel::<()>();
        let child = start(async move {
            // Both signals are there when the process looks.
            gate.recv().unwrap_err();
            forever().await;
        });
        exit_process(child.pid, "first");
        exit_process(child.pid, ExitReason::custom(Bomb("second")));
        drop(go);
        assert_eq!(end_of(child).await, ExitReason::custom("first"));
    });
}

#[test]
fn in_the_reason_of_an_exit_signal_to_nobody() {
    survive(|| async {
        let gone = spawn(async {});
        until(|| !is_alive(gone)).await;
        let reason = ends(async move { exit_process(gone, ExitReason::custom(Bomb("reason"))) });
        assert_eq!(reason.await, ExitReason::Normal);
    });
}

#[test]
fn in_the_reason_of_a_down_that_was_taken_back() {
    survive(|| async {
        let child = start(async {
            let (target, watch) = spawn_monitor(async {
                receive::<u8>().await;
                exit(ExitReason::custom(Bomb("reason")))
            });
            send(target, 1_u8);
            let handle = beamish::current_runtime().unwrap();
            // Without an await: the notice stays in the inbox, unread.
            block_while(|| handle.is_alive(target));
            block_while(|| handle.census().processes > 3);
            demonitor(watch);
            yield_now().await;
        });
        let reason = end_of(child).await;
        assert_eq!(reason, ExitReason::Normal);
    });
}

/// Blocks the worker as long as the condition holds. For a short time only.
fn block_while(mut condition: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while condition() && start.elapsed() < Duration::from_secs(1) {
        std::thread::yield_now();
    }
}

/// A destructor that exits, with a reason whose own destructor panics.
#[test]
fn in_the_reason_with_which_a_destructor_exits() {
    survive(|| async {
        let child = start(async {
            let _grenade = on_drop(|| exit(ExitReason::custom(Bomb("reason"))));
            forever().await;
        });
        settle(child.pid).await;
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
    });
}

/// A signal that ended the process during its poll came before the reason that the body returns.
#[test]
fn in_the_reason_of_a_body_that_a_signal_has_ended() {
    survive(|| async {
        let (go, gate) = mpsc::channel::<()>();
        let child = start(async move {
            gate.recv().unwrap_err();
            // Looks into the inbox.
            let _ = make_ref();
            ExitReason::custom(Bomb("reason"))
        });
        exit_process(child.pid, "signal");
        drop(go);
        assert_eq!(end_of(child).await, ExitReason::custom("signal"));
    });
}

/// A value in an exit reason that leaves another one to its process, over and over.
#[derive(Debug, PartialEq)]
struct Again;

impl Drop for Again {
    fn drop(&mut self) {
        let _ = dictionary::put("again", Again);
    }
}

#[test]
fn a_value_that_always_leaves_another_one_holds_no_worker() {
    survive(|| async {
        let gone = spawn(async { exit(ExitReason::custom(Again)) });
        until(|| !is_alive(gone)).await;
        let keys = spawn_monitor(async { assert!(dictionary::keys().is_empty()) });
        let down = receive::<Down>().filter(move |down| down.monitor == keys.1).await;
        assert_eq!(down.reason, ExitReason::Normal, "the next tenant inherits nothing");
    });
}

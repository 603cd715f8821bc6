//! Destructors that panic, wherever the runtime drops something of a user. (S-PROC-5, S-PROC-7)

use std::{
    panic::panic_any,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use beamish::{AliasMode, prelude::*};

use crate::scene::*;

/// S-PROC-7: a panic in the `Drop` of an unread message stops nothing, and reaches nobody.
#[test]
fn in_messages_that_wait_when_their_receiver_is_killed() {
    let reports = survive(|| async {
        let parent = me();
        let child = start(async move {
            send(parent, alias_with(AliasOptions::new().priority()));
            forever().await;
        });
        let alias = receive::<Alias>().timeout(LIMIT).await.unwrap();
        // Passed over by the receive; a priority message; and such that were never looked at.
        send(child.pid, Bomb("passed over"));
        send_priority(alias, Bomb("urgent"));
        settle(child.pid).await;
        send(child.pid, Bomb("unread"));
        send(alias, Bomb("unread, through an alias"));
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
    });
    assert!(reports.iter().any(|report| report.contains("bomb urgent")), "{reports:?}");
}

#[test]
fn in_messages_nobody_looked_at_when_their_receiver_returns() {
    survive(|| async {
        let child = start(async {
            send(me(), Bomb("first"));
            let _ = receive::<u8>().timeout(Duration::ZERO).await;
            send(me(), Bomb("second"));
            send_priority(alias_with(AliasOptions::new().priority()), Bomb("urgent"));
        });
        assert_eq!(end_of(child).await, ExitReason::Normal);
    });
}

/// S-SEND-4, S-PROC-7: each message is dropped once, before the end is told, whatever the others
/// do.
#[test]
fn every_message_behind_one_that_panics_is_dropped_too() {
    survive(|| async {
        let dropped = Arc::new(AtomicUsize::new(0));
        let child = start(forever());
        for n in 0..1_000 {
            let dropped = dropped.clone();
            send(
                child.pid,
                on_drop(move || {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    assert!(n % 2 == 0, "every other one panics");
                }),
            );
        }
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
        assert_eq!(dropped.load(Ordering::Relaxed), 1_000);
    });
}

/// S-ALIAS-1: what comes by an alias that is off is dropped, whatever its `Drop` does.
#[test]
fn in_a_message_to_an_alias_that_is_off() {
    survive(|| async {
        let off = alias();
        unalias(off);
        send(off, Bomb("late"));
        send(me(), 7_u8);
        assert_eq!(receive::<u8>().timeout(LIMIT).await, Ok(7));
    });
}

#[test]
fn in_a_message_to_an_alias_that_is_off_while_its_owner_sleeps() {
    survive(|| async {
        let parent = me();
        let child = start(async move {
            let off = alias();
            unalias(off);
            send(parent, off);
            receive::<u8>().await;
        });
        let off = receive::<Alias>().timeout(LIMIT).await.unwrap();
        send(off, Bomb("late"));
        settle(child.pid).await;
        send(child.pid, 1_u8);
        assert_eq!(end_of(child).await, ExitReason::Normal);
    });
}

/// S-SEND-1: a `send` to a process that has ended succeeds, and drops the message.
#[test]
fn in_a_message_to_a_process_that_has_ended() {
    survive(|| async {
        let gone = spawn(async {});
        until(|| !is_alive(gone)).await;
        let sender = start(async move { send(gone, Bomb("to nobody")) });
        assert_eq!(end_of(sender).await, ExitReason::Normal);
    });
}

#[test]
fn in_a_down_that_is_flushed() {
    survive(|| async {
        let child = start(async {
            let (target, watch) =
                spawn_monitor(async { exit(ExitReason::custom(Bomb("flushed"))) });
            // The notice is in the mailbox, looked at and passed over.
            until(|| !is_alive(target)).await;
            let _ = receive::<u8>().timeout(Duration::from_millis(5)).await;
            demonitor_flush(watch);
        });
        // The panic may be that of the caller, or nobody's.
        let reason = end_of(child).await;
        assert!(reason.is_normal() || panic_text(&reason) == "bomb flushed", "{reason:?}");
    });
}

// The end of an async block drops its variables: it has not returned yet.
#[test]
fn in_what_a_body_drops_before_it_returns() {
    survive(|| async {
        let bomb = Bomb("held");
        let reason = ends(async move {
            let _held = &bomb;
        });
        assert_eq!(panic_text(&reason.await), "bomb held");
    });
}

/// Is ready at once, and still holds something.
struct Holder {
    _held: Bomb,
}

impl Future for Holder {
    type Output = ExitReason;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ExitReason::Shutdown)
    }
}

/// S-PROC-7: a panic in the `Drop` of what a process held does not change its reason.
#[test]
fn in_what_a_process_holds_when_it_has_returned() {
    let reports = survive(|| async {
        assert_eq!(ends(Holder { _held: Bomb("held") }).await, ExitReason::Shutdown);
    });
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("bomb held"), "{reports:?}");
}

/// S-PROC-7: the same, for one that is killed.
#[test]
fn in_what_a_process_holds_when_it_is_killed() {
    survive(|| async {
        let child = start(async {
            let _first = Bomb("first");
            forever().await;
        });
        settle(child.pid).await;
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
    });
}

#[test]
fn in_what_a_process_holds_when_it_never_ran() {
    survive(|| async {
        let bomb = Bomb("held");
        let child = start(async move {
            let _held = &bomb;
            forever().await;
        });
        exit_process(child.pid, "early");
        assert_eq!(end_of(child).await, ExitReason::custom("early"));
    });
}

#[test]
fn in_a_panic_payload() {
    survive(|| async {
        let reason = ends(async { panic_any(Bomb("payload")) }).await;
        assert_eq!(panic_text(&reason), "a value that is not text");
    });
}

#[test]
fn in_the_payload_of_the_panic_of_a_payload() {
    struct Payload(u32);
    impl Drop for Payload {
        fn drop(&mut self) {
            panic_any(Payload(self.0 + 1));
        }
    }
    survive(|| async {
        assert!(ends(async { panic_any(Payload(0)) }).await.is_panic());
    });
}

#[test]
fn in_values_of_the_dictionary() {
    let reports = survive(|| async {
        let reason = ends(async {
            dictionary::put("one", Bomb("one"));
            dictionary::put("two", Bomb("two"));
            // Making a new entry while the old ones go.
            dictionary::put("three", on_drop(|| drop(dictionary::put("four", Bomb("four")))));
        });
        assert_eq!(reason.await, ExitReason::Normal);
    });
    assert_eq!(reports.len(), 3, "{reports:?}");
}

#[test]
fn in_the_tag_of_a_monitor_whose_holder_ends() {
    survive(|| async {
        let (target, parent) = (spawn(forever()), me());
        let child = start(async move {
            monitor_with(target, MonitorOptions::new().tag(Bomb("tag")));
            monitor_with(parent, MonitorOptions::new().tag(Bomb("tag")));
        });
        assert_eq!(end_of(child).await, ExitReason::Normal);
    });
}

#[test]
fn in_the_tag_of_a_monitor_that_is_taken_back() {
    survive(|| async {
        let target = spawn(forever());
        let reason = ends(async move {
            demonitor(monitor_with(target, MonitorOptions::new().tag(Bomb("tag"))));
        });
        assert_eq!(panic_text(&reason.await), "bomb tag");
    });
}

#[test]
fn in_the_tag_of_a_monitor_that_a_reply_takes_back() {
    survive(|| async {
        let (target, parent) = (spawn(forever()), me());
        let child = start(async move {
            let options = MonitorOptions::new().alias(AliasMode::ReplyDemonitor).tag(Bomb("tag"));
            send(parent, monitor_with(target, options).alias().unwrap());
            receive::<u8>().await;
        });
        let reply_to = receive::<Alias>().timeout(LIMIT).await.unwrap();
        send(reply_to, 1_u8);
        let reason = end_of(child).await;
        assert!(reason.is_normal() || panic_text(&reason) == "bomb tag", "{reason:?}");
    });
}

#[test]
fn in_the_message_of_a_timer_whose_receiver_ends() {
    survive(|| async {
        let hour = Duration::from_secs(3600);
        let child = start(async move {
            send_after(hour, me(), Bomb("own"));
            forever().await;
        });
        send_after(hour, child.pid, Bomb("of another"));
        settle(child.pid).await;
        exit_process(child.pid, ExitReason::Kill);
        assert_eq!(end_of(child).await, ExitReason::Killed);
    });
}

#[test]
fn in_the_message_of_a_timer_that_finds_nobody() {
    survive(|| async {
        let gone = spawn(async {});
        until(|| !is_alive(gone)).await;
        let off = alias();
        unalias(off);
        send_after(Duration::from_millis(1), "nobody", Bomb("to a name"));
        send_after(Duration::from_millis(1), off, Bomb("to an alias"));
        sleep(Duration::from_millis(20)).await;
        let child = start(async move {
            send_after(Duration::from_millis(1), gone, Bomb("to the dead"));
        });
        let reason = end_of(child).await;
        assert!(reason.is_normal() || panic_text(&reason) == "bomb to the dead", "{reason:?}");
    });
}

#[test]
fn in_the_message_of_a_timer_that_is_cancelled() {
    survive(|| async {
        let hour = Duration::from_secs(3600);
        let timer = send_after(hour, me(), Bomb("cancelled"));
        let reason = ends(async move {
            let _ = cancel_timer(timer);
        })
        .await;
        assert!(reason.is_normal() || panic_text(&reason) == "bomb cancelled", "{reason:?}");
    });
}

#[test]
fn in_messages_that_wait_when_the_runtime_goes() {
    survive(|| async {
        let child = spawn(forever());
        send(child, Bomb("waiting"));
        send(me(), Bomb("waiting"));
        send_after(Duration::from_secs(3600), child, Bomb("in a timer"));
        settle(child).await;
    });
}

#[test]
fn in_a_timer_that_is_pending_when_the_runtime_goes() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let count = dropped.clone();
    let body = async move {
        for _ in 0..10 {
            let count = count.clone();
            let counted = on_drop(move || {
                count.fetch_add(1, Ordering::Relaxed);
                panic!("each of them");
            });
            send_after(Duration::from_secs(3600), "nobody", counted);
        }
    };
    runtime.block_on(body).unwrap();
    runtime.shutdown(LIMIT).unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 10);
}

#[test]
fn in_the_future_of_a_process_whose_name_is_taken() {
    survive(|| async {
        register("taken", me()).unwrap();
        let reason = ends(async {
            let bomb = Bomb("body");
            let spawned = SpawnOptions::new().name("taken").link().monitor().spawn(async move {
                let _held = &bomb;
            });
            assert!(spawned.is_err());
        });
        let reason = reason.await;
        // The panic may be that of the caller, or nobody's.
        assert!(reason.is_normal() || panic_text(&reason) == "bomb body", "{reason:?}");
    });
}

#[test]
fn in_the_future_of_a_process_beyond_the_limit() {
    let runtime = Runtime::builder().workers(2).process_limit(2).quiet().build().unwrap();
    let body = async {
        let reason = ends(async {
            let bomb = Bomb("body");
            let spawned = SpawnOptions::new().spawn(async move {
                let _held = &bomb;
            });
            assert!(spawned.is_err());
        });
        let reason = reason.await;
        // The panic may be that of the caller, or nobody's.
        assert!(reason.is_normal() || panic_text(&reason) == "bomb body", "{reason:?}");
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

/// S-PROC-10: ends that are not abnormal are not reported.
#[test]
fn that_call_exit() {
    let reports = survive(|| async {
        for reason in [ExitReason::Normal, ExitReason::Shutdown] {
            let ended = ends(async move {
                let _held = on_drop(move || exit(reason));
            });
            // It is an unwind out of the body, like any other.
            drop(ended.await);
        }
        let child = start(async {
            let _held = on_drop(|| exit(ExitReason::Normal));
            forever().await;
        });
        settle(child.pid).await;
        exit_process(child.pid, ExitReason::Shutdown);
        assert_eq!(end_of(child).await, ExitReason::Shutdown);
    });
    assert_eq!(reports, [""; 0], "ends that are not abnormal are not reported");
}

/// S-PROC-8: to the destructors of what an ended process held, it is not alive.
#[test]
fn that_use_the_process_that_is_ending() {
    survive(|| async {
        let parent = me();
        let child = start(async move {
            let _held = on_drop(move || {
                assert!(!is_alive(me()));
                send(me(), "to itself");
                send(parent, "still here");
                register("late", me()).unwrap_err();
                dictionary::put("late", Bomb("late"));
                monitor(parent);
                monitor(me());
                let _ = link(parent);
                let _ = alias();
                send_after(Duration::from_secs(3600), me(), Bomb("late"));
                send_after(Duration::from_secs(3600), parent, ());
                spawn_link(forever());
                set_label("late");
                trap_exit(true);
                exit_process(me(), "late");
            });
            forever().await;
        });
        settle(child.pid).await;
        exit_process(child.pid, ExitReason::Shutdown);
        assert_eq!(end_of(child).await, ExitReason::Shutdown);
        assert_eq!(receive::<&str>().timeout(LIMIT).await, Ok("still here"));
    });
}

//! Selective receive and the receive mark, after Erlang's `receive_SUITE`. The common cases run
//! over both routes: plain messages, and priority messages through an alias.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use beamish::prelude::*;

use crate::support::*;

/// How a message reaches its receiver.
#[derive(Clone, Copy)]
enum Route {
    Plain(Pid),
    Priority(Alias),
}

impl Route {
    fn both() -> [Route; 2] {
        [Route::Plain(me()), Route::Priority(alias_with(AliasOptions::new().priority()))]
    }

    fn send<M: Send + 'static>(self, message: M) {
        match self {
            Route::Plain(pid) => send(pid, message),
            Route::Priority(alias) => send_priority(alias, message),
        }
    }
}

/// A request, to be answered `answers` times with its own tag.
struct Request {
    tag: Monitor,
    reply_to: Route,
    answers: u32,
}

struct Response(Monitor);

/// Stands for the unrelated messages that wait in a mailbox.
struct Unrelated;

async fn echo() {
    loop {
        let request = receive::<Request>().await;
        for _ in 0..request.answers {
            request.reply_to.send(Response(request.tag));
        }
    }
}

/// One call by hand: monitor, request, `between`, then the answers. Counts the messages that the
/// receives have looked at.
async fn call(
    server: Pid,
    reply_to: Route,
    answers: u32,
    looked: &AtomicU64,
    between: impl Future<Output = ()>,
) {
    let tag = monitor(server);
    send(server, Request { tag, reply_to, answers });
    between.await;
    for _ in 0..answers {
        let wanted = |response: &Response| {
            looked.fetch_add(1, Ordering::Relaxed);
            response.0 == tag
        };
        receive::<Response>().after(tag).filter(wanted).await;
    }
    demonitor_flush(tag);
}

/// Runs the work with a mailbox full of other answers. A receive that starts at its mark looks at
/// none of them: fewer looks than a single search of the mailbox would take, for all of the work.
async fn with_full_mailbox<F: Future<Output = ()>>(server: Pid, work: impl FnOnce(Looked) -> F) {
    const QUEUED: usize = 100_000;

    let (looked, other) = (Looked::default(), monitor(server));
    demonitor(other);
    for _ in 0..QUEUED {
        send(me(), Response(other));
    }
    work(looked.clone()).await;
    let looked = looked.load(Ordering::Relaxed);
    assert!(looked < QUEUED as u64, "{looked} looks at messages");
    assert_eq!(drain::<Response>().await.len(), QUEUED);
}

type Looked = Arc<AtomicU64>;

/// S-RECV-6: a call looks at its own answer only, however many messages wait.
#[beamish::test]
async fn otp_receive_suite_call_with_huge_message_queue() {
    for route in Route::both() {
        let server = spawn_link(echo());
        with_full_mailbox(server, |looked| async move {
            for _ in 0..1_000 {
                call(server, route, 1, &looked, async {}).await;
            }
        })
        .await;
    }
}

/// Another receive between request and reply takes its own message.
#[beamish::test]
async fn otp_receive_suite_receive_in_between() {
    for route in Route::both() {
        let server = spawn_link(echo());
        for _ in 0..5_000 {
            route.send(Stop);
            call(server, route, 1, &Looked::default(), async {
                receive::<Stop>().await;
            })
            .await;
        }
        expect_no_message().await;
    }
}

/// Giving up in the middle of a call leaves nothing behind that a later receive stumbles over.
#[beamish::test]
async fn otp_receive_suite_receive_opt_exception() {
    for route in Route::both() {
        let gives_up = async {
            let inner: Result<(), &str> = async {
                let tag = make_ref();
                route.send(tag);
                Err("aborted")?;
                receive::<Reference>().after(tag).await;
                Ok(())
            }
            .await;
            assert_eq!(inner, Err("aborted"));
        };
        marked_receive(route, gives_up).await;
        next::<Reference>().await;
        expect_no_message().await;
    }
}

/// A marked receive inside a marked receive, the inner one for a message that never comes.
#[beamish::test]
async fn otp_receive_suite_receive_opt_recursion() {
    for route in Route::both() {
        let inner = async {
            let tag = make_ref();
            send(spawn(async {}), tag);
            let missed = receive::<Reference>().after(tag).filter(move |got| *got == tag);
            assert!(missed.timeout(Duration::ZERO).await.is_err());
        };
        marked_receive(route, inner).await;
        expect_no_message().await;
    }
}

/// Makes a mark, sends the marked message, lets `disturb` happen, and takes the message at once.
async fn marked_receive(route: Route, disturb: impl Future<Output = ()>) {
    let tag = make_ref();
    route.send(tag);
    disturb.await;
    let marked = receive::<Reference>().after(tag).filter(move |got| *got == tag);
    assert_eq!(marked.timeout(Duration::ZERO).await, Ok(tag));
}

/// S-RECV-6: messages that were there before the mark was made are still found by unmarked
/// receives, and the marked message by a marked one afterwards.
#[beamish::test(seeds = 20)]
async fn otp_receive_suite_receive_opt_deferred_save() {
    for route in Route::both() {
        let receiver = me();
        let feeder = spawn_link(async move {
            monitor(receiver);
            for number in 1..=200_u32 {
                send(receiver, number);
            }
            send(receiver, Stop);
        });
        ended(feeder).await;
        let tag = make_ref();
        route.send(tag);
        for wanted in 1..=200_u32 {
            receive::<u32>().filter(move |number| *number == wanted).await;
        }
        receive::<Reference>().after(tag).filter(move |got| *got == tag).await;
        next::<Stop>().await;
    }
}

/// S-RECV-6: calls within calls, each with a mark of its own, in a full mailbox.
#[beamish::test]
async fn otp_receive_suite_multi_recv_opt() {
    for route in Route::both() {
        let server = spawn_link(echo());
        with_full_mailbox(server, |looked| async move {
            for _ in 0..20 {
                let innermost = call(server, route, 20, &looked, async {});
                let inner = call(server, route, 20, &looked, innermost);
                call(server, route, 20, &looked, inner).await;
            }
        })
        .await;
    }
}

/// Many short calls inside a long one do not use up the long one's mark.
#[beamish::test]
async fn otp_receive_suite_multi_recv_opt_clear() {
    for route in Route::both() {
        let server = spawn_link(echo());
        with_full_mailbox(server, |looked| async move {
            for _ in 0..20 {
                let short_ones = async {
                    for _ in 0..10 {
                        Box::pin(call(server, route, 2, &looked, async {})).await;
                    }
                };
                call(server, route, 20, &looked, short_ones).await;
            }
        })
        .await;
    }
}

/// S-RECV-7: a receive that is dropped before it found anything does not make the next one skip
/// messages.
#[beamish::test]
async fn otp_receive_suite_gh_5235_missing_save_reset() {
    for route in Route::both() {
        for _ in 0..2 {
            route.send("init");
            poll_once_and_drop(receive::<Never>()).await;
            poll_once_and_drop(receive::<char>()).await;
            assert_eq!(next::<&str>().await, "init");
        }
    }
}

/// The same with a mark made after the dropped receive.
#[beamish::test]
async fn otp_receive_suite_gh_5235_recv_mark() {
    for route in Route::both() {
        for _ in 0..2 {
            route.send("init");
            poll_once_and_drop(receive::<Never>()).await;
            let tag = make_ref();
            route.send(tag);
            assert_eq!(receive::<&str>().timeout(Duration::ZERO).await, Ok("init"));
            receive::<Reference>().after(tag).filter(move |got| *got == tag).await;
            expect_no_message().await;
        }
    }
}

/// Polls a future a single time, which must not complete it.
async fn poll_once_and_drop<T>(future: impl IntoFuture<Output = T>) {
    let mut future = Box::pin(future.into_future());
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

/// A stream of messages and exit signals at full speed never hides the reply from the client.
#[beamish::test(seeds = 10)]
async fn otp_receive_suite_erl_1199() {
    mixed_signals(20, 100).await;
}

#[beamish::test]
async fn otp_receive_suite_erl_1199_threads() {
    mixed_signals(200, 1_000).await;
}

async fn mixed_signals(rounds: u32, burst: u64) {
    struct Blip;
    struct Ask(Pid, Monitor);
    struct Answer(Monitor);

    let server = spawn_link(async move {
        let mut dice = Dice::new(4711);
        loop {
            let Ask(client, tag) = receive::<Ask>().await;
            for answer in [false, true] {
                for _ in 0..burst + dice.roll(burst) {
                    send(client, Blip);
                    exit_process(client, ExitReason::Normal);
                }
                if answer {
                    send(client, Answer(tag));
                }
            }
        }
    });
    let (_, client) = spawn_monitor(async move {
        for _ in 0..rounds {
            let tag = monitor(server);
            send(server, Ask(me(), tag));
            yield_now().await;
            receive::<Answer>().after(tag).filter(move |answer| answer.0 == tag).await;
            demonitor_flush(tag);
            drain::<Blip>().await;
        }
    });
    assert_eq!(down_of(client).await, ExitReason::Normal);
}

/// Marks are made and dropped by the thousand while one old message waits in front.
#[beamish::test]
async fn otp_receive_suite_recv_marker_reserve() {
    let waiting = make_ref();
    send(me(), waiting);
    for _ in 0..1_000 {
        let watch = monitor_with(me(), MonitorOptions::new().alias(AliasMode::Demonitor));
        send(me(), watch);
        receive::<Monitor>().after(watch).filter(move |got| *got == watch).await;
        demonitor_flush(watch);
    }
    assert_eq!(next::<Reference>().await, waiting);
}

/// S-ORDER-3: a priority message is found by a receive that is scanning, and by one that has seen
/// it all.
#[beamish::test]
async fn otp_receive_suite_prio_msg_while_in_receive() {
    const QUEUED: usize = 200_000;

    let receiver = me();
    let urgent = alias_with(AliasOptions::new().priority());
    let sender = spawn_link(async move {
        receive::<Stop>().await;
        send_priority(urgent, "first");
        receive::<Stop>().await;
        eventually!(is_waiting(receiver).await);
        send_priority(urgent, "second");
        forever().await;
    });
    for _ in 0..QUEUED {
        send(me(), Unrelated);
    }
    for expected in ["first", "second"] {
        send(sender, Stop);
        assert_eq!(receive::<&str>().timeout(PATIENCE).await, Ok(expected));
    }
    assert_eq!(drain::<Unrelated>().await.len(), QUEUED);
}

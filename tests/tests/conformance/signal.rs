//! The order and the effect of signals, after Erlang's `signal_SUITE`.

use std::sync::mpsc;

use beamish::prelude::*;

use crate::support::*;

/// S-ORDER-1: messages sent before an exit signal arrive, those sent after it are never seen.
#[beamish::test(seeds = 100)]
async fn otp_signal_suite_xm_sig_order() {
    message_exit_order().await;
}

#[beamish::test]
async fn otp_signal_suite_xm_sig_order_threads() {
    for _ in 0..1_000 {
        message_exit_order().await;
    }
}

async fn message_exit_order() {
    struct MayReach;
    struct MayNotReach;

    let (pid, watch) = spawn_monitor(async {
        loop {
            receive! {
                MayNotReach: MayNotReach => exit("bad signal order"),
                MayReach: MayReach => (),
                after 0 => yield_now().await,
            }
        }
    });
    for _ in 0..3 {
        send(pid, MayReach);
    }
    exit_process(pid, "good signal order");
    for _ in 0..3 {
        send(pid, MayNotReach);
    }
    assert_eq!(down_of(watch).await, reason("good signal order"));
}

/// S-EXIT-1: along a chain of links `kill` turns into `killed`, unless it was an ordinary reason.
#[beamish::test]
async fn otp_signal_suite_kill2killed() {
    trap_exit(true);
    for length in [1, 2, 9, 10] {
        for (last, expected) in [
            (Last::KilledByOther, ExitReason::Killed),
            (Last::KillsItself, ExitReason::Killed),
            (Last::ExitsWithKill, ExitReason::Kill),
        ] {
            let first = chain(length, last, me());
            if let Last::KilledByOther = last {
                exit_process(receive::<Pid>().await, ExitReason::Kill);
            }
            assert_eq!(exit_of(first).await, expected, "{length} {last:?}");
        }
    }
}

/// How the last process of a chain comes to its end.
#[derive(Clone, Copy, Debug)]
enum Last {
    KilledByOther,
    KillsItself,
    ExitsWithKill,
}

/// A chain of `length` linked processes and one more; gives its first.
fn chain(length: u32, last: Last, tester: Pid) -> Pid {
    spawn_link(async move {
        if length > 0 {
            chain(length - 1, last, tester);
        } else {
            match last {
                Last::KilledByOther => send(tester, me()),
                Last::KillsItself => exit_process(me(), ExitReason::Kill),
                Last::ExitsWithKill => exit(ExitReason::Kill),
            }
        }
        forever().await;
    })
}

/// S-LINK-3: linking again to a process that has unlinked us and is dying gives `noproc`, or its
/// reason if the link was in time; never an end without an exit message.
#[beamish::test(seeds = 100)]
async fn otp_signal_suite_unlink_exit() {
    relink_to_dying().await;
}

#[beamish::test]
async fn otp_signal_suite_unlink_exit_threads() {
    for _ in 0..1_000 {
        relink_to_dying().await;
    }
}

async fn relink_to_dying() {
    let tester = me();
    let parent = spawn(async move {
        let child = spawn_link(relinker(me()));
        send(tester, child);
        receive::<Stop>().await;
        unlink(child);
        send(child, Stop);
        exit("bye");
    });
    let child = next::<Pid>().await;
    let (parent_watch, child_watch) = (monitor(parent), monitor(child));
    send(child, parent_watch);
    assert_eq!(down_of(parent_watch).await, reason("bye"));
    assert_eq!(down_of(child_watch).await, ExitReason::Normal);
}

async fn relinker(parent: Pid) {
    trap_exit(true);
    receive::<Monitor>().await;
    send(parent, Stop);
    receive::<Stop>().await;
    let was_alive = is_alive(parent);
    link(parent).expect("a process that traps exits is told by message");
    let told = exit_of(parent).await;
    assert!(told == ExitReason::NoProc || (was_alive && told == reason("bye")), "{told}");
    expect_no_message().await;
}

/// S-ORDER-1: a down message never overtakes the messages its process sent before.
#[beamish::test(seeds = 100)]
async fn otp_signal_suite_monitor_order() {
    down_after_messages().await;
}

#[beamish::test]
async fn otp_signal_suite_monitor_order_threads() {
    for _ in 0..1_000 {
        down_after_messages().await;
    }
}

async fn down_after_messages() {
    let tester = me();
    let (pid, watch) = spawn_monitor(async move {
        receive::<Stop>().await;
        send(tester, 1_u32);
        send(tester, 2_u32);
    });
    send(pid, Stop);
    receive! {
        down: Down if down.monitor == watch => panic!("the down message came before the second one"),
        2: u32 => (),
    }
    assert_eq!(next::<u32>().await, 1);
    assert_eq!(next::<Down>().await.monitor, watch);
}

/// S-ORDER-1: messages to a pid, a name and two aliases, and then the down message, all from one
/// sender.
#[beamish::test(seeds = 20)]
async fn otp_signal_suite_monitor_named_order_local() {
    one_sender_many_addresses(40).await;
}

#[beamish::test]
async fn otp_signal_suite_monitor_named_order_local_threads() {
    for round in 0..100 {
        one_sender_many_addresses(1_000 + round).await;
    }
}

async fn one_sender_many_addresses(count: usize) {
    let tester = me();
    register("tester", tester).unwrap();
    let plain = alias();
    let sender = spawn_link(async move {
        register("monitor_named_order", me()).unwrap();
        send(tester, Stop);
        let monitored = receive::<Alias>().await;
        for number in 0..count {
            match number % 4 {
                0 => send(tester, number),
                1 => send("tester", number).unwrap(),
                2 => send(plain, number),
                _ => send(monitored, number),
            }
        }
    });
    next::<Stop>().await;
    let options = MonitorOptions::new().alias(AliasMode::ExplicitUnalias);
    let watch = monitor_with("monitor_named_order", options);
    send(sender, watch.alias().unwrap());
    for number in 0..count {
        assert_eq!(next::<usize>().await, number);
    }
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::Normal));
    unregister("tester").unwrap();
    assert!(unalias(plain));
    assert!(unalias(watch.alias().unwrap()));
}

/// S-LIVE-1: a process whose work runs on a thread of its own is served its signals meanwhile.
#[beamish::test]
async fn otp_signal_suite_dirty_signal_handling() {
    let (let_go, held) = mpsc::channel();
    let busy = spawn(works_on_a_thread(held));
    eventually!(is_waiting(busy).await);
    let watch = monitor(busy);
    ask(spawn(servant()), async move { link(busy).unwrap() }).await;
    assert_eq!(links_of(busy).await.len(), 1);

    exit_process(busy, "bye");
    assert_eq!(down_of(watch).await, reason("bye"));
    let_go.send(()).unwrap();
}

/// Waits for a thread to do something that only the tester can let it do.
async fn works_on_a_thread(held: mpsc::Receiver<()>) {
    let worker = me();
    std::thread::spawn(move || {
        held.recv().unwrap();
        send(worker, Stop);
    });
    receive::<Stop>().await;
}

/// Such a process goes on when its thread is done, whatever signals came before.
#[beamish::test]
async fn otp_signal_suite_dirty_schedule() {
    let (let_go, held) = mpsc::channel();
    let (busy, watch) = spawn_monitor(works_on_a_thread(held));
    for _ in 0..1_000 {
        demonitor(monitor(busy));
        exit_process(busy, ExitReason::Normal);
        assert!(process_info(busy).await.is_some());
    }
    let_go.send(()).unwrap();
    assert_eq!(down_of(watch).await, ExitReason::Normal);
}

/// S-LIVE-1: many who ask, link, monitor and send at once are all served, in their order, by a
/// process that is at work itself.
#[beamish::test]
async fn otp_signal_suite_contended_signal_handling() {
    let busy = spawn(async {
        loop {
            consume_reductions(100).await;
        }
    });
    let askers: Vec<Monitor> = (0..50)
        .map(|asker| {
            let asks = async move {
                trap_exit(true);
                for round in 0..50 {
                    let watch = monitor(busy);
                    link(busy).unwrap();
                    send(busy, (asker, round));
                    let info = process_info(busy).await.expect("it lives");
                    assert!(info.monitored_by.contains(&me()) && info.links.contains(&me()));
                    assert!(demonitor(watch));
                    unlink(busy);
                    let info = process_info(busy).await.expect("it lives");
                    assert!(!info.monitored_by.contains(&me()) && !info.links.contains(&me()));
                }
            };
            spawn_monitor(asks).1
        })
        .collect();
    for asker in askers {
        assert_eq!(down_of(asker).await, ExitReason::Normal);
    }
    assert_eq!(process_info(busy).await.unwrap().message_queue_len, 50 * 50);
    let watch = monitor(busy);
    exit_process(busy, ExitReason::Kill);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
}

/// S-SEND-3: many senders push signals at once: each keeps its order, nothing is lost, the receiver
/// lives.
#[beamish::test]
async fn otp_signal_suite_parallel_signal_enqueue_race_1() {
    const SENDERS: usize = 16;
    const EACH: usize = 2_000;

    let receiver = spawn_link(collects(SENDERS, EACH));
    let senders: Vec<Monitor> =
        (0..SENDERS).map(|id| spawn_monitor(pushes(receiver, id, EACH)).1).collect();
    for sender in senders {
        assert_eq!(down_of(sender).await, ExitReason::Normal);
    }
    let info = process_info(receiver).await.unwrap();
    assert!(info.monitored_by.is_empty());
    send(receiver, me());
    assert_eq!(next::<usize>().await, SENDERS * EACH);
}

async fn pushes(receiver: Pid, id: usize, count: usize) {
    for number in 0..count {
        let watch = monitor(receiver);
        send(receiver, (id, number));
        exit_process(receiver, ExitReason::Normal);
        demonitor_flush(watch);
    }
}

async fn collects(senders: usize, each: usize) {
    let mut expected = vec![0; senders];
    for _ in 0..senders * each {
        let (id, number) = receive::<(usize, usize)>().await;
        assert_eq!(number, expected[id], "from sender {id}");
        expected[id] += 1;
    }
    send(receive::<Pid>().await, expected.iter().sum::<usize>());
}

/// S-MON-1: the same while the receiver ends: every sender gets its down message, nobody hangs.
#[beamish::test]
async fn otp_signal_suite_parallel_signal_enqueue_race_2() {
    for _ in 0..50 {
        let receiver = spawn(forever());
        let senders: Vec<Monitor> = (0..8)
            .map(|id: usize| {
                spawn_monitor(async move {
                    let watch = monitor(receiver);
                    pushes(receiver, id, 50).await;
                    let told = down_of(watch).await;
                    assert!(told == reason("bye") || told == ExitReason::NoProc);
                })
                .1
            })
            .collect();
        yield_now().await;
        exit_process(receiver, "bye");
        for sender in senders {
            assert_eq!(down_of(sender).await, ExitReason::Normal);
        }
    }
}

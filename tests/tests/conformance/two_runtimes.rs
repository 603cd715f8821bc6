//! Cases that Erlang runs between two nodes, here between two runtimes of one program: their
//! processes reach each other by pid. A connection that breaks has no like here.

use beamish::prelude::*;

use crate::{
    erl_link::{
        assert_linked, assert_not_linked, link_against_link_and_unlink, monitor_life, random_links,
    },
    support::*,
};

/// A runtime beside that of the test.
fn far() -> Runtime {
    Runtime::builder().workers(1).quiet().build().unwrap()
}

/// S-RT-4: links reach across runtimes: made from either side, taken back, and told when one side
/// ends, by itself or with its runtime.
#[beamish::test]
async fn otp_erl_link_suite_dist_links() {
    let far_away = far();
    let (near, far) = (spawn(servant()), far_away.spawn(servant()).unwrap());
    ask(near, async { trap_exit(true) }).await;
    for (from, to) in [(near, far), (far, near)] {
        ask(from, async move { link(to).unwrap() }).await;
        assert_linked(near, far).await;
        ask(from, async move { unlink(to) }).await;
        assert_not_linked(near, far).await;
    }
    ask(far, async move { link(near).unwrap() }).await;
    tell(far, async { exit("died") });
    assert_eq!(ask(near, exit_of(far)).await, reason("died"));
    assert_not_linked(near, far).await;

    let far = far_away.spawn(servant()).unwrap();
    ask(near, async move { link(far).unwrap() }).await;
    assert_linked(near, far).await;
    drop(far_away);
    assert_eq!(ask(near, exit_of(far)).await, ExitReason::Killed);
}

#[beamish::test]
async fn otp_erl_link_suite_dist_process_monitors() {
    let far_away = far();
    monitor_life(spawn(servant()), far_away.spawn(servant()).unwrap(), None).await;
    monitor_life(far_away.spawn(servant()).unwrap(), spawn(servant()), None).await;
}

/// S-LINK-4: nothing comes of a link to another runtime after `unlink`.
#[beamish::test]
async fn otp_erl_link_suite_otp_5772_dist_link() {
    let far_away = far();
    trap_exit(true);
    for _ in 0..200 {
        let peer = far_away.spawn(servant()).unwrap();
        let watch = monitor(peer);
        link(peer).unwrap();
        exit_process(peer, "bang");
        unlink(peer);
        drain::<Exit>().await;
        assert_eq!(down_of(watch).await, reason("bang"));
        expect_no_message().await;
    }
}

/// S-MON-4: nothing comes of a monitor of another runtime's process after `demonitor`.
#[beamish::test]
async fn otp_erl_link_suite_otp_5772_dist_monitor() {
    let far_away = far();
    for _ in 0..200 {
        let peer = far_away.spawn(servant()).unwrap();
        let (taken_back, kept) = (monitor(peer), monitor(peer));
        exit_process(peer, "bang");
        demonitor_flush(taken_back);
        assert_eq!(next::<Down>().await.monitor, kept);
        expect_no_message().await;
    }
}

/// S-LINK-5: both sides agree, whichever runtime either is in.
#[beamish::test]
async fn otp_erl_link_suite_otp_17127_dist_link_with_simultaneous_link_unlink() {
    let far_away = far();
    for round in 0..200 {
        let (near, far) = (spawn(servant()), far_away.spawn(servant()).unwrap());
        let (one, other) = if round % 2 == 0 { (near, far) } else { (far, near) };
        link_against_link_and_unlink(one, other).await;
    }
}

/// S-LINK-5: the same for random programs.
#[beamish::test]
async fn otp_erl_link_suite_otp_17127_dist_random() {
    let far_away = far();
    for round in 0..100 {
        let (near, far) = (spawn(servant()), far_away.spawn(servant()).unwrap());
        random_links(near, far, round, 500).await;
    }
}

/// S-RT-4: a monitor of another runtime's process tells its reason, or that there is none.
#[beamish::test]
async fn otp_monitor_suite_mon_2() {
    let far_away = far();
    for end in ["by itself", "from here"] {
        let pid = far_away.spawn(servant()).unwrap();
        let watch = monitor(pid);
        match end {
            "by itself" => tell(pid, async { exit("frop") }),
            _ => exit_process(pid, "frop"),
        }
        let down = next::<Down>().await;
        assert_eq!((down.monitor, down.pid, down.reason), (watch, Some(pid), reason("frop")));
        let late = monitor(pid);
        assert_eq!(down_of(late).await, ExitReason::NoProc, "it ended {end}");
    }
    let pid = far_away.spawn(forever()).unwrap();
    let watch = monitor(pid);
    drop(far_away);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
    assert_eq!(down_of(monitor(pid)).await, ExitReason::NoProc);
}

/// S-MON-4: the runtime goes after `demonitor`, and nothing comes; or before it, and the `Down` that
/// is there stays.
#[beamish::test]
async fn otp_monitor_suite_demon_3() {
    let far_away = far();
    let watch = monitor(far_away.spawn(forever()).unwrap());
    drop(far_away);
    eventually!(process_info(me()).await.unwrap().message_queue_len == 1);
    assert!(!demonitor(watch));
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::Killed));

    let far_away = far();
    let watch = monitor(far_away.spawn(forever()).unwrap());
    assert!(demonitor(watch));
    assert!(!demonitor(watch));
    drop(far_away);
    expect_no_message().await;
}

/// A process that ends right after it has unlinked, before the other side has acknowledged it,
/// leaves no end of the link behind.
#[test]
fn otp_process_suite_dist_unlink_ack_exit_leak() {
    let (here, far_away) = (far(), far());
    let handle = far_away.handle();
    let body = async move {
        for _ in 0..200 {
            let child = handle.spawn(forever()).unwrap();
            let (_, watch) = spawn_monitor(async move {
                link(child).unwrap();
                yield_now().await;
                unlink(child);
            });
            assert_eq!(down_of(watch).await, ExitReason::Normal);
            assert!(links_of(child).await.is_empty());
        }
    };
    here.block_on(body).unwrap();
    assert_eq!((here.census().links, far_away.census().links), (0, 0));
}

/// S-MON-4: what `demonitor` answers is the truth across runtimes too.
#[beamish::test]
async fn otp_monitor_suite_remote_remove_monitor() {
    let far_away = far();
    for _ in 0..20 {
        let watches: Vec<Monitor> =
            (0..100).map(|_| monitor(far_away.spawn(async {}).unwrap())).collect();
        yield_now().await;
        for watch in watches {
            let active = demonitor(watch);
            let down = receive::<Down>().filter(move |down| down.monitor == watch);
            assert_eq!(down.timeout(Duration::ZERO).await.is_err(), active);
        }
        expect_no_message().await;
    }
}

/// Messages from another runtime are in the mailbox as any others are.
#[beamish::test]
async fn otp_process_suite_process_info_other_dist_msg() {
    let far_away = far();
    let pid = far_away.spawn(servant()).unwrap();
    send(pid, 1_u32);
    send(pid, "two");
    let info = process_info(pid).await.unwrap();
    assert_eq!((info.message_queue_len, info.messages), (2, vec!["u32", "&str"]));
    assert_eq!(ask(pid, drain::<u32>()).await, [1]);
    assert_eq!(process_info(pid).await.unwrap().messages, ["&str"]);
}

/// S-ORDER-1: messages by pid and by two aliases, and then the `Down`, from a sender in another
/// runtime. Its names are not seen here.
#[beamish::test]
async fn otp_signal_suite_monitor_named_order_remote() {
    let far_away = far();
    for _ in 0..20 {
        let (tester, plain) = (me(), alias());
        let sender = async move {
            let monitored = receive::<Alias>().await;
            for number in 0..1_000 {
                match number % 3 {
                    0 => send(tester, number),
                    1 => send(plain, number),
                    _ => send(monitored, number),
                }
            }
        };
        let sender = far_away.spawn(sender).unwrap();
        let options = MonitorOptions::new().alias(AliasMode::ExplicitUnalias);
        let watch = monitor_with(sender, options);
        send(sender, watch.alias().unwrap());
        for number in 0..1_000 {
            assert_eq!(next::<i32>().await, number);
        }
        let down = next::<Down>().await;
        assert_eq!((down.monitor, down.reason), (watch, ExitReason::Normal));
        assert!(unalias(plain) && unalias(watch.alias().unwrap()));
    }
}

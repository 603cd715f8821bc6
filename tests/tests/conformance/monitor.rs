//! Monitors, after Erlang's `monitor_SUITE`.

use std::time::Duration;

use beamish::prelude::*;

use crate::support::*;

/// The watched process ends its watcher, then itself.
#[beamish::test]
async fn otp_monitor_suite_case_1() {
    trap_exit(true);
    let watcher = spawn_link(async {
        let watched = spawn(exits(me(), "foo"));
        monitor(watched);
        send(watched, Stop);
        forever().await;
    });
    assert_eq!(exit_of(watcher).await, reason("foo"));
}

#[beamish::test]
async fn otp_monitor_suite_case_1a() {
    trap_exit(true);
    let watcher = spawn_link(async {
        let (watched, _) = spawn_monitor(exits(me(), "foo"));
        send(watched, Stop);
        forever().await;
    });
    assert_eq!(exit_of(watcher).await, reason("foo"));
}

/// Ends `victim` once it is told to stop, and returns.
async fn exits(victim: Pid, reason: &'static str) {
    receive::<Stop>().await;
    exit_process(victim, reason);
}

/// The watched process tries to take the monitor away from its watcher.
#[beamish::test]
async fn otp_monitor_suite_case_2() {
    let watched = spawn(tries_to_demonitor(me()));
    let watch = monitor(watched);
    send(watched, watch);
    assert!(!next::<bool>().await);
    assert_eq!(next::<Down>().await.reason, ExitReason::Normal);
}

#[beamish::test]
async fn otp_monitor_suite_case_2a() {
    let (watched, watch) = spawn_monitor(tries_to_demonitor(me()));
    send(watched, watch);
    assert!(!next::<bool>().await);
    assert_eq!(next::<Down>().await.monitor, watch);
}

async fn tries_to_demonitor(watcher: Pid) {
    let theirs = receive::<Monitor>().await;
    send(watcher, demonitor(theirs));
}

/// Only the process that made a monitor can end it; for others it is as if it were not there.
#[beamish::test]
async fn otp_monitor_suite_demon_e_1() {
    let (watched, stranger) = (spawn(servant()), spawn(servant()));
    let watch = monitor(watched);
    assert!(!ask(watched, async move { demonitor(watch) }).await);
    assert!(!ask(stranger, async move { demonitor_flush(watch) }).await);
    exit_process(watched, "bye");
    assert_eq!(down_of(watch).await, reason("bye"));
}

/// S-MON-4: ending a monitor that is no more is fine.
#[beamish::test]
async fn otp_monitor_suite_demon_1() {
    let watch = monitor(spawn(servant()));
    assert!(demonitor(watch));
    assert!(!demonitor(watch));
    let unknown = ask(spawn(servant()), async { monitor(me()) }).await;
    assert!(!demonitor(unknown));
}

/// S-MON-2, S-MON-3: a `Down` tells the reason, `NoProc` for the absent, and the name if it was a
/// name that was monitored.
#[beamish::test]
async fn otp_monitor_suite_mon_1() {
    // It ends by itself.
    let pid = spawn(servant());
    let watch = monitor(pid);
    send(pid, Stop);
    assert_eq!(down_by_pid(watch, pid).await, ExitReason::Normal);
    let (pid, watch) = spawn_monitor(async {});
    assert_eq!(down_by_pid(watch, pid).await, ExitReason::Normal);

    // It is made to end.
    let pid = spawn(forever());
    let watch = monitor(pid);
    exit_process(pid, "frop");
    assert_eq!(down_by_pid(watch, pid).await, reason("frop"));
    let (pid, watch) = spawn_monitor(forever());
    exit_process(pid, "frop");
    assert_eq!(down_by_pid(watch, pid).await, reason("frop"));

    // It is dead already.
    let watch = monitor(pid);
    assert_eq!(down_by_pid(watch, pid).await, ExitReason::NoProc);

    // The same by name.
    let jeeves = spawn(servant());
    register("jeeves", jeeves).unwrap();
    let watch = monitor("jeeves");
    send(jeeves, Stop);
    assert_eq!(down_by_name(watch, "jeeves").await, ExitReason::Normal);
    let jeeves = spawn(servant());
    register("jeeves", jeeves).unwrap();
    let watch = monitor("jeeves");
    exit_process(jeeves, "frop");
    assert_eq!(down_by_name(watch, "jeeves").await, reason("frop"));
    let watch = monitor("jeeves");
    assert_eq!(down_by_name(watch, "jeeves").await, ExitReason::NoProc);
    let watch = monitor("nobody ever had this name");
    assert_eq!(down_by_name(watch, "nobody ever had this name").await, ExitReason::NoProc);
}

async fn down_by_pid(watch: Monitor, pid: Pid) -> ExitReason {
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.pid), (watch, Some(pid)));
    assert!(down.name.is_none());
    down.reason
}

async fn down_by_name(watch: Monitor, name: &str) -> ExitReason {
    let down = next::<Down>().await;
    assert_eq!(down.monitor, watch);
    assert_eq!(down.name.expect("monitored by name").as_str(), name);
    down.reason
}

/// S-MON-4, S-MON-6: after `demonitor` nothing comes; a monitor of oneself is none.
#[beamish::test]
async fn otp_monitor_suite_demon_2() {
    // A monitor of oneself is none; ending it is fine.
    let watch = monitor(me());
    assert!(!demonitor(watch));
    expect_no_message().await;

    // The demonitor comes first.
    let pid = spawn(forever());
    let (watch, later) = (monitor(pid), monitor(pid));
    demonitor(watch);
    exit_process(pid, "frop");
    assert_eq!(down_of(later).await, reason("frop"));
    expect_no_message().await;
}

/// S-MON-4: a `Down` in the mailbox stays, unless it is flushed; both calls tell whether the
/// monitor was active.
#[beamish::test]
async fn otp_monitor_suite_demonitor_flush() {
    let pid = spawn(forever());
    let [first, second, third, fourth, fifth] = std::array::from_fn(|_| monitor(pid));
    assert!(demonitor_flush(first));
    exit_process(pid, "bang");
    assert_eq!(down_of(second).await, reason("bang"));
    assert_eq!(down_of(fifth).await, reason("bang"));
    eventually!(process_info(me()).await.unwrap().message_queue_len == 2);

    assert!(!demonitor_flush(third));
    assert!(!demonitor(fourth));
    assert_eq!(next::<Down>().await.monitor, fourth);
    expect_no_message().await;
}

/// S-ALIAS-2: the alias of a monitor ends with `demonitor`, or outlives it, as was asked for.
#[beamish::test]
async fn otp_monitor_suite_gh_5225_demonitor_alias() {
    let pid = spawn(forever());
    for mode in [AliasMode::Demonitor, AliasMode::ReplyDemonitor] {
        let watch = monitor_with(pid, MonitorOptions::new().alias(mode));
        demonitor(watch);
        send(watch.alias().unwrap(), "lost");
        assert!(!unalias(watch.alias().unwrap()));
        expect_no_message().await;
    }
    let watch = monitor_with(pid, MonitorOptions::new().alias(AliasMode::ExplicitUnalias));
    let alias = watch.alias().unwrap();
    demonitor(watch);
    send(alias, "arrives");
    assert_eq!(next::<&str>().await, "arrives");
    assert!(unalias(alias));
    send(alias, "lost");
    expect_no_message().await;

    // A process may end with such leftovers.
    let holder = spawn(async move {
        let watch = monitor_with(pid, MonitorOptions::new().alias(AliasMode::ExplicitUnalias));
        demonitor(watch);
    });
    assert!(!ended(holder).await.is_abnormal());
    assert!(process_info(pid).await.unwrap().monitored_by.is_empty());
}

/// S-MON-4: what `demonitor` answers is the truth: active means no message, not active means one is
/// there.
#[beamish::test(seeds = 30)]
async fn otp_monitor_suite_local_remove_monitor() {
    remove_monitors().await;
}

#[beamish::test]
async fn otp_monitor_suite_local_remove_monitor_threads() {
    let groups: Vec<Monitor> = (0..100).map(|_| spawn_monitor(remove_monitors()).1).collect();
    for group in groups {
        assert_eq!(down_of(group).await, ExitReason::Normal);
    }
}

async fn remove_monitors() {
    let watches: Vec<Monitor> = (0..100).map(|_| monitor(spawn(async {}))).collect();
    yield_now().await;
    for watch in watches {
        let active = demonitor(watch);
        let down = receive::<Down>()
            .filter(move |down| down.monitor == watch)
            .timeout(Duration::ZERO)
            .await;
        assert_eq!(down.is_err(), active);
    }
}

/// A big reason arrives whole.
#[beamish::test]
async fn otp_monitor_suite_large_exit() {
    let large: String = "4563784278 ".repeat(10_000);
    for _ in 0..100 {
        let parting = large.clone();
        let (pid, watch) = spawn_monitor(async move {
            receive::<Stop>().await;
            exit(parting);
        });
        send(pid, Stop);
        assert_eq!(down_of(watch).await, reason(large.clone()));
    }
}

/// S-NOTICE-1, S-NAME-2: the name of the dead is free once its down message is here, also when
/// processes of high priority hold up its end.
#[beamish::test]
async fn otp_monitor_suite_named_down() {
    set_priority(Priority::High);
    for _ in 0..100 {
        for _ in 0..4 {
            let spinner = async {
                for _ in 0..200 {
                    yield_now().await;
                }
            };
            SpawnOptions::new().priority(Priority::High).spawn(spinner).unwrap();
        }
        let named = spawn(forever());
        register("named_down", named).unwrap();
        let watch = monitor("named_down");
        exit_process(named, "bang");
        assert_eq!(down_of(watch).await, reason("bang"));
        register("named_down", me()).unwrap();
        unregister("named_down").unwrap();
    }
}

/// S-PROC-3, S-MON-2: a pid that outlived its process answers at once, also when the slot has a new
/// tenant.
#[beamish::test]
async fn otp_monitor_suite_otp_5827() {
    let stale = spawn(async {});
    ended(stale).await;
    let tenants: Vec<Pid> = (0..1_000).map(|_| spawn(forever())).collect();
    assert!(!tenants.contains(&stale));
    let watch = monitor(stale);
    assert_eq!(down_by_pid(watch, stale).await, ExitReason::NoProc);
}

#[derive(Clone, Debug, PartialEq)]
struct Tag(u64);

/// S-MON-5: many tagged down messages, all with their tag.
#[beamish::test]
async fn otp_monitor_suite_monitor_tag_storage() {
    let targets: Vec<Pid> = (0..1_000).map(|_| spawn(forever())).collect();
    let watched = targets.clone();
    let receiver = spawn(servant());
    ask(receiver, async move {
        for pid in watched {
            monitor_with(pid, MonitorOptions::new().tag(Tag(4711)));
        }
    })
    .await;
    for &pid in &targets {
        exit_process(pid, "bang");
    }
    eventually!(process_info(receiver).await.unwrap().message_queue_len == targets.len());
    let downs = ask(receiver, drain::<TaggedDown<Tag>>()).await;
    assert_eq!(downs.len(), targets.len());
    for TaggedDown { tag, down } in downs {
        assert_eq!((tag, down.reason), (Tag(4711), reason("bang")));
    }
}

/// S-ALIAS-2: `demonitor` ends an alias that was to end with the first reply.
#[beamish::test]
async fn otp_monitor_suite_unexpected_alias_at_demonitor_gh5310() {
    let pid = spawn(async {
        let alias = receive::<Alias>().await;
        send(alias, "hello by alias");
    });
    let watch = monitor(pid);
    let aliased = monitor_with(pid, MonitorOptions::new().alias(AliasMode::ReplyDemonitor));
    demonitor_flush(aliased);
    send(pid, aliased.alias().unwrap());
    assert_eq!(next::<Down>().await.monitor, watch);
    expect_no_message().await;
}

/// An alias that outlives its monitor does not let a down message through.
#[beamish::test(seeds = 100)]
async fn otp_monitor_suite_down_on_alias_gh5310() {
    down_on_alias().await;
}

#[beamish::test]
async fn otp_monitor_suite_down_on_alias_gh5310_threads() {
    for _ in 0..200 {
        down_on_alias().await;
    }
}

async fn down_on_alias() {
    let (dying, taking_back) = (spawn(servant()), spawn(servant()));
    let options = MonitorOptions::new().alias(AliasMode::ExplicitUnalias);
    let watch = ask(taking_back, async move { monitor_with(dying, options) }).await;
    tell(dying, async { exit("bye") });
    tell(taking_back, async move {
        demonitor_flush(watch);
        eventually!(!is_alive(dying));
    });
    ended(dying).await;
    ask(taking_back, expect_no_message()).await;
}

/// Alias and tag are honoured for targets that are not there.
#[beamish::test]
async fn otp_monitor_suite_monitor_3_noproc_gh6185() {
    let dead = spawn(async {});
    ended(dead).await;
    for aliased in [false, true] {
        for tagged in [false, true] {
            absent_target(aliased, tagged, |options| monitor_with("gh6185", options)).await;
            absent_target(aliased, tagged, |options| monitor_with(dead, options)).await;
            watcher_ends(aliased, tagged, dead).await;
        }
    }
}

fn options(aliased: bool, tagged: bool) -> MonitorOptions {
    let mut options = MonitorOptions::new();
    if aliased {
        options = options.alias(AliasMode::ExplicitUnalias);
    }
    if tagged {
        options = options.tag(Tag(6185));
    }
    options
}

async fn absent_target(aliased: bool, tagged: bool, watch: impl Fn(MonitorOptions) -> Monitor) {
    let watch = watch(options(aliased, tagged));
    let down = if tagged {
        let TaggedDown { tag, down } = next::<TaggedDown<Tag>>().await;
        assert_eq!(tag, Tag(6185));
        down
    } else {
        next::<Down>().await
    };
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::NoProc));
    if let Some(alias) = watch.alias() {
        send(alias, "arrives");
        assert_eq!(next::<&str>().await, "arrives");
        assert!(unalias(alias));
        send(alias, "lost");
    }
    assert_eq!(watch.alias().is_some(), aliased);
    expect_no_message().await;
}

/// The watcher ends right after it made such a monitor.
async fn watcher_ends(aliased: bool, tagged: bool, dead: Pid) {
    for by_name in [false, true] {
        let (_, watch) = spawn_monitor(async move {
            let options = options(aliased, tagged);
            if by_name {
                monitor_with("gh6185", options);
            } else {
                monitor_with(dead, options);
            }
            exit("bang");
        });
        assert_eq!(down_of(watch).await, reason("bang"));
    }
}

//! The basics, after Elixir's `process_test.exs`.

use std::time::Duration;

use beamish::{ProcessStatus, prelude::*};

use crate::support::*;

#[beamish::test]
async fn proc_01_dictionary() {
    assert!(dictionary::put("foo", "bar").is_none());
    let before = dictionary::put("foo", "baz").expect("a value was there");
    assert_eq!(before.downcast_ref(), Some(&"bar"));
    assert_eq!(dictionary::keys(), ["foo"]);
    assert_eq!(dictionary::get("foo"), Some("baz"));
    let erased = dictionary::erase("foo").expect("a value was there");
    assert_eq!(erased.downcast_ref(), Some(&"baz"));
    assert_eq!(dictionary::get::<&str>("foo"), None);
    assert!(dictionary::keys().is_empty());
}

#[beamish::test]
async fn proc_04_monitor_with_alias_and_tag() {
    let pid = spawn(servant());
    let options = MonitorOptions::new().alias(AliasMode::ExplicitUnalias).tag("tagged");
    let watch = monitor_with(pid, options);
    let alias = watch.alias().unwrap();
    tell(pid, async move { send(alias, 1_u32) });
    assert_eq!(next::<u32>().await, 1);
    tell(pid, async { exit(ExitReason::Normal) });
    let TaggedDown { tag, down } = next::<TaggedDown<&str>>().await;
    assert_eq!((tag, down.monitor), ("tagged", watch));
    assert_eq!((down.pid, down.reason), (Some(pid), ExitReason::Normal));
    assert!(unalias(alias));
}

/// S-TIME-1: a sleep is never too short.
#[beamish::test(seed = 1)]
async fn proc_05_sleep() {
    let start = now();
    sleep(Duration::ZERO).await;
    assert_eq!(now(), start);
    sleep(SECOND).await;
    assert!(now() - start >= SECOND);
}

/// S-TIME-8: sleeping through anything: only a signal ends it, and the mailbox is left alone.
#[beamish::test(seed = 1)]
async fn proc_06_sleep_a_very_long_time() {
    let (pid, watch) = spawn_monitor(sleep(Duration::MAX));
    send(pid, "not drained");
    sleep(SECOND * 3_600 * 24 * 365 * 100).await;
    let info = process_info(pid).await.unwrap();
    assert_eq!((info.status, info.message_queue_len), (ProcessStatus::Waiting, 1));
    exit_process(pid, ExitReason::Kill);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
}

#[beamish::test]
async fn proc_07_info() {
    let pid = spawn(forever());
    let info = process_info(pid).await.unwrap();
    assert_eq!(info.priority, Priority::Normal);
    assert_eq!((info.message_queue_len, info.trap_exit), (0, false));
    exit_process(pid, ExitReason::Kill);
    assert!(process_info(pid).await.is_none());
}

#[beamish::test]
async fn proc_08_info_of_a_registered_name() {
    let pid = spawn(async {});
    exit_process(pid, ExitReason::Kill);
    assert!(process_info(pid).await.is_none());
    assert!(process_info(me()).await.unwrap().registered_name.is_none());
    register("proc_08", me()).unwrap();
    let info = process_info(me()).await.unwrap();
    assert_eq!(info.registered_name.unwrap().as_str(), "proc_08");
    unregister("proc_08").unwrap();
}

#[beamish::test]
async fn proc_09_send_after() {
    send_after(Duration::from_millis(10), me(), "hello");
    assert_eq!(next::<&str>().await, "hello");
}

/// S-TIME-2: a timer at a moment that has passed is sent at once.
#[beamish::test(seed = 1)]
async fn proc_10_send_at_an_absolute_time() {
    let due = now() + SECOND;
    send_at(due, me(), "hello");
    assert_eq!(next::<&str>().await, "hello");
    assert!(now() >= due && now() - due < SECOND / 10);
    send_at(due, me(), "at once, since it is past");
    next::<&str>().await;
}

/// S-TIME-4: what was left while it ran; `None` once it has fired.
#[beamish::test]
async fn proc_11_timer_is_read_and_cancelled() {
    let timer = send_after(100 * SECOND, me(), "hello");
    expect_no_message().await;
    assert!(read_timer(timer).is_some_and(|left| left <= 100 * SECOND));
    assert!(cancel_timer(timer).is_some_and(|left| left > Duration::ZERO));

    let timer = send_after(Duration::ZERO, me(), "hello");
    assert_eq!(next::<&str>().await, "hello");
    assert_eq!(read_timer(timer), None);
    assert_eq!(cancel_timer(timer), None);
}

/// S-EXIT-1: `Normal` from another process is nothing, or a message to one that traps.
#[beamish::test]
async fn proc_12_exit_other_normal() {
    trap_exit(true);
    let pid = spawn_link(servant());
    exit_process(pid, ExitReason::Normal);
    ask(pid, async {}).await;
    expect_no_message().await;
    assert!(is_alive(pid));
    exit_process(pid, "abnormal");
    assert_eq!(exit_of(pid).await, reason("abnormal"));
    assert!(!is_alive(pid));

    // To one that traps exits it is a message.
    let (pid, parent) = (spawn_link(servant()), me());
    ask(pid, async { trap_exit(true) }).await;
    exit_process(pid, ExitReason::Normal);
    assert_eq!(ask(pid, exit_of(parent)).await, ExitReason::Normal);
}

#[beamish::test]
async fn proc_13_exit_self_normal() {
    trap_exit(true);
    let pid = spawn_link(async {
        exit_process(me(), ExitReason::Normal);
        yield_now().await;
        unreachable!("it has ended");
    });
    assert_eq!(exit_of(pid).await, ExitReason::Normal);
    assert!(!is_alive(pid));
}

/// S-ALIAS-1: an alias is sent to like a pid, until it is off.
#[beamish::test]
async fn proc_14_alias() {
    let alias = alias();
    let (_, watch) = spawn_monitor(async move {
        send(alias, 1_u32);
        send(alias, 2_u32);
    });
    assert_eq!((next::<u32>().await, next::<u32>().await), (1, 2));
    assert_eq!(down_of(watch).await, ExitReason::Normal);
    assert!(unalias(alias));
    let (_, watch) = spawn_monitor(async move { send(alias, 3_u32) });
    assert_eq!(next::<Down>().await.monitor, watch);
    expect_no_message().await;
}

/// S-ALIAS-2: a reply alias ends with the first message.
#[beamish::test]
async fn proc_15_reply_alias() {
    let alias = alias_with(AliasOptions::new().reply());
    let (_, watch) = spawn_monitor(async move {
        send(alias, 1_u32);
        send(alias, 2_u32);
    });
    assert_eq!(next::<u32>().await, 1);
    assert_eq!(next::<Down>().await.monitor, watch);
    expect_no_message().await;
}

async fn label_of(pid: Pid) -> Option<String> {
    process_info(pid).await.unwrap().label
}

#[beamish::test]
async fn proc_16_label_is_readable() {
    set_label("from the inside");
    assert_eq!(label_of(me()).await.as_deref(), Some("from the inside"));
    let pid = SpawnOptions::new().label("from the start").spawn(forever()).unwrap().pid;
    assert_eq!(label_of(pid).await.as_deref(), Some("from the start"));
}

#[beamish::test]
async fn proc_17_no_label() {
    assert_eq!(label_of(me()).await, None);
    assert_eq!(label_of(spawn(forever())).await, None);
}

#[beamish::test]
async fn proc_18_label_is_seen_by_others() {
    let pid = spawn_link(servant());
    ask(pid, async { set_label("the servant") }).await;
    assert_eq!(label_of(pid).await.as_deref(), Some("the servant"));
    let other = spawn_link(servant());
    assert_eq!(ask(other, label_of(pid)).await.as_deref(), Some("the servant"));
}

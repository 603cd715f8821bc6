//! Aliases and tags, after the "aliases" group of Erlang's `process_SUITE`.

use beamish::prelude::*;

use crate::support::*;

/// Two numbers at once, and two more when told to go on.
async fn sends_two_and_two(alias: Alias) {
    for number in [1_u32, 2] {
        send(alias, number);
    }
    receive::<Stop>().await;
    for number in [3_u32, 4] {
        send(alias, number);
    }
}

/// The same, with the alias as a message.
async fn gets_alias() {
    let alias = receive::<Alias>().await;
    sends_two_and_two(alias).await;
}

async fn expect_numbers(numbers: &[u32]) {
    for &number in numbers {
        assert_eq!(next::<u32>().await, number);
    }
}

/// S-ALIAS-1: messages by an active alias come, those by one that is off do not.
#[beamish::test]
async fn otp_process_suite_alias_bif() {
    for alias in [alias(), alias_with(AliasOptions::new())] {
        let (pid, watch) = spawn_monitor(sends_two_and_two(alias));
        expect_numbers(&[1, 2]).await;
        assert!(unalias(alias));
        assert!(!unalias(alias));
        send(pid, Stop);
        assert_eq!(next::<Down>().await.monitor, watch);
    }

    let alias = alias_with(AliasOptions::new().reply());
    let (pid, watch) = spawn_monitor(sends_two_and_two(alias));
    send(pid, Stop);
    expect_numbers(&[1]).await;
    assert_eq!(next::<Down>().await.monitor, watch);
    assert!(!unalias(alias));
    expect_no_message().await;
}

fn with_alias(mode: AliasMode) -> MonitorOptions {
    MonitorOptions::new().alias(mode)
}

fn alias_of(watch: Monitor) -> Alias {
    watch.alias().expect("the monitor was made with an alias")
}

/// S-ALIAS-2: each mode ends its alias by what it says, and by nothing else.
#[beamish::test]
async fn otp_process_suite_monitor_alias() {
    let make = |mode| {
        let pid = spawn(gets_alias());
        (pid, monitor_with(pid, with_alias(mode)))
    };
    ended_by_unalias(make(AliasMode::ExplicitUnalias)).await;
    ended_by_demonitor(make(AliasMode::Demonitor)).await;
    ended_by_down(make(AliasMode::Demonitor)).await;
    ended_by_down(make(AliasMode::ReplyDemonitor)).await;
    ended_by_reply(make(AliasMode::ReplyDemonitor)).await;
}

/// The same with the monitor made by the spawn; both simple and compound exit reasons.
#[beamish::test]
async fn otp_process_suite_spawn_monitor_alias() {
    let make = |mode| {
        let options = SpawnOptions::new().monitor_with(with_alias(mode));
        let spawned = options.spawn(gets_alias()).unwrap();
        (spawned.pid, spawned.monitor.unwrap())
    };
    ended_by_unalias(make(AliasMode::ExplicitUnalias)).await;
    ended_by_demonitor(make(AliasMode::Demonitor)).await;
    ended_by_down(make(AliasMode::Demonitor)).await;
    ended_by_down(make(AliasMode::ReplyDemonitor)).await;
    ended_by_reply(make(AliasMode::ReplyDemonitor)).await;
}

/// `unalias` ends the alias and leaves the monitor.
async fn ended_by_unalias((pid, watch): (Pid, Monitor)) {
    send(pid, alias_of(watch));
    expect_numbers(&[1, 2]).await;
    assert!(unalias(alias_of(watch)));
    send(pid, Stop);
    assert_eq!(next::<Down>().await.monitor, watch);
}

/// `demonitor` ends both.
async fn ended_by_demonitor((pid, watch): (Pid, Monitor)) {
    send(pid, alias_of(watch));
    expect_numbers(&[1, 2]).await;
    demonitor(watch);
    let other = monitor(pid);
    send(pid, Stop);
    assert_eq!(next::<Down>().await.monitor, other);
}

/// The down message ends the alias.
async fn ended_by_down((pid, watch): (Pid, Monitor)) {
    exit_process(pid, "a reason with a text");
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.reason), (watch, reason("a reason with a text")));
    let (late, other) = spawn_monitor(sends_two_and_two(alias_of(watch)));
    send(late, Stop);
    assert_eq!(next::<Down>().await.monitor, other);
}

/// The first message by the alias ends the alias and the monitor.
async fn ended_by_reply((pid, watch): (Pid, Monitor)) {
    let other = monitor(pid);
    send(pid, alias_of(watch));
    send(pid, Stop);
    expect_numbers(&[1]).await;
    assert_eq!(next::<Down>().await.monitor, other);
    assert!(!demonitor(watch));
    expect_no_message().await;
}

/// The sender has one alias of a receiver; the receiver demonitors while messages are under way.
#[beamish::test(seeds = 50)]
async fn otp_process_suite_demonitor_aliasmonitor() {
    let target = spawn(forever());
    let watch = monitor_with(target, with_alias(AliasMode::ReplyDemonitor));
    let alias = alias_of(watch);
    assert!(demonitor(watch));
    let (sender, sender_watch) = spawn_monitor(sends_two_and_two(alias));
    send(sender, Stop);
    assert_eq!(next::<Down>().await.monitor, sender_watch);

    // Demonitored by the reply: the target does not know us any more.
    let watch = monitor_with(target, with_alias(AliasMode::ReplyDemonitor));
    send(alias_of(watch), "reply");
    assert_eq!(next::<&str>().await, "reply");
    assert!(process_info(target).await.unwrap().monitored_by.is_empty());
    assert!(process_info(me()).await.unwrap().monitors.is_empty());
    exit_process(target, ExitReason::Kill);
    ended(target).await;
    expect_no_message().await;
}

/// A process that ends after it has replied: the reply comes, the down message does not.
#[beamish::test(seeds = 50)]
async fn otp_process_suite_down_aliasmonitor() {
    let target = spawn(async {
        let alias = receive::<Alias>().await;
        send(alias, "reply");
        exit("bye");
    });
    let other = monitor(target);
    let watch = monitor_with(target, with_alias(AliasMode::ReplyDemonitor));
    send(target, alias_of(watch));
    assert_eq!(next::<&str>().await, "reply");
    assert_eq!(next::<Down>().await.monitor, other);
    expect_no_message().await;
}

#[derive(Clone, Debug, PartialEq)]
struct Tag(String);

fn tagged(text: &str) -> MonitorOptions {
    MonitorOptions::new().tag(Tag(text.to_owned()))
}

/// S-MON-5: the tag takes the place of the plain down message, whichever way the monitor fires.
#[beamish::test]
async fn otp_process_suite_monitor_tag() {
    let pid = spawn(forever());
    let watch = monitor_with(pid, tagged("by death"));
    exit_process(pid, "bye");
    expect_tagged(watch, "by death", reason("bye")).await;

    let watch = monitor_with(pid, tagged("dead before"));
    expect_tagged(watch, "dead before", ExitReason::NoProc).await;
    let watch = monitor_with("nobody has this name", tagged("free name"));
    expect_tagged(watch, "free name", ExitReason::NoProc).await;

    let options = SpawnOptions::new().monitor_with(tagged("by spawn"));
    let spawned = options.spawn(async { exit("bye") }).unwrap();
    expect_tagged(spawned.monitor.unwrap(), "by spawn", reason("bye")).await;

    let pid = spawn(forever());
    let watch = monitor_with(pid, tagged("never seen"));
    assert!(demonitor_flush(watch));
    exit_process(pid, "bye");
    ended(pid).await;
    expect_no_message().await;

    // With the message already here, flush finds it under its tag.
    let watch = monitor_with(pid, tagged("flushed"));
    eventually!(process_info(me()).await.unwrap().message_queue_len == 1);
    assert!(!demonitor_flush(watch));
    expect_no_message().await;
}

async fn expect_tagged(watch: Monitor, tag: &str, reason: ExitReason) {
    let tagged = next::<TaggedDown<Tag>>().await;
    assert_eq!(tagged.tag, Tag(tag.to_owned()));
    assert_eq!((tagged.down.monitor, tagged.down.reason), (watch, reason));
}

//! Dead pids, names, aliases and timers.

use std::{collections::BTreeSet, time::Duration};

use beamish::prelude::*;

use crate::{Table, subject::*, support::*};

pub(crate) async fn dead_rows(table: &mut Table) {
    let dead = dead().await;
    send(dead, "hello");
    table.row("send-dead", "send to a dead pid", "-", "-", "returns");
    let result = send("free_name", "hello");
    table.row("send-free-name", "send to a free name", "-", "-", attempt(&result));
    exit_process(dead, boom());
    table.row("exit2-dead", "exit/2 to a dead pid", "boom", "-", "returns");
    let alive = is_alive(dead).to_string();
    table.row("is-alive-dead", "is_alive of a dead pid", "-", "-", &alive);
}

pub(crate) async fn name_rows(table: &mut Table) {
    let mut plain = |id: &str, cause: &str, outcome: &str| table.row(id, cause, "-", "-", outcome);
    register("taken", me()).unwrap();
    let other = spawn(servant());
    let result = register("taken", other);
    plain("register-taken", "register a name that another process has", attempt(&result));
    let result = register("taken", me());
    plain("register-again", "register the same name for the same pid", attempt(&result));
    let result = register("another", me());
    plain("register-second-name", "register a second name for a pid", attempt(&result));
    unregister("taken").unwrap();
    let result = register("dead_name", dead().await);
    plain("register-dead", "register a dead pid", attempt(&result));
    let result = unregister("free_name");
    plain("unregister-free", "unregister a free name", attempt(&result));
    plain("whereis-free", "whereis of a free name", holder("free_name"));
    name_release_rows(table).await;
}

fn holder(name: &'static str) -> &'static str {
    if whereis(name).is_some() { "somebody" } else { "nobody" }
}

/// Ends a process that has a name, and looks at the name when its end is seen.
async fn name_after<F: Future<Output = ()>>(end: impl FnOnce(Pid) -> F) -> &'static str {
    let pid = spawn(servant());
    register("short_lived", pid).unwrap();
    end(pid).await;
    holder("short_lived")
}

async fn name_release_rows(table: &mut Table) {
    let (mut at_down, mut at_exit) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        at_down.insert(name_after(end_and_see_down).await);
        at_exit.insert(name_after(end_and_see_exit).await);
    }
    let text: Vec<&str> = at_down.into_iter().collect();
    let cause = "holder of the name when its DOWN is seen";
    table.row("name-free-at-down", cause, "boom", "-", &text.concat());
    let text: Vec<&str> = at_exit.into_iter().collect();
    let cause = "holder of the name when its EXIT is seen";
    table.row("name-free-at-exit", cause, "boom", "-", &text.concat());

    name_after(|pid| async move {
        let watch = monitor(pid);
        exit_process(pid, ExitReason::Kill);
        down_of(watch).await;
    })
    .await;
    let result = register("short_lived", me());
    let cause = "register the name of a process seen down";
    table.row("register-after-death", cause, "kill", "-", attempt(&result));
    unregister("short_lived").unwrap();
}

async fn end_and_see_down(pid: Pid) {
    let watch = monitor(pid);
    end_with(pid, boom());
    down_of(watch).await;
}

async fn end_and_see_exit(pid: Pid) {
    link(pid).unwrap();
    end_with(pid, boom());
    exit_of(pid).await;
}

pub(crate) async fn alias_rows(table: &mut Table) {
    let subject = start(false).await;
    ask(subject.pid, async {
        let alias = alias();
        unalias(alias);
        send(alias, "late");
    })
    .await;
    let cause = "send to an alias turned off";
    table.row("alias-dropped", cause, "-", "no", &outcome(subject).await);

    let subject = start(false).await;
    ask(subject.pid, async {
        let alias = alias_with(AliasOptions::new().reply());
        send(alias, "first");
        send(alias, "second");
    })
    .await;
    let cause = "two sends to a reply alias";
    table.row("alias-reply", cause, "-", "no", &outcome(subject).await);

    let alias = alias();
    let text = format!("{}, then {}", was(unalias(alias)), was(unalias(alias)));
    table.row("unalias-twice", "unalias a second time", "-", "-", &text);
    monitor_alias_rows(table).await;
    timer_rows(table).await;
}

async fn monitor_alias_rows(table: &mut Table) {
    let aliased = || MonitorOptions::new().alias(AliasMode::Demonitor);

    let (subject, dead) = (start(false).await, dead().await);
    ask(subject.pid, async move {
        let watch = monitor_with(dead, aliased());
        put_back_down(watch).await;
        send(watch.alias().unwrap(), "late");
    })
    .await;
    let cause = "send to a monitor's alias after DOWN";
    table.row("alias-monitor-down", cause, "noproc", "no", &outcome(subject).await);

    let subject = start(false).await;
    ask(subject.pid, async move {
        let watch = monitor_with(me(), aliased());
        demonitor(watch);
        send(watch.alias().unwrap(), "late");
    })
    .await;
    let cause = "send to a monitor's alias after demonitor";
    table.row("alias-demonitored", cause, "-", "no", &outcome(subject).await);
}

async fn timer_rows(table: &mut Table) {
    let timer = send_after(Duration::from_secs(1_000), me(), "late");
    let left = |left: Option<Duration>| if left.is_some() { "time left" } else { "no timer" };
    let text = format!("{}, then {}", left(cancel_timer(timer)), left(cancel_timer(timer)));
    table.row("cancel-twice", "cancel_timer a second time", "-", "-", &text);

    send_after(Duration::from_secs(1_000), dead().await, "late");
    table.row("timer-dead-target", "send_after to a dead pid", "-", "-", "returns");
}

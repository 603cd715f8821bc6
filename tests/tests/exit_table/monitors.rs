//! Monitors: fired, answered at once, taken back.

use beamish::prelude::*;

use crate::{Table, subject::*, support::*};

pub(crate) async fn monitored_rows(table: &mut Table) {
    for (name, reason) in reasons() {
        let (subject, peer, watch) = watching().await;
        end_with(peer, reason);
        down_arrived(subject, watch).await;
        let cause = "monitored process ended with exit/1";
        table.row("monitored", cause, name, "no", &outcome(subject).await);
    }
}

pub(crate) async fn monitor_rows(table: &mut Table) {
    let (subject, peer, watch) = watching().await;
    exit_process(peer, ExitReason::Kill);
    down_row(
        table,
        "monitored-killed",
        "monitored process killed by exit/2",
        "kill",
        subject,
        watch,
    )
    .await;

    let (subject, peer, watch) = watching().await;
    crash(peer);
    down_row(table, "monitored-crash", "monitored process crashed", "-", subject, watch).await;

    let (subject, dead) = (start(false).await, dead().await);
    let watch = ask(subject.pid, async move { monitor(dead) }).await;
    down_row(table, "monitor-dead", "monitor of a dead pid", "noproc", subject, watch).await;

    let subject = start(false).await;
    let watch = ask(subject.pid, async { monitor("free_name") }).await;
    down_row(table, "monitor-free-name", "monitor of a free name", "noproc", subject, watch).await;

    let (subject, peer) = (start(false).await, spawn(servant()));
    register("watched", peer).unwrap();
    let watch = ask(subject.pid, async { monitor("watched") }).await;
    end_with(peer, boom());
    down_row(table, "monitor-name", "monitored by name, ended", "boom", subject, watch).await;

    let (subject, peer, first) = watching().await;
    let second = ask(subject.pid, async move { monitor(peer) }).await;
    end_with(peer, boom());
    down_arrived(subject, first).await;
    down_row(table, "monitor-twice", "monitored twice, ended", "boom", subject, second).await;

    let subject = start(false).await;
    ask(subject.pid, async { monitor(me()) }).await;
    let outcome_text = format!("returns; {}", outcome(subject).await);
    table.row("monitor-self", "monitor of itself", "-", "no", &outcome_text);

    let subject = start(false).await;
    let watch = ask(subject.pid, async { spawn_monitor(async { exit("boom") }).1 }).await;
    let cause = "spawn_monitor of a child that ends at once";
    down_row(table, "monitor-child-gone", cause, "boom", subject, watch).await;
    demonitor_rows(table).await;
}

async fn down_row(
    table: &mut Table,
    id: &str,
    cause: &str,
    reason: &str,
    subject: Subject,
    watch: Monitor,
) {
    down_arrived(subject, watch).await;
    table.row(id, cause, reason, "no", &outcome(subject).await);
}

async fn demonitor_rows(table: &mut Table) {
    for (id, cause, flush, late) in [
        ("demonitor-active", "demonitored while active, then it ended", false, false),
        ("demonitor-late", "demonitored with the DOWN message queued", false, true),
        ("demonitor-flush-active", "demonitored with flush while active", true, false),
        ("demonitor-flush-late", "demonitored with flush, DOWN message queued", true, true),
    ] {
        let (subject, peer, watch) = watching().await;
        if late {
            end_with(peer, boom());
            down_arrived(subject, watch).await;
        }
        let end = move || if flush { demonitor_flush(watch) } else { demonitor(watch) };
        let active = ask(subject.pid, async move { end() }).await;
        if !late {
            end_fenced(subject, peer).await;
        }
        let outcome_text = format!("{}; {}", was(active), outcome(subject).await);
        table.row(id, cause, "boom", "no", &outcome_text);
    }

    let (subject, peer, watch) = watching().await;
    let active = ask(subject.pid, async move {
        demonitor(watch);
        demonitor(watch)
    })
    .await;
    end_fenced(subject, peer).await;
    let outcome_text = format!("{}; {}", was(active), outcome(subject).await);
    table.row("demonitor-twice", "demonitored a second time", "boom", "no", &outcome_text);
}

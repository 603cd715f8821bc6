//! Exit signals and exits: of the subject itself, and of those it is linked to.

use beamish::prelude::*;

use crate::{Table, subject::*, support::*};

pub(crate) async fn exit_rows(table: &mut Table) {
    for (name, reason) in reasons() {
        for traps in [false, true] {
            let subject = start(traps).await;
            exit_process(subject.pid, reason.clone());
            let outcome = outcome(subject).await;
            table.row("exit2", "exit/2 from another process", name, yes_no(traps), &outcome);
        }
    }
    for (name, reason) in reasons() {
        for traps in [false, true] {
            let subject = start(traps).await;
            let reason = reason.clone();
            tell(subject.pid, async move { exit_process(me(), reason) });
            let outcome = outcome(subject).await;
            table.row("exit2-self", "exit/2 to itself", name, yes_no(traps), &outcome);
        }
    }
    for (name, reason) in reasons() {
        let subject = start(false).await;
        end_with(subject.pid, reason);
        table.row("exit1", "exit/1", name, "-", &outcome(subject).await);
    }
    let subject = start(false).await;
    send(subject.pid, Stop);
    table.row("body-returns", "the body returns", "-", "-", &end_of(subject).await);
    let subject = start(false).await;
    crash(subject.pid);
    table.row("body-crashes", "the body crashes", "-", "-", &outcome(subject).await);
}

pub(crate) async fn peer_rows(table: &mut Table) {
    for (name, reason) in reasons() {
        for traps in [false, true] {
            let (subject, peer) = linked(traps).await;
            end_with(peer, reason.clone());
            let outcome = after_peer(subject, peer).await;
            table.row("peer-ends", "linked peer ended with exit/1", name, yes_no(traps), &outcome);
        }
    }
}

pub(crate) async fn trap_rows(traps: bool, table: &mut Table) {
    let text = yes_no(traps);

    let (subject, peer) = linked(traps).await;
    exit_process(peer, ExitReason::Kill);
    let outcome = after_peer(subject, peer).await;
    table.row("peer-killed", "linked peer killed by exit/2", "kill", text, &outcome);

    let (subject, peer) = linked(traps).await;
    crash(peer);
    let outcome = after_peer(subject, peer).await;
    table.row("peer-crashes", "linked peer crashed", "-", text, &outcome);

    let (subject, peer) = (start(traps).await, spawn(servant()));
    ask(peer, async move { link(subject.pid).unwrap() }).await;
    end_with(peer, boom());
    let outcome = after_peer(subject, peer).await;
    table.row("peer-linked-us", "peer that made the link ended", "boom", text, &outcome);

    let cause = "spawn_link of a child that ends at once";
    let outcome = child_ends_at_once(traps).await;
    table.row("child-ends-at-once", cause, "boom", text, &outcome);

    let (subject, near, far) = chain(traps).await;
    exit_process(far, ExitReason::Kill);
    let outcome = after_peer(subject, near).await;
    table.row("chain-killed", "killed process two links away", "kill", text, &outcome);

    let (subject, near, far) = chain(traps).await;
    end_with(far, ExitReason::Kill);
    let outcome = after_peer(subject, near).await;
    table.row("chain-ends-kill", "exit/1 two links away", "kill", text, &outcome);

    link_to_nobody_rows(traps, table).await;

    let (subject, peer) = linked(traps).await;
    ask(peer, async move { exit_process(subject.pid, ExitReason::Normal) }).await;
    end_with(peer, boom());
    let outcome = after_peer(subject, peer).await;
    let cause = "linked peer sent normal by exit/2, then ended";
    table.row("exit2-then-end", cause, "boom", text, &outcome);
}

async fn child_ends_at_once(traps: bool) -> String {
    let subject = start(traps).await;
    match try_ask(subject.pid, async { spawn_link(async { exit("boom") }) }).await {
        Ok(child) => after_peer(subject, child).await,
        Err(_) => outcome(subject).await,
    }
}

async fn link_to_nobody_rows(traps: bool, table: &mut Table) {
    let text = yes_no(traps);
    let (subject, dead) = (start(traps).await, dead().await);
    let result = match ask(subject.pid, async move { link(dead) }).await {
        Ok(()) => "returns",
        Err(NoProc) => "fails with noproc",
    };
    let outcome_text = format!("{result}; {}", outcome(subject).await);
    table.row("link-dead", "link to a dead pid", "noproc", text, &outcome_text);

    let subject = start(traps).await;
    let result = ask(subject.pid, async { link(me()) }).await;
    let outcome_text = format!("{}; {}", attempt(&result), outcome(subject).await);
    table.row("link-self", "link to itself", "-", text, &outcome_text);
}

//! Links made twice, taken back, made again; trapping turned off.

use beamish::prelude::*;

use crate::{Table, subject::*, support::*};

pub(crate) async fn link_rows(table: &mut Table) {
    let (subject, peer) = linked(true).await;
    ask(subject.pid, async move {
        link(peer).unwrap();
        link(peer).unwrap();
    })
    .await;
    end_with(peer, boom());
    let outcome_text = after_peer(subject, peer).await;
    table.row("link-twice", "linked twice, peer ended", "boom", "yes", &outcome_text);

    let (subject, peer) = linked(false).await;
    ask(subject.pid, async move {
        link(peer).unwrap();
        unlink(peer);
    })
    .await;
    end_fenced(subject, peer).await;
    let cause = "linked twice, unlinked once, peer ended";
    table.row("link-twice-unlink-once", cause, "boom", "no", &outcome(subject).await);

    let (subject, peer) = linked(false).await;
    ask(subject.pid, async move { unlink(peer) }).await;
    end_fenced(subject, peer).await;
    let cause = "unlinked, peer ended";
    table.row("unlink-then-death", cause, "boom", "no", &outcome(subject).await);
    late_link_rows(table).await;
}

async fn late_link_rows(table: &mut Table) {
    let (subject, dead) = (start(false).await, dead().await);
    ask(subject.pid, async move { unlink(dead) }).await;
    let outcome_text = format!("returns; {}", outcome(subject).await);
    table.row("unlink-not-linked", "unlink of a pid never linked", "-", "no", &outcome_text);

    let (subject, peer) = linked(true).await;
    end_with(peer, boom());
    eventually!(!links_of(subject.pid).await.contains(&peer));
    ask(subject.pid, async move { unlink(peer) }).await;
    let cause = "unlink with the EXIT message already queued";
    table.row("unlink-late", cause, "boom", "yes", &outcome(subject).await);

    let (subject, peer) = linked(true).await;
    ask(subject.pid, async move {
        unlink(peer);
        link(peer).unwrap();
    })
    .await;
    end_with(peer, boom());
    let outcome_text = after_peer(subject, peer).await;
    table.row("relink", "unlinked, linked again, peer ended", "boom", "yes", &outcome_text);

    let subject = start(true).await;
    exit_process(subject.pid, "first");
    ask(subject.pid, async { trap_exit(false) }).await;
    exit_process(subject.pid, boom());
    let cause = "exit/2 after trapping was turned off";
    table.row("trap-turned-off", cause, "boom", "no", &outcome(subject).await);
}

//! The process a case is about, what can be done to it, and what became of it as text.

use beamish::prelude::*;

use crate::support::*;

pub(crate) fn reasons() -> [(&'static str, ExitReason); 7] {
    [
        ("normal", ExitReason::Normal),
        ("kill", ExitReason::Kill),
        ("killed", ExitReason::Killed),
        ("shutdown", ExitReason::Shutdown),
        ("{shutdown,bye}", ExitReason::shutdown_with("bye")),
        ("noproc", ExitReason::NoProc),
        ("boom", boom()),
    ]
}

pub(crate) fn boom() -> ExitReason {
    reason("boom")
}

fn name_of(reason: &ExitReason) -> String {
    if reason.is_panic() {
        return "crash".to_owned();
    }
    let known = reasons().into_iter().find(|(_, known)| known == reason);
    known.map_or_else(|| reason.to_string(), |(name, _)| name.to_owned())
}

pub(crate) const fn yes_no(traps: bool) -> &'static str {
    if traps { "yes" } else { "no" }
}

/// The process a case is about, linked to us and monitored by us.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) pid: Pid,
    pub(crate) watch: Monitor,
}

pub(crate) async fn start(traps: bool) -> Subject {
    let spawned = SpawnOptions::new().link().monitor().spawn(servant()).unwrap();
    ask(spawned.pid, async move { trap_exit(traps) }).await;
    Subject { pid: spawned.pid, watch: spawned.monitor.unwrap() }
}

pub(crate) async fn linked(traps: bool) -> (Subject, Pid) {
    let subject = start(traps).await;
    let peer = ask(subject.pid, async { spawn_link(servant()) }).await;
    (subject, peer)
}

pub(crate) async fn chain(traps: bool) -> (Subject, Pid, Pid) {
    let (subject, near) = linked(traps).await;
    let far = ask(near, async { spawn_link(servant()) }).await;
    (subject, near, far)
}

pub(crate) async fn watching() -> (Subject, Pid, Monitor) {
    let (subject, peer) = (start(false).await, spawn(servant()));
    let watch = ask(subject.pid, async move { monitor(peer) }).await;
    (subject, peer, watch)
}

pub(crate) async fn dead() -> Pid {
    let pid = spawn(async {});
    ended(pid).await;
    pid
}

pub(crate) fn end_with(pid: Pid, reason: ExitReason) {
    tell(pid, async move { exit(reason) });
}

pub(crate) fn crash(pid: Pid) {
    tell(pid, async { panic!("boom") });
}

/// Like [`ask`], but a servant that dies first is an answer too.
pub(crate) async fn try_ask<T: Send + 'static>(
    servant: Pid,
    job: impl Future<Output = T> + Send + 'static,
) -> Result<T, ExitReason> {
    let watch = monitor(servant);
    let wanted = order(servant, job);
    receive! {
        Reply { tag, value }: Reply<T> if tag == wanted => {
            demonitor_flush(watch);
            Ok(value)
        },
        down: Down if down.monitor == watch => Err(down.reason),
        after PATIENCE => panic!("{servant} neither answers nor dies"),
    }
}

/// The subject's outcome once it has acted on the end of this peer: their link is gone, or it is.
pub(crate) async fn after_peer(subject: Subject, peer: Pid) -> String {
    eventually!({
        let links = try_ask(subject.pid, async { links_of(me()).await }).await;
        links.is_ok_and(|links| !links.contains(&peer)) || !is_alive(subject.pid)
    });
    outcome(subject).await
}

/// Ends a peer that the subject does not care for any more, and returns when the subject has seen
/// the down message of a later monitor: nothing sent before it can still be on its way.
pub(crate) async fn end_fenced(subject: Subject, peer: Pid) {
    let watch = ask(subject.pid, async move { monitor(peer) }).await;
    end_with(peer, boom());
    ask(subject.pid, down_of(watch)).await;
}

/// The subject waits for this down message, and leaves it in its mailbox.
pub(crate) async fn down_arrived(subject: Subject, watch: Monitor) {
    ask(subject.pid, put_back_down(watch)).await;
}

pub(crate) async fn put_back_down(watch: Monitor) {
    let down = receive::<Down>().filter(move |down| down.monitor == watch).await;
    send(me(), down);
}

pub(crate) async fn outcome(subject: Subject) -> String {
    match try_ask(subject.pid, mailbox()).await {
        Ok(messages) => {
            unlink(subject.pid);
            exit_process(subject.pid, ExitReason::Kill);
            demonitor_flush(subject.watch);
            let seen = if messages.is_empty() { "nothing".into() } else { messages.join(", ") };
            format!("lives; saw {seen}")
        }
        Err(_) => end_of(subject).await,
    }
}

pub(crate) async fn end_of(subject: Subject) -> String {
    let down = name_of(&down_of(subject.watch).await);
    let exit = name_of(&exit_of(subject.pid).await);
    if down == exit {
        format!("dies; seen as {down}")
    } else {
        format!("dies; link says {exit}, monitor says {down}")
    }
}

/// Everything in the mailbox of the process that runs it, as the golden table writes it.
async fn mailbox() -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        receive! {
            exit: Exit => seen.push(format!("EXIT {}", name_of(&exit.reason))),
            down: Down => seen.push(match &down.name {
                Some(name) => format!("DOWN {} {}", name.as_str(), name_of(&down.reason)),
                None => format!("DOWN {}", name_of(&down.reason)),
            }),
            text: &'static str => seen.push(text.to_owned()),
            after 0 => return seen,
        }
    }
}

pub(crate) fn attempt<T, E>(result: &Result<T, E>) -> &'static str {
    if result.is_ok() { "returns" } else { "fails" }
}

pub(crate) const fn was(active: bool) -> &'static str {
    if active { "was active" } else { "was not active" }
}

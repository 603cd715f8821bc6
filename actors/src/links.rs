//! Linking processes: the functions for users. The protocol is in `link.rs`.

use thiserror::Error;

use crate::{ambient::with_turn, link::Links, pid::Pid, signal::Signal, turn::Turn};

/// The process to be linked does not exist.
///
/// As an error of a process body it becomes [`ExitReason::NoProc`](crate::ExitReason::NoProc).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("noproc: no such process")]
pub struct NoProc;

/// Links the current process with another: when one ends, the other gets an exit signal with the
/// reason. That ends it too, unless the reason is normal or it traps exits ([`trap_exit`]).
///
/// Links have no direction, and there is one per pair: linking again changes nothing. A link to
/// oneself is none.
///
/// # Errors
/// [`NoProc`] if the process does not exist any more. A process that traps exits gets the
/// [`Exit`](crate::Exit) message with `ExitReason::NoProc` instead. A process that ends while the
/// request is on its way answers by such an exit signal too.
///
/// # Panics
/// Outside a process.
pub fn link(pid: Pid) -> Result<(), NoProc> {
    with_turn(|turn| turn.link(pid))
}

/// As [`link`]; should the linked process end while this one traps exits, the
/// [`Exit`](crate::Exit) message is a priority message.
///
/// Linking again with [`link`] takes that back.
///
/// # Errors
/// As [`link`].
///
/// # Panics
/// Outside a process.
pub fn link_priority(pid: Pid) -> Result<(), NoProc> {
    with_turn(|turn| {
        turn.link(pid)?;
        turn.private().with_extra(|extra| extra.rare().urgent_links.insert(pid));
        Ok(())
    })
}

/// Removes a link. From now on no exit of that process reaches the current one through the former
/// link; an [`Exit`](crate::Exit) message that is in the mailbox already stays. Without a link it
/// does nothing.
///
/// # Panics
/// Outside a process.
pub fn unlink(pid: Pid) {
    with_turn(|turn| {
        turn.charge(1);
        turn.forget_urgent_link(pid);
        if let Some(signal) = turn.with_links(|links| links.unlink(pid)) {
            turn.signal(pid, Signal::Link { from: turn.pid(), signal });
        }
    });
}

/// Decides whether exit signals end the current process (`false`, the default) or arrive as
/// [`Exit`](crate::Exit) messages (`true`); returns the former choice.
///
/// `ExitReason::Kill` from [`exit_process`](crate::exit_process) can not be trapped.
///
/// # Panics
/// Outside a process.
pub fn trap_exit(trap: bool) -> bool {
    with_turn(|turn| {
        let mut flags = turn.private().flags.get();
        let before = std::mem::replace(&mut flags.trap_exit, trap);
        turn.private().flags.set(flags);
        before
    })
}

impl Turn<'_> {
    fn link(&self, peer: Pid) -> Result<(), NoProc> {
        self.charge(1);
        if peer == self.pid() {
            return Ok(());
        }
        self.forget_urgent_link(peer);
        let Some(signal) = self.with_links(|links| links.link(peer)) else { return Ok(()) };
        if self.shared().is_alive(peer) {
            self.signal(peer, Signal::Link { from: self.pid(), signal });
            return Ok(());
        }
        if self.private().flags.get().trap_exit {
            self.signal(self.pid(), Signal::LinkMissing { from: peer });
            return Ok(());
        }
        let _ = self.with_links(|links| links.peer_missing(peer));
        Err(NoProc)
    }

    /// Works on the links, and keeps the census right.
    pub(crate) fn with_links<R>(&self, f: impl FnOnce(&mut Links) -> R) -> R {
        self.private().with_extra(|extra| {
            let before = extra.links.len();
            let result = f(&mut extra.links);
            self.shared().tally.links.add(extra.links.len() as i64 - before as i64);
            result
        })
    }

    /// Whether the link was one of priority; it is not any more.
    pub(crate) fn forget_urgent_link(&self, peer: Pid) -> bool {
        let forget = |extra: &mut crate::extra::Extra| {
            extra.rare.as_deref_mut().is_some_and(|rare| rare.urgent_links.remove(&peer))
        };
        self.private().if_extra(forget).unwrap_or(false)
    }
}

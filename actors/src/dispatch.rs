//! Handling the signals that came: at the start of each turn, and when a receive runs dry.
//!
//! Control signals take effect here whether or not the process ever receives; messages go to the
//! mailbox.

use crate::{
    delivery::{answer_for_the_dead, former_tenant},
    exit::{Exit, ExitReason},
    inbox::Chain,
    link::LinkSignal,
    node::{Kind, Message},
    pid::Pid,
    report,
    signal::Signal,
    turn::Turn,
};

/// Why an exit signal came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// `exit_process`, from whoever.
    Asked,
    /// A linked process ended.
    Link,
}

impl Turn<'_> {
    /// The start of a turn: takes in the signal that unparked the process, then what came since.
    #[inline]
    pub(crate) fn take_in_first(&self) {
        if let Some(message) = self.private().take_handed() {
            let header = message.header();
            if header.kind() == Kind::Plain && header.generation() == self.pid().generation() {
                self.shared().tally.messages.add(1);
                self.private().arrive(message);
            } else {
                self.take_in_all(&Chain::of(message));
            }
            self.look_at_length();
        }
        self.drain();
    }

    /// Takes everything out of the inbox; whether anything was in it.
    ///
    /// A destructor may call it while older signals are being taken in: then it takes nothing.
    #[inline]
    pub(crate) fn drain(&self) -> bool {
        if self.slot().inbox.looks_empty() || self.taking_in.get() {
            return false;
        }
        let generation = self.pid().generation();
        let (mut plain, mut count) = (true, 0);
        let (chain, woken) = self.slot().inbox.drain(|header| {
            plain &= header.kind() == Kind::Plain && header.generation() == generation;
            count += 1;
        });
        if woken {
            self.poll_again();
        }
        if plain && !self.is_dying() {
            self.shared().tally.messages.add(i64::from(count));
            self.private().arrive_all(chain, count);
        } else {
            self.take_in_all(&chain);
        }
        self.look_at_length();
        true
    }

    #[inline]
    fn look_at_length(&self) {
        if self.private().extra.borrow().is_some() {
            self.warn_if_long();
        }
    }

    /// Handles signals one by one; those behind one that ends the process are left unread.
    #[inline(never)]
    fn take_in_all(&self, chain: &Chain) {
        let before = self.private().queue_len.get();
        self.taking_in.set(true);
        while let Some(message) = chain.pop() {
            if self.is_dying() {
                self.unread.push(message);
            } else {
                // A value that is dropped here, in an exit reason say, may panic.
                crate::panics::contain(|| self.take_in(message));
            }
        }
        self.taking_in.set(false);
        let after = self.private().queue_len.get();
        self.shared().tally.messages.add(i64::from(after) - i64::from(before));
    }

    #[inline]
    fn take_in(&self, message: Message) {
        if message.header().generation() != self.pid().generation() {
            return answer_for_the_dead(former_tenant(self.pid(), &message), message);
        }
        match message.header().kind() {
            Kind::Plain => self.private().arrive(message),
            Kind::Aliased => self.arrive_aliased(message, false),
            Kind::Priority => self.arrive_aliased(message, true),
            Kind::End => self.arrive_end(message),
            Kind::Signal => report::contained(self, || self.handle(message.into_signal())),
        }
    }

    fn handle(&self, signal: Signal) {
        match signal {
            Signal::Exit { from, reason, alias } => self.arrive_asked_exit(from, reason, alias),
            Signal::LinkExit { from, reason } => {
                if self.with_links(|links| links.peer_exited(from)) {
                    self.arrive_exit(from, reason, Cause::Link, self.forget_urgent_link(from));
                }
            }
            Signal::LinkMissing { from } => {
                if self.with_links(|links| links.peer_missing(from)) {
                    let urgent = self.forget_urgent_link(from);
                    self.arrive_exit(from, ExitReason::NoProc, Cause::Link, urgent);
                }
            }
            Signal::Link { from, signal } => self.arrive_link_signal(from, signal),
            Signal::Monitor { reference, watcher } => self.add_watcher(reference, watcher),
            Signal::Demonitor { reference } => self.remove_watcher(reference),
            Signal::Down { reference, pid, reason } => self.arrive_down(reference, pid, reason),
            Signal::Info(request) => request.answer(Some(self.describe())),
            Signal::TimerStarted(key) => self.own_timer(key),
            Signal::Stop => self.die(ExitReason::Killed),
            Signal::Suspend(done) => self.suspend(done),
            Signal::Resume => self.resume(),
        }
    }

    fn arrive_link_signal(&self, from: Pid, signal: LinkSignal) {
        if let Some(answer) = self.with_links(|links| links.receive(from, signal)) {
            self.signal(from, Signal::Link { from: self.pid(), signal: answer });
        }
    }

    fn arrive_asked_exit(&self, from: Pid, reason: ExitReason, alias: Option<(u64, bool)>) {
        let Some((id, priority)) = alias else {
            return self.arrive_exit(from, reason, Cause::Asked, false);
        };
        // Unlike a message, an exit signal is no reply: it does not turn a reply alias off.
        if let Some(state) = self.find_alias(id) {
            self.arrive_exit(from, reason, Cause::Asked, state.priority && priority);
        }
    }

    /// The rules of exit signals (docs/semantics.md, S-EXIT).
    pub(crate) fn arrive_exit(&self, from: Pid, reason: ExitReason, cause: Cause, urgent: bool) {
        if cause == Cause::Asked && reason == ExitReason::Kill {
            return self.die(ExitReason::Killed);
        }
        if self.private().flags.get().trap_exit {
            let message = Message::new(Exit { from, reason });
            return if urgent {
                self.private().arrive_urgent(message);
            } else {
                self.private().arrive(message);
            };
        }
        let to_itself = cause == Cause::Asked && from == self.pid();
        if !reason.is_normal() || to_itself {
            self.die(reason);
        }
    }

    fn warn_if_long(&self) {
        let length = self.private().queue_len.get();
        let warn = self.private().if_extra(|extra| {
            let mark = &mut extra.rare.as_deref_mut()?.warning_mark;
            // Once per crossing: the next warning comes at twice the length.
            let reached = mark.filter(|mark| length >= *mark)?;
            *mark = Some(reached.saturating_mul(2).max(1));
            Some(())
        });
        if let Some(Some(())) = warn {
            report::long_mailbox(self, length);
        }
    }

    /// Drops a message, whatever its destructor does.
    pub(crate) fn discard(&self, message: Message) {
        crate::panics::contain(|| drop(message));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{
        Reference, Runtime, ambient::with_turn, demonitor_flush, me, monitor, receive, send,
    };

    /// Sends from its destructor, and looks into the inbox.
    #[derive(Debug, PartialEq)]
    struct Loud;

    impl Drop for Loud {
        fn drop(&mut self) {
            send(me(), "second");
            demonitor_flush(monitor(me()));
        }
    }

    /// What comes while signals are taken in waits until they are.
    #[test]
    fn a_destructor_that_looks_into_the_inbox_changes_no_order() {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        let order = runtime.block_on(async {
            let nobodys = Reference::new(me().node(), u64::MAX);
            with_turn(|turn| turn.tell_end(me(), nobodys, &ExitReason::custom(Loud)));
            send(me(), "first");
            [receive::<&str>().await, receive::<&str>().await]
        });
        assert_eq!(order, Ok(["first", "second"]));
    }
}

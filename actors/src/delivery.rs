//! Delivering signals, from processes and from outside.

use std::num::NonZeroU64;

use crate::{
    ambient::try_turn,
    exit::ExitReason,
    link::LinkSignal,
    node::{Kind, Message},
    panics,
    pid::Pid,
    shared::{Shared, runtime_of},
    signal::Signal,
    slot::Delivery,
    turn::Turn,
};

impl Turn<'_> {
    /// Delivers a signal from the current process.
    #[inline]
    pub(crate) fn deliver(&self, pid: Pid, mut message: Message) {
        message.address(pid.generation());
        let Some(slot) = self.shared().find(pid) else { return deliver_far(self, pid, message) };
        match slot.push(message) {
            Delivery::Done => {}
            Delivery::Schedule => self.worker().schedule(slot.task(), slot.priority()),
            Delivery::Refused(message) => answer_for_the_dead(pid, message),
        }
    }

    /// As [`Turn::signal`]; if it makes the receiver run, then at least with the priority of the
    /// sender, which waits for the answer.
    pub(crate) fn signal_with_priority(&self, pid: Pid, signal: Signal) {
        let mut message = Message::signal(signal);
        message.address(pid.generation());
        let Some(slot) = self.shared().find(pid) else { return deliver_far(self, pid, message) };
        match slot.push(message) {
            Delivery::Done => {}
            Delivery::Schedule => {
                let priority = slot.priority().max(self.slot().priority());
                self.worker().schedule(slot.task(), priority);
            }
            Delivery::Refused(message) => answer_for_the_dead(pid, message),
        }
    }

    #[inline]
    pub(crate) fn signal(&self, pid: Pid, signal: Signal) {
        self.deliver(pid, Message::signal(signal));
    }
}

/// The process is dead, or lives in another runtime.
#[cold]
fn deliver_far(turn: &Turn<'_>, pid: Pid, message: Message) {
    if pid.node() == turn.shared().node() {
        answer_for_the_dead(pid, message);
    } else {
        deliver_from_outside(pid, message);
    }
}

impl Shared {
    /// Delivers a signal to a process of this runtime, from any thread.
    pub(crate) fn deliver(&self, pid: Pid, mut message: Message) {
        message.address(pid.generation());
        let Some(slot) = self.find(pid) else { return answer_for_the_dead(pid, message) };
        match slot.push(message) {
            Delivery::Done => {}
            Delivery::Schedule => self.scheduler.schedule(slot.task(), slot.priority()),
            Delivery::Refused(message) => answer_for_the_dead(pid, message),
        }
    }
}

/// Delivers a signal to a process of any runtime, from any thread.
pub(crate) fn deliver_anywhere(pid: Pid, message: Message) {
    let here = |turn: &Turn<'_>| turn.shared().node() == pid.node();
    try_turn(|turn| match turn {
        Some(turn) if here(turn) => turn.deliver(pid, message),
        _ => deliver_from_outside(pid, message),
    });
}

fn deliver_from_outside(pid: Pid, message: Message) {
    match runtime_of(pid) {
        Some(shared) => shared.deliver(pid, message),
        None => answer_for_the_dead(pid, message),
    }
}

/// A signal found no process: requests are answered as OTP does, all else vanishes.
#[cold]
pub(crate) fn answer_for_the_dead(dead: Pid, message: Message) {
    // What the destructor of a message or reason does must not harm the sender.
    panics::contain(|| match message.header().kind() {
        Kind::Signal => answer_request(dead, message.into_signal()),
        _ => drop(message),
    });
}

fn answer_request(dead: Pid, signal: Signal) {
    match signal {
        Signal::Link { from, signal: LinkSignal::Link } => {
            deliver_anywhere(from, Message::signal(Signal::LinkMissing { from: dead }));
        }
        Signal::Link { from, signal: LinkSignal::Unlink(id) } => {
            let signal = LinkSignal::Ack(id);
            deliver_anywhere(from, Message::signal(Signal::Link { from: dead, signal }));
        }
        Signal::Monitor { reference, watcher } => {
            let reason = ExitReason::NoProc;
            let down = Signal::Down { reference: reference.id(), pid: Some(dead), reason };
            deliver_anywhere(watcher, Message::signal(down));
        }
        Signal::TimerStarted(key) => {
            if let Some(shared) = runtime_of(dead) {
                shared.cancel_contained(key);
            }
        }
        // Requests answer "nobody there" when dropped.
        _ => {}
    }
}

/// The former tenant of a slot that a signal was meant for.
pub(crate) fn former_tenant(present: Pid, message: &Message) -> Pid {
    let generation = NonZeroU64::new(message.header().generation()).unwrap_or(NonZeroU64::MIN);
    Pid::new(present.node(), present.index(), generation)
}

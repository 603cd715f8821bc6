//! The end of a process.
//!
//! # Steps
//!
//! 1. The inbox is closed: from here on the process is not alive, and new signals are answered by
//!    their senders.
//! 2. The future and everything in the mailbox are dropped, as the process: destructors may call
//!    `me()`, send, and so on. A destructor that panics is reported and harms nothing.
//! 3. An abnormal end is reported.
//! 4. What others can see is released: the name, the timers.
//! 5. Links and monitors are told, in portions of [`PORTION`] per turn, so that the end of a
//!    process with a million links stalls no worker.
//! 6. Requests that came too late are answered as by a process that does not exist.
//! 7. The generation is raised and the slot let again.
//!
//! Names go before anyone is told, so whoever hears of the end can take the name.

use crossbeam_channel::Sender;

use crate::{
    ambient,
    delivery::{answer_for_the_dead, former_tenant},
    exit::ExitReason,
    extra::Extra,
    inbox::Chain,
    monitor::{Monitoring, Watcher},
    node::Kind,
    panics,
    pooled::Pooled,
    reference::Reference,
    report,
    signal::Signal,
    slot::{Flags, Stage},
    turn::Turn,
};

/// Signals per turn of an ending process: some 50 us of work.
const PORTION: usize = 1_000;

/// How often what destructors leave behind is cleared: a value whose destructor always leaves another
/// one must not hold the worker for ever.
const ROUNDS: usize = 1_000;

/// What an ended process has yet to say.
pub(crate) struct Farewell {
    reason: ExitReason,
    extra: Pooled<Extra>,
    /// A thread that waits for the process: told when all else is done.
    thread: Option<Sender<ExitReason>>,
    /// Control signals that came too late.
    unread: Chain,
}

/// Ends the process of this turn. The reason stays where it is until it is needed elsewhere: most
/// are one word, and moved as four.
pub(crate) fn terminate(turn: &Turn<'_>, reason: &mut ExitReason) {
    let private = turn.private();
    let unread = turn.unread.take();
    unread.append(&turn.slot().inbox.close());
    let waiting = private.queue_len.get() as usize;
    // For the report: the body is gone by then.
    let _ = turn.kind_of_body();
    let body = private.take_body();
    report::contained(turn, || drop(body));
    if private.has_messages() || !unread.is_empty() {
        drop_messages(turn, &unread);
    }
    if reason.is_abnormal() {
        report::crash(turn, reason, waiting);
    }
    turn.shared().names.process_exited(turn.slot(), turn.pid());
    if unread.is_empty() && private.extra.borrow().is_none() {
        if let Some((reference, parent)) = turn.slot().parents_monitor() {
            turn.tell_end(parent, reference, reason);
        }
        if !reason.is_normal() {
            report::contained(turn, || drop(take(reason)));
        }
        return finish(turn);
    }
    drop_all_belongings(turn);
    let mut extra = private.extra.take().unwrap_or_default();
    if let Some((reference, parent)) = turn.slot().parents_monitor() {
        extra.watchers.insert_new(reference, Watcher::Process(parent));
    }
    say(turn, Farewell::new(turn, take(reason), extra, unread));
}

fn take(reason: &mut ExitReason) -> ExitReason {
    std::mem::replace(reason, ExitReason::Normal)
}

/// Goes on with an end that took longer than a turn.
pub(crate) fn resume(turn: &Turn<'_>) {
    let farewell = turn.private().if_extra(|extra| extra.rare().farewell.take());
    if let Some(Some(farewell)) = farewell {
        say(turn, farewell);
    }
}

/// Drops all messages; of `unread`, control signals stay.
#[inline(never)]
fn drop_messages(turn: &Turn<'_>, unread: &Chain) {
    let private = turn.private();
    turn.shared().tally.messages.add(-i64::from(private.queue_len.replace(0)));
    let all = private.fresh.take();
    private.if_extra(|extra| extra.saved.drain().for_each(|message| all.push(message)));
    all.append(unread);
    while let Some(message) = all.pop() {
        match message.header().kind() {
            Kind::Signal => unread.push(message),
            _ => report::contained(turn, || drop(message)),
        }
    }
}

/// Drops what users gave the process to keep, and what the destructors give it meanwhile.
fn drop_all_belongings(turn: &Turn<'_>) {
    let _ = (0..ROUNDS).all(|_| drop_belongings(turn));
}

/// Drops what users gave the process to keep; false if there was nothing. What their destructors
/// give it meanwhile is there for the next round.
fn drop_belongings(turn: &Turn<'_>) -> bool {
    let taken = turn.private().if_extra(|extra| {
        if extra.rare.is_none() && extra.saved.is_empty() && extra.monitors.len() == 0 {
            return None;
        }
        let saved: Vec<_> = extra.saved.drain().collect();
        let taggers: Vec<_> =
            extra.monitors.values_mut().filter_map(Monitoring::forget_tag).collect();
        let rare = extra.rare.as_deref_mut().map(|rare| {
            let urgent: Vec<_> = rare.urgent.drain().collect();
            let timers: Vec<_> = rare.timers.drain().collect();
            (urgent, timers, std::mem::take(&mut rare.dictionary))
        });
        Some((saved, taggers, rare))
    });
    let Some((saved, taggers, rare)) = taken.flatten() else { return false };
    let (urgent, timers, dictionary) = rare.unwrap_or_default();
    let counts = [saved.len(), taggers.len(), urgent.len(), timers.len(), dictionary.len()];
    saved.into_iter().chain(urgent).for_each(|message| report::contained(turn, || drop(message)));
    taggers.into_iter().for_each(|tagger| report::contained(turn, || drop(tagger)));
    timers.into_iter().for_each(|key| turn.shared().cancel_contained(key));
    dictionary.into_values().for_each(|value| report::contained(turn, || drop(value)));
    counts.iter().any(|count| *count > 0)
}

impl Farewell {
    fn new(turn: &Turn<'_>, reason: ExitReason, mut extra: Pooled<Extra>, unread: Chain) -> Self {
        let tally = &turn.shared().tally;
        tally.links.add(-(extra.links.len() as i64));
        tally.monitors.add(-(extra.monitors.len() as i64));
        extra.links.make_list();
        extra.watchers.make_list();
        extra.monitors.make_list();
        Self { reason, extra, thread: None, unread }
    }

    /// Says up to [`PORTION`] things; true when there is no more to say.
    fn say_portion(&mut self, turn: &Turn<'_>) -> bool {
        (0..PORTION).any(|_| !self.say_one(turn))
    }

    fn say_one(&mut self, turn: &Turn<'_>) -> bool {
        let (from, extra) = (turn.pid(), &mut *self.extra);
        if let Some(peer) = extra.links.pop_active() {
            turn.signal(peer, Signal::LinkExit { from, reason: self.reason.clone() });
        } else if let Some((reference, watcher)) = extra.watchers.pop() {
            match watcher {
                Watcher::Thread(sender) => self.thread = Some(sender),
                Watcher::Process(watcher) => turn.tell_end(watcher, reference, &self.reason),
            }
        } else if let Some((reference, monitoring)) = extra.monitors.pop() {
            if let Some(pid) = monitoring.pid {
                let reference = Reference::new(from.node(), reference);
                turn.signal(pid, Signal::Demonitor { reference });
            }
        } else if let Some(pid) = extra.rare.as_deref_mut().and_then(|rare| rare.suspending.pop()) {
            turn.signal(pid, Signal::Resume);
        } else if let Some(request) = self.unread.pop() {
            panics::contain(|| answer_for_the_dead(former_tenant(from, &request), request));
        } else {
            return false;
        }
        true
    }
}

#[inline(never)]
fn say(turn: &Turn<'_>, mut farewell: Farewell) {
    if farewell.say_portion(turn) {
        let Farewell { reason, thread, extra, .. } = farewell;
        report::contained(turn, || drop(extra));
        let Some(thread) = thread else {
            report::contained(turn, || drop(reason));
            return finish(turn);
        };
        finish(turn);
        // A thread that waits is told last: what it looks at next is settled. It may have stopped
        // waiting; then nobody minds.
        panics::contain(|| drop(thread.send(reason)));
        return;
    }
    let private = turn.private();
    private.with_extra(|extra| extra.rare().farewell = Some(farewell));
    private.flags.set(Flags { stage: Stage::Exiting, ..Flags::default() });
    turn.worker().schedule_back(turn.slot().task(), turn.slot().priority());
}

/// Takes back what a destructor of the exit reason did as the process: whom it linked or monitored
/// hears that there is no such process.
#[cold]
fn say_late(turn: &Turn<'_>) -> bool {
    drop_all_belongings(turn);
    let extra = turn.private().extra.take().unwrap_or_default();
    let mut farewell = Farewell::new(turn, ExitReason::NoProc, extra, Chain::default());
    while !farewell.say_portion(turn) {}
    report::contained(turn, || drop(farewell));
    true
}

/// Step 7.
fn finish(turn: &Turn<'_>) {
    let private = turn.private();
    let _ = (0..ROUNDS).all(|_| private.extra.borrow().is_some() && say_late(turn));
    // Whose destructors never stop making more is forgotten.
    std::mem::forget(private.extra.take());
    private.flags.set(Flags::default());
    private.reductions.set(0);
    // What is dropped from here on, the exit reason above all, must not find the process.
    ambient::leave();
    turn.shared().vacate(turn.worker().index(), turn.slot());
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use crate::{
        Exit, ExitReason, Pid, Runtime, link, me, monitor, process_info, receive, spawn, trap_exit,
    };

    /// Ties the process that drops it to another.
    #[derive(Debug, PartialEq)]
    struct Late(Pid);

    impl Drop for Late {
        fn drop(&mut self) {
            let _ = link(self.0);
            let _ = monitor(self.0);
        }
    }

    #[test]
    fn what_the_exit_reason_does_when_it_is_dropped_is_taken_back() {
        let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
        let handle = runtime.handle();
        let seen = runtime.block_on(async {
            trap_exit(true);
            let parent = me();
            let child = spawn(async move { Err::<(), _>(ExitReason::custom(Late(parent))) });
            let exit = receive::<Exit>().timeout(Duration::from_secs(10)).await.unwrap();
            assert_eq!(exit, Exit { from: child, reason: ExitReason::NoProc });
            process_info(me()).await.unwrap().monitored_by
        });
        assert_eq!(seen, Ok(Vec::new()));
        runtime.shutdown(Duration::from_secs(10)).unwrap();
        assert_eq!(handle.census(), crate::runtime::Census::default());
    }
}

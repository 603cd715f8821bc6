//! The task state word: who may run a process, and that it runs when there is a reason to.

use loom::{sync::Arc, thread};

use super::{Parcel, Watched, model};
use crate::{
    inbox::{Inbox, Push, Wake},
    node::Message,
    sync::{AtomicBool, Ordering},
};

/// A process without a body: whoever must schedule it runs its turn at once, so that no queue
/// adds an ordering of its own.
struct Process {
    inbox: Inbox,
    /// The message that unparked it.
    handed: Watched<Option<Message>>,
    /// What belongs to the turn alone: loom checks that turns are one after the other.
    seen: Watched<Seen>,
    /// What wakers say besides.
    ready: [AtomicBool; 2],
}

#[derive(Clone, Copy, Default)]
struct Seen {
    messages: u32,
    ready: [bool; 2],
}

impl Seen {
    fn count(&mut self, message: Message) {
        self.messages += message.downcast::<Parcel>().unwrap().open();
    }
}

impl Process {
    /// A process that waits to be run.
    fn new() -> Arc<Self> {
        let inbox = Inbox::closed();
        inbox.open();
        let ready = [AtomicBool::new(false), AtomicBool::new(false)];
        Arc::new(Self {
            inbox,
            handed: Watched::new(None),
            seen: Watched::new(Seen::default()),
            ready,
        })
    }

    /// The loop of `Turn::run`.
    fn turn(&self) {
        if let Some(message) = self.handed.with(Option::take) {
            self.seen.with(|seen| seen.count(message));
        }
        loop {
            if !self.inbox.looks_empty() {
                self.seen.with(|seen| self.take_in(seen));
            }
            if self.inbox.park() {
                return;
            }
        }
    }

    fn take_in(&self, seen: &mut Seen) {
        let (chain, woken) = self.inbox.drain(|_| ());
        while let Some(message) = chain.pop() {
            seen.count(message);
        }
        if woken {
            seen.ready = [0, 1].map(|n| self.ready[n].load(Ordering::Relaxed));
        }
    }

    fn send(&self) {
        match self.inbox.push(Message::new(Parcel::new(1))) {
            Push::Unparked(message) => {
                self.handed.with(|handed| *handed = Some(message));
                self.turn();
            }
            Push::Queued => {}
            Push::Closed(_) => unreachable!("nobody closes this inbox"),
        }
    }

    fn wake(&self, waker: usize) {
        self.ready[waker].store(true, Ordering::Relaxed);
        if self.inbox.wake() == Wake::Schedule {
            self.turn();
        }
    }

    /// What it saw, when all is quiet; it must be parked then.
    fn seen(&self) -> Seen {
        assert_eq!(self.inbox.wake(), Wake::Schedule, "the process is not parked");
        self.seen.with(|seen| *seen)
    }
}

/// A message comes while the process parks: it is seen, in one turn at a time.
///
/// Fails when `park` publishes nothing or parks whatever came, and when a push does not acquire what
/// the last turn wrote.
#[test]
fn loom_state_push_against_park() {
    model(|| {
        let process = Process::new();
        let sender = {
            let process = Arc::clone(&process);
            thread::spawn(move || {
                process.send();
                process.send();
            })
        };
        process.turn();
        sender.join().unwrap();
        assert_eq!(process.seen().messages, 2);
    });
}

/// Two senders find the process parked: one of them runs it.
///
/// Fails when a push leaves `IDLE` as it is, or looks at it and clears it in two steps.
#[test]
fn loom_state_two_senders_and_a_parked_process() {
    model(|| {
        let process = Process::new();
        assert!(process.inbox.park());
        let senders = [0, 1].map(|_| {
            let process = Arc::clone(&process);
            thread::spawn(move || process.send())
        });
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(process.seen().messages, 2);
    });
}

/// A wake comes while the process parks: the turn that answers it sees what the waker did.
///
/// Fails when `wake` publishes nothing or does not acquire what the last turn wrote, and when it
/// does nothing because another waker was first.
#[test]
fn loom_state_wake_against_park() {
    model(|| {
        let process = Process::new();
        let wakers = [0, 1].map(|waker| {
            let process = Arc::clone(&process);
            thread::spawn(move || process.wake(waker))
        });
        process.turn();
        for waker in wakers {
            waker.join().unwrap();
        }
        assert_eq!(process.seen().ready, [true, true]);
    });
}

/// A wake and a message at once: neither hides the other.
///
/// Fails when a push drops `WOKEN`.
#[test]
fn loom_state_push_against_wake() {
    model(|| {
        let process = Process::new();
        let waker = {
            let process = Arc::clone(&process);
            thread::spawn(move || process.wake(0))
        };
        let sender = {
            let process = Arc::clone(&process);
            thread::spawn(move || process.send())
        };
        process.turn();
        waker.join().unwrap();
        sender.join().unwrap();
        let seen = process.seen();
        assert_eq!((seen.messages, seen.ready[0]), (1, true));
    });
}

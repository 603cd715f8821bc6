//! The inbox of a process: one atomic word that many senders push to and one process drains.
//!
//! # Vocabulary
//!
//! The word is a pointer to the newest undrained node (a Treiber stack; nodes link to older ones)
//! and three flags in its low bits:
//!
//! * `IDLE`: the process is parked. Whoever clears the flag has the permission to run the process,
//!   and must schedule it, once.
//! * `WOKEN`: somebody woke the process without a message (a timer, a foreign waker).
//! * `CLOSED`: the process has ended or is ending; nothing is accepted any more.
//!
//! # Protocol
//!
//! 1. `push`, any thread: if the process is parked, clear `IDLE` with a compare-exchange and leave
//!    the node outside: who has the permission to run the process may hand it over directly
//!    ([`Push::Unparked`]), before anything that is pushed from then on. Otherwise link the node to
//!    the present head and publish it with a compare-exchange.
//! 2. `wake`, any thread: set `WOKEN`, clear `IDLE`; same permission. The exchange happens even
//!    when `WOKEN` is already set, so that what the waker wrote before is visible to the poll
//!    that answers it.
//! 3. `drain`, the process only: exchange with "empty, no flags". It owns the chain it gets.
//! 4. `park`, the process only, last act of its turn: "empty, no flags" becomes `IDLE`. It fails
//!    if anything came since the drain; then the turn goes on.
//! 5. `close`, the process only: exchange with `CLOSED`. Pushes that lost the race stay with
//!    their sender, which answers them as the dead process would.
//! 6. `open`, the new tenant of the slot, before its pid is known to anyone.
//!
//! There is no ABA trouble: a push does not depend on what the head points to, and nodes only
//! leave in one exchange of all. A push by someone who holds a pid of an earlier tenant may land
//! with a later one; the receiver sees the node's generation and drops it.
//!
//! # Costs
//!
//! One compare-exchange per message on the line of the receiver. With `n` cores sending to one
//! process each push moves that line: some 50 ns a message on two cores, growing with retries as
//! cores grow. A receiver that drains takes all messages with one exchange. A process that is
//! unparked by a message, and parks again when it has handled it, needs no drain at all: two locked
//! instructions for the message, the fewest that let anybody send it.
#![allow(unsafe_code, reason = "the leaf that links nodes through raw pointers")]

use std::{
    cell::Cell,
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

use beamish_runtime::prefetch;

use crate::{
    node::{Header, Message},
    sync::{AtomicPtr, Ordering},
};

const IDLE: usize = 0b001;
const WOKEN: usize = 0b010;
const CLOSED: usize = 0b100;
const FLAGS: usize = 0b111;

/// What the sender must do after a push.
#[must_use]
#[derive(Debug)]
pub(crate) enum Push {
    /// Nothing: the process is running or already scheduled.
    Queued,
    /// Hand the node over and schedule the process: it was parked, and this push unparked it.
    Unparked(Message),
    /// Answer for the dead: the node was not accepted.
    Closed(Message),
}

/// What the waker must do after a wake.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nothing: the process is running, already scheduled, or gone.
    Noted,
    /// Schedule the process.
    Schedule,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Inbox {
    word: AtomicPtr<Header>,
}

impl Inbox {
    /// An inbox without a process.
    pub(crate) fn closed() -> Self {
        Self { word: AtomicPtr::new(ptr::without_provenance_mut(CLOSED)) }
    }

    /// Accepts signals from now on. The process counts as scheduled.
    pub(crate) fn open(&self) {
        // Release pairs with the Acquire of a pusher that sees the inbox open: it then sees the
        // slot of the new tenant, not of the old one.
        self.word.store(ptr::null_mut(), Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SeqCst: `register` must not miss the close when the exiting process missed the name
        // (names.rs, rule 2). On the platforms that matter a plain load.
        self.word.load(Ordering::SeqCst).addr() & CLOSED != 0
    }

    /// Delivers a node.
    #[inline]
    pub(crate) fn push(&self, message: Message) -> Push {
        let node = message.into_raw();
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let exchanged = match word.addr() & (IDLE | CLOSED) {
                0 => self.publish(node, word).map(|()| Push::Queued),
                IDLE => {
                    // SAFETY: the node is not published, so it is ours.
                    self.unpark(word).map(|()| Push::Unparked(unsafe { Message::from_raw(node) }))
                }
                // SAFETY: as before.
                _ => Ok(Push::Closed(unsafe { Message::from_raw(node) })),
            };
            match exchanged {
                Ok(push) => return push,
                Err(now) => word = now,
            }
        }
    }

    /// Puts a node on the stack, if nothing came between; else tells the word.
    #[inline]
    fn publish(&self, node: NonNull<Header>, word: *mut Header) -> Result<(), *mut Header> {
        // SAFETY: the node is not published yet, so it is ours.
        unsafe { node.as_ref().set_next(word.map_addr(|word| word & !FLAGS)) };
        let new = node.as_ptr().map_addr(|node| node | (word.addr() & WOKEN));
        // Release: the node's content pairs with the Acquire of `drain` and `close`.
        self.word.compare_exchange_weak(word, new, Ordering::Release, Ordering::Relaxed).map(drop)
    }

    /// Takes the permission to run the process, if nobody else has; else tells the word.
    #[inline]
    fn unpark(&self, word: *mut Header) -> Result<(), *mut Header> {
        // Acquire pairs with the Release of `park`: the turn to come sees all that the last turn
        // wrote.
        self.word
            .compare_exchange_weak(word, ptr::null_mut(), Ordering::Acquire, Ordering::Relaxed)
            .map(drop)
    }

    /// Makes the process poll again, without a message.
    #[inline]
    pub(crate) fn wake(&self) -> Wake {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word.addr() & CLOSED != 0 {
                return Wake::Noted;
            }
            let new = word.map_addr(|word| (word | WOKEN) & !IDLE);
            // AcqRel as in `push`; Release also publishes what the waker did before.
            match self.word.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if word.addr() & IDLE != 0 => return Wake::Schedule,
                Ok(_) => return Wake::Noted,
                Err(now) => word = now,
            }
        }
    }

    /// Whether nothing came since the last drain, as far as can be seen.
    ///
    /// Relaxed: what is missed makes `park` fail. A look before a drain costs less than the drain,
    /// and does not take the line away from a sender.
    #[inline]
    pub(crate) fn looks_empty(&self) -> bool {
        // A closed inbox is empty too: draining it would open it again.
        self.word.load(Ordering::Relaxed).addr() & !CLOSED == 0
    }

    /// Takes all that came, and whether a wake was among it. Looks at each node, newest first.
    ///
    /// Only the process itself may call this, during its turn.
    #[inline]
    pub(crate) fn drain(&self, look: impl FnMut(&Header)) -> (Chain, bool) {
        // Acquire pairs with the Release of `push` and `wake`.
        let word = self.word.swap(ptr::null_mut(), Ordering::Acquire);
        let newest = word.map_addr(|word| word & !FLAGS);
        (Chain::from_newest(newest, look), word.addr() & WOKEN != 0)
    }

    /// Parks the process; false if something came since the last drain.
    ///
    /// Only the process itself may call this, as the last act of its turn: on success another
    /// thread may run it at once.
    #[inline]
    pub(crate) fn park(&self) -> bool {
        let idle = ptr::without_provenance_mut(IDLE);
        // Release: all that this turn wrote is visible to the one who clears IDLE.
        self.word
            .compare_exchange(ptr::null_mut(), idle, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Accepts nothing more, and takes what is left.
    ///
    /// Only the process itself may call this.
    pub(crate) fn close(&self) -> Chain {
        let closed = ptr::without_provenance_mut(CLOSED);
        // Acquire pairs with the pushes; SeqCst orders the close before the look at the name flag
        // (names.rs, rule 2).
        let word = self.word.swap(closed, Ordering::SeqCst);
        Chain::from_newest(word.map_addr(|word| word & !FLAGS), |_| ())
    }
}

/// A private list of nodes, oldest first.
#[derive(Debug)]
pub(crate) struct Chain {
    head: Cell<*mut Header>,
    tail: Cell<*mut Header>,
}

// SAFETY: a chain owns its nodes, which are `Message`s, which are `Send`.
unsafe impl Send for Chain {}

impl Default for Chain {
    fn default() -> Self {
        Self { head: Cell::new(ptr::null_mut()), tail: Cell::new(ptr::null_mut()) }
    }
}

impl Chain {
    /// Turns a stack, newest first, into a list, oldest first, and looks at each node.
    #[inline]
    fn from_newest(newest: *mut Header, mut look: impl FnMut(&Header)) -> Self {
        let mut head = ptr::null_mut::<Header>();
        let mut next = newest;
        while let Some(node) = NonNull::new(next) {
            // SAFETY: the whole stack was taken in one exchange and is ours.
            unsafe {
                look(node.as_ref());
                next = node.as_ref().next();
                node.as_ref().set_next(head);
            }
            head = node.as_ptr();
        }
        Self { head: Cell::new(head), tail: Cell::new(newest) }
    }

    /// A list of one.
    pub(crate) fn of(message: Message) -> Self {
        let chain = Self::default();
        chain.push(message);
        chain
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.get().is_null()
    }

    /// Takes all nodes out.
    #[inline]
    pub(crate) fn take(&self) -> Self {
        Self {
            head: Cell::new(self.head.replace(ptr::null_mut())),
            tail: Cell::new(self.tail.replace(ptr::null_mut())),
        }
    }

    #[inline]
    pub(crate) fn push(&self, message: Message) {
        let node = message.into_raw();
        // SAFETY: the node is ours.
        unsafe { node.as_ref().set_next(ptr::null_mut()) };
        self.link(node.as_ptr(), node.as_ptr());
    }

    /// Adds all nodes of another chain, which is empty afterwards.
    #[inline]
    pub(crate) fn append(&self, other: &Self) {
        self.append_all(other.take());
    }

    /// Adds all nodes of another chain.
    #[inline]
    pub(crate) fn append_all(&self, other: Self) {
        let other = ManuallyDrop::new(other);
        if !other.is_empty() {
            self.link(other.head.get(), other.tail.get());
        }
    }

    /// Adds nodes that are linked from `first` to `last`.
    #[inline]
    fn link(&self, first: *mut Header, last: *mut Header) {
        match NonNull::new(self.tail.replace(last)) {
            // SAFETY: all nodes of the chain are ours.
            Some(tail) => unsafe { tail.as_ref().set_next(first) },
            None => self.head.set(first),
        }
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<Message> {
        let node = NonNull::new(self.head.get())?;
        // SAFETY: the node is ours; the chain gives it up.
        unsafe {
            let next = node.as_ref().next();
            // The next one's line comes while this one is handled.
            prefetch(next);
            self.head.set(next);
            if next.is_null() {
                self.tail.set(ptr::null_mut());
            }
            Some(Message::from_raw(node))
        }
    }
}

impl Drop for Chain {
    #[inline]
    fn drop(&mut self) {
        // A loop, not recursion: ten million messages must not overflow the stack.
        while self.pop().is_some() {}
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn numbers(chain: Chain) -> Vec<i32> {
        std::iter::from_fn(|| chain.pop()).map(|m| m.downcast().unwrap()).collect()
    }

    #[test]
    fn messages_come_out_in_the_order_of_their_pushes() {
        let inbox = Inbox::closed();
        inbox.open();
        for n in 0..5 {
            assert!(matches!(inbox.push(Message::new(n)), Push::Queued));
        }
        let (chain, woken) = inbox.drain(|_| ());
        assert!(!woken);
        assert_eq!(numbers(chain), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn only_the_first_push_or_wake_after_a_park_unparks() {
        let inbox = Inbox::closed();
        inbox.open();
        assert!(inbox.park());
        let Push::Unparked(first) = inbox.push(Message::new(1)) else { panic!("it was parked") };
        assert_eq!(first.downcast().ok(), Some(1));
        assert!(matches!(inbox.push(Message::new(2)), Push::Queued));
        assert_eq!(inbox.wake(), Wake::Noted);
        assert!(!inbox.park());
        let (chain, woken) = inbox.drain(|_| ());
        assert!(woken);
        assert_eq!(numbers(chain), [2]);
        assert!(inbox.park());
        assert_eq!(inbox.wake(), Wake::Schedule);
    }

    #[test]
    fn a_closed_inbox_hands_the_message_back() {
        let inbox = Inbox::closed();
        inbox.open();
        assert!(matches!(inbox.push(Message::new(1)), Push::Queued));
        assert_eq!(numbers(inbox.close()), [1]);
        assert!(matches!(inbox.push(Message::new(2)), Push::Closed(_)));
        assert_eq!(inbox.wake(), Wake::Noted);
        assert!(inbox.is_closed() && inbox.looks_empty());
    }

    #[test]
    fn ten_million_messages_are_dropped_without_recursion() {
        let count = if cfg!(miri) { 1_000 } else { 10_000_000 };
        let inbox = Inbox::closed();
        inbox.open();
        for n in 0..count {
            let _ = inbox.push(Message::new(n));
        }
        drop(inbox.close());
    }
}

//! Receiving messages.
//!
//! [`receive`] takes the oldest message of one type; [`receive!`](crate::receive!) chooses among
//! several types, patterns and guards.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use thiserror::Error;

use crate::{
    ambient::with_turn,
    mailbox::{Cursor, Origin},
    monitor::Monitor,
    node::Message,
    reference::Reference,
    report,
    timer::Deadline,
    turn::Turn,
};

/// No message came in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("no message came in time")]
pub struct Timeout;

/// Waits for the oldest message of type `T` and takes it out of the mailbox. Messages of other
/// types stay, in order, for later receives.
///
/// Waiting costs nothing; a message that was passed over is not looked at again by this receive.
/// Dropping the future before it is ready takes nothing from the mailbox.
///
/// A message wakes the process, which polls its future from the top. So a receive may stand inside
/// whatever polls all it holds (`join!`, `select!`), but not inside a combinator that polls a future only
/// when a waker of its own was woken (`FuturesUnordered`, `join_all` of many).
///
/// # Panics
/// When awaited outside a process.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use std::time::Duration;
/// use beamish::{me, receive, send};
/// send(me(), "text");
/// send(me(), 1_u32);
/// send(me(), 2_u32);
/// assert_eq!(receive::<u32>().filter(|n| *n > 1).await, 2);
/// assert_eq!(receive::<u32>().await, 1);
/// assert!(receive::<u32>().timeout(Duration::ZERO).await.is_err());
/// assert_eq!(receive::<&str>().await, "text");
/// # }).unwrap();
/// ```
#[inline]
pub fn receive<T: Send + 'static>() -> Receive<T> {
    Receive { cursor: Cursor::default(), filter: All, wait: Forever, message: PhantomData }
}

/// The future of [`receive`]. Which messages it takes and how long it waits are part of its type,
/// so that a plain receive is two words.
#[must_use = "a receive does nothing until it is awaited"]
pub struct Receive<T, F = All, W = Forever> {
    cursor: Cursor,
    filter: F,
    wait: W,
    message: PhantomData<fn() -> T>,
}

impl<T, F, W> fmt::Debug for Receive<T, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receive<{}>", std::any::type_name::<T>())
    }
}

/// A receive without filter.
#[derive(Clone, Copy, Debug)]
pub struct All;

/// A receive with a filter.
pub struct Only<F>(F);

impl<F> fmt::Debug for Only<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Only(..)")
    }
}

/// A receive without time limit.
#[derive(Clone, Copy, Debug)]
pub struct Forever;

/// A receive with a time limit.
#[derive(Debug)]
pub struct For(Deadline);

/// Chooses messages. Not for implementing.
pub trait Filter<T>: private::Filter<T> {}

/// Decides how long to wait. Not for implementing.
pub trait Wait<T>: private::Wait<T> {}

impl<T, F: private::Filter<T>> Filter<T> for F {}
impl<T, W: private::Wait<T>> Wait<T> for W {}

mod private {

    pub trait Filter<T> {
        /// Whether every message of the type passes, so that none must be looked at.
        const ALL: bool;
        fn passes(&mut self, message: &T) -> bool;
    }

    pub trait Wait<T> {
        type Output;
        fn ready(message: T) -> Self::Output;
        /// Nothing is there: the output if the time is up.
        fn expired(&mut self) -> Option<Self::Output>;
    }
}

impl<T> private::Filter<T> for All {
    const ALL: bool = true;
    #[inline]
    fn passes(&mut self, _message: &T) -> bool {
        true
    }
}

impl<T, F: FnMut(&T) -> bool> private::Filter<T> for Only<F> {
    const ALL: bool = false;
    #[inline]
    fn passes(&mut self, message: &T) -> bool {
        (self.0)(message)
    }
}

impl<T> private::Wait<T> for Forever {
    type Output = T;
    #[inline]
    fn ready(message: T) -> T {
        message
    }
    #[inline]
    fn expired(&mut self) -> Option<T> {
        None
    }
}

impl<T> private::Wait<T> for For {
    type Output = Result<T, Timeout>;
    fn ready(message: T) -> Self::Output {
        Ok(message)
    }
    fn expired(&mut self) -> Option<Self::Output> {
        with_turn(|turn| self.0.is_over(turn)).then_some(Err(Timeout))
    }
}

impl<T, W> Receive<T, All, W> {
    /// Takes only messages for which `filter` is true.
    pub fn filter<F: FnMut(&T) -> bool>(self, filter: F) -> Receive<T, Only<F>, W> {
        let Self { cursor, wait, message, .. } = self;
        Receive { cursor, filter: Only(filter), wait, message }
    }
}

impl<T, F> Receive<T, F, Forever> {
    /// Waits at most this long, counted from now; the result becomes a `Result`. With
    /// [`Duration::ZERO`] it looks once through the mailbox.
    pub fn timeout(self, limit: Duration) -> Receive<T, F, For> {
        let Self { cursor, filter, message, .. } = self;
        Receive { cursor, filter, wait: For(Deadline::after(limit)), message }
    }
}

impl<T, F, W> Receive<T, F, W> {
    /// Looks only at messages that came after this reference (or monitor) was made by the current
    /// process: no message that contains it can be older. Makes the receive of a reply independent
    /// of the number of messages that wait.
    ///
    /// For a reference of another process, or one so old that its mark is forgotten, it looks at
    /// all messages, which is slower but finds the same.
    ///
    /// # Panics
    /// Outside a process.
    pub fn after(mut self, reference: impl Into<Reference>) -> Self {
        self.cursor = mark_of(reference.into());
        self
    }
}

/// Where a receive may start that waits for what contains this reference.
fn mark_of(reference: Reference) -> Cursor {
    let mark =
        |turn: &Turn<'_>| reference.id_in(turn.pid().node()).map_or(0, |id| turn.mark_of(id));
    Cursor::from(with_turn(mark))
}

/// Removes the messages of type `M` that pass `unwanted` from the mailbox; how many they were. Not
/// for direct use: what is not wanted should not be sent, see [`alias`](crate::alias()).
///
/// # Panics
/// Outside a process.
pub fn flush<M: Send + 'static>(mut unwanted: impl FnMut(&M) -> bool) -> usize {
    with_turn(|turn| turn.flush(|message| message.peek::<M>().is_some_and(&mut unwanted)))
}

impl From<Monitor> for Reference {
    fn from(monitor: Monitor) -> Self {
        monitor.reference()
    }
}

// Nothing in it is ever pinned.
impl<T, F, W> Unpin for Receive<T, F, W> {}

impl<T: Send + 'static, F: Filter<T>, W: Wait<T>> Future for Receive<T, F, W> {
    type Output = W::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        with_turn(|turn| this.poll_in(turn))
    }
}

impl<T: Send + 'static, F: Filter<T>, W: Wait<T>> Receive<T, F, W> {
    #[inline]
    fn poll_in(&mut self, turn: &Turn<'_>) -> Poll<W::Output> {
        if turn.must_stop() {
            return Poll::Pending;
        }
        loop {
            let candidate = turn.candidate(&mut self.cursor, |message| message.is::<T>());
            let Some((message, origin)) = candidate else { break };
            if let Some(message) = self.decide(turn, message, origin) {
                return Poll::Ready(W::ready(message));
            }
        }
        if turn.must_stop() {
            return Poll::Pending;
        }
        if let Some(expired) = self.wait.expired() {
            return Poll::Ready(expired);
        }
        turn.poll_on_message();
        Poll::Pending
    }

    #[inline]
    fn decide(&mut self, turn: &Turn<'_>, message: Message, origin: Origin) -> Option<T> {
        if F::ALL {
            turn.accepted(origin);
            return message.downcast().ok();
        }
        let held = Held::new(turn, &mut self.cursor, message, origin);
        let passes = held.peek::<T>().is_some_and(|value| self.filter.passes(value));
        if passes { held.accept().downcast().ok() } else { held.reject() }
    }
}

/// A candidate whose place in the mailbox is given up if deciding about it unwinds.
struct Held<'a> {
    turn: &'a Turn<'a>,
    cursor: &'a mut Cursor,
    message: Option<Message>,
    origin: Origin,
}

impl<'a> Held<'a> {
    #[inline]
    fn new(turn: &'a Turn<'a>, cursor: &'a mut Cursor, message: Message, origin: Origin) -> Self {
        Self { turn, cursor, message: Some(message), origin }
    }

    #[inline]
    fn peek<T: Send + 'static>(&self) -> Option<&T> {
        self.message.as_ref()?.peek()
    }

    #[inline]
    fn accept(mut self) -> Message {
        match self.message.take() {
            Some(message) => {
                self.turn.accepted(self.origin);
                message
            }
            None => unreachable!("the candidate is held"),
        }
    }

    fn reject<T>(mut self) -> Option<T> {
        if let Some(message) = self.message.take() {
            self.turn.private().reject(self.cursor, message, self.origin);
        }
        None
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.message.is_some() {
            self.turn.accepted(self.origin);
        }
    }
}

/// One [`receive!`](crate::receive!) in progress. Not for direct use.
#[derive(Debug)]
pub struct Selector {
    cursor: Cursor,
    deadline: Option<Deadline>,
    /// Where the message that is being decided about came from.
    held: Option<Origin>,
}

impl Selector {
    /// Starts a receive that waits this long, or for ever.
    #[inline]
    pub fn new(timeout: impl Into<Option<Duration>>) -> Self {
        let deadline = timeout.into().map(Deadline::after);
        Self { cursor: Cursor::default(), deadline, held: None }
    }

    /// Looks only at messages that came after this reference was made by the current process.
    ///
    /// # Panics
    /// Outside a process.
    #[must_use]
    pub fn after(mut self, reference: Reference) -> Self {
        self.cursor = mark_of(reference);
        self
    }

    /// Starts where the other one does.
    pub fn start_as(&mut self, other: &Self) {
        self.cursor = other.cursor;
    }

    /// Starts where the other one does, if that is earlier.
    pub fn start_with(&mut self, other: &Self) {
        self.cursor = self.cursor.earlier(other.cursor);
    }

    /// Waits this long from now on, or for ever.
    pub fn wait_for(&mut self, limit: Option<Duration>) {
        self.deadline = limit.map(Deadline::after);
    }

    /// The next message to decide about; none if the time is up.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "a future's `next`, as streams have it")]
    pub fn next(&mut self) -> Next<'_> {
        Next(self)
    }

    /// The message does not match: it goes back to its place.
    #[inline]
    pub fn reject(&mut self, message: Message) {
        if let Some(origin) = self.held.take() {
            with_turn(|turn| turn.private().reject(&mut self.cursor, message, origin));
        }
    }

    /// The message was taken.
    #[inline]
    pub fn accept(&mut self) {
        self.give_up_place();
    }

    #[inline]
    fn give_up_place(&mut self) {
        if let Some(origin) = self.held.take() {
            with_turn(|turn| turn.accepted(origin));
        }
    }

    #[inline]
    fn poll_in(&mut self, turn: &Turn<'_>) -> Poll<Option<Message>> {
        if turn.must_stop() {
            return Poll::Pending;
        }
        if let Some((message, origin)) = turn.candidate(&mut self.cursor, |_| true) {
            self.held = Some(origin);
            return Poll::Ready(Some(message));
        }
        if turn.must_stop() {
            return Poll::Pending;
        }
        if self.deadline.as_mut().is_some_and(|deadline| deadline.is_over(turn)) {
            return Poll::Ready(None);
        }
        turn.poll_on_message();
        Poll::Pending
    }
}

impl Drop for Selector {
    fn drop(&mut self) {
        // A guard that panics leaves a message undecided: it is gone with the crash.
        self.give_up_place();
    }
}

/// The future of [`Selector::next`].
#[derive(Debug)]
#[must_use = "a receive does nothing until it is awaited"]
pub struct Next<'a>(&'a mut Selector);

impl Future for Next<'_> {
    type Output = Option<Message>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Self::Output> {
        let selector = &mut *self.get_mut().0;
        with_turn(|turn| selector.poll_in(turn))
    }
}

impl Turn<'_> {
    /// Removes all messages that pass `unwanted` from the mailbox; how many they were.
    pub(crate) fn flush(&self, unwanted: impl FnMut(&Message) -> bool) -> usize {
        self.drain();
        let flushed = self.private().flush(unwanted);
        let count = flushed.len();
        self.shared().tally.messages.add(-(count as i64));
        flushed.into_iter().for_each(|message| report::contained(self, || drop(message)));
        count
    }

    /// Whether a receive must give way: the process is to end, or its turn is used up.
    #[inline]
    pub(crate) fn must_stop(&self) -> bool {
        if !self.is_used_up() {
            return false;
        }
        if !self.is_dying() {
            self.yield_after_poll();
        }
        true
    }

    /// The next candidate, looking into the inbox when the private lists run dry.
    #[inline]
    fn candidate(
        &self,
        cursor: &mut Cursor,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<(Message, Origin)> {
        let private = self.private();
        if private.has_messages()
            && let Some(found) = private.candidate(cursor, &wanted)
        {
            return Some(found);
        }
        // A signal among them may have ended the turn.
        if !self.drain() || self.is_used_up() {
            return None;
        }
        private.candidate(cursor, &wanted)
    }

    #[inline]
    fn accepted(&self, origin: Origin) {
        self.charge(1);
        self.shared().tally.messages.add(-1);
        self.private().accept(origin);
    }
}

//! The private side of a mailbox: what was drained from the inbox and not received yet.
//!
//! # Stages
//!
//! A message goes through three places, always in order of arrival: the shared inbox (inbox.rs),
//! the `fresh` chain, which no receive has looked at, and the `saved` list, which holds what some
//! receive looked at and passed over. A process that takes everything as it comes never touches
//! the third.
//!
//! # Never looking twice
//!
//! Saved messages are numbered in order. A receive that waits remembers the number up to which it
//! has looked ([`Cursor`]), so a rejected message is not looked at again by the same receive. A
//! reference remembers where the numbering stood when it was made ([`Mark`]): no message that
//! holds the reference can have a lower number, so a receive for it starts there, whatever the
//! backlog. (This is Erlang's receive mark.)
//!
//! # Priority messages
//!
//! They wait in a list of their own, before all others, and are offered first.

use std::collections::VecDeque;

use crate::{extra::Extra, inbox::Chain, node::Message, slot::Private};

/// A number in the order of passed-over messages.
pub(crate) type Mark = u64;

/// Messages that were looked at and passed over, numbered in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    entries: VecDeque<Entry>,
    /// The number of the next message to be saved.
    end: Mark,
}

#[derive(Debug)]
struct Entry {
    number: Mark,
    /// None while a receive holds the message to decide about it.
    message: Option<Message>,
}

impl Saved {
    pub(crate) fn end(&self) -> Mark {
        self.end
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.entries.push_back(Entry { number: self.end, message: Some(message) });
        self.end += 1;
    }

    /// The index of the first entry numbered `from` or higher.
    fn index(&self, from: Mark) -> usize {
        let Some(first) = self.entries.front() else { return 0 };
        if from <= first.number {
            return 0;
        }
        // Numbers only grow and gaps only shrink the distance: the entry is here or before.
        let at_most = usize::try_from(from - first.number).unwrap_or(usize::MAX);
        match self.entries.get(at_most) {
            Some(entry) if entry.number == from => at_most,
            _ if self.entries.back().is_none_or(|last| last.number < from) => self.entries.len(),
            _ => self.entries.partition_point(|entry| entry.number < from),
        }
    }

    /// Takes the first message from `cursor` on that passes `wanted`, leaving its place.
    fn take(&mut self, cursor: &mut Mark, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let from = self.index(*cursor);
        for entry in self.entries.range_mut(from..) {
            *cursor = entry.number + 1;
            if entry.message.as_ref().is_some_and(&wanted) {
                return entry.message.take();
            }
        }
        *cursor = (*cursor).max(self.end);
        None
    }

    /// Puts a message back in its place.
    fn put_back(&mut self, number: Mark, message: Message) {
        let index = self.index(number);
        match self.entries.get_mut(index) {
            Some(entry) if entry.number == number => entry.message = Some(message),
            // The place is gone only if a guard flushed the mailbox meanwhile.
            _ => self.entries.insert(index, Entry { number, message: Some(message) }),
        }
    }

    /// Gives up the place of a message that was taken.
    fn forget(&mut self, number: Mark) {
        let index = self.index(number);
        if self.entries.get(index).is_some_and(|entry| entry.number == number) {
            self.entries.remove(index);
        }
    }

    /// Takes out all messages that pass `unwanted`.
    fn extract(&mut self, mut unwanted: impl FnMut(&Message) -> bool, out: &mut Vec<Message>) {
        self.entries.retain_mut(|entry| {
            let goes = entry.message.as_ref().is_some_and(&mut unwanted);
            if goes {
                out.extend(entry.message.take());
            }
            !goes
        });
    }

    fn iter(&self) -> impl Iterator<Item = &Message> {
        self.entries.iter().filter_map(|entry| entry.message.as_ref())
    }

    /// Takes everything.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Message> {
        self.entries.drain(..).filter_map(|entry| entry.message)
    }

    /// Gives back memory that is not needed now.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// Bytes of the list itself.
    pub(crate) fn size(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

/// How far a receive has looked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    pub(crate) saved: Mark,
    urgent: Mark,
}

impl Cursor {
    /// What lies before neither.
    pub(crate) fn earlier(self, other: Self) -> Self {
        Self { saved: self.saved.min(other.saved), urgent: self.urgent.min(other.urgent) }
    }
}

impl From<Mark> for Cursor {
    fn from(mark: Mark) -> Self {
        Self { saved: mark, urgent: 0 }
    }
}

/// Where a candidate came from, and goes back to when it is rejected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Fresh,
    Saved(Mark),
    Urgent(Mark),
}

impl Private {
    /// Whether any drained message waits.
    #[inline]
    pub(crate) fn has_messages(&self) -> bool {
        self.queue_len.get() != 0
    }

    /// A message arrived.
    #[inline]
    pub(crate) fn arrive(&self, message: Message) {
        self.count_arrivals(1);
        self.fresh.push(message);
    }

    /// Several messages arrived.
    #[inline]
    pub(crate) fn arrive_all(&self, messages: Chain, count: u32) {
        self.count_arrivals(count);
        self.fresh.append_all(messages);
    }

    #[inline]
    fn count_arrivals(&self, count: u32) {
        self.queue_len.set(self.queue_len.get().saturating_add(count));
        let mut flags = self.flags.get();
        if flags.receiving {
            flags.poll = true;
            self.flags.set(flags);
        }
    }

    /// A priority message arrived.
    pub(crate) fn arrive_urgent(&self, message: Message) {
        self.count_arrivals(1);
        self.with_extra(|extra| extra.rare().urgent.push(message));
    }

    /// The next message for a receive to decide about: oldest first, priority messages before.
    ///
    /// `wanted` is a cheap test on the node; what fails it is passed over.
    #[inline]
    pub(crate) fn candidate(
        &self,
        cursor: &mut Cursor,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<(Message, Origin)> {
        if self.extra.borrow().is_some() {
            let found = self.if_extra(|extra| extra.candidate(cursor, &wanted));
            if let Some(Some(found)) = found {
                return Some(found);
            }
        }
        loop {
            let message = self.fresh.pop()?;
            if wanted(&message) {
                return Some((message, Origin::Fresh));
            }
            self.pass_over(cursor, message);
        }
    }

    /// Numbers all drained messages, and returns the number of the next one.
    #[inline]
    pub(crate) fn number_all(&self) -> Mark {
        self.with_extra(|extra| {
            while let Some(message) = self.fresh.pop() {
                extra.saved.push(message);
            }
            extra.saved.end()
        })
    }

    /// The receive does not want this candidate.
    pub(crate) fn reject(&self, cursor: &mut Cursor, message: Message, origin: Origin) {
        match origin {
            Origin::Fresh => self.pass_over(cursor, message),
            Origin::Saved(number) => {
                self.with_extra(|extra| extra.saved.put_back(number, message));
            }
            Origin::Urgent(number) => {
                self.with_extra(|extra| extra.rare().urgent.put_back(number, message));
            }
        }
    }

    /// The receive took this candidate.
    #[inline]
    pub(crate) fn accept(&self, origin: Origin) {
        self.queue_len.set(self.queue_len.get().saturating_sub(1));
        match origin {
            Origin::Fresh => {}
            Origin::Saved(number) => self.with_extra(|extra| extra.saved.forget(number)),
            Origin::Urgent(number) => self.with_extra(|extra| extra.rare().urgent.forget(number)),
        }
    }

    fn pass_over(&self, cursor: &mut Cursor, message: Message) {
        self.with_extra(|extra| {
            extra.saved.push(message);
            cursor.saved = extra.saved.end();
        });
    }

    /// Takes out all messages that pass `unwanted`.
    pub(crate) fn flush(&self, mut unwanted: impl FnMut(&Message) -> bool) -> Vec<Message> {
        let mut out = Vec::new();
        self.with_extra(|extra| {
            extra.saved.extract(&mut unwanted, &mut out);
            if let Some(rare) = extra.rare.as_deref_mut() {
                rare.urgent.extract(&mut unwanted, &mut out);
            }
        });
        let fresh = self.fresh.take();
        let kept = Chain::default();
        while let Some(message) = fresh.pop() {
            if unwanted(&message) { out.push(message) } else { kept.push(message) }
        }
        self.fresh.append(&kept);
        self.queue_len.set(self.queue_len.get().saturating_sub(out.len() as u32));
        out
    }

    /// Calls `visit` for every message, in the order in which a receive would see them.
    pub(crate) fn each_message(&self, mut visit: impl FnMut(&Message)) {
        let fresh = self.fresh.take();
        if let Some(extra) = self.extra.borrow().as_deref() {
            extra.rare.iter().flat_map(|rare| rare.urgent.iter()).for_each(&mut visit);
            extra.saved.iter().for_each(&mut visit);
        }
        let kept = Chain::default();
        while let Some(message) = fresh.pop() {
            visit(&message);
            kept.push(message);
        }
        self.fresh.append(&kept);
    }

    /// The part that only some processes have, made on first use.
    ///
    /// No code of a user may run in `f`: the part is borrowed for its length.
    #[inline]
    pub(crate) fn with_extra<R>(&self, f: impl FnOnce(&mut Extra) -> R) -> R {
        f(self.extra.borrow_mut().get_or_insert_default())
    }

    /// As [`Private::with_extra`], but does nothing for a process that has none.
    #[inline]
    pub(crate) fn if_extra<R>(&self, f: impl FnOnce(&mut Extra) -> R) -> Option<R> {
        self.extra.borrow_mut().as_deref_mut().map(f)
    }
}

impl Extra {
    fn candidate(
        &mut self,
        cursor: &mut Cursor,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<(Message, Origin)> {
        if let Some(rare) = self.rare.as_deref_mut()
            && let Some(message) = rare.urgent.take(&mut cursor.urgent, &wanted)
        {
            return Some((message, Origin::Urgent(cursor.urgent - 1)));
        }
        let message = self.saved.take(&mut cursor.saved, wanted)?;
        Some((message, Origin::Saved(cursor.saved - 1)))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn saved(numbers: impl IntoIterator<Item = i32>) -> Saved {
        let mut saved = Saved::default();
        numbers.into_iter().for_each(|n| saved.push(Message::new(n)));
        saved
    }

    fn is(n: i32) -> impl Fn(&Message) -> bool {
        move |message| message.downcast_ref::<i32>() == Some(&n)
    }

    #[test]
    fn a_rejected_message_keeps_its_place() {
        let mut saved = saved(0..5);
        let mut cursor = 0;
        let message = saved.take(&mut cursor, is(2)).unwrap();
        assert_eq!(cursor, 3);
        saved.put_back(2, message);
        let order: Vec<_> = saved.iter().map(|m| *m.downcast_ref::<i32>().unwrap()).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_cursor_finds_its_place_among_gaps() {
        let mut saved = saved(0..100);
        for gone in (0..100).filter(|n| n % 3 == 0) {
            saved.forget(gone);
        }
        for from in 0..100 {
            let expected = (from..100).find(|n| n % 3 != 0);
            let found = saved.entries.get(saved.index(from)).map(|entry| entry.number);
            assert_eq!(found, expected, "from {from}");
        }
    }

    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let mut saved = saved(0..10);
        let mut cursor = 0;
        assert!(saved.take(&mut cursor, is(99)).is_none());
        assert_eq!(cursor, 10);
        saved.push(Message::new(99));
        let looked = std::cell::Cell::new(0);
        let wanted = |message: &Message| {
            looked.set(looked.get() + 1);
            is(99)(message)
        };
        assert!(saved.take(&mut cursor, wanted).is_some());
        assert_eq!(looked.get(), 1);
    }
}

//! A hierarchical timing wheel: insertion, removal and expiry in constant time, whatever the
//! deadlines.
//!
//! # Layout
//!
//! Time is an absolute `u64` of milliseconds, read as eleven digits of six bits. Level 0 has one
//! slot per millisecond, level 1 one per 64 ms, and so on; eleven levels hold every digit of a
//! `u64`, so no deadline is out of range and no level ever wraps. An entry lives at the level of
//! the highest digit in which its deadline differs from `now`, in the slot of its deadline's digit
//! there. Two facts follow:
//!
//! 1. Everything at a lower level is due before anything at a higher one, and slots of one level
//!    are due in the order of their numbers. So the next expiry is found with two bit scans.
//! 2. Entries of equal deadline are always in the same slot, in the order of their insertion. So
//!    they fire in that order.
//!
//! When time reaches the start of a slot above level 0, its entries move down ("cascade"), in
//! order. [`Wheel::advance`] may stop half-way because its limit is reached; until it goes on, an
//! insertion into the range of that slot goes to the slot's end, so that fact 2 stays true.
//!
//! # Keys
//!
//! A [`Key`] is the entry's index and its sequence number. Sequence numbers are never reused, so a
//! key that has outlived its entry finds nothing: 54 bits last 57 years at ten million insertions
//! per second, and the wheel panics rather than use one twice.
//!
//! # Memory
//!
//! One slab entry per timer, 24 bytes and the value, linked by index. The slab grows by doubling.
//! It is given back when the wheel becomes empty after a burst, but not before.

use std::num::NonZeroU64;

use slab::Slab;

#[cfg(all(test, not(loom)))]
mod tests;

/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
/// Slots of a level.
const SLOTS: usize = 1 << DIGIT_BITS;
/// Levels that a `u64` needs.
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;
/// "No entry" in a link, and "no slot" in a slot number.
const NIL: u32 = u32::MAX;
/// Low bits of an entry's tag, which hold its slot; the others hold its sequence number.
const SLOT_BITS: u32 = 10;
/// Slab capacity that an empty wheel keeps: enough for steady traffic, little enough to waste.
/// Less for Miri's sake: a test goes beyond it.
const KEEP: usize = if cfg!(miri) { 256 } else { 16 * 1024 };

const _: () = assert!(LEVELS * SLOTS <= 1 << SLOT_BITS, "a slot number fits its bits");

/// Names an entry of the wheel that returned it. Stale keys find nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) sequence: NonZeroU64,
    pub(crate) index: u32,
}

struct Entry<T> {
    deadline: u64,
    /// Sequence number and slot.
    tag: u64,
    next: u32,
    prev: u32,
    value: T,
}

impl<T> Entry<T> {
    fn slot(&self) -> u32 {
        (self.tag & ((1 << SLOT_BITS) - 1)) as u32
    }

    fn set_slot(&mut self, slot: u32) {
        self.tag = self.tag >> SLOT_BITS << SLOT_BITS | u64::from(slot);
    }

    fn is(&self, key: Key) -> bool {
        self.tag >> SLOT_BITS == key.sequence.get()
    }
}

/// The wheel. Times are milliseconds of whatever origin the owner has chosen.
pub(crate) struct Wheel<T> {
    /// How far time has come: nothing before it is pending except in the slot of `now` itself.
    now: u64,
    /// The last sequence number given out.
    sequence: u64,
    /// The slot above level 0 that is being cascaded; `NIL` between cascades.
    cascading: u32,
    /// Bit n: level n is not empty.
    levels: u32,
    /// Bit n of a level: its slot n is not empty.
    occupied: [u64; LEVELS],
    /// First entry of each slot's ring; the last one is the first one's `prev`.
    heads: [u32; LEVELS * SLOTS],
    entries: Slab<Entry<T>>,
}

impl<T> Wheel<T> {
    /// An empty wheel whose time is `now_ms`.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            now: now_ms,
            sequence: 0,
            cascading: NIL,
            levels: 0,
            occupied: [0; LEVELS],
            heads: [NIL; LEVELS * SLOTS],
            entries: Slab::new(),
        }
    }

    /// How many entries are pending.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an entry. One whose deadline has passed fires at the next [`advance`](Self::advance).
    ///
    /// # Panics
    ///
    /// With 2^32 - 1 entries pending, or when the sequence numbers are used up.
    #[inline]
    pub(crate) fn insert(&mut self, deadline_ms: u64, value: T) -> Key {
        let sequence = self.next_sequence();
        let tag = sequence.get() << SLOT_BITS;
        let entry = Entry { deadline: deadline_ms, tag, next: NIL, prev: NIL, value };
        let index = self.entries.insert(entry) as u32;
        assert!(index != NIL, "too many timers");
        let slot = self.slot_for_new(deadline_ms);
        self.link(index, slot);
        Key { sequence, index }
    }

    /// Removes an entry; its deadline and value if it was still pending.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<(u64, T)> {
        self.entries.get(key.index as usize).filter(|entry| entry.is(key))?;
        self.unlink(key.index);
        let entry = self.entries.remove(key.index as usize);
        self.give_back();
        Some((entry.deadline, entry.value))
    }

    /// The deadline of an entry that is still pending.
    #[inline]
    pub(crate) fn deadline(&self, key: Key) -> Option<u64> {
        let entry = self.entries.get(key.index as usize).filter(|entry| entry.is(key))?;
        Some(entry.deadline)
    }

    /// When [`advance`](Self::advance) should be called next: never after the earliest deadline,
    /// but possibly before it, where a slot has to cascade first. `None` when the wheel is empty.
    #[inline]
    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.first().map(|(_, start)| start)
    }

    /// Moves time on to `now_ms` and passes every entry due by then to `fire`, in the order of
    /// their deadlines, those of equal deadline in the order of their insertion. A `now_ms` in the
    /// past counts as the latest one seen.
    ///
    /// Does at most `limit` steps (one entry fired or cascaded each) and returns whether any are
    /// left to do; then `next_expiry` is not after `now_ms`.
    pub(crate) fn advance(&mut self, now_ms: u64, limit: usize, fire: &mut impl FnMut(T)) -> bool {
        let now = now_ms.max(self.now);
        let mut left = limit;
        while let Some((slot, start)) = self.first().filter(|&(_, start)| start <= now) {
            if left == 0 {
                return true;
            }
            left -= 1;
            self.now = start;
            self.step(slot, fire);
        }
        self.now = now;
        self.give_back();
        false
    }

    /// Takes everything out, in no particular order. Keys given out before stay stale.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.cascading = NIL;
        self.levels = 0;
        self.occupied = [0; LEVELS];
        self.heads = [NIL; LEVELS * SLOTS];
        std::mem::take(&mut self.entries).into_iter().map(|(_, entry)| entry.value)
    }

    /// Fires or cascades the first entry of `slot`, whose time has come.
    #[inline]
    fn step(&mut self, slot: u32, fire: &mut impl FnMut(T)) {
        let index = self.heads[slot as usize];
        if (slot as usize) < SLOTS {
            self.unlink(index);
            fire(self.entries.remove(index as usize).value);
        } else {
            self.cascading = slot;
            self.unlink(index);
            let lower = self.slot_by_time(self.entries[index as usize].deadline);
            self.link(index, lower);
        }
    }

    /// The slot to look at next and the time at which it starts.
    #[inline]
    fn first(&self) -> Option<(u32, u64)> {
        if self.cascading != NIL {
            return Some((self.cascading, self.now));
        }
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        let digit = self.occupied[level as usize].trailing_zeros();
        let above = u64::MAX.checked_shl((level + 1) * DIGIT_BITS).unwrap_or(0);
        let start = (self.now & above) | (u64::from(digit) << (level * DIGIT_BITS));
        Some((level * SLOTS as u32 + digit, start))
    }

    /// The slot of a deadline, seen from `now`.
    #[inline]
    fn slot_by_time(&self, deadline: u64) -> u32 {
        let deadline = deadline.max(self.now);
        let highest = (deadline ^ self.now | 1).ilog2();
        let level = highest / DIGIT_BITS;
        let digit = (deadline >> (level * DIGIT_BITS)) as u32 % SLOTS as u32;
        level * SLOTS as u32 + digit
    }

    /// The slot of a new entry: the one being cascaded if the deadline is in its range, so that
    /// the entry stays behind older ones of the same deadline.
    #[inline]
    fn slot_for_new(&self, deadline: u64) -> u32 {
        let slot = self.slot_by_time(deadline);
        let below = self.cascading != NIL && slot / (SLOTS as u32) < self.cascading / SLOTS as u32;
        if below { self.cascading } else { slot }
    }

    /// Appends an unlinked entry to a slot.
    #[inline]
    fn link(&mut self, index: u32, slot: u32) {
        let head = self.heads[slot as usize];
        let (next, prev) = if head == NIL {
            self.heads[slot as usize] = index;
            let level = slot as usize / SLOTS;
            self.occupied[level] |= 1 << (slot as usize % SLOTS);
            self.levels |= 1 << level;
            (index, index)
        } else {
            let tail = std::mem::replace(&mut self.entries[head as usize].prev, index);
            self.entries[tail as usize].next = index;
            (head, tail)
        };
        let entry = &mut self.entries[index as usize];
        (entry.next, entry.prev) = (next, prev);
        entry.set_slot(slot);
    }

    /// Takes an entry out of its slot; it stays in the slab.
    #[inline]
    fn unlink(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let (next, prev, slot) = (entry.next, entry.prev, entry.slot());
        if next == index {
            return self.empty_slot(slot);
        }
        self.entries[next as usize].prev = prev;
        self.entries[prev as usize].next = next;
        if self.heads[slot as usize] == index {
            self.heads[slot as usize] = next;
        }
    }

    #[inline]
    fn empty_slot(&mut self, slot: u32) {
        let level = slot as usize / SLOTS;
        self.heads[slot as usize] = NIL;
        self.occupied[level] &= !(1 << (slot as usize % SLOTS));
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
        if self.cascading == slot {
            self.cascading = NIL;
        }
    }

    #[inline]
    fn next_sequence(&mut self) -> NonZeroU64 {
        self.sequence += 1;
        assert!(self.sequence < 1 << (u64::BITS - SLOT_BITS), "timer keys are used up");
        NonZeroU64::MIN.saturating_add(self.sequence - 1)
    }

    /// Returns the memory of a burst that is over.
    #[inline]
    fn give_back(&mut self) {
        if self.entries.is_empty() && self.entries.capacity() > KEEP {
            self.entries = Slab::new();
        }
    }
}

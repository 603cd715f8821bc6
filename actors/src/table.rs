//! The process table: slots, and which of them are free.
//!
//! # Problem
//!
//! Finding a process by its pid must cost a few loads and no writes, from any thread. Spawning and
//! ending must not serialise the workers on one list. The limit must be exact.
//!
//! # Solution
//!
//! Slots live in segments that are made when first needed and stay until the table goes, so a slot
//! found once is a slot for ever. Free slots sit in one short list per worker and one for all;
//! lists exchange batches of [`BATCH`]. There are exactly as many slots as the limit allows, so a
//! spawn fails only when every slot is taken: before it gives up, it looks through the lists of all
//! workers. (It looks at one after the other: while others spawn and end at the very same time, it may
//! miss a slot that changes lists.)
//!
//! Slots are let again last in, first out: the hottest first. Generations are 64 bits wide; a slot
//! whose generations are used up is not let again, and a fresh one replaces it.
//!
//! # Costs
//!
//! A lookup reads the segment directory (written once per segment) and the slot. A spawn and an
//! exit each take a lock of the worker's own, without a locked instruction (free_list.rs); one in
//! [`BATCH`] takes the common lock. At the limit a spawn that finds nothing looks at a word of each
//! worker, and interrupts all of them when one has something.
#![allow(unsafe_code, reason = "the leaf that owns the memory of slots")]

mod taken;

use std::{
    alloc::{self, Layout, handle_alloc_error},
    ptr::{self, NonNull},
};

use beamish_runtime::{VTable, pages};

use crate::{
    free_list::{BATCH, FreeList, Held},
    shared::Shared,
    slot::Slot,
    sync::{AtomicPtr, Mutex, Ordering},
};

/// Slots per segment: 32 KiB of memory at a time. Models use as few of everything as they can.
const SEGMENT: usize = if cfg!(loom) { 2 } else { 256 };

/// See the module's documentation.
pub(crate) struct Table {
    segments: Box<[AtomicPtr<Slot>]>,
    common: Mutex<Common>,
    lists: Box<[FreeList]>,
    vtable: &'static VTable,
}

struct Common {
    free: Vec<u32>,
    /// The first index that was never let.
    fresh: u32,
    /// The first index beyond the table.
    limit: u32,
    land: Land,
}

impl Table {
    /// A table for at most `limit` processes, with a free list for each of so many workers, who are
    /// a thread each if `owned`, and one for all other threads.
    pub(crate) fn new(limit: u32, workers: usize, owned: bool, vtable: &'static VTable) -> Self {
        // Twice the limit, so that used-up slots can be replaced.
        let segments = (limit as usize * 2).div_ceil(SEGMENT).max(1);
        Self {
            segments: (0..segments).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            common: Mutex::new(Common { free: Vec::new(), fresh: 0, limit, land: Land::new() }),
            lists: (0..=workers).map(|list| FreeList::new(!owned || list == workers)).collect(),
            vtable,
        }
    }

    /// The slot of this index, if it was ever let.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        let segment = self.segments.get(index / SEGMENT)?;
        // Acquire pairs with the Release in `add_segment`.
        let segment = NonNull::new(segment.load(Ordering::Acquire))?;
        // SAFETY: a segment has `SEGMENT` slots, and lives as long as the table.
        Some(unsafe { segment.add(index % SEGMENT).as_ref() })
    }

    /// Takes a free slot; none if as many processes live as the limit allows.
    #[inline]
    pub(crate) fn acquire(&self, list: usize, shared: &Shared) -> Option<&Slot> {
        let index = match self.lists[list].hold(|mine| mine.pop()) {
            Some(index) => index,
            None => self.refill(list, shared).or_else(|| self.take_from_others())?,
        };
        self.get(index)
    }

    /// Gives a slot back whose tenant has ended and whose generation was raised.
    #[inline]
    pub(crate) fn release(&self, list: usize, index: u32) {
        self.lists[list].hold(|mine| self.put(&mine, index));
    }

    #[inline]
    fn put(&self, mine: &Held<'_>, index: u32) {
        mine.push(index);
        if mine.is_full() {
            self.give_away(mine);
        }
    }

    /// The oldest are the coldest: they go. The list stays held meanwhile: see `refill`.
    #[cold]
    fn give_away(&self, mine: &Held<'_>) {
        self.common.lock().free.extend(mine.split_off_oldest());
    }

    /// The slot is used up: a fresh one may take its place.
    pub(crate) fn replace_used_up(&self) {
        let mut common = self.common.lock();
        if (common.limit as usize) < self.segments.len() * SEGMENT {
            common.limit += 1;
        }
    }

    #[cold]
    fn refill(&self, list: usize, shared: &Shared) -> Option<u32> {
        // Held before the batch is taken, so that who looks through all lists finds the batch in
        // one of them.
        self.lists[list].hold(|mine| self.pop_from_batch(&mine, shared))
    }

    fn pop_from_batch(&self, mine: &Held<'_>, shared: &Shared) -> Option<u32> {
        mine.pop().or_else(|| {
            self.take_batch(mine, shared);
            mine.pop()
        })
    }

    /// Moves a batch from the common list to one that has none. The common lock is let go last:
    /// who takes it next, and finds nothing, sees where the batch went.
    fn take_batch(&self, mine: &Held<'_>, shared: &Shared) {
        debug_assert_eq!(mine.len(), 0, "only a list that has none gets a batch");
        let mut common = self.common.lock();
        let free = common.free.len();
        if free > 0 {
            let batch = common.free.drain(free.saturating_sub(BATCH)..);
            return batch.for_each(|index| mine.push(index));
        }
        let from = common.fresh;
        let to = common.limit.min(from + BATCH as u32);
        for segment in (from as usize / SEGMENT)..(to as usize).div_ceil(SEGMENT) {
            self.add_segment(segment, &mut common.land, shared);
        }
        common.fresh = to;
        // Lowest index on top: it is taken first.
        (from..to).rev().for_each(|index| mine.push(index));
    }

    /// Makes a segment, if it is not there; under the common lock.
    fn add_segment(&self, segment: usize, land: &mut Land, shared: &Shared) {
        let place = &self.segments[segment];
        if !place.load(Ordering::Relaxed).is_null() {
            return;
        }
        let slots = land.take_segment();
        for offset in 0..SEGMENT {
            let index = (segment * SEGMENT + offset) as u32;
            let slot = Slot::vacant(index, self.vtable, NonNull::from_ref(shared));
            // SAFETY: fresh memory for `SEGMENT` slots.
            unsafe { slots.add(offset).write(slot) };
        }
        // Release pairs with the Acquire in `get`.
        place.store(slots.as_ptr(), Ordering::Release);
    }

    #[cold]
    fn take_from_others(&self) -> Option<u32> {
        self.lists.iter().find_map(FreeList::take)
    }

    /// All slots that were ever let.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        let fresh = self.common.lock().fresh;
        (0..fresh).filter_map(|index| self.get(index))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for place in &self.segments {
            if let Some(segment) = NonNull::new(place.load(Ordering::Relaxed)) {
                let slots = NonNull::slice_from_raw_parts(segment, SEGMENT);
                // SAFETY: made in `add_segment`; nobody can find it any more.
                unsafe {
                    (*slots.as_ptr()).iter_mut().for_each(Slot::dispose);
                    ptr::drop_in_place(slots.as_ptr());
                }
            }
        }
    }
}

/// The memory of segments: in pieces that double up to a large page, so that a million slots lie
/// on few pages and a small program takes little.
struct Land {
    pieces: Vec<(NonNull<u8>, Layout)>,
    /// What is left of the last piece.
    rest: *mut Slot,
    segments_left: usize,
}

// SAFETY: a `Land` owns its memory alone.
unsafe impl Send for Land {}

const SEGMENT_BYTES: usize = SEGMENT * size_of::<Slot>();

impl Land {
    fn new() -> Self {
        Self { pieces: Vec::new(), rest: ptr::null_mut(), segments_left: 0 }
    }

    fn take_segment(&mut self) -> NonNull<Slot> {
        if self.segments_left == 0 {
            self.add_piece();
        }
        let segment = NonNull::new(self.rest).expect("there is a piece");
        self.segments_left -= 1;
        // SAFETY: the piece had room for one more segment, so this is in it or at its end.
        self.rest = unsafe { self.rest.add(SEGMENT) };
        segment
    }

    fn add_piece(&mut self) {
        let last = self.pieces.last().map_or(0, |(_, layout)| layout.size());
        let size = (last * 2).clamp(SEGMENT_BYTES, pages::LARGE_PAGE.max(SEGMENT_BYTES));
        let layout = Layout::from_size_align(size, size.next_power_of_two()).expect("it is small");
        // SAFETY: the size is not zero.
        let piece = unsafe { alloc::alloc(layout) };
        let Some(piece) = NonNull::new(piece) else { handle_alloc_error(layout) };
        pages::prefer_large(piece, size);
        self.pieces.push((piece, layout));
        (self.rest, self.segments_left) = (piece.as_ptr().cast(), size / SEGMENT_BYTES);
    }
}

impl Drop for Land {
    fn drop(&mut self) {
        for (piece, layout) in self.pieces.drain(..) {
            // SAFETY: allocated with this layout; the table has dropped the slots.
            unsafe { alloc::dealloc(piece.as_ptr(), layout) };
        }
    }
}

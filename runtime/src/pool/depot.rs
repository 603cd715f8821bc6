//! What all threads share: per class, batches of free blocks and the chunk that runs are cut from.

use std::alloc::{self, Layout, handle_alloc_error};
use std::ptr::{self, NonNull};

use super::{BATCH, CLASS_STEP, Stats};
use crate::pages;
use crate::sync::plain::Mutex;

/// How many classes there are for layouts: blocks of up to 512 bytes.
pub(super) const CLASSES: usize = 8;
/// How many there are; tests that count blocks have some that nobody else uses.
pub(super) const ALL_CLASSES: usize = CLASSES + if cfg!(test) { 8 } else { 0 };

/// The first chunk of a class, and the largest, to which they double. A chunk is aligned to its
/// size: the system can back one of 2 MiB by a single huge page where it is configured to.
const FIRST_CHUNK: usize = 64 * 1024;
const LARGEST_CHUNK: usize = pages::LARGE_PAGE;

const _: () = assert!(FIRST_CHUNK >= BATCH * ALL_CLASSES * CLASS_STEP, "a chunk holds a run");

/// What a free block holds. The smallest block has room for it.
pub(super) struct Free {
    /// The next block of the same list.
    pub(super) next: *mut Free,
    /// A block some places further on, to be fetched early. Only a hint: it may be out of date.
    pub(super) ahead: *const Free,
    /// In the first block of a batch in the depot: the next batch.
    next_batch: *mut Free,
    /// In the first block of a batch: how many blocks it has.
    count: usize,
}

const _: () = assert!(size_of::<Free>() <= CLASS_STEP && align_of::<Free>() <= CLASS_STEP);

/// A list of `count` free blocks of one class, all owned by the holder of this value.
pub(super) struct Batch {
    pub(super) head: NonNull<Free>,
    pub(super) count: usize,
}

/// Memory never used before, owned by the holder: from `start`, `bytes` of it, whole blocks.
pub(super) struct Run {
    pub(super) start: NonNull<u8>,
    pub(super) bytes: usize,
}

/// What an empty cache gets.
pub(super) enum Supply {
    Batch(Batch),
    Run(Run),
}

/// The shared part of one class, on cache lines of its own.
#[repr(align(128))]
pub(super) struct Depot {
    block: usize,
    shelves: Mutex<Shelves>,
}

struct Shelves {
    /// The newest batch, linked by `next_batch`: what was used last is most likely to be cached.
    batches: *mut Free,
    /// Blocks in all batches.
    blocks: usize,
    /// The current chunk's uncut rest.
    rest: *mut u8,
    rest_bytes: usize,
    next_chunk: usize,
    chunk_bytes: usize,
}

// SAFETY: the pointers are to memory that the shelves own, which belongs to no thread.
unsafe impl Send for Shelves {}

/// The depots of all classes.
pub(super) static DEPOTS: [Depot; ALL_CLASSES] = {
    let mut class = 0;
    let mut depots = [const { Depot::new(0) }; ALL_CLASSES];
    while class < ALL_CLASSES {
        depots[class].block = (class + 1) * CLASS_STEP;
        class += 1;
    }
    depots
};

impl Depot {
    const fn new(block: usize) -> Self {
        let shelves = Shelves {
            batches: ptr::null_mut(),
            blocks: 0,
            rest: ptr::null_mut(),
            rest_bytes: 0,
            next_chunk: FIRST_CHUNK,
            chunk_bytes: 0,
        };
        Self { block, shelves: Mutex::new(shelves) }
    }

    /// Bytes of a block.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Takes a batch, or if there is none a run.
    pub(super) fn take(&self) -> Supply {
        let mut shelves = self.shelves.lock();
        match shelves.pop() {
            Some(batch) => Supply::Batch(batch),
            None => Supply::Run(shelves.cut(self.block)),
        }
    }

    /// Puts a batch on the shelves.
    pub(super) fn give(&self, batch: Batch) {
        self.shelves.lock().push(&batch);
    }

    /// Takes a single block, for threads without a cache.
    pub(super) fn take_one(&self) -> NonNull<u8> {
        let mut shelves = self.shelves.lock();
        let Some(batch) = shelves.pop() else { return shelves.cut_bytes(self.block, 1).start };
        // SAFETY: the batch is ours, so its first block is a free block that nobody else uses.
        let rest = unsafe { batch.head.as_ref() }.next;
        if let Some(head) = NonNull::new(rest) {
            shelves.push(&Batch { head, count: batch.count - 1 });
        }
        batch.head.cast()
    }

    pub(super) fn stats(&self) -> Stats {
        let shelves = self.shelves.lock();
        Stats {
            chunk_bytes: shelves.chunk_bytes,
            uncut_bytes: shelves.rest_bytes,
            depot_bytes: shelves.blocks * self.block,
        }
    }
}

impl Shelves {
    fn push(&mut self, batch: &Batch) {
        // SAFETY: the batch is ours, so its first block is a free block that nobody else uses.
        unsafe {
            (*batch.head.as_ptr()).next_batch = self.batches;
            (*batch.head.as_ptr()).count = batch.count;
        }
        self.batches = batch.head.as_ptr();
        self.blocks += batch.count;
    }

    fn pop(&mut self) -> Option<Batch> {
        let head = NonNull::new(self.batches)?;
        // SAFETY: the head of a batch that `push` put here; free blocks are never unmapped, and the
        // lock keeps others away.
        let Free { next_batch, count, .. } = *unsafe { head.as_ref() };
        self.batches = next_batch;
        self.blocks -= count;
        Some(Batch { head, count })
    }

    /// Cuts a run: 64 blocks, or what is left of the chunk if that is less.
    fn cut(&mut self, block: usize) -> Run {
        self.cut_bytes(block, BATCH)
    }

    fn cut_bytes(&mut self, block: usize, blocks: usize) -> Run {
        if self.rest_bytes < block {
            self.new_chunk(block);
        }
        let bytes = blocks.min(self.rest_bytes / block) * block;
        let start = NonNull::new(self.rest).expect("there is a chunk");
        // SAFETY: `bytes` is at most what the chunk has left, so the end is inside it or at its end.
        self.rest = unsafe { self.rest.add(bytes) };
        self.rest_bytes -= bytes;
        Run { start, bytes }
    }

    fn new_chunk(&mut self, block: usize) {
        let size = self.next_chunk;
        let layout = Layout::from_size_align(size, size).expect("a power of two");
        // SAFETY: the size is not zero.
        let chunk = unsafe { alloc::alloc(layout) };
        match NonNull::new(chunk) {
            Some(chunk) => pages::prefer_large(chunk, size),
            None => handle_alloc_error(layout),
        }
        (self.rest, self.rest_bytes) = (chunk, size - size % block);
        self.chunk_bytes += self.rest_bytes;
        self.next_chunk = (size * 2).min(LARGEST_CHUNK);
    }
}

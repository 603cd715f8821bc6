//! A thread's own free blocks.

use std::cell::Cell;
use std::ptr::{self, NonNull};

use super::BATCH;
use super::depot::{ALL_CLASSES, Batch, DEPOTS, Depot, Free, Supply};
use crate::prefetch::prefetch;

thread_local! {
    static CACHE: Cache = const { Cache { classes: [const { Class::new() }; ALL_CLASSES] } };
}

/// How many blocks ahead of its use a block's line is fetched: it may be in another core's cache, or
/// in none, which takes as long as some allocations. Twice as many gained nothing more.
const AHEAD: usize = 4;

struct Cache {
    classes: [Class; ALL_CLASSES],
}

/// The cache of one class. It owns all blocks in its lists and its run.
struct Class {
    /// The list that blocks are taken from and put on.
    head: Cell<*mut Free>,
    /// Blocks in that list; 64 at most.
    count: Cell<usize>,
    /// The blocks on top of the list, each at its place in it modulo [`AHEAD`]. Only hints.
    recent: [Cell<*const Free>; AHEAD],
    /// A list of 64 blocks set aside, or null. It keeps a thread that allocates and releases around
    /// a multiple of 64 from going to the depot each time.
    aside: Cell<*mut Free>,
    /// Memory never used before, up to `run_end`.
    run: Cell<*mut u8>,
    run_bytes: Cell<usize>,
}

/// A block of `class`.
#[inline]
pub(super) fn allocate(class: usize) -> NonNull<u8> {
    CACHE
        .try_with(|cache| cache.classes[class].allocate(&DEPOTS[class]))
        .unwrap_or_else(|_| DEPOTS[class].take_one())
}

/// Gives a block back.
///
/// # Safety
///
/// The block is from `allocate(class)`, has not been released since, and is not used any more.
#[inline]
pub(super) unsafe fn release(class: usize, block: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let cached = CACHE.try_with(|cache| unsafe { cache.classes[class].release(class, block) });
    if cached.is_err() {
        // SAFETY: the caller's promise; the cache has not seen the block.
        unsafe { release_uncached(class, block) };
    }
}

/// For destructors that run after that of the cache.
///
/// # Safety
///
/// As for [`release`].
#[cold]
unsafe fn release_uncached(class: usize, block: NonNull<u8>) {
    let head = block.cast::<Free>();
    // SAFETY: the caller gives us the block; it is large and aligned enough for a `Free`. The rest
    // of it is written by the depot.
    unsafe {
        (&raw mut (*head.as_ptr()).next).write(ptr::null_mut());
        (&raw mut (*head.as_ptr()).ahead).write(ptr::null());
    }
    DEPOTS[class].give(Batch { head, count: 1 });
}

impl Class {
    const fn new() -> Self {
        Self {
            head: Cell::new(ptr::null_mut()),
            count: Cell::new(0),
            recent: [const { Cell::new(ptr::null()) }; AHEAD],
            aside: Cell::new(ptr::null_mut()),
            run: Cell::new(ptr::null_mut()),
            run_bytes: Cell::new(0),
        }
    }

    #[inline]
    fn allocate(&self, depot: &Depot) -> NonNull<u8> {
        let Some(head) = NonNull::new(self.head.get()) else { return self.refill(depot) };
        // SAFETY: a block in the list is a free block that only this thread can reach; these fields
        // were written when it was put there.
        let (next, ahead) = unsafe { ((*head.as_ptr()).next, (*head.as_ptr()).ahead) };
        prefetch(ahead);
        let place = self.count.get() - 1;
        self.recent[place % AHEAD].set(ahead);
        self.head.set(next);
        self.count.set(place);
        head.cast()
    }

    /// A block although the list is empty.
    #[inline(never)]
    fn refill(&self, depot: &Depot) -> NonNull<u8> {
        if self.run_bytes.get() == 0 && !self.refill_from_aside() {
            match depot.take() {
                Supply::Batch(batch) => self.set_list(batch.head.as_ptr(), batch.count),
                Supply::Run(run) => {
                    self.run.set(run.start.as_ptr());
                    self.run_bytes.set(run.bytes);
                }
            }
        }
        if self.run_bytes.get() == 0 {
            self.allocate(depot)
        } else {
            self.advance_run(depot.block())
        }
    }

    fn refill_from_aside(&self) -> bool {
        let aside = self.aside.replace(ptr::null_mut());
        if !aside.is_null() {
            self.set_list(aside, BATCH);
        }
        !aside.is_null()
    }

    fn set_list(&self, head: *mut Free, count: usize) {
        self.head.set(head);
        self.count.set(count);
    }

    fn advance_run(&self, block: usize) -> NonNull<u8> {
        let start = self.run.get();
        self.run_bytes.set(self.run_bytes.get() - block);
        // SAFETY: a run that is not empty has at least one more block, so this is inside its chunk
        // or at the end of it.
        self.run.set(unsafe { start.add(block) });
        NonNull::new(start).expect("a run has memory")
    }

    /// # Safety
    ///
    /// As for the free function; `class` is the class of this cache.
    #[inline]
    unsafe fn release(&self, class: usize, block: NonNull<u8>) {
        if self.count.get() == BATCH {
            self.set_aside(&DEPOTS[class]);
        }
        let free = block.cast::<Free>().as_ptr();
        let place = self.count.get();
        // SAFETY: the caller gives us the block; it is large and aligned enough for a `Free`, and
        // only these fields of it are written.
        unsafe {
            (&raw mut (*free).next).write(self.head.get());
            (&raw mut (*free).ahead).write(self.recent[place % AHEAD].replace(free));
        }
        self.head.set(free);
        self.count.set(place + 1);
    }

    /// Sets the full list aside; what was there before goes to the depot.
    #[inline(never)]
    fn set_aside(&self, depot: &Depot) {
        let full = self.head.replace(ptr::null_mut());
        self.count.set(0);
        if let Some(head) = NonNull::new(self.aside.replace(full)) {
            depot.give(Batch { head, count: BATCH });
        }
    }

    /// Gives everything to the depot.
    fn surrender(&self, class: usize) {
        let depot = &DEPOTS[class];
        while self.run_bytes.get() > 0 {
            let block = self.advance_run(depot.block());
            // SAFETY: the block was never used; it becomes a free one like those that were.
            unsafe { self.release(class, block) };
        }
        if let Some(head) = NonNull::new(self.head.replace(ptr::null_mut())) {
            depot.give(Batch { head, count: self.count.replace(0) });
        }
        if let Some(head) = NonNull::new(self.aside.replace(ptr::null_mut())) {
            depot.give(Batch { head, count: BATCH });
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (number, class) in self.classes.iter().enumerate() {
            class.surrender(number);
        }
    }
}

/// Bytes that this thread's cache of a class holds.
#[cfg(all(test, not(loom)))]
pub(super) fn bytes_here(class: usize) -> usize {
    CACHE.with(|cache| {
        let class_cache = &cache.classes[class];
        let aside = if class_cache.aside.get().is_null() { 0 } else { BATCH };
        (class_cache.count.get() + aside) * DEPOTS[class].block() + class_cache.run_bytes.get()
    })
}

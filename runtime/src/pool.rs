//! A memory pool for what is allocated on one core and freed on another: message nodes and the
//! bodies of processes.
//!
//! # Problem
//!
//! A message is made by its sender and freed by its receiver. General allocators are slowest at
//! just that: the block goes back to where it came from, one shared write per block.
//!
//! # Solution
//!
//! Blocks come in classes of 64, 128, ... 512 bytes. Anything larger, or aligned to more than 16
//! bytes, goes straight to the global allocator.
//!
//! 1. Every thread has a cache per class, a list linked through the free blocks. Allocating and
//!    releasing touch only that, without atomic operations.
//! 2. A cache whose list reaches 64 blocks sets it aside; when it reaches 64 again, the one set
//!    aside moves to the *depot*, which all threads share: one lock per 64 blocks.
//! 3. An empty cache uses what it has set aside, then a batch from the depot, then a *run* of 64
//!    blocks never used before, which the depot cuts from a chunk. A run is handed out in order of
//!    address and without being linked first, so memory is first touched by its user.
//! 4. A thread that ends gives its caches to the depot. Code that runs after that, in destructors of
//!    other thread-locals, uses the depot directly.
//!
//! Invariant: a block is in one place, either with its user, or in one list, or in one run, or in
//! the uncut rest of its class's chunk.
//!
//! # Costs
//!
//! *Chunks are kept for the life of the program.* The pool grows to the largest amount that was ever
//! in use per class, and is reused from then on, but other uses do not get the memory back. The
//! alternative, blocks from the global allocator, could be given back, but costs each block a
//! header and its neighbours their alignment (16 bytes in 256, where a million idle processes are
//! to be small), and a chunk can go only when all its blocks are free, which blocks that wander
//! between threads rarely are. A class has its own chunks, so giving back chunks that are wholly free
//! can be added to the depot without a change to the fast path. Chunks double from 64 KiB to
//! 2 MiB, so a small program stays small.
//!
//! A thread may hold 128 free blocks and a run of 64 in each class.
//!
//! Under Miri and loom there is no pool: every block is the global allocator's own, so that a use
//! after release, or a leak, is seen by the tool.
#![allow(unsafe_code)] // Hands out raw memory and links free blocks through it.

use std::alloc::{self, Layout, handle_alloc_error};
use std::ptr::NonNull;

mod cache;
mod depot;

#[cfg(all(test, not(loom)))]
mod tests;

use depot::{CLASSES, DEPOTS};

/// Class n holds blocks of n + 1 times this many bytes: a cache line, so that blocks used by two
/// cores never share one.
const CLASS_STEP: usize = 64;
/// Alignment up to which the pool is used. Blocks are better aligned than that, but what asks for
/// more is rare, and the global allocator's promise is the same.
const MAX_ALIGN: usize = 16;
/// Blocks that move between a cache and the depot at once.
const BATCH: usize = 64;

/// The class for a layout, or nothing if it is not for the pool.
#[inline]
const fn class_of(layout: Layout) -> Option<usize> {
    let class = layout.size().wrapping_sub(1) / CLASS_STEP; // No bytes: no class.
    if class < CLASSES && layout.align() <= MAX_ALIGN { Some(class) } else { None }
}

/// Memory for `layout`, uninitialised. It may be released by any thread.
///
/// A layout of no bytes gets a dangling pointer of the right alignment. Aborts like `Box::new` when
/// there is no memory.
///
/// ```
/// use std::alloc::Layout;
/// use beamish_runtime::pool;
///
/// let layout = Layout::new::<[u64; 5]>();
/// let block = pool::allocate(layout).cast::<[u64; 5]>();
/// // SAFETY: the block has that layout, is ours, and is not used after it is released.
/// unsafe {
///     block.write([7; 5]);
///     assert_eq!(block.read(), [7; 5]);
///     pool::release(block.cast(), layout);
/// }
/// ```
#[inline]
#[must_use = "the memory is lost otherwise"]
pub fn allocate(layout: Layout) -> NonNull<u8> {
    match class_of(layout) {
        Some(class) if !cfg!(any(miri, loom)) => cache::allocate(class),
        _ => allocate_global(layout),
    }
}

/// Gives memory back.
///
/// # Safety
///
/// `block` comes from [`allocate`] with an equal `layout`, has not been released before, and is not
/// used any more.
#[inline]
pub unsafe fn release(block: NonNull<u8>, layout: Layout) {
    match class_of(layout) {
        // SAFETY: the caller's promise; `class_of` is a function of the layout, so the block is of
        // that class.
        Some(class) if !cfg!(any(miri, loom)) => unsafe { cache::release(class, block) },
        // SAFETY: the caller's promise; `allocate` has taken the same branch.
        _ => unsafe { release_global(block, layout) },
    }
}

#[cold]
fn allocate_global(layout: Layout) -> NonNull<u8> {
    if layout.size() == 0 {
        return layout.dangling_ptr();
    }
    // SAFETY: the size is not zero.
    let block = unsafe { alloc::alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
///
/// As for [`release`]; the block is from [`allocate_global`].
#[cold]
unsafe fn release_global(block: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: the caller promises that the block is from `alloc` with this layout.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }
}

/// What the pool holds; see [`stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes of chunks, in use or not, less what is too small for a block at their ends. Never
    /// shrinks. Pages not used yet count as well, though the system has not provided them.
    pub chunk_bytes: usize,
    /// Of these, bytes that were never handed to any thread.
    pub uncut_bytes: usize,
    /// Of these, bytes of free blocks in the depot. What threads hold in their caches, at most 192
    /// blocks per class each, is not counted.
    pub depot_bytes: usize,
}

/// What the pool holds now, in all classes.
#[must_use]
pub fn stats() -> Stats {
    DEPOTS.iter().map(depot::Depot::stats).fold(Stats::default(), |sum, class| Stats {
        chunk_bytes: sum.chunk_bytes + class.chunk_bytes,
        uncut_bytes: sum.uncut_bytes + class.uncut_bytes,
        depot_bytes: sum.depot_bytes + class.depot_bytes,
    })
}

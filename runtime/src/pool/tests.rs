//! Tests of the pool. They use the caches directly, so that they test the pool under Miri, too.
//! Tests run in parallel and depots are shared, so each test that counts has a class of its own, of
//! those that exist for tests only.

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;

use super::*;

fn held(class: usize) -> usize {
    let stats = DEPOTS[class].stats();
    stats.depot_bytes + stats.uncut_bytes + cache::bytes_here(class)
}

fn chunks(class: usize) -> usize {
    DEPOTS[class].stats().chunk_bytes
}

fn fill(block: NonNull<u8>, class: usize, value: u8) {
    // SAFETY: the block is the caller's, and has that many bytes.
    unsafe { block.write_bytes(value, (class + 1) * CLASS_STEP) };
}

fn check(block: NonNull<u8>, class: usize, value: u8) {
    // SAFETY: the block is the caller's, who has filled it.
    let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), (class + 1) * CLASS_STEP) };
    let step = if cfg!(miri) { 61 } else { 1 };
    assert!(
        bytes.iter().step_by(step).all(|&byte| byte == value),
        "somebody else wrote to the block"
    );
}

/// Releases blocks of `class`, which must be the caller's and from its cache.
fn release_all(blocks: impl IntoIterator<Item = NonNull<u8>>, class: usize) {
    for block in blocks {
        // SAFETY: promised by the callers, all in this file.
        unsafe { cache::release(class, block) };
    }
}

struct Block(NonNull<u8>);

// SAFETY: a block belongs to whoever holds it, on any thread.
unsafe impl Send for Block {}

#[test]
fn classes_cover_their_sizes_and_nothing_else() {
    let class = |size, align| class_of(Layout::from_size_align(size, align).unwrap());
    assert_eq!([1, 64, 65, 512].map(|size| class(size, 8)), [0, 0, 1, 7].map(Some));
    assert_eq!([0, 513, 1 << 40].map(|size| class(size, 8)), [None; 3]);
    assert_eq!((class(64, 16), class(64, 32)), (Some(0), None));
}

#[test]
fn every_layout_gets_memory_that_fits() {
    for size in (0..600).step_by(if cfg!(miri) { 37 } else { 1 }) {
        for align in [1, 8, 16, 32, 128, 4096] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let block = allocate(layout);
            assert!(block.addr().get().is_multiple_of(align), "{layout:?}");
            // SAFETY: the block has this layout, is ours, and is not used again.
            unsafe {
                block.write_bytes(0xA5, size);
                release(block, layout);
            }
        }
    }
}

#[test]
fn blocks_of_all_classes_are_disjoint_and_on_their_own_cache_lines() {
    let per_class = if cfg!(miri) { 70 } else { 1000 };
    let blocks: Vec<_> =
        (0..per_class * CLASSES).map(|i| (cache::allocate(i % CLASSES), i)).collect();
    for &(block, i) in &blocks {
        assert!(block.addr().get().is_multiple_of(CLASS_STEP));
        fill(block, i % CLASSES, i as u8);
    }
    for (block, i) in blocks {
        check(block, i % CLASSES, i as u8);
        release_all([block], i % CLASSES);
    }
}

#[test]
fn the_last_block_released_is_the_next_one_handed_out() {
    const CLASS: usize = 10;
    let block = cache::allocate(CLASS);
    release_all([block], CLASS);
    assert_eq!(cache::allocate(CLASS), block);
    release_all([block], CLASS);
}

#[test]
fn blocks_that_cross_threads_come_back_and_none_is_lost() {
    const CLASS: usize = 15;
    let rounds = if cfg!(miri) { 2 } else { 400 };
    let (sender, blocks) = mpsc::channel::<(Block, u8)>();
    let consumer = thread::spawn(move || {
        for (block, value) in blocks {
            check(block.0, CLASS, value);
            release_all([block.0], CLASS);
        }
    });
    let producers: Vec<_> = (0..3)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || {
                for i in 0..rounds * BATCH {
                    let block = cache::allocate(CLASS);
                    let value = (number * 31 + i) as u8;
                    fill(block, CLASS, value);
                    sender.send((Block(block), value)).unwrap();
                }
            })
        })
        .collect();
    drop(sender);
    producers.into_iter().for_each(|thread| thread.join().unwrap());
    consumer.join().unwrap();
    assert_eq!(held(CLASS), chunks(CLASS), "every block is free again");
}

#[test]
fn memory_is_reused_rather_than_grown() {
    const CLASS: usize = 14;
    let count = if cfg!(miri) { 2 * BATCH + 2 } else { 20_000 };
    let churn = move || {
        let blocks: Vec<_> = (0..count).map(|_| cache::allocate(CLASS)).collect();
        assert_eq!(blocks.iter().collect::<HashSet<_>>().len(), count, "handed out twice");
        release_all(blocks, CLASS);
    };
    churn();
    let before = chunks(CLASS);
    for _ in 0..if cfg!(miri) { 2 } else { 5 } {
        thread::spawn(churn).join().unwrap();
        churn();
    }
    // The other thread cannot use what this one's cache holds.
    assert!(chunks(CLASS) <= before * 2 + 3 * BATCH * (CLASS + 1) * CLASS_STEP);
    assert_eq!(held(CLASS), chunks(CLASS));
}

#[test]
fn a_thread_that_ends_gives_everything_to_the_depot() {
    const CLASS: usize = 13;
    thread::spawn(|| {
        let blocks: Vec<_> = (0..3 * BATCH + 7).map(|_| cache::allocate(CLASS)).collect();
        release_all(blocks, CLASS);
        assert!(cache::bytes_here(CLASS) > 0);
    })
    .join()
    .unwrap();
    assert_eq!(held(CLASS), chunks(CLASS));
}

#[test]
fn destructors_of_other_thread_locals_may_use_the_pool() {
    const CLASS: usize = 12;
    struct Late(NonNull<u8>);
    impl Drop for Late {
        fn drop(&mut self) {
            let blocks: Vec<_> = (0..2 * BATCH).map(|_| cache::allocate(CLASS)).collect();
            release_all(blocks, CLASS);
            release_all([self.0], CLASS);
        }
    }
    thread_local! {
        static BEFORE: std::cell::OnceCell<Late> = const { std::cell::OnceCell::new() };
        static AFTER: std::cell::OnceCell<Late> = const { std::cell::OnceCell::new() };
    }
    // The order of destruction is the system's choice: register one on either side of the cache.
    thread::spawn(|| {
        BEFORE.with(|_| ());
        let blocks = [cache::allocate(CLASS), cache::allocate(CLASS)];
        assert!(BEFORE.with(|cell| cell.set(Late(blocks[0])).is_ok()));
        assert!(AFTER.with(|cell| cell.set(Late(blocks[1])).is_ok()));
    })
    .join()
    .unwrap();
    assert_eq!(held(CLASS), chunks(CLASS));
}

#[test]
fn blocks_taken_without_a_cache_are_like_the_others() {
    const CLASS: usize = 11;
    let blocks: Vec<_> = (0..BATCH + 3).map(|_| DEPOTS[CLASS].take_one()).collect();
    blocks.iter().for_each(|&block| fill(block, CLASS, 1));
    release_all(blocks, CLASS);
    let again: Vec<_> = (0..BATCH + 3).map(|_| cache::allocate(CLASS)).collect();
    release_all(again, CLASS);
    assert_eq!(held(CLASS), chunks(CLASS));
}

#[test]
fn stats_add_up_over_the_classes() {
    release_all([cache::allocate(0)], 0);
    let stats = stats();
    assert!(stats.chunk_bytes >= stats.uncut_bytes + stats.depot_bytes);
    assert!(stats.chunk_bytes >= chunks(0));
}

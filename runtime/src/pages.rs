//! Large pages for memory that many objects share.
//!
//! A million processes lie in some hundred megabytes, and messages are written and read in no
//! order that memory knows. With pages of 4 KiB nearly every access then also misses the processor's
//! cache of page addresses; with pages of 2 MiB hardly any does. On Linux the program may ask for
//! them; elsewhere nothing happens.
#![allow(unsafe_code)] // Asks the operating system.

use std::ptr::NonNull;

/// The size of a large page, and the alignment that it needs.
pub const LARGE_PAGE: usize = 2 * 1024 * 1024;

/// Asks for large pages under this memory. It is a wish: nothing depends on its being granted.
pub fn prefer_large(start: NonNull<u8>, bytes: usize) {
    if bytes < LARGE_PAGE {
        return;
    }
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the advice changes how memory is backed, not what is in it, whoever owns it.
    unsafe {
        libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE);
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = start;
}

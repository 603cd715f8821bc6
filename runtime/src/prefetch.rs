//! Asking for a cache line before it is needed.
#![allow(unsafe_code)] // Calls an instruction of the processor.

/// Begins to fetch the line at this address, and goes on at once. The address may be any, even
/// null: it is a wish, nothing is read. Does nothing but on x86-64.
#[inline(always)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch reads nothing, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}

//! A memory barrier in two halves: one side pays nothing, the other pays for both.
//!
//! # Problem
//!
//! When two threads each write one word and then read the other's, at least one of them must see
//! the other's write. Processors promise that only with a full barrier between the write and the
//! read, on both sides. A barrier costs some 20 cycles, like any locked instruction; that is much
//! where one side comes along at every message and the other hardly ever.
//!
//! # Solution
//!
//! Linux can make every running thread of the program execute a full barrier (the system call
//! `membarrier`). [`heavy`] asks for that, so [`light`] only has to keep the compiler from moving
//! the read before the write. If the frequent side's write was made before the call, the caller
//! sees it; otherwise the frequent side's read comes after the barrier and sees the caller's
//! write. (Dice, Huang, Yang: "Asymmetric Dekker Synchronization", 2001.)
//!
//! Without the system call both halves are ordinary fences, as they are in models.
//!
//! # Costs
//!
//! `light`: the load of a word that never changes again. `heavy`: some microseconds, and an
//! interrupt on every core that runs a thread of this program; so it is for what happens rarely.
#![allow(unsafe_code)] // Asks the operating system.

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
use self::linux as system;
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
use self::other as system;

/// To be called before the first [`light`] that should cost nothing. Until then it is a fence.
pub(crate) fn prepare() {
    system::prepare();
}

/// The half of the side that comes along often.
#[inline(always)]
pub fn light() {
    system::light();
}

/// The half of the side that comes along rarely. False if the operating system refuses, having
/// agreed at first; then nothing is known about the other side.
#[must_use]
pub fn heavy() -> bool {
    system::heavy()
}

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
mod linux {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

    // From the kernel's <linux/membarrier.h>, which libc leaves out.
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    /// Whether the system call is there: decided once.
    static AVAILABLE: OnceLock<bool> = OnceLock::new();

    /// As `AVAILABLE`, for `light`: true only when that is.
    static LIGHT: AtomicBool = AtomicBool::new(false);

    pub(super) fn prepare() {
        // Relaxed: who does not see it yet makes a fence, which is always right.
        LIGHT.store(is_available(), Ordering::Relaxed);
    }

    fn is_available() -> bool {
        *AVAILABLE.get_or_init(|| membarrier(REGISTER_PRIVATE_EXPEDITED))
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes two numbers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
    }

    #[inline(always)]
    pub(super) fn light() {
        if LIGHT.load(Ordering::Relaxed) {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    pub(super) fn heavy() -> bool {
        // A `light` that was no fence came after `prepare`, which has decided for all.
        if is_available() {
            return membarrier(PRIVATE_EXPEDITED);
        }
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
mod other {
    use crate::sync::atomic::{Ordering, fence};

    pub(super) fn prepare() {}

    #[inline(always)]
    pub(super) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    /// Both sides write and then look; they must not both miss the other.
    #[test]
    fn one_side_sees_the_other() {
        prepare();
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        let words: Arc<[[AtomicBool; 2]]> = (0..rounds).map(|_| Default::default()).collect();
        let gate = Arc::new(Barrier::new(2));
        let often = {
            let (words, gate) = (Arc::clone(&words), Arc::clone(&gate));
            thread::spawn(move || {
                let look = |[mine, other]: &[AtomicBool; 2]| {
                    gate.wait();
                    mine.store(true, Ordering::Relaxed);
                    light();
                    other.load(Ordering::Relaxed)
                };
                words.iter().map(look).collect::<Vec<_>>()
            })
        };
        let look = |[other, mine]: &[AtomicBool; 2]| {
            gate.wait();
            mine.store(true, Ordering::Relaxed);
            assert!(heavy());
            other.load(Ordering::Relaxed)
        };
        let rarely: Vec<_> = words.iter().map(look).collect();
        let seen = often.join().unwrap().into_iter().zip(rarely);
        assert_eq!(seen.filter(|(often, rarely)| !often && !rarely).count(), 0);
    }
}

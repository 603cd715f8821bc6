//! Process identifiers.

use std::{fmt, hash, num::NonZeroU64};

/// Identifies a process for as long as the program runs: it is never given to another process.
///
/// A pid is a plain value: copy it, store it, send it, use it from any thread. A pid whose process
/// has ended stays valid to use; messages to it vanish and monitors answer `noproc`.
///
/// It holds the slot of the process in its runtime's table, the generation of that slot, and the
/// runtime ("node"). It prints as `<node.slot.generation>`.
///
/// ```
/// # use beamish_actors as beamish;
/// let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// let same = runtime.block_on(async { beamish::me() == beamish::me() }).unwrap();
/// assert!(same);
/// ```
// Two words, not three fields: so the compiler keeps a pid in two registers, where it would copy
// three fields through memory, and wait for it (some 5 ns each time, measured).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid {
    /// The node above, the slot's index below.
    place: u64,
    generation: NonZeroU64,
}

impl Pid {
    #[inline]
    pub(crate) const fn new(node: u32, index: u32, generation: NonZeroU64) -> Self {
        Self::at((node as u64) << 32 | index as u64, generation)
    }

    /// A pid from its parts.
    #[inline]
    pub(crate) const fn at(place: u64, generation: NonZeroU64) -> Self {
        Self { place, generation }
    }

    /// Node and index in one.
    #[inline]
    pub(crate) const fn place(self) -> u64 {
        self.place
    }

    #[inline]
    pub(crate) const fn node(self) -> u32 {
        (self.place >> 32) as u32
    }

    #[inline]
    pub(crate) const fn index(self) -> u32 {
        self.place as u32
    }

    #[inline]
    pub(crate) const fn generation(self) -> u64 {
        self.generation.get()
    }
}

/// Without the node, whose number depends on how many runtimes the program had before: so a seeded
/// run does not depend on that either.
impl hash::Hash for Pid {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.index(), self.generation).hash(state);
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}.{}.{}>", self.node(), self.index(), self.generation)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_takes_sixteen_bytes_and_so_does_an_optional_one() {
        assert_eq!(size_of::<Pid>(), 16);
        assert_eq!(size_of::<Option<Pid>>(), 16);
    }
}

//! Unique references.

use std::{fmt, hash};

/// A value that is equal to no other of the program: the tag of a request, a monitor, a timer.
///
/// Made by [`make_ref`](crate::make_ref). A reference also remembers, inside the process that made
/// it, where the mailbox ended at that moment: see [`Receive::after`](crate::Receive::after).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    id: u64,
    /// Ids are unique in a runtime only.
    node: u32,
}

impl Reference {
    pub(crate) const fn new(node: u32, id: u64) -> Self {
        Self { id, node }
    }

    #[inline]
    pub(crate) const fn id(self) -> u64 {
        self.id
    }

    /// The id, for a process of this runtime: none if the reference is of another one.
    #[inline]
    pub(crate) const fn id_in(self, node: u32) -> Option<u64> {
        if self.node == node { Some(self.id) } else { None }
    }
}

/// Without the node, as for pids: a seeded run does not depend on what the program did before.
impl hash::Hash for Reference {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Ref<{}.{}.{}>", self.node, self.id >> 48, self.id & 0xFFFF_FFFF_FFFF)
    }
}

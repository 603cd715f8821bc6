//! Which slots are taken: by processes that live, are being born, or are ending.
//!
//! A process that is ending has closed its inbox already, and so has a slot that nobody lives in.
//! They are told apart by the lists of free slots.

use std::collections::HashSet;

use super::Table;
use crate::{free_list::FreeList, slot::Slot};

impl Table {
    /// The slots that are taken, for an error. The workers' lists are only looked at, so a slot that
    /// moves from one list to another at this very moment may be among them.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Slot> {
        let common = self.common.lock();
        let mut free: HashSet<u32> = common.free.iter().copied().collect();
        free.extend(self.lists.iter().flat_map(FreeList::glance));
        let fresh = common.fresh;
        drop(common);
        let taken = (0..fresh).filter(move |index| !free.contains(index));
        taken.filter_map(|index| self.get(index)).filter(|slot| !is_used_up(slot))
    }
}

/// Whether the slot is never let again. It is in no list, although nobody lives there.
fn is_used_up(slot: &Slot) -> bool {
    slot.generation() == u64::MAX && slot.inbox.is_closed()
}

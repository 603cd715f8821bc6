//! Registered names.
//!
//! # Problem
//!
//! A name must be gone when its process has ended, before anyone hears of the end. But most
//! processes have no name, and the end of a process should not touch a shared table to learn that.
//!
//! # Protocol
//!
//! Each slot has a flag `named`.
//!
//! 1. `register`, under the table's lock: set the flag, then look whether the process is alive; if
//!    so, make the entry.
//! 2. The end of a process: close the inbox, then look at the flag; if it is set, remove the entry,
//!    under the lock (so after the entry was made).
//!
//! All four accesses are `SeqCst`, so they have one order: either the ending process sees the flag,
//! or `register` sees the close. The loom model `loom_name_registration_against_exit` checks it,
//! with fences in their place. The end of a process, which has just closed its inbox with a locked
//! instruction, thus pays a plain load.
//!
//! # Costs
//!
//! One reader-writer lock for all names of a runtime. Lookups share it, so the lock's word moves
//! between cores that look names up: a line transfer each. Hot paths should keep the pid.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use thiserror::Error;

use crate::{
    ambient::with_turn,
    name::Name,
    pid::Pid,
    slot::Slot,
    sync::{Ordering, RwLock, model_fence},
};

/// Why a name could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another process has the name.
    #[error("the name {name:?} is taken by {owner}; unregister it first or choose another")]
    Taken {
        /// The name.
        name: Name,
        /// Who has it.
        owner: Pid,
    },
    /// The process has a name already: it can have one.
    #[error("{pid} is registered as {name:?} already; a process has one name")]
    AlreadyNamed {
        /// The process.
        pid: Pid,
        /// Its name.
        name: Name,
    },
    /// The process does not exist.
    #[error("{0} does not exist (any more), so it can not be registered")]
    NoProc(Pid),
    /// `undefined` and `nil` are no names, and neither is the empty text.
    #[error("{0:?} is reserved and can not be registered")]
    Reserved(Name),
}

/// The name is not registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the name {0:?} is not registered")]
pub struct NotRegistered(pub Name);

/// Erlang keeps `undefined` back, Elixir `nil`, `true` and `false`.
const RESERVED: [&str; 5] = ["", "undefined", "nil", "true", "false"];

/// The names of one runtime.
#[derive(Default)]
pub(crate) struct Names {
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<Name, Pid, FxBuildHasher>,
    by_pid: HashMap<Pid, Name, FxBuildHasher>,
}

impl Names {
    /// Rule 1.
    pub(crate) fn register(&self, name: Name, pid: Pid, slot: &Slot) -> Result<(), RegisterError> {
        if RESERVED.contains(&name.as_str()) {
            return Err(RegisterError::Reserved(name));
        }
        let mut entries = self.entries.write();
        if let Some(&owner) = entries.by_name.get(&name) {
            return Err(RegisterError::Taken { name, owner });
        }
        if let Some(name) = entries.by_pid.get(&pid).cloned() {
            return Err(RegisterError::AlreadyNamed { pid, name });
        }
        announce(slot);
        if !slot.is_alive(pid.generation()) {
            return Err(RegisterError::NoProc(pid));
        }
        entries.by_name.insert(name.clone(), pid);
        entries.by_pid.insert(pid, name);
        Ok(())
    }

    pub(crate) fn unregister(&self, name: &str) -> Option<Pid> {
        let mut entries = self.entries.write();
        let pid = entries.by_name.remove(name)?;
        entries.by_pid.remove(&pid);
        Some(pid)
    }

    /// Rule 2; the inbox is closed.
    #[inline]
    pub(crate) fn process_exited(&self, slot: &Slot, pid: Pid) {
        if !was_announced(slot) {
            return;
        }
        let mut entries = self.entries.write();
        if let Some(name) = entries.by_pid.remove(&pid) {
            entries.by_name.remove(&name);
        }
    }

    pub(crate) fn whereis(&self, name: &str) -> Option<Pid> {
        self.entries.read().by_name.get(name).copied()
    }

    pub(crate) fn name_of(&self, pid: Pid) -> Option<Name> {
        self.entries.read().by_pid.get(&pid).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Name> {
        self.entries.read().by_name.keys().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.read().by_name.len()
    }
}

/// First half of rule 1.
fn announce(slot: &Slot) {
    // SeqCst: before the look at the inbox (`is_closed`); pairs with rule 2.
    slot.named.store(true, Ordering::SeqCst);
    model_fence();
}

/// First half of rule 2.
#[inline]
fn was_announced(slot: &Slot) -> bool {
    model_fence();
    // SeqCst: after the close of the inbox (`close`); pairs with rule 1.
    slot.named.load(Ordering::SeqCst)
}

/// Registers a process under a name; it keeps the name until it ends or [`unregister`] is called.
///
/// # Errors
/// If the name is taken or reserved, or the process is gone or has a name already.
///
/// # Panics
/// Outside a process.
pub fn register(name: impl Into<Name>, pid: Pid) -> Result<(), RegisterError> {
    with_turn(|turn| {
        turn.charge(1);
        turn.shared().register(name.into(), pid)
    })
}

/// Frees a name.
///
/// # Errors
/// If the name is not registered.
///
/// # Panics
/// Outside a process.
pub fn unregister(name: impl Into<Name>) -> Result<(), NotRegistered> {
    let name = name.into();
    with_turn(|turn| turn.shared().names.unregister(&name)).map(drop).ok_or(NotRegistered(name))
}

/// The process of this name.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn whereis(name: &str) -> Option<Pid> {
    with_turn(|turn| turn.shared().names.whereis(name))
}

/// All registered names, in no particular order.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn registered() -> Vec<Name> {
    with_turn(|turn| turn.shared().names.all())
}

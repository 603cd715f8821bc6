//! What only some processes have: links, monitors, aliases, passed-over messages, and more.
//!
//! An idle process that never used any of it keeps none of it: the slot holds one pointer here.
//! What is rarer still sits behind a second pointer ([`Rare`]).

use std::{any::Any, sync::Arc, task::Waker};

use beamish_runtime::{Nanos, TimerKey};
use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::{
    alias::AliasState,
    answer::Request,
    link::Links,
    mailbox::{Mark, Saved},
    monitor::{Monitoring, Watcher},
    name::Name,
    panics,
    pid::Pid,
    reference::Reference,
    small_map::SmallMap,
    termination::Farewell,
};

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Extra {
    pub(crate) links: Links,
    /// Monitors that this process holds on others, by reference.
    pub(crate) monitors: SmallMap<u64, Monitoring>,
    /// Monitors that others hold on this process, by reference.
    pub(crate) watchers: SmallMap<Reference, Watcher>,
    pub(crate) aliases: SmallMap<u64, AliasState>,
    /// Messages that a receive has passed over.
    pub(crate) saved: Saved,
    pub(crate) rare: Option<Box<Rare>>,
}

/// What hardly any process has.
#[derive(Default)]
pub(crate) struct Rare {
    /// Priority messages, waiting before all others.
    pub(crate) urgent: Saved,
    /// Where the mailbox ended when these references were made, newest last.
    pub(crate) marks: SmallVec<[(u64, Mark); 4]>,
    pub(crate) dictionary: HashMap<Name, Box<dyn Any + Send>, FxBuildHasher>,
    pub(crate) label: Option<Arc<str>>,
    /// Timers that will send to this process.
    pub(crate) timers: HashSet<TimerKey, FxBuildHasher>,
    /// Links whose exit signals become priority messages.
    pub(crate) urgent_links: HashSet<Pid, FxBuildHasher>,
    /// The waker that foreign futures of this process hold.
    pub(crate) waker: Option<Waker>,
    /// Queue length at which to warn.
    pub(crate) warning_mark: Option<u32>,
    /// Who waits to hear that the process is suspended: told when its poll is over.
    pub(crate) suspenders: Vec<Request<()>>,
    /// How often the process is suspended.
    pub(crate) suspensions: u32,
    /// Since when, on the runtime's clock.
    pub(crate) suspended_since: Nanos,
    /// How long it was suspended before that, in all.
    pub(crate) suspended_for: Nanos,
    /// Whom it suspends, once for each time.
    pub(crate) suspending: Vec<Pid>,
    pub(crate) farewell: Option<Farewell>,
}

impl Extra {
    /// Drops what users gave the process to keep, piece by piece: any destructor may panic.
    pub(crate) fn dispose(&mut self) {
        for message in self.saved.drain() {
            panics::contain(|| drop(message));
        }
        for tagger in self.monitors.values_mut().filter_map(Monitoring::forget_tag) {
            panics::contain(|| drop(tagger));
        }
        let Some(rare) = self.rare.as_deref_mut() else { return };
        for message in rare.urgent.drain() {
            panics::contain(|| drop(message));
        }
        for (_, value) in rare.dictionary.drain() {
            panics::contain(|| drop(value));
        }
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

//! A process's place in the table.
//!
//! # Layout
//!
//! 128 bytes: one cache line that everybody may touch, and one for the process alone. Slots are
//! type-stable: their memory stays a slot as long as the table lives, whoever is the tenant. So a
//! send needs no reference count and no epoch: find the slot, compare the generation, push.
//!
//! # Who may touch what
//!
//! The shared line holds atomics only. The private line ([`Private`]) belongs to the thread that
//! runs the process's turn, and to whoever makes a new tenant before its pid is known. A turn is a
//! permission that exists once: the inbox word hands it out (inbox.rs, rules 1, 2 and 4), the run
//! queues carry it, and each hand-over synchronises. A sender that unparks a process has it until
//! it schedules the process, and uses it to hand over the message.
#![allow(unsafe_code, reason = "the leaf that shares slots between threads")]

use std::{
    cell::{Cell, RefCell},
    fmt,
    num::NonZeroU64,
    ptr::NonNull,
};

use beamish_runtime::{Header, Priority, Task, VTable};

use crate::{
    body::{Body, BodyKind, Pollable},
    delivery::answer_for_the_dead,
    extra::Extra,
    inbox::{Chain, Inbox, Push},
    node::Message,
    panics,
    pid::Pid,
    pooled::Pooled,
    reference::Reference,
    shared::Shared,
    sync::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

/// See the module's documentation.
#[repr(C, align(128))]
pub(crate) struct Slot {
    /// First, so that a task is a slot.
    header: Header,
    pub(crate) inbox: Inbox,
    /// Of the present tenant, or of the next one if the inbox is closed.
    generation: AtomicU64,
    /// Constant while the table lives.
    shared: NonNull<Shared>,
    index: u32,
    priority: AtomicU8,
    /// Whether the tenant is, or is about to be, in the table of names (names.rs).
    pub(crate) named: AtomicBool,
    /// Whether a waker of this process was cloned: from then on it is polled with one that
    /// futures can keep (waker.rs).
    pub(crate) waker_cloned: AtomicBool,
    /// The pid of the parent: node and index, generation.
    parent: [AtomicU64; 2],
    /// The monitor that the parent has held since the spawn, if any: here, because most watched
    /// processes are watched by their parent alone. Only the process's turn uses it.
    parents_monitor: AtomicU64,
    private: Private,
}

/// No reference has this number: suppliers count from one.
const NO_MONITOR: u64 = 0;

/// What a sender must do after it has delivered a signal.
#[must_use]
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Nothing: the process is running or already scheduled.
    Done,
    /// Schedule the process.
    Schedule,
    /// Answer for the dead: the signal was not accepted.
    Refused(Message),
}

/// The owner's line of a slot.
#[repr(align(64))]
pub(crate) struct Private {
    /// The signal that unparked the process, until its turn begins.
    handed: Cell<Option<Message>>,
    /// Drained messages that no receive has looked at yet.
    pub(crate) fresh: Chain,
    pub(crate) extra: RefCell<Option<Pooled<Extra>>>,
    body: Cell<Option<Body>>,
    pub(crate) reductions: Cell<u64>,
    /// Drained messages, looked at or not.
    pub(crate) queue_len: Cell<u32>,
    pub(crate) flags: Cell<Flags>,
}

/// What a process remembers of itself from turn to turn.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Flags {
    /// The future wants to be polled, whatever came.
    pub(crate) poll: bool,
    /// A receive waits: poll when a message comes.
    pub(crate) receiving: bool,
    /// Exit signals become messages.
    pub(crate) trap_exit: bool,
    pub(crate) stage: Stage,
}

/// Where a process is in its life.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Running,
    /// Handles signals, but is not polled: `suspend_process`.
    Suspended,
    /// Has ended and is telling the others.
    Exiting,
}

// SAFETY: all that threads share is atomic; `shared` points to the table's owner, which is `Sync`
// and outlives the slot; `private` is reached only through `Slot::private`, whose contract keeps
// it to one thread at a time, and all in it is `Send`; that is checked below.
unsafe impl Sync for Slot {}
// SAFETY: as for `Sync`; nothing is tied to the thread that made the slot.
unsafe impl Send for Slot {}

const _: fn() = || {
    fn check<T: Send>() {}
    check::<Private>();
};

impl Slot {
    pub(crate) fn vacant(index: u32, vtable: &'static VTable, shared: NonNull<Shared>) -> Self {
        Self {
            header: Header::new(vtable),
            inbox: Inbox::closed(),
            generation: AtomicU64::new(1),
            shared,
            index,
            priority: AtomicU8::new(Priority::Normal as u8),
            named: AtomicBool::new(false),
            waker_cloned: AtomicBool::new(false),
            parent: [AtomicU64::new(0), AtomicU64::new(0)],
            parents_monitor: AtomicU64::new(NO_MONITOR),
            private: Private {
                handed: Cell::new(None),
                fresh: Chain::default(),
                extra: RefCell::default(),
                body: Cell::new(None),
                reductions: Cell::new(0),
                queue_len: Cell::new(0),
                flags: Cell::new(Flags::default()),
            },
        }
    }

    /// # Safety
    /// `task` was made by [`Slot::task`] of a table that still lives.
    pub(crate) unsafe fn of_task<'a>(task: Task) -> &'a Self {
        // SAFETY: the header is the first field of a `repr(C)` slot.
        unsafe { task.as_ptr().cast::<Self>().as_ref() }
    }

    /// The slot as the scheduler sees it.
    #[inline]
    pub(crate) fn task(&self) -> Task {
        // SAFETY: slots are type-stable, and the scheduler's workers keep the table alive.
        unsafe { Task::from_raw(NonNull::from_ref(self).cast()) }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: `Shared` owns the table that owns the slot.
        unsafe { self.shared.as_ref() }
    }

    /// Delivers a signal.
    #[inline]
    pub(crate) fn push(&self, message: Message) -> Delivery {
        match self.inbox.push(message) {
            Push::Queued => Delivery::Done,
            Push::Unparked(message) => {
                // A turn begins with taking this, so nothing is in there now.
                // SAFETY: whoever unparks a process has the permission to run it.
                unsafe { self.private() }.handed.set(Some(message));
                Delivery::Schedule
            }
            Push::Closed(message) => Delivery::Refused(message),
        }
    }

    /// The owner's line.
    ///
    /// # Safety
    /// The caller holds the permission to run the process's turn, or is making its next tenant.
    #[inline]
    pub(crate) unsafe fn private(&self) -> &Private {
        &self.private
    }

    /// The owner's line, for making the next tenant of a slot just taken from the table.
    #[inline]
    pub(crate) fn new_tenant(&self) -> &Private {
        debug_assert!(self.inbox.is_closed(), "nobody lives here");
        // Relaxed: the new tenant is not known to anyone yet.
        self.named.store(false, Ordering::Relaxed);
        self.waker_cloned.store(false, Ordering::Relaxed);
        &self.private
    }

    /// Undoes the making of a tenant that was never scheduled.
    pub(crate) fn abandon(&self, shared: &Shared) {
        let last = self.inbox.close();
        let (pid, private) = (self.pid(), &self.private);
        panics::contain(|| drop((private.body.take(), private.extra.take())));
        shared.let_again(shared.outside(), self);
        while let Some(message) = last.pop() {
            panics::contain(|| answer_for_the_dead(pid, message));
        }
    }

    /// Drops what a process left here that never ended: its worker was stuck when the runtime went.
    /// Nobody else knows the slot any more.
    pub(crate) fn dispose(&mut self) {
        let private = &self.private;
        panics::contain(|| drop(private.body.take()));
        private.handed.take().into_iter().for_each(|message| private.fresh.push(message));
        private.fresh.append(&self.inbox.close());
        while let Some(message) = private.fresh.pop() {
            panics::contain(|| drop(message));
        }
        if let Some(mut extra) = private.extra.take() {
            extra.dispose();
        }
    }

    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        // Acquire pairs with the Release of `retire`: whoever sees a generation sees the slot at
        // least as far as its former tenant left it. Being late is harmless: nodes carry the
        // generation they are meant for.
        self.generation.load(Ordering::Acquire)
    }

    /// The pid of the present tenant.
    #[inline]
    pub(crate) fn pid(&self) -> Pid {
        let generation = NonZeroU64::new(self.generation()).unwrap_or(NonZeroU64::MIN);
        Pid::new(self.shared().node(), self.index, generation)
    }

    /// Whether the process of this generation is still alive.
    #[inline]
    pub(crate) fn is_alive(&self, generation: u64) -> bool {
        // In this order: an inbox seen open may be that of the next tenant, whose generation is
        // then seen too, for it was raised before the inbox was opened.
        !self.inbox.is_closed() && self.generation() == generation
    }

    /// Ends the tenancy; false if the generations are used up and the slot must not be let again.
    #[must_use]
    pub(crate) fn retire(&self) -> bool {
        let next = self.generation.load(Ordering::Relaxed).wrapping_add(1);
        if next == 0 {
            return false;
        }
        // Release pairs with the Acquire in `generation`.
        self.generation.store(next, Ordering::Release);
        true
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn set_generation(&self, generation: u64) {
        self.generation.store(generation, Ordering::Release);
    }

    #[inline]
    pub(crate) fn priority(&self) -> Priority {
        // Relaxed: a hint to the scheduler.
        match self.priority.load(Ordering::Relaxed) {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            _ => Priority::Max,
        }
    }

    pub(crate) fn set_priority(&self, priority: Priority) {
        self.priority.store(priority as u8, Ordering::Relaxed);
    }

    /// The parent of the present tenant; may be read while the tenant changes, so compare the
    /// slot's generation after reading.
    pub(crate) fn parent(&self) -> Option<Pid> {
        // Relaxed: the parent is written before the process's pid is known to anyone.
        let place = self.parent[0].load(Ordering::Relaxed);
        let generation = NonZeroU64::new(self.parent[1].load(Ordering::Relaxed))?;
        Some(Pid::at(place, generation))
    }

    pub(crate) fn set_parent(&self, parent: Option<Pid>) {
        let (place, generation) =
            parent.map_or((0, 0), |parent| (parent.place(), parent.generation()));
        self.parent[0].store(place, Ordering::Relaxed);
        self.parent[1].store(generation, Ordering::Relaxed);
    }

    /// Notes the monitor that the parent holds from the start.
    #[inline]
    pub(crate) fn set_parents_monitor(&self, reference: Option<Reference>) {
        // Relaxed, as below: the permission to run the process's turn orders the accesses.
        self.parents_monitor.store(reference.map_or(NO_MONITOR, Reference::id), Ordering::Relaxed);
    }

    /// The monitor that the parent has held since the spawn, and the parent.
    #[inline]
    pub(crate) fn parents_monitor(&self) -> Option<(Reference, Pid)> {
        let id = self.parents_monitor.load(Ordering::Relaxed);
        if id == NO_MONITOR {
            return None;
        }
        let parent = self.parent()?;
        Some((Reference::new(parent.node(), id), parent))
    }
}

impl Private {
    #[inline]
    pub(crate) fn set_body(&self, body: Body) {
        self.body.set(Some(body));
    }

    /// The signal that the process was unparked with.
    #[inline]
    pub(crate) fn take_handed(&self) -> Option<Message> {
        self.handed.take()
    }

    pub(crate) fn take_body(&self) -> Option<Body> {
        self.body.take()
    }

    #[inline]
    pub(crate) fn body_to_poll(&self) -> Option<Pollable> {
        // SAFETY: `Private` stays on one thread, and nothing in this expression calls back.
        unsafe { (*self.body.as_ptr()).as_ref().map(Body::to_poll) }
    }

    pub(crate) fn body_kind(&self) -> Option<BodyKind> {
        self.body_to_poll().map(Pollable::kind)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("index", &self.index).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_line_for_all_and_a_line_for_the_owner() {
        assert_eq!(size_of::<Slot>(), 128);
        assert!(std::mem::offset_of!(Slot, private) >= 64);
    }
}

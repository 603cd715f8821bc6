//! A turn: one run of a process on a worker.
//!
//! A turn handles the signals that came, polls the process's future if there is a reason to, and
//! parks the process when nothing is left. Holding a [`Turn`] is the permission to touch what
//! belongs to the process alone.
//!
//! # Reductions
//!
//! Receiving, sending, spawning, setting a timer and the explicit points cost reductions. When
//! [`REDUCTIONS`] are used up, the next receive or explicit point yields, and the process goes to
//! the back of the queue, so that nobody starves behind a process that always has a message.
#![allow(unsafe_code, reason = "turns the permission to run a task into access to its slot")]

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

use beamish_runtime::{Task, VTable, Worker};

use crate::{
    ambient,
    body::BodyKind,
    exit::ExitReason,
    inbox::Chain,
    panics,
    pid::Pid,
    reference::Reference,
    report,
    shared::Shared,
    slot::{Private, Slot, Stage},
    termination, waker,
};

/// What a process may do in one turn. BEAM allows 4,000 function calls; our operations are coarser
/// and cost some 20 to 50 ns each, so that a full turn lasts about 10 us.
pub(crate) const REDUCTIONS: u32 = 256;

/// What the scheduler calls for every process.
pub(crate) static VTABLE: VTable = VTable { run };

/// See the module's documentation.
pub(crate) struct Turn<'a> {
    slot: &'a Slot,
    worker: &'a Worker,
    pid: Pid,
    left: Cell<u32>,
    /// What was left when the reductions were last added up.
    settled: Cell<u32>,
    yielding: Cell<bool>,
    /// Whether signals are being handled, one by one.
    pub(crate) taking_in: Cell<bool>,
    is_dying: Cell<bool>,
    /// Why the process is to end, if it is.
    dying: RefCell<Option<ExitReason>>,
    /// Signals behind the one that ends the process.
    pub(crate) unread: Chain,
    /// What is being polled.
    kind: Cell<Option<BodyKind>>,
    /// A turn stays on its thread.
    _here: PhantomData<*const ()>,
}

/// # Safety
/// `task` is a slot's, and the permission to run its turn.
unsafe fn run(task: Task, worker: &Worker) {
    // SAFETY: tasks with this vtable are slots, and the table lives while workers do.
    let slot = unsafe { Slot::of_task(task) };
    let turn = Turn {
        slot,
        worker,
        pid: slot.pid(),
        left: Cell::new(REDUCTIONS),
        settled: Cell::new(REDUCTIONS),
        yielding: Cell::new(false),
        taking_in: Cell::new(false),
        is_dying: Cell::new(false),
        dying: RefCell::new(None),
        unread: Chain::default(),
        kind: Cell::new(None),
        _here: PhantomData,
    };
    let _entered = ambient::enter(&turn);
    turn.run();
}

impl<'a> Turn<'a> {
    #[inline]
    pub(crate) fn private(&self) -> &'a Private {
        // SAFETY: a turn is the permission.
        unsafe { self.slot.private() }
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'a Slot {
        self.slot
    }

    #[inline]
    pub(crate) fn worker(&self) -> &'a Worker {
        self.worker
    }

    #[inline]
    pub(crate) fn shared(&self) -> &'a Shared {
        self.slot.shared()
    }

    #[inline]
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn body_kind(&self) -> Option<BodyKind> {
        self.kind.get()
    }

    pub(crate) fn note_kind(&self, kind: Option<BodyKind>) {
        self.kind.set(kind);
    }

    /// Runs the process until it parks, yields or ends.
    fn run(&self) {
        if self.private().flags.get().stage == Stage::Exiting {
            return termination::resume(self);
        }
        self.take_in_first();
        loop {
            let mut polled = self.poll_if_wanted();
            if self.is_dying() {
                // A signal that ended the process during the poll came before its return.
                report::contained(self, || drop(polled));
                let mut reason = self.dying.take().unwrap_or(ExitReason::Killed);
                return termination::terminate(self, &mut reason);
            }
            if let Poll::Ready(reason) = &mut polled {
                return termination::terminate(self, reason);
            }
            self.settle_reductions();
            if self.is_used_up() {
                self.answer_suspenders();
            }
            if self.yielding.get() {
                return self.worker.schedule_back(self.slot.task(), self.slot.priority());
            }
            // The last touch: after it, another thread may run the process.
            if self.slot.inbox.park() {
                return;
            }
            self.drain();
        }
    }

    #[inline]
    fn poll_if_wanted(&self) -> Poll<ExitReason> {
        let flags = self.private().flags.get();
        if flags.poll && flags.stage == Stage::Running && !self.is_dying() {
            self.poll()
        } else {
            Poll::Pending
        }
    }

    fn poll(&self) -> Poll<ExitReason> {
        let private = self.private();
        let mut flags = private.flags.get();
        flags.poll = false;
        flags.receiving = false;
        private.flags.set(flags);
        let Some(body) = private.body_to_poll() else {
            unreachable!("a running process has a body")
        };
        self.kind.set(Some(body.kind()));
        let polled = waker::with_waker(self, |waker| {
            let mut context = Context::from_waker(waker);
            // SAFETY: a turn is the permission to touch the body, polls are not nested, and the
            // body is dropped after its poll only.
            catch_unwind(AssertUnwindSafe(|| unsafe { body.poll(&mut context) }))
        });
        polled.unwrap_or_else(|payload| Poll::Ready(panics::reason(payload)))
    }

    /// Makes the process end after this poll, or at once if it is not being polled.
    pub(crate) fn die(&self, reason: ExitReason) {
        let mut dying = self.dying.borrow_mut();
        if dying.is_none() {
            *dying = Some(reason);
            self.is_dying.set(true);
            self.use_up();
        }
    }

    /// Ends the turn at the next receive: the look at the reductions, which each takes, finds it.
    pub(crate) fn use_up(&self) {
        self.settle_reductions();
        self.left.set(0);
        self.settled.set(0);
    }

    #[inline]
    pub(crate) fn is_dying(&self) -> bool {
        self.is_dying.get()
    }

    pub(crate) fn dying_reason(&self) -> Option<ExitReason> {
        self.dying.borrow().clone()
    }

    /// Uses up reductions.
    #[inline]
    pub(crate) fn charge(&self, reductions: u32) {
        self.left.set(self.left.get().saturating_sub(reductions));
    }

    /// Whether the turn is used up.
    #[inline]
    pub(crate) fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }

    /// Ends the turn after this poll, and polls again in the next one.
    pub(crate) fn yield_after_poll(&self) {
        self.yielding.set(true);
        self.poll_again();
    }

    pub(crate) fn poll_again(&self) {
        let mut flags = self.private().flags.get();
        flags.poll = true;
        self.private().flags.set(flags);
    }

    /// Polls when a message comes.
    #[inline]
    pub(crate) fn poll_on_message(&self) {
        let mut flags = self.private().flags.get();
        flags.receiving = true;
        self.private().flags.set(flags);
    }

    pub(crate) fn reductions(&self) -> u64 {
        self.private().reductions.get() + u64::from(self.settled.get() - self.left.get())
    }

    fn settle_reductions(&self) {
        self.private().reductions.set(self.reductions());
        self.settled.set(self.left.get());
    }

    pub(crate) fn make_reference(&self) -> Reference {
        Reference::new(self.pid.node(), self.new_reference())
    }

    /// The id of a new reference of this runtime, from the worker's own supply.
    #[inline]
    pub(crate) fn new_reference(&self) -> u64 {
        self.shared().local(self.worker.index()).next_reference()
    }
}

//! What a process can say of itself, and do with itself.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use beamish_runtime::Priority;
use smallvec::SmallVec;

use crate::{
    ambient::with_turn, body::BodyKind, exit::IntoReason, mailbox::Mark, panics, pid::Pid,
    reference::Reference, turn::Turn,
};

/// How many references besides monitors and aliases a process remembers the mailbox mark of.
const MARKS: usize = 4;

/// The pid of the current process.
///
/// # Panics
/// Outside a process.
#[inline]
#[must_use]
#[track_caller]
pub fn me() -> Pid {
    with_turn(|turn| turn.pid())
}

/// Ends the current process with this reason.
///
/// Unwinds: destructors run, and `std::panic::catch_unwind` can catch it, as `catch` can in Erlang.
/// Linked processes get the reason; only `Normal`, `Shutdown` and `ShutdownWith` are not reported
/// as crashes.
///
/// # Panics
/// Always, in a way: see above. Outside a process with a message that says so.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{Down, ExitReason, exit, receive, spawn_monitor};
/// spawn_monitor(async { exit(ExitReason::Shutdown) });
/// assert_eq!(receive::<Down>().await.reason, ExitReason::Shutdown);
/// # }).unwrap();
/// ```
pub fn exit(reason: impl IntoReason) -> ! {
    with_turn(|_| ());
    panics::unwind(reason.into_reason())
}

/// A reference that is equal to no other.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn make_ref() -> Reference {
    with_turn(|turn| {
        let id = turn.new_reference();
        let mark = turn.mark();
        turn.private().with_extra(|extra| {
            remember(&mut extra.rare().marks, id, mark);
        });
        Reference::new(turn.pid().node(), id)
    })
}

fn remember(marks: &mut SmallVec<[(u64, Mark); 4]>, id: u64, mark: Mark) {
    if marks.len() == MARKS {
        marks.remove(0);
    }
    marks.push((id, mark));
}

/// Sets the scheduling priority of the current process; returns the one before.
///
/// A process of priority `High` runs before every `Normal` one of its worker, and starves them if
/// it never waits. `Low` gets about one turn in eight while `Normal` ones wait. Use with care.
///
/// # Panics
/// Outside a process.
pub fn set_priority(priority: Priority) -> Priority {
    with_turn(|turn| {
        let before = turn.slot().priority();
        turn.slot().set_priority(priority);
        before
    })
}

/// Gives the current process a label for reports and `process_info`.
///
/// # Panics
/// Outside a process.
pub fn set_label(label: impl Into<Arc<str>>) {
    let label = label.into();
    with_turn(|turn| turn.private().with_extra(|extra| extra.rare().label = Some(label)));
}

/// Lets others run: the process goes to the back of its queue.
///
/// # Panics
/// When awaited outside a process.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        with_turn(|turn| turn.yield_after_poll());
        Poll::Pending
    })
    .await;
}

/// Says that the process has done this much work, and lets others run if its turn is used up.
///
/// A turn has 256 reductions; a send or receive costs one, which is some 20 to 50 ns. Call it in
/// long computations, so that they do not hold up others.
///
/// # Panics
/// When awaited outside a process.
pub async fn consume_reductions(reductions: u32) {
    let used_up = with_turn(|turn| {
        turn.charge(reductions);
        turn.is_used_up()
    });
    if used_up {
        yield_now().await;
    }
}

/// Waits for the next message, and gives back memory that is not needed meanwhile: unused room in
/// the mailbox and in the process's books. The future itself keeps its size.
///
/// Returns at once if a message waits already. Takes nothing from the mailbox.
///
/// # Panics
/// When awaited outside a process.
pub fn hibernate() -> impl Future<Output = ()> + Send {
    let mut asleep = false;
    poll_fn(move |_| {
        with_turn(|turn| {
            turn.drain();
            if turn.must_stop() {
                return Poll::Pending;
            }
            if turn.private().queue_len.get() > 0 {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut asleep, true) {
                turn.shrink();
            }
            turn.poll_on_message();
            Poll::Pending
        })
    })
}

impl Turn<'_> {
    /// Gives back memory that is not in use.
    fn shrink(&self) {
        self.private().if_extra(|extra| {
            extra.saved.shrink();
            if let Some(rare) = extra.rare.as_deref_mut() {
                rare.urgent.shrink();
                rare.dictionary.shrink_to_fit();
                rare.timers.shrink_to_fit();
            }
        });
    }

    /// The present end of the mailbox, for a reference made now: all that waits is numbered first,
    /// each message once in its life.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        self.drain();
        self.private().number_all()
    }

    /// Where a receive for this reference may start.
    pub(crate) fn mark_of(&self, id: u64) -> Mark {
        let mark = self.private().if_extra(|extra| {
            if let Some(monitoring) = extra.monitors.get(&id) {
                return Some(monitoring.mark);
            }
            if let Some(alias) = extra.aliases.get(&id) {
                return Some(alias.mark);
            }
            let marks = &extra.rare.as_deref()?.marks;
            marks.iter().find(|(known, _)| *known == id).map(|(_, mark)| *mark)
        });
        mark.flatten().unwrap_or_default()
    }

    /// What the process runs.
    pub(crate) fn kind_of_body(&self) -> Option<BodyKind> {
        if self.private().body_kind().is_some() {
            self.note_kind(self.private().body_kind());
        }
        self.body_kind()
    }
}

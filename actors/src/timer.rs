//! Time: now, sleeping, and timers that send messages.

use std::{
    fmt,
    future::Future,
    ops::{Add, Sub},
    pin::Pin,
    ptr,
    task::{Context, Poll},
    time::Duration,
};

use beamish_runtime::{Expiry, Nanos, TimerKey};

use crate::{
    alias::Alias,
    ambient::{try_turn, with_turn},
    delivery::deliver_anywhere,
    name::Name,
    node::Message,
    panics,
    pid::Pid,
    reference::Reference,
    shared::{Shared, runtime_of},
    signal::Signal,
    turn::Turn,
};

/// A moment of the runtime's clock, which never goes back. Virtual in a seeded runtime.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Nanos);

impl Instant {
    /// How long ago this was; zero if it is to come.
    ///
    /// # Panics
    /// Outside a process.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        now().saturating_duration_since(self)
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.0.saturating_sub(earlier.0.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Later by this much; the end of the clock (584 years) at most.
    fn add(self, duration: Duration) -> Self {
        Self(later(self.0, duration))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?})", Duration::from_nanos(self.0.0))
    }
}

fn later(time: Nanos, duration: Duration) -> Nanos {
    Nanos(time.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
}

/// The present moment.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn now() -> Instant {
    with_turn(|turn| Instant(turn.shared().scheduler.now()))
}

/// The end of a wait, and the timer that wakes the process for it.
///
/// The timer is set when the process first waits, so a wait that ends at once sets none. It is
/// cancelled when the wait is dropped.
#[derive(Debug)]
pub(crate) struct Deadline {
    when: When,
    /// How long the process had been suspended at the last look: what is added since extends the
    /// wait.
    suspended_before: Nanos,
    timer: Option<OwnTimer>,
}

#[derive(Clone, Copy, Debug)]
enum When {
    /// Counted from the first look at the clock, which is the first poll.
    After(Duration),
    At(Nanos),
}

/// A timer set for a process.
#[derive(Debug)]
struct OwnTimer {
    pid: Pid,
    at: Nanos,
    key: TimerKey,
}

impl Drop for OwnTimer {
    fn drop(&mut self) {
        let cancel = |shared: &Shared| {
            shared.scheduler.timers().cancel(self.key);
        };
        try_turn(|turn| match turn {
            Some(turn) if turn.shared().node() == self.pid.node() => cancel(turn.shared()),
            // The future was carried out of its runtime.
            _ => {
                if let Some(shared) = runtime_of(self.pid) {
                    cancel(&shared);
                }
            }
        });
    }
}

impl Deadline {
    fn new(when: When) -> Self {
        Self { when, suspended_before: Nanos::ZERO, timer: None }
    }

    pub(crate) fn after(limit: Duration) -> Self {
        Self::new(When::After(limit))
    }

    fn at(instant: Instant) -> Self {
        Self::new(When::At(instant.0))
    }

    /// Whether the time is up; if not, the process will be woken when it is.
    pub(crate) fn is_over(&mut self, turn: &Turn<'_>) -> bool {
        if matches!(self.when, When::After(Duration::ZERO)) {
            return true;
        }
        let (now, suspended) = (turn.shared().scheduler.now(), turn.suspended_for());
        // A wait that was begun in another process must wake this one, and what that one was
        // suspended for, or this one before, does not count.
        let timer = self.timer.take().filter(|timer| timer.pid == turn.pid());
        let at = match self.when {
            When::At(at) if timer.is_some() => {
                at.saturating_add(suspended.saturating_sub(self.suspended_before))
            }
            When::At(at) => at,
            When::After(limit) => later(now, limit),
        };
        (self.when, self.suspended_before) = (When::At(at), suspended);
        if now >= at {
            return true;
        }
        let timer = timer.filter(|timer| timer.at == at);
        self.timer = Some(timer.unwrap_or_else(|| turn.wake_at(at)));
        false
    }
}

impl Turn<'_> {
    fn wake_at(&self, at: Nanos) -> OwnTimer {
        self.charge(1);
        let key = wake::set(self, at);
        OwnTimer { pid: self.pid(), at, key }
    }

    /// A timer that will send to this process: it ends with the process.
    pub(crate) fn own_timer(&self, key: TimerKey) {
        let timers = self.shared().scheduler.timers();
        self.private().with_extra(|extra| {
            let own = &mut extra.rare().timers;
            // Fired ones are swept out when the set would grow.
            if own.len() == own.capacity() {
                own.retain(|key| timers.deadline(*key).is_some());
            }
            own.insert(key);
        });
    }
}

/// Waking a process at a time, without an allocation.
mod wake {
    #![allow(unsafe_code, reason = "hands a slot pointer to the timers")]

    use super::*;
    use crate::slot::Slot;

    pub(super) fn set(turn: &Turn<'_>, at: Nanos) -> TimerKey {
        let slot = ptr::from_ref(turn.slot()).cast();
        let generation = turn.pid().generation();
        // SAFETY: slots live as long as the runtime, whose scheduler owns the timers and fires
        // them on threads that keep the runtime alive; `fire` is made for a slot.
        let expiry = unsafe { Expiry::task(fire, slot, generation) };
        turn.shared().scheduler.timers().insert(at, expiry)
    }

    /// # Safety
    /// `slot` is a live slot.
    unsafe fn fire(slot: *const (), generation: u64) {
        // SAFETY: the caller's promise.
        let slot = unsafe { &*slot.cast::<Slot>() };
        let pid = slot.pid();
        if pid.generation() == generation {
            slot.shared().wake(pid);
        }
    }
}

/// Waits this long, without blocking anything but the current process. Messages stay in the
/// mailbox meanwhile. Never early; late by up to a millisecond, more on a busy machine.
///
/// # Panics
/// When awaited outside a process.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep(Deadline::after(duration))
}

/// Waits until this moment.
///
/// # Panics
/// When awaited outside a process.
pub fn sleep_until(instant: Instant) -> Sleep {
    Sleep(Deadline::at(instant))
}

/// The future of [`sleep`].
#[derive(Debug)]
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep(Deadline);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let deadline = &mut self.get_mut().0;
        with_turn(|turn| if deadline.is_over(turn) { Poll::Ready(()) } else { Poll::Pending })
    }
}

/// A timer that will send a message: what [`send_after`] returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timer {
    key: TimerKey,
    reference: Reference,
    /// Who set it: tells the runtime.
    setter: Pid,
}

impl Timer {
    /// The timer's reference.
    #[must_use]
    pub fn reference(self) -> Reference {
        self.reference
    }

    /// Whether it is a timer of the runtime of this process.
    #[inline]
    fn is_of(self, turn: &Turn<'_>) -> bool {
        self.setter.node() == turn.pid().node()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timer({:?})", self.reference)
    }
}

impl PartialEq<Timer> for Reference {
    fn eq(&self, timer: &Timer) -> bool {
        *self == timer.reference
    }
}

/// The message of a timer made by [`start_timer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutMessage<M> {
    /// The timer's reference.
    pub timer: Reference,
    /// What was given to [`start_timer`].
    pub message: M,
}

/// Whom a timer sends to: a [`Pid`], an [`Alias`], or a name, looked up when the timer fires.
#[derive(Clone, Debug)]
pub enum TimerTarget {
    /// A process. The timer ends with it.
    Pid(Pid),
    /// A process, while the alias is active. The timer ends with the process.
    Alias(Alias),
    /// Whoever has the name then; if nobody has, the message is dropped.
    Name(Name),
}

impl From<Pid> for TimerTarget {
    fn from(pid: Pid) -> Self {
        Self::Pid(pid)
    }
}

impl From<Alias> for TimerTarget {
    fn from(alias: Alias) -> Self {
        Self::Alias(alias)
    }
}

impl From<Name> for TimerTarget {
    fn from(name: Name) -> Self {
        Self::Name(name)
    }
}

impl From<&'static str> for TimerTarget {
    fn from(name: &'static str) -> Self {
        Self::Name(name.into())
    }
}

/// Sends a message after this time. Never early.
///
/// The timer is dropped, unfired, when the receiving process ends.
///
/// # Panics
/// Outside a process.
pub fn send_after<M: Send + 'static>(
    delay: Duration,
    to: impl Into<TimerTarget>,
    message: M,
) -> Timer {
    with_turn(|turn| {
        let reference = turn.make_reference();
        turn.start_timer(turn.moment_after(delay), reference, to.into(), message)
    })
}

/// Sends a message at this moment; one that has passed is now.
///
/// # Panics
/// Outside a process.
pub fn send_at<M: Send + 'static>(at: Instant, to: impl Into<TimerTarget>, message: M) -> Timer {
    with_turn(|turn| {
        let reference = turn.make_reference();
        turn.start_timer(at.0, reference, to.into(), message)
    })
}

/// As [`send_after`]; the message arrives as [`TimeoutMessage`], which tells the timer.
///
/// # Panics
/// Outside a process.
pub fn start_timer<M: Send + 'static>(
    delay: Duration,
    to: impl Into<TimerTarget>,
    message: M,
) -> Timer {
    with_turn(|turn| {
        let reference = turn.make_reference();
        let message = TimeoutMessage { timer: reference, message };
        turn.start_timer(turn.moment_after(delay), reference, to.into(), message)
    })
}

/// Stops a timer; anybody may, on any thread. Returns the time that was left, or none if it has
/// fired (the message may be in the mailbox already), was stopped before, or its receiver or its
/// runtime has ended.
///
/// ```
/// # use beamish_actors as beamish;
/// # use std::time::Duration;
/// use beamish::{cancel_timer, send_after};
///
/// let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// let minute = Duration::from_secs(60);
/// let timer = runtime.block_on(async move { send_after(minute, "clock", "tick") }).unwrap();
/// assert!(cancel_timer(timer).is_some_and(|left| left <= minute));
/// assert_eq!(cancel_timer(timer), None);
/// ```
pub fn cancel_timer(timer: Timer) -> Option<Duration> {
    try_turn(|turn| match turn {
        Some(turn) if timer.is_of(turn) => {
            turn.charge(1);
            let left = turn.shared().cancel_timer(timer)?;
            turn.private().if_extra(|extra| {
                extra.rare.as_deref_mut().is_some_and(|rare| rare.timers.remove(&timer.key))
            });
            Some(left)
        }
        _ => runtime_of(timer.setter)?.cancel_timer(timer),
    })
}

/// The time that is left on a timer, or none if it has fired or was stopped, or its receiver or its
/// runtime has ended. On any thread.
#[must_use]
pub fn read_timer(timer: Timer) -> Option<Duration> {
    try_turn(|turn| match turn {
        Some(turn) if timer.is_of(turn) => turn.shared().read_timer(timer),
        _ => runtime_of(timer.setter)?.read_timer(timer),
    })
}

impl Turn<'_> {
    fn moment_after(&self, delay: Duration) -> Nanos {
        later(self.shared().scheduler.now(), delay)
    }

    fn start_timer<M: Send + 'static>(
        &self,
        at: Nanos,
        reference: Reference,
        to: TimerTarget,
        message: M,
    ) -> Timer {
        self.charge(1);
        let (pid, message) = match &to {
            TimerTarget::Pid(pid) => (Some(*pid), Message::new(message)),
            TimerTarget::Alias(alias) => {
                (Some(alias.pid), Message::aliased(alias.id, false, message))
            }
            TimerTarget::Name(_) => (None, Message::new(message)),
        };
        // Weak: the timers belong to the runtime.
        let shared = self.shared().weak();
        let call = Box::new(move || {
            if let Some(shared) = shared.upgrade() {
                shared.timer_fired(to, message);
            }
        });
        let key = self.shared().scheduler.timers().insert(at, Expiry::Call(call));
        match pid {
            Some(pid) if pid == self.pid() => self.own_timer(key),
            // The receiver ends the timer when it ends; if it has ended, this does.
            Some(pid) if pid.node() == self.pid().node() => {
                self.signal(pid, Signal::TimerStarted(key));
            }
            _ => {}
        }
        Timer { key, reference, setter: self.pid() }
    }
}

impl Shared {
    fn cancel_timer(&self, timer: Timer) -> Option<Duration> {
        self.scheduler.timers().cancel(timer.key).map(|deadline| self.until(deadline))
    }

    fn read_timer(&self, timer: Timer) -> Option<Duration> {
        self.scheduler.timers().deadline(timer.key).map(|deadline| self.until(deadline))
    }

    fn until(&self, deadline: Nanos) -> Duration {
        let left = deadline.saturating_sub(self.scheduler.now());
        // Deadlines are rounded up to whole milliseconds: so is never more left than was asked.
        Duration::from_millis(left.millis_floor())
    }

    fn timer_fired(&self, to: TimerTarget, message: Message) {
        let pid = match to {
            TimerTarget::Pid(pid) => Some(pid),
            TimerTarget::Alias(alias) => Some(alias.pid),
            TimerTarget::Name(name) => self.names.whereis(&name),
        };
        // A message for nobody is dropped here, on a worker: what its destructor does must not
        // harm the other timers.
        panics::contain(|| match pid {
            Some(pid) => deliver_anywhere(pid, message),
            None => drop(message),
        });
    }
}

//! Sending messages.

use thiserror::Error;

use crate::{
    alias::Alias,
    ambient::{try_turn, with_turn},
    delivery::deliver_anywhere,
    exit::{ExitReason, IntoReason},
    name::Name,
    node::Message,
    panics,
    pid::Pid,
    signal::Signal,
    turn::Turn,
};

/// The message was not sent: no process has the name. The message comes back.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("no process is registered as {name:?}")]
pub struct SendError<M> {
    /// The name.
    pub name: Name,
    /// What was to be sent.
    pub message: M,
}

impl<M> std::fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendError").field("name", &self.name).finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::Pid {}
    impl Sealed for crate::Alias {}
    impl Sealed for crate::Name {}
    impl Sealed for &crate::Name {}
    impl Sealed for &str {}
}

/// Where a message can go: a [`Pid`], an [`Alias`], or a registered name.
pub trait Destination: sealed::Sealed {
    /// What sending a message of type `M` returns: nothing for a pid or alias, for they are always
    /// valid; for a name, an error if it is not registered.
    type Sent<M>;

    #[doc(hidden)]
    fn deliver<M: Send + 'static>(self, message: M) -> Self::Sent<M>;
}

impl Destination for Pid {
    type Sent<M> = ();

    #[inline]
    fn deliver<M: Send + 'static>(self, message: M) {
        deliver(self, Message::new(message));
    }
}

impl Destination for Alias {
    type Sent<M> = ();

    #[inline]
    fn deliver<M: Send + 'static>(self, message: M) {
        deliver(self.pid, Message::aliased(self.id, false, message));
    }
}

impl Destination for &str {
    type Sent<M> = Result<(), SendError<M>>;

    fn deliver<M: Send + 'static>(self, message: M) -> Result<(), SendError<M>> {
        match with_turn(|turn| turn.shared().names.whereis(self)) {
            Some(pid) => {
                let _: () = pid.deliver(message);
                Ok(())
            }
            None => Err(SendError { name: self.to_owned().into(), message }),
        }
    }
}

impl Destination for &Name {
    type Sent<M> = Result<(), SendError<M>>;

    fn deliver<M: Send + 'static>(self, message: M) -> Result<(), SendError<M>> {
        self.as_str().deliver(message)
    }
}

impl Destination for Name {
    type Sent<M> = Result<(), SendError<M>>;

    fn deliver<M: Send + 'static>(self, message: M) -> Result<(), SendError<M>> {
        self.as_str().deliver(message)
    }
}

#[inline]
fn deliver(pid: Pid, message: Message) {
    try_turn(|turn| match turn {
        Some(turn) => {
            turn.charge(1);
            turn.deliver(pid, message);
        }
        None => deliver_anywhere(pid, message),
    });
}

/// Sends a message and returns at once. The message is moved, never copied.
///
/// Sending to a pid or an alias always succeeds; if the process has ended, or ends before it
/// receives the message, the message is dropped. Messages and other signals from one sender to one
/// receiver arrive in the order sent. Works from any thread, in a process or not.
///
/// # Errors
/// For a name: [`SendError`], with the message, if no process has it.
///
/// # Panics
/// For a name: outside a process (names belong to a runtime).
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{me, receive, send};
/// send(me(), 42_u32);
/// assert_eq!(receive::<u32>().await, 42);
/// assert!(send("nobody", 42_u32).is_err());
/// # }).unwrap();
/// ```
#[inline]
pub fn send<D: Destination, M: Send + 'static>(to: D, message: M) -> D::Sent<M> {
    to.deliver(message)
}

/// Sends a priority message: if the alias was made with
/// [`AliasOptions::priority`](crate::AliasOptions::priority), it goes before all ordinary messages
/// in the mailbox. Through an ordinary alias it is an ordinary message.
pub fn send_priority<M: Send + 'static>(to: Alias, message: M) {
    deliver(to.pid, Message::aliased(to.id, true, message));
}

/// Whom [`exit_process`] can tell to end: a [`Pid`] or an [`Alias`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitTarget {
    /// A process.
    Pid(Pid),
    /// A process, while the alias is active.
    Alias(Alias),
}

impl From<Pid> for ExitTarget {
    fn from(pid: Pid) -> Self {
        Self::Pid(pid)
    }
}

impl From<Alias> for ExitTarget {
    fn from(alias: Alias) -> Self {
        Self::Alias(alias)
    }
}

/// Sends an exit signal to a process: `exit/2` of Erlang.
///
/// | reason | receiver does not trap exits | receiver traps exits |
/// |---|---|---|
/// | `Normal` | nothing (ends if it is the sender itself) | [`Exit`](crate::Exit) message |
/// | `Kill` | ends with `Killed` | ends with `Killed` |
/// | any other | ends with that reason | [`Exit`](crate::Exit) message |
///
/// Takes effect when the receiver next awaits: a future can not be interrupted in the middle. Sent
/// to the caller itself it takes effect at once.
///
/// # Panics
/// Outside a process.
pub fn exit_process(target: impl Into<ExitTarget>, reason: impl IntoReason) {
    send_exit(target.into(), reason.into_reason(), false);
}

/// As [`exit_process`]: if the alias was made with
/// [`AliasOptions::priority`](crate::AliasOptions::priority) and the receiver traps exits, the
/// [`Exit`](crate::Exit) message is a priority message.
///
/// # Panics
/// Outside a process.
pub fn exit_process_priority(target: Alias, reason: impl IntoReason) {
    send_exit(target.into(), reason.into_reason(), true);
}

fn send_exit(target: ExitTarget, reason: ExitReason, priority: bool) {
    let dying = with_turn(|turn| {
        turn.charge(1);
        let from = turn.pid();
        let (to, alias) = match target {
            ExitTarget::Pid(pid) => (pid, None),
            ExitTarget::Alias(alias) => (alias.pid, Some((alias.id, priority))),
        };
        turn.signal(to, Signal::Exit { from, reason, alias });
        (to == from).then(|| turn.take_effect()).flatten()
    });
    if let Some(reason) = dying {
        panics::unwind(reason);
    }
}

impl Turn<'_> {
    /// Handles what the process sent itself; the reason if that ends it.
    fn take_effect(&self) -> Option<ExitReason> {
        self.drain();
        self.dying_reason()
    }
}

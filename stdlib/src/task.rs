//! Tasks: processes that compute one value for the process that started them.
//!
//! ```
//! use beamish::prelude::*;
//!
//! #[beamish::main]
//! async fn main() -> Result<(), ExitReason> {
//!     let sum = Task::spawn(async { (1..=100).sum::<u32>() });
//!     let product = Task::spawn(async { (1..=10).product::<u32>() });
//!     assert_eq!(sum.await?, 5_050);
//!     assert_eq!(product.timeout(Duration::from_secs(1)).await?, 3_628_800);
//!     Ok(())
//! }
//! ```
//!
//! # What a task is
//!
//! A process that is linked to its owner, the process that started it, and monitored by it. When its
//! future is done it sends the value through an alias of the owner, so a reply that nobody waits for
//! any more never reaches the mailbox. How long the mailbox is does not matter to whoever awaits.
//!
//! The link takes a crash of either side to the other one, as in Elixir: whoever awaits a task that
//! crashes hears of it only if it traps exits.
//!
//! The reply, or the news of the end, is a message of the owner: a receive that takes any `Down`, or any
//! [`Message`](crate::Message), may take it away, and then who awaits the task waits until the limit. And a
//! message wakes the process, not the wakers that some combinators make for the futures they hold: await
//! several tasks with [`await_many`], not with a `FuturesUnordered` or a `join_all` of many.
//!
//! # Differences from Elixir
//!
//! | Elixir | here |
//! |---|---|
//! | `Task.async(fun)` | [`Task::spawn`]: `async` is a keyword |
//! | `Task.await` exits the caller when the task fails or is late | returns a [`TaskError`]; `?` makes it the caller's exit |
//! | `Task.yield` | [`Task::yield_for`]: `yield` is a keyword |
//! | `Task.start`, `Task.start_link` | [`spawn`](crate::spawn()), [`spawn_link`](crate::spawn_link()) |
//! | a crash in `Task.async_stream` takes the caller along, or is `{:exit, reason}` | is a result of [`async_stream`], a [`TaskError`]; `?` passes it on |
//! | a task whose struct is forgotten still replies | dropping a [`Task`] in its owner turns its reply away; it goes on, linked. Elsewhere it does not |

mod many;
mod stream;
mod wait;

use std::{fmt, marker::PhantomData, time::Duration};

use thiserror::Error;

pub use self::{
    many::{OnTimeout, YieldOptions, await_many, yield_many},
    stream::{AsyncStream, OnLate, async_stream},
    wait::Await,
};
use crate::{
    __private::{Selector, current, flush, spawn_replying},
    Alias, AliasOptions, Down, ExitReason, Monitor, Pid, Shutdown, SpawnError, alias_with,
    demonitor_flush, exit_process, me, monitor, receive, send, unalias, unlink,
};

/// How long [`Task`] is awaited unless told otherwise: OTP's 5 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The task ended without a value.
    #[error("the task ended: {0}")]
    Exit(ExitReason),
    /// The task is not done in time. It goes on, linked, and its value will be dropped; one of a stream
    /// is killed.
    #[error("the task was not done within {0:?}")]
    Timeout(Duration),
    /// The value was taken before.
    #[error("the value of this task was taken before; await a task once")]
    Taken,
}

impl TaskError {
    /// Whether the task was late.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Why the task ended, if it did.
    #[must_use]
    pub fn exit_reason(&self) -> Option<&ExitReason> {
        match self {
            Self::Exit(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What came of a task: its value, or why it ended without one.
pub type Outcome<T> = Result<T, ExitReason>;

/// A process that computes one value for this one. See the [module's documentation](self).
///
/// Awaiting it waits up to [`DEFAULT_TIMEOUT`]; see [`Task::timeout`]. It is for its owner alone, the
/// process that started it: awaited, asked, stopped or ignored by another one it panics.
#[must_use = "a task that is dropped goes on, but its value is lost"]
pub struct Task<T: Send + 'static> {
    owner: Pid,
    /// The way of the reply. It is also the reference of the monitor: either the reply or the end of
    /// the process comes, not both.
    alias: Alias,
    /// None for [`Task::completed`].
    process: Option<(Pid, Monitor)>,
    /// Looks for the outcome among what came after the task was made.
    selector: Selector,
    /// Whether the outcome is still to be taken.
    open: bool,
    value: PhantomData<fn() -> T>,
}

/// What a task sends to its owner.
struct Reply<T> {
    alias: Alias,
    value: T,
}

impl<T: Send + 'static> Task<T> {
    /// Starts a process that computes the value of `future`, linked to this one.
    ///
    /// # Panics
    /// Outside a process, and at the process limit ([`Task::try_spawn`] returns an error instead).
    #[track_caller]
    pub fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        or_panic(Self::try_spawn(future))
    }

    /// As [`Task::spawn`].
    ///
    /// # Errors
    /// If the process limit is reached or the runtime is shutting down.
    ///
    /// # Panics
    /// Outside a process.
    pub fn try_spawn(future: impl Future<Output = T> + Send + 'static) -> Result<Self, SpawnError> {
        Self::start(true, future)
    }

    fn start(
        link: bool,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let (process, monitor) = spawn_replying(link, |alias| async move {
            let value = future.await;
            send(alias, Reply { alias, value });
        })?;
        match monitor.alias() {
            Some(alias) => Ok(Self::expect(alias, Some((process, monitor)))),
            None => unreachable!("the monitor is an alias"),
        }
    }

    /// A task that is done: awaiting it yields `value`. There is no process behind it.
    ///
    /// # Panics
    /// Outside a process.
    pub fn completed(value: T) -> Self {
        let alias = alias_with(AliasOptions::new().reply());
        let task = Self::expect(alias, None);
        send(alias, Reply { alias, value });
        task
    }

    /// A task whose outcome is still to come.
    fn expect(alias: Alias, process: Option<(Pid, Monitor)>) -> Self {
        Self {
            owner: me(),
            alias,
            process,
            selector: Selector::new(None).after(alias.reference()),
            open: true,
            value: PhantomData,
        }
    }

    /// The process, if there is one.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        self.process.map(|(pid, _)| pid)
    }

    /// The process that may await the task.
    #[must_use]
    pub fn owner(&self) -> Pid {
        self.owner
    }

    /// Awaits the value for at most this long (`None`: for ever), counted from the first poll. When
    /// the time is up the task goes on, linked; what it sends will not reach the mailbox.
    ///
    /// # Panics
    /// When awaited by another process than the owner.
    pub fn timeout(self, limit: impl Into<Option<Duration>>) -> Await<T> {
        Await::new(self, limit.into())
    }

    /// Waits at most this long. `None` if the task is not done by then, and may be asked again, or
    /// if its outcome was taken before.
    ///
    /// # Panics
    /// In another process than the owner.
    ///
    /// ```
    /// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
    /// # runtime.block_on(async {
    /// use beamish::prelude::*;
    /// let mut task = Task::spawn(async { receive::<u32>().await });
    /// assert_eq!(task.yield_for(Duration::ZERO).await, None);
    /// send(task.pid().unwrap(), 7_u32);
    /// assert_eq!(task.yield_for(Duration::from_secs(5)).await, Some(Ok(7)));
    /// # }).unwrap();
    /// ```
    pub async fn yield_for(&mut self, limit: Duration) -> Option<Outcome<T>> {
        self.assert_owner();
        if self.open { self.outcome(Some(limit)).await } else { None }
    }

    /// Asks the task to stop, and waits until it has ended. Returns its value if it had sent one;
    /// nothing if it stopped as asked; otherwise why it ended, [`ExitReason::NoProc`] if its outcome
    /// was taken before. The link is gone from the start, so its end does no harm here.
    ///
    /// # Panics
    /// In another process than the owner.
    pub async fn shutdown(mut self, how: impl Into<Shutdown>) -> Option<Outcome<T>> {
        self.assert_owner();
        if !self.open {
            return Some(Err(ExitReason::NoProc));
        }
        let Some(pid) = self.pid() else { return self.outcome(Some(Duration::ZERO)).await };
        let how = how.into();
        unlink(pid);
        let end = stop(pid, how).await;
        // What the task itself had to say came before. It is not here if another receive took it.
        match (self.outcome(Some(Duration::ZERO)).await.unwrap_or(Err(end)), how) {
            (Err(ExitReason::Killed), Shutdown::Brutal) => None,
            (Err(ExitReason::Shutdown), Shutdown::After(_) | Shutdown::Infinity) => None,
            (outcome, _) => Some(outcome),
        }
    }

    /// Lets the task go on alone: it is no longer linked, and what it sends will not reach the
    /// mailbox. Returns its outcome if it is here already.
    ///
    /// # Panics
    /// In another process than the owner.
    pub async fn ignore(mut self) -> Option<Outcome<T>> {
        self.assert_owner();
        let outcome = if self.open { self.outcome(Some(Duration::ZERO)).await } else { None };
        self.pid().into_iter().for_each(unlink);
        outcome
    }

    #[track_caller]
    fn assert_owner(&self) {
        assert!(
            current() == Some(self.owner),
            "only its owner, {}, may use a task; send the value on from there",
            self.owner
        );
    }

    /// Ends the process.
    fn kill(&self) {
        self.pid().into_iter().for_each(|pid| exit_process(pid, ExitReason::Kill));
    }

    /// Turns off what could still come, and takes out of the mailbox what did.
    fn turn_off(&mut self) {
        self.open = false;
        let still_to_come = match self.process {
            Some((_, monitor)) => demonitor_flush(monitor),
            None => unalias(self.alias),
        };
        if !still_to_come {
            flush::<Reply<T>>(|reply| reply.alias == self.alias);
        }
    }
}

#[track_caller]
fn or_panic<T>(spawned: Result<T, SpawnError>) -> T {
    match spawned {
        Ok(task) => task,
        Err(error) => panic!("the task could not be spawned: {error}"),
    }
}

/// Stops a process, and waits until it has ended; why it did.
async fn stop(pid: Pid, how: Shutdown) -> ExitReason {
    let watch = monitor(pid);
    let down = || receive::<Down>().after(watch).filter(move |down| down.monitor == watch);
    exit_process(
        pid,
        match how {
            Shutdown::Brutal => ExitReason::Kill,
            Shutdown::After(_) | Shutdown::Infinity => ExitReason::Shutdown,
        },
    );
    if let Shutdown::After(limit) = how {
        match down().timeout(limit).await {
            Ok(down) => return down.reason,
            Err(_) => exit_process(pid, ExitReason::Kill),
        }
    }
    down().await.reason
}

impl<T: Send + 'static> Drop for Task<T> {
    fn drop(&mut self) {
        // Only the owner can turn its own references off.
        if self.open && current() == Some(self.owner) {
            self.turn_off();
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, process, open, .. } = self;
        let mut debug = f.debug_struct("Task");
        debug.field("owner", owner).field("process", process).field("open", open);
        debug.finish_non_exhaustive()
    }
}

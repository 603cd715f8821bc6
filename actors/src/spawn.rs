//! Spawning processes.

use std::sync::Arc;

use beamish_runtime::Priority;
use crossbeam_channel::Sender;
use thiserror::Error;

use crate::{
    alias::Alias,
    ambient::with_turn,
    body::Body,
    exit::{ExitReason, IntoExit},
    monitor::{AliasMode, Monitor, MonitorOptions, Watcher},
    name::Name,
    names::RegisterError,
    pid::Pid,
    reference::Reference,
    shared::Shared,
    slot::{Flags, Slot},
    turn::Turn,
};

/// Why a process could not be spawned. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// As many processes live as the runtime allows.
    #[error(
        "the process limit is reached; end some processes, or raise it with \
         `Runtime::builder().process_limit(..)`"
    )]
    ProcessLimit,
    /// The runtime is shutting down.
    #[error("the runtime is shutting down and starts no new processes")]
    Closing,
    /// The name of [`SpawnOptions::name`] could not be registered.
    #[error(transparent)]
    Name(#[from] RegisterError),
}

/// A process just spawned with [`SpawnOptions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// The process.
    pub pid: Pid,
    /// The monitor, if [`SpawnOptions::monitor`] asked for one.
    pub monitor: Option<Monitor>,
}

/// How a process is to be spawned: what [`spawn`] and its kind leave at the default.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{Down, Priority, SpawnOptions, receive};
/// let spawned = SpawnOptions::new()
///     .monitor()
///     .name("worker")
///     .priority(Priority::Low)
///     .spawn(async {})
///     .unwrap();
/// assert_eq!(receive::<Down>().await.pid, Some(spawned.pid));
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
#[must_use = "options do nothing until `spawn` is called"]
pub struct SpawnOptions {
    link: bool,
    monitor: Option<MonitorOptions>,
    priority: Priority,
    name: Option<Name>,
    label: Option<Arc<str>>,
    mailbox_warning: Option<u32>,
}

impl SpawnOptions {
    /// A plain process: no link, no monitor, normal priority, no name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Links the process with the caller, in one step with the spawn.
    pub fn link(mut self) -> Self {
        self.link = true;
        self
    }

    /// The caller monitors the process, in one step with the spawn: the [`Down`](crate::Down)
    /// message tells the real reason however fast the process ends.
    pub fn monitor(self) -> Self {
        self.monitor_with(MonitorOptions::new())
    }

    /// As [`SpawnOptions::monitor`], with options.
    pub fn monitor_with(mut self, options: MonitorOptions) -> Self {
        self.monitor = Some(options);
        self
    }

    /// The scheduling priority. Default: [`Priority::Normal`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Registers the process under a name before it runs.
    pub fn name(mut self, name: impl Into<Name>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A text that describes the process in reports and in `process_info`.
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Warns through `tracing` when this many messages wait in the mailbox; the next warning comes
    /// at twice as many. Default: never.
    pub fn mailbox_warning(mut self, messages: u32) -> Self {
        self.mailbox_warning = Some(messages);
        self
    }

    /// Spawns the process.
    ///
    /// # Errors
    /// If the process limit is reached, the runtime is shutting down, or the name is taken.
    ///
    /// # Panics
    /// Outside a process: see [`Runtime::spawn`](crate::Runtime::spawn).
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Result<Spawned, SpawnError>
    where
        F: Future<Output: IntoExit> + Send + 'static,
    {
        let body = Body::new(future);
        with_turn(|turn| turn.spawn_with(body, self))
    }
}

/// Spawns a process that runs this future, and returns its pid at once.
///
/// The process ends when the future returns: see [`IntoExit`] for what it may return. Its crash
/// harms nobody; it is reported, see the crate's documentation.
///
/// # Panics
/// Outside a process, and when the process limit is reached ([`SpawnOptions::spawn`] returns an
/// error instead).
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{me, receive, send, spawn};
/// let parent = me();
/// spawn(async move { send(parent, "hello") });
/// assert_eq!(receive::<&str>().await, "hello");
/// # }).unwrap();
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> Pid
where
    F: Future<Output: IntoExit> + Send + 'static,
{
    let body = Body::new(future);
    with_turn(|turn| or_crash(turn.start(body)))
}

/// Spawns a process that is linked with the current one from its first moment.
///
/// # Panics
/// As [`spawn`].
#[track_caller]
pub fn spawn_link<F>(future: F) -> Pid
where
    F: Future<Output: IntoExit> + Send + 'static,
{
    let body = Body::new(future);
    with_turn(|turn| or_crash(turn.spawn_linked(body, None)))
}

/// Spawns a process that the current one monitors from its first moment.
///
/// # Panics
/// As [`spawn`].
#[track_caller]
pub fn spawn_monitor<F>(future: F) -> (Pid, Monitor)
where
    F: Future<Output: IntoExit> + Send + 'static,
{
    let body = Body::new(future);
    with_turn(|turn| {
        let id = turn.new_reference();
        or_crash(turn.spawn_watched(id, body, false, MonitorOptions::new(), None))
    })
}

/// Spawns a process that replies: `make` gets an alias of this process for it. The monitor on the
/// process is that alias, so whichever comes first, the reply or the end, is the only one to come.
/// Not for direct use: a library's tasks are made of it.
///
/// # Errors
/// As [`SpawnOptions::spawn`].
///
/// # Panics
/// Outside a process.
pub fn spawn_replying<F>(
    link: bool,
    make: impl FnOnce(Alias) -> F,
) -> Result<(Pid, Monitor), SpawnError>
where
    F: Future<Output: IntoExit> + Send + 'static,
{
    let (pid, id) = with_turn(|turn| (turn.pid(), turn.new_reference()));
    let body = Body::new(make(Alias { pid, id }));
    let watch = MonitorOptions::new().alias(AliasMode::ReplyDemonitor);
    with_turn(|turn| turn.spawn_watched(id, body, link, watch, None))
}

#[inline]
#[track_caller]
fn or_crash<T>(result: Result<T, SpawnError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the process could not be spawned: {error}"),
    }
}

/// A process to be started.
pub(crate) struct Start<'a> {
    body: Body,
    /// None: all at the default.
    options: Option<&'a mut SpawnOptions>,
    ties: Ties,
    /// A thread to be told of the end.
    watcher: Option<Sender<ExitReason>>,
}

/// What ties a new process to its parent.
#[derive(Clone, Copy, Default)]
struct Ties {
    link: bool,
    /// The reference of the monitor that the parent holds from the start.
    reference: Option<Reference>,
}

impl<'a> Start<'a> {
    /// A process that no process is tied to.
    pub(crate) fn outside(
        body: Body,
        options: &'a mut SpawnOptions,
        watcher: Option<Sender<ExitReason>>,
    ) -> Self {
        Self { body, options: Some(options), ties: Ties::default(), watcher }
    }
}

impl Turn<'_> {
    fn start(&self, body: Body) -> Result<Pid, SpawnError> {
        self.charge(SPAWN_COST);
        let start = Start { body, options: None, ties: Ties::default(), watcher: None };
        self.shared().start(Some(self), start)
    }

    fn spawn_with(&self, body: Body, mut options: SpawnOptions) -> Result<Spawned, SpawnError> {
        match options.monitor.take() {
            Some(watch) => {
                let link = options.link;
                let (id, options) = (self.new_reference(), Some(&mut options));
                let (pid, monitor) = self.spawn_watched(id, body, link, watch, options)?;
                Ok(Spawned { pid, monitor: Some(monitor) })
            }
            None if options.link => {
                let pid = self.spawn_linked(body, Some(&mut options))?;
                Ok(Spawned { pid, monitor: None })
            }
            None => {
                let pid = self.spawn_tied(body, Ties::default(), Some(&mut options))?;
                Ok(Spawned { pid, monitor: None })
            }
        }
    }

    fn spawn_linked(
        &self,
        body: Body,
        options: Option<&mut SpawnOptions>,
    ) -> Result<Pid, SpawnError> {
        self.spawn_tied(body, Ties { link: true, reference: None }, options)
    }

    #[inline]
    fn spawn_watched(
        &self,
        id: u64,
        body: Body,
        link: bool,
        watch: MonitorOptions,
        options: Option<&mut SpawnOptions>,
    ) -> Result<(Pid, Monitor), SpawnError> {
        let mark = self.mark();
        let reference = Some(Reference::new(self.pid().node(), id));
        let pid = self.spawn_tied(body, Ties { link, reference }, options)?;
        Ok((pid, self.hold_monitor(id, pid, watch, mark)))
    }

    /// Spawns a process, and writes the parent's side of the link.
    fn spawn_tied(
        &self,
        body: Body,
        ties: Ties,
        options: Option<&mut SpawnOptions>,
    ) -> Result<Pid, SpawnError> {
        self.charge(SPAWN_COST);
        let pid = self.shared().start(Some(self), Start { body, options, ties, watcher: None })?;
        // The child may have ended by now, but what it says is handled after this: nothing in here
        // looks into the inbox.
        #[cfg(all(test, not(loom)))]
        tests::after_start(self);
        if ties.link {
            self.with_links(|links| links.insert(pid));
        }
        Ok(pid)
    }
}

/// Reductions of a spawn.
const SPAWN_COST: u32 = 2;

impl Start<'_> {
    /// Makes the process in this slot, which nobody else knows yet, and schedules it.
    #[inline]
    pub(crate) fn settle(
        self,
        shared: &Shared,
        slot: &Slot,
        by: Option<&Turn<'_>>,
    ) -> Result<(), SpawnError> {
        let private = slot.new_tenant();
        private.set_body(self.body);
        private.flags.set(Flags { poll: true, ..Flags::default() });
        slot.set_parent(by.map(Turn::pid));
        if let Some(sender) = self.watcher {
            private.with_extra(|extra| {
                extra.watchers.insert_new(Reference::new(0, 0), Watcher::Thread(sender))
            });
        }
        slot.set_parents_monitor(self.ties.reference);
        if let Some(parent) = by
            && self.ties.link
        {
            private.with_extra(|extra| extra.links.insert(parent.pid()));
            shared.tally.links.add(1);
        }
        match self.options {
            None => {
                slot.set_priority(Priority::Normal);
                slot.inbox.open();
            }
            Some(options) => furnish(shared, slot, options).inspect_err(|_| {
                if self.ties.link {
                    shared.tally.links.add(-1);
                }
            })?,
        }
        match by {
            Some(turn) => turn.worker().schedule(slot.task(), slot.priority()),
            None => shared.scheduler.schedule(slot.task(), slot.priority()),
        }
        Ok(())
    }
}

/// Gives a new process what its options say, and opens its inbox.
fn furnish(shared: &Shared, slot: &Slot, options: &mut SpawnOptions) -> Result<(), SpawnError> {
    let private = slot.new_tenant();
    slot.set_priority(options.priority);
    if options.label.is_some() || options.mailbox_warning.is_some() {
        private.with_extra(|extra| {
            extra.rare().label = options.label.take();
            extra.rare().warning_mark = options.mailbox_warning;
        });
    }
    slot.inbox.open();
    if let Some(name) = options.name.take()
        && let Err(error) = shared.names.register(name, slot.pid(), slot)
    {
        slot.abandon(shared);
        return Err(error.into());
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::*;
    use crate::{Down, Exit, receive, runtime::Runtime, trap_exit};

    thread_local! {
        /// Whether a parent waits for the news of its child before it notes the child.
        static DAWDLE: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn after_start(parent: &Turn<'_>) {
        while DAWDLE.get() && parent.slot().inbox.looks_empty() {
            std::thread::yield_now();
        }
    }

    fn slow_parent<F>(body: F)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
        runtime.block_on(body).unwrap();
    }

    /// A parent that looked into its inbox before it had noted the monitor lost the news.
    #[test]
    fn the_end_of_a_child_that_is_faster_than_its_parent_is_told() {
        slow_parent(async {
            DAWDLE.set(true);
            let (_, watch) = spawn_monitor(async {});
            DAWDLE.set(false);
            let down = receive::<Down>().timeout(Duration::from_secs(10)).await;
            assert_eq!(down.map(|down| down.monitor), Ok(watch));
        });
    }

    #[test]
    fn the_exit_of_a_linked_child_that_is_faster_than_its_parent_is_seen() {
        slow_parent(async {
            trap_exit(true);
            DAWDLE.set(true);
            let child = spawn_link(async { ExitReason::Shutdown });
            DAWDLE.set(false);
            let exit = receive::<Exit>().timeout(Duration::from_secs(10)).await;
            assert_eq!(exit, Ok(Exit { from: child, reason: ExitReason::Shutdown }));
        });
    }
}

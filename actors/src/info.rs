//! Looking into processes.

use beamish_runtime::Priority;

use crate::{
    ambient::with_turn,
    answer::request,
    monitor::Watcher,
    name::Name,
    pid::Pid,
    signal::Signal,
    slot::{Slot, Stage},
    turn::Turn,
};

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessStatus {
    /// On a worker now: only a process that looks at itself sees that.
    Running,
    /// About to run: it has something to do.
    Runnable,
    /// Waiting for a message, a timer or a future.
    Waiting,
    /// Suspended by [`suspend_process`](crate::suspend_process).
    Suspended,
}

/// What [`process_info`] tells of a process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// The process.
    pub pid: Pid,
    /// Its registered name.
    pub registered_name: Option<Name>,
    /// What it is doing.
    pub status: ProcessStatus,
    /// Messages that wait in the mailbox.
    pub message_queue_len: usize,
    /// Their types, in the order of the mailbox.
    pub messages: Vec<&'static str>,
    /// Linked processes.
    pub links: Vec<Pid>,
    /// Monitored processes, one entry per monitor. Monitors of absent names are not among them.
    pub monitors: Vec<Pid>,
    /// Processes that monitor this one, one entry per monitor.
    pub monitored_by: Vec<Pid>,
    /// Whether exit signals become messages.
    pub trap_exit: bool,
    /// Scheduling priority.
    pub priority: Priority,
    /// Reductions so far: see the crate's documentation on fairness.
    pub reductions: u64,
    /// Bytes that the process takes: its place in the table, its future, its books, and the nodes
    /// of waiting messages. What these own elsewhere on the heap is not known.
    pub memory: usize,
    /// The process that spawned it; none if it was spawned from outside.
    pub parent: Option<Pid>,
    /// The type of its future, which names the function or block that it runs.
    pub initial_call: &'static str,
    /// The label set with [`set_label`](crate::set_label) or at the spawn.
    pub label: Option<String>,
    /// Keys of the process dictionary.
    pub dictionary: Vec<Name>,
    /// Active aliases.
    pub aliases: usize,
    /// Whom it has suspended, one entry for each time.
    pub suspending: Vec<Pid>,
    /// Whether any alias, link or monitor of the process brings priority messages.
    pub priority_messages: bool,
}

/// Looks into a process; none if it does not exist (any more).
///
/// Another process is asked by a signal, which it answers at its next await, so the answer reflects
/// all that the caller sent it before. A process that never awaits never answers.
///
/// # Panics
/// When awaited outside a process.
pub async fn process_info(pid: Pid) -> Option<ProcessInfo> {
    let (request, answer) = request();
    let own = with_turn(|turn| {
        turn.charge(1);
        if pid == turn.pid() {
            turn.drain();
            let mut info = turn.describe();
            info.status = ProcessStatus::Running;
            return Some(info);
        }
        turn.signal_with_priority(pid, Signal::Info(request));
        None
    });
    match own {
        Some(info) => Some(info),
        None => answer.await,
    }
}

/// Whether a process is alive: false from the moment at which it begins to end.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn is_alive(pid: Pid) -> bool {
    with_turn(|turn| turn.shared().is_alive(pid))
}

/// The living processes of the current runtime. A snapshot taken one by one: a process that lives
/// during the whole call is in it, one that begins or ends meanwhile may be.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn processes() -> Vec<Pid> {
    with_turn(|turn| turn.shared().processes())
}

impl Turn<'_> {
    /// The process as others see it.
    pub(crate) fn describe(&self) -> ProcessInfo {
        let private = self.private();
        let flags = private.flags.get();
        let (mut messages, mut message_bytes) = (Vec::new(), 0);
        private.each_message(|message| {
            messages.push(message.type_name());
            message_bytes += message.size();
        });
        let body = self.kind_of_body();
        let mut info = ProcessInfo {
            pid: self.pid(),
            registered_name: self.shared().names.name_of(self.pid()),
            status: match flags.stage {
                Stage::Suspended => ProcessStatus::Suspended,
                _ if flags.poll => ProcessStatus::Runnable,
                _ => ProcessStatus::Waiting,
            },
            message_queue_len: private.queue_len.get() as usize,
            messages,
            links: Vec::new(),
            monitors: Vec::new(),
            monitored_by: self
                .slot()
                .parents_monitor()
                .map(|(_, parent)| parent)
                .into_iter()
                .collect(),
            trap_exit: flags.trap_exit,
            priority: self.slot().priority(),
            reductions: self.reductions(),
            memory: size_of::<Slot>() + message_bytes + body.map_or(0, |body| body.size()),
            parent: self.slot().parent(),
            initial_call: body.map_or("", |body| body.type_name()),
            label: None,
            dictionary: Vec::new(),
            aliases: 0,
            suspending: Vec::new(),
            priority_messages: false,
        };
        private.if_extra(|extra| extra.describe(&mut info));
        info
    }
}

impl crate::extra::Extra {
    fn describe(&self, info: &mut ProcessInfo) {
        info.memory += size_of::<Self>() + self.saved.size();
        info.links = self.links.active().collect();
        info.monitors = self.monitors.iter().filter_map(|(_, monitor)| monitor.pid).collect();
        info.monitored_by.extend(self.watchers.iter().filter_map(|(_, watcher)| match watcher {
            Watcher::Process(pid) => Some(*pid),
            Watcher::Thread(_) => None,
        }));
        info.aliases = self.aliases.len();
        info.priority_messages = self.aliases.iter().any(|(_, alias)| alias.priority)
            || self.monitors.iter().any(|(_, monitor)| monitor.priority);
        if let Some(rare) = self.rare.as_deref() {
            info.memory += size_of_val(rare) + rare.urgent.size();
            info.label = rare.label.as_deref().map(str::to_owned);
            info.dictionary = rare.dictionary.keys().cloned().collect();
            info.suspending.clone_from(&rare.suspending);
            info.priority_messages |= !rare.urgent_links.is_empty();
        }
    }
}

//! Crash reports: telling people of processes that ended abnormally.
//!
//! A report goes to `tracing` (target `beamish::crash`, level error) if the program has a
//! subscriber, else to stderr, unless the runtime was built with
//! [`Builder::quiet`](crate::runtime::Builder::quiet).

use std::{fmt, io::Write};

use crate::{exit::ExitReason, name::Name, panics, pid::Pid, shared::Shared, turn::Turn};

/// How many ancestors a report names.
const ANCESTORS: usize = 8;

/// The abnormal end of a process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrashReport {
    /// The process.
    pub pid: Pid,
    /// Its registered name.
    pub name: Option<Name>,
    /// Its label.
    pub label: Option<String>,
    /// The type of its future, which names the function or block that it ran.
    pub initial_call: &'static str,
    /// Why it ended.
    pub reason: ExitReason,
    /// Its parent, the parent of that, and so on, up to the first that has ended.
    pub ancestors: Vec<Pid>,
    /// Messages that were waiting.
    pub message_queue_len: usize,
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        if let Some(label) = &self.label {
            write!(f, " [{label}]")?;
        }
        writeln!(f, " ended: {}", self.reason)?;
        writeln!(f, "  initial call: {}", self.initial_call)?;
        writeln!(f, "  ancestors: {:?}", self.ancestors)?;
        write!(f, "  messages waiting: {}", self.message_queue_len)?;
        match &self.reason {
            ExitReason::Panic(report) => match report.backtrace() {
                Some(backtrace) => write!(f, "\n{backtrace}"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// What hears of crashes.
pub(crate) type Hook = Box<dyn Fn(&CrashReport) + Send + Sync>;

/// Where the reports of a runtime go.
pub(crate) struct Reporter {
    quiet: bool,
    hook: Option<Hook>,
}

impl Reporter {
    pub(crate) fn new(quiet: bool, hook: Option<Hook>) -> Self {
        Self { quiet, hook }
    }

    fn report(&self, report: &CrashReport) {
        if let Some(hook) = &self.hook {
            panics::contain(|| hook(report));
        }
        if !self.quiet {
            panics::contain(|| publish(report));
        }
    }
}

/// Whether this thread has a subscriber: one that another thread set for itself hears nothing here.
fn is_traced() -> bool {
    tracing::dispatcher::get_default(|dispatch| !dispatch.is::<tracing::subscriber::NoSubscriber>())
}

fn publish(report: &CrashReport) {
    if !is_traced() {
        // Nobody to tell if stderr is closed.
        let _ = writeln!(std::io::stderr().lock(), "{report}");
        return;
    }
    tracing::error!(
        target: "beamish::crash",
        pid = %report.pid,
        name = report.name.as_deref(),
        label = report.label.as_deref(),
        initial_call = report.initial_call,
        reason = %report.reason,
        ancestors = ?report.ancestors,
        message_queue_len = report.message_queue_len,
        "process ended abnormally"
    );
}

/// Reports the abnormal end of this turn's process; `waiting` messages were in its mailbox.
#[cold]
pub(crate) fn crash(turn: &Turn<'_>, reason: &ExitReason, waiting: usize) {
    let shared = turn.shared();
    if shared.is_closing() {
        return;
    }
    let label = turn.private().if_extra(|extra| extra.rare.as_ref()?.label.clone()).flatten();
    shared.reporter.report(&CrashReport {
        pid: turn.pid(),
        name: shared.names.name_of(turn.pid()),
        label: label.map(|label| label.to_string()),
        initial_call: turn.kind_of_body().map_or("", |body| body.type_name()),
        reason: reason.clone(),
        ancestors: ancestors(shared, turn.slot().parent()),
        message_queue_len: waiting,
    });
}

fn ancestors(shared: &Shared, parent: Option<Pid>) -> Vec<Pid> {
    let parent_of = |pid: &Pid| {
        let parent = shared.find(*pid)?.parent();
        // Read while the ancestor lived, or not at all.
        shared.is_alive(*pid).then_some(parent)?
    };
    std::iter::successors(parent, parent_of).take(ANCESTORS).collect()
}

/// Runs a destructor of a user, as the process that is ending; its panic is reported.
pub(crate) fn contained(turn: &Turn<'_>, f: impl FnOnce()) {
    if let Some(reason) = panics::caught(f) {
        if reason.is_abnormal() {
            crash(turn, &reason, 0);
        }
        panics::discard(reason);
    }
}

/// The mailbox has reached its warning mark.
#[cold]
pub(crate) fn long_mailbox(turn: &Turn<'_>, length: u32) {
    panics::contain(|| say_long_mailbox(turn, length));
}

fn say_long_mailbox(turn: &Turn<'_>, length: u32) {
    let (pid, name) = (turn.pid(), turn.shared().names.name_of(turn.pid()));
    if !is_traced() {
        if !turn.shared().reporter.quiet {
            // Nobody to tell if stderr is closed.
            let _ = writeln!(std::io::stderr().lock(), "process {pid}: {length} messages wait");
        }
        return;
    }
    tracing::warn!(
        target: "beamish::mailbox",
        pid = %pid,
        name = name.as_deref(),
        message_queue_len = length,
        "mailbox is long"
    );
}

//! Control signals: what processes tell each other besides messages.
//!
//! They travel in the same queue as messages, so all signals from one sender to one receiver
//! arrive in the order sent, whatever their kind.

use beamish_runtime::TimerKey;

use crate::{
    answer::Request, exit::ExitReason, info::ProcessInfo, link::LinkSignal, pid::Pid,
    reference::Reference,
};

/// A control signal.
pub(crate) enum Signal {
    /// `exit_process`; through an alias, with its id and whether as a priority signal.
    Exit { from: Pid, reason: ExitReason, alias: Option<(u64, bool)> },
    /// A linked process ended.
    LinkExit { from: Pid, reason: ExitReason },
    /// A link request found no process.
    LinkMissing { from: Pid },
    /// The link protocol between two living processes.
    Link { from: Pid, signal: LinkSignal },
    /// `monitor`: tell `watcher` when you end.
    Monitor { reference: Reference, watcher: Pid },
    /// `demonitor`.
    Demonitor { reference: Reference },
    /// A process to be monitored is not there. (One that ends says so itself: `Message::end`.)
    Down { reference: u64, pid: Option<Pid>, reason: ExitReason },
    /// `process_info` of another process.
    Info(Request<ProcessInfo>),
    /// A timer that will send to this process, started by another one.
    TimerStarted(TimerKey),
    /// The runtime shuts down.
    Stop,
    /// `suspend_process`: answered when done.
    Suspend(Request<()>),
    /// `resume_process`.
    Resume,
}

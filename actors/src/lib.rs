//! BEAM-style processes for Rust: the actors under [beamish](https://docs.rs/beamish).
//!
//! Users add the crate `beamish`, which re-exports all of this. Here are processes, mailboxes,
//! signals, links, monitors, selective receive and names; the scheduler is in `beamish-runtime`.

// Lets the macros' paths, which begin with `::beamish`, work in this crate's own tests.
extern crate self as beamish;

mod alias;
mod ambient;
mod answer;
mod body;
mod delivery;
pub mod dictionary;
mod dispatch;
mod entry;
mod exit;
mod extra;
mod free_list;
#[cfg(all(test, not(loom)))]
mod hook_tests;
mod inbox;
mod info;
mod link;
mod links;
mod mailbox;
#[cfg(all(test, loom))]
mod models;
mod monitor;
mod name;
mod names;
mod node;
mod panics;
mod pid;
mod pooled;
mod process;
mod receive;
mod reference;
mod report;
pub mod runtime;
mod send;
mod shared;
mod signal;
mod slot;
mod small_map;
mod spawn;
mod suspend;
mod sync;
mod table;
mod tally;
mod termination;
mod timer;
mod turn;
mod waker;

pub use alias::{Alias, AliasOptions, alias, alias_with, unalias};
pub use beamish_macros::{main, receive, test};
pub use beamish_runtime::{Priority, WorkerCounters};
pub use exit::{ErrorReport, Exit, ExitReason, IntoExit, IntoReason, PanicReport, Term};
pub use info::{ProcessInfo, ProcessStatus, is_alive, process_info, processes};
pub use links::{NoProc, link, link_priority, trap_exit, unlink};
pub use monitor::{
    AliasMode, Down, Monitor, MonitorOptions, MonitorTarget, TaggedDown, demonitor,
    demonitor_flush, monitor, monitor_with,
};
pub use name::Name;
pub use names::{NotRegistered, RegisterError, register, registered, unregister, whereis};
pub use node::Message;
pub use pid::Pid;
pub use process::{
    consume_reductions, exit, hibernate, make_ref, me, set_label, set_priority, yield_now,
};
pub use receive::{All, Filter, For, Forever, Only, Receive, Timeout, Wait, receive};
pub use reference::Reference;
pub use report::CrashReport;
pub use runtime::{Runtime, current_runtime};
pub use send::{
    Destination, ExitTarget, SendError, exit_process, exit_process_priority, send, send_priority,
};
pub use spawn::{SpawnError, SpawnOptions, Spawned, spawn, spawn_link, spawn_monitor};
pub use suspend::{resume_process, suspend_process};
pub use timer::{
    Instant, Sleep, TimeoutMessage, Timer, TimerTarget, cancel_timer, now, read_timer, send_after,
    send_at, sleep, sleep_until, start_timer,
};

/// What the macros expand to. Not for direct use: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        ambient::current,
        entry::{MainOptions, TestOptions, run_main, run_test},
        node::{Message, Shell},
        receive::{Selector, flush},
        spawn::spawn_replying,
    };
}

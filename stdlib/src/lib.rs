//! BEAM-style processes for Rust.
//!
//! Lightweight processes with mailboxes, links, monitors and selective receive, on a work-stealing
//! scheduler of their own: Erlang's semantics, with Rust's speed, memory and types.
//!
//! ```
//! use beamish::prelude::*;
//!
//! #[beamish::main]
//! async fn main() {
//!     let parent = me();
//!     let (child, watch) = spawn_monitor(async move {
//!         let n = receive::<u32>().await;
//!         send(parent, n * 2);
//!     });
//!     send(child, 21_u32);
//!     receive! {
//!         answer: u32 => assert_eq!(answer, 42),
//!         down: Down if down.monitor == watch => panic!("no answer: {}", down.reason),
//!         after Duration::from_secs(1) => panic!("no answer in time"),
//!     }
//! }
//! ```
//!
//! Everything is re-exported here and, for everyday use, in [`prelude`].

mod macros;
mod shutdown;
pub mod task;

pub use beamish_actors::*;
pub use macros::{main, receive, test};
pub use shutdown::Shutdown;
pub use task::Task;

#[doc(hidden)]
pub use beamish_actors::__private;

/// What most programs use: `use beamish::prelude::*;`.
pub mod prelude {
    pub use std::time::Duration;

    pub use beamish_actors::{
        Alias, AliasMode, AliasOptions, Down, Exit, ExitReason, Instant, IntoExit, IntoReason,
        Message, Monitor, MonitorOptions, Name, NoProc, Pid, Priority, ProcessInfo, ProcessStatus,
        Reference, Runtime, SendError, SpawnError, SpawnOptions, TaggedDown, Timeout,
        TimeoutMessage, Timer, alias, alias_with, cancel_timer, consume_reductions, demonitor,
        demonitor_flush, dictionary, exit, exit_process, exit_process_priority, hibernate,
        is_alive, link, link_priority, make_ref, me, monitor, monitor_with, now, process_info,
        processes, read_timer, receive, register, registered, resume_process, send, send_after,
        send_at, send_priority, set_label, set_priority, sleep, sleep_until, spawn, spawn_link,
        spawn_monitor, start_timer, suspend_process, trap_exit, unalias, unlink, unregister,
        whereis, yield_now,
    };

    pub use crate::{
        shutdown::Shutdown,
        task::{
            AsyncStream, OnLate, OnTimeout, Task, TaskError, YieldOptions, async_stream,
            await_many, yield_many,
        },
    };
}

//! The workloads as users of beamish would write them, one file each.
//!
//! Every `run` is the body of a process: it spawns the others, waits for them, and says what it
//! counted and how long that took. Its twin for a peer is the file of the same name there.

pub(crate) mod backlog;
pub(crate) mod big;
pub(crate) mod call;
pub(crate) mod fan_in;
pub(crate) mod idle_memory;
pub(crate) mod mass_exit;
pub(crate) mod pairs;
pub(crate) mod ring;
pub(crate) mod skynet;
pub(crate) mod sleepers;
pub(crate) mod spawn_monitor;
pub(crate) mod spawn_seq;
pub(crate) mod spawn_storm;

//! What each worker counts, as a snapshot.

/// What one worker has counted since it was made.
///
/// The counters are kept with plain stores by the worker itself, so a snapshot taken from
/// another thread may lag a little and its fields need not belong to the same instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerCounters {
    /// Tasks run.
    pub polls: u64,
    /// Times that this worker took tasks from another one.
    pub steals: u64,
    /// Tasks taken from other workers.
    pub stolen_tasks: u64,
    /// Tasks taken from the injector.
    pub injected: u64,
    /// Times that the worker went to sleep, naps included.
    pub parks: u64,
    /// Times that this worker woke another one.
    pub wakes: u64,
    /// Tasks run straight from the next slot.
    pub slot_uses: u64,
    /// Tasks waiting in this worker's queues when it last published.
    pub queue_depth: u64,
    /// Polls that the monitor saw last longer than one of its ticks while work waited.
    pub long_polls: u64,
    /// Panics that escaped from a task and were stopped by the worker.
    pub escaped_panics: u64,
    /// Mean length of a poll, in nanoseconds, as last measured.
    pub mean_poll_ns: u64,
}

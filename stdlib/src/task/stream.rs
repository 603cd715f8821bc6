//! A task for each item of a sequence, a bounded number at a time.

use std::{
    collections::VecDeque,
    fmt,
    iter::Fuse,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::{DEFAULT_TIMEOUT, Task, TaskError, or_panic, wait::outcome_in};
use crate::{
    __private::{Selector, current},
    ExitReason, Instant, Pid, Reference, current_runtime, exit, now,
};

/// Runs `work` on each item in a task of its own, and yields what comes of them.
///
/// At most [`max_concurrency`](AsyncStream::max_concurrency) tasks run at a time: an item is only
/// taken from the sequence when the stream is polled and a task is free for it, so a slow consumer
/// slows the producer down. The results come in the order of the items, or, with
/// [`ordered(false)`](AsyncStream::ordered), as they are done.
///
/// A task that crashes is a result like others: it harms neither the process that consumes the stream
/// nor the other tasks. (In Elixir it takes the consumer along, unless that traps exits; here `?` does.)
/// Dropping the stream kills the tasks that run, and leaves no message behind; the end of the
/// consumer, however it comes, drops the stream. The tasks are not linked to the consumer: do not
/// give a stream away that was polled. Its options are set before: afterwards they panic.
///
/// ```
/// use beamish::prelude::*;
///
/// #[beamish::main]
/// async fn main() {
///     let mut squares = async_stream(1..=4_u32, |n| async move { n * n }).max_concurrency(2);
///     let mut sum = 0;
///     while let Some(square) = squares.next().await {
///         sum += square.unwrap();
///     }
///     assert_eq!(sum, 30);
/// }
/// ```
pub fn async_stream<I, F, Fut>(items: I, work: F) -> AsyncStream<I::IntoIter, F, Fut::Output>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    AsyncStream {
        items: items.into_iter().fuse(),
        work,
        options: Options::default(),
        owner: None,
        selector: Selector::new(None),
        timer: None,
        entries: Slab::new(),
        keys: FxHashMap::default(),
        order: VecDeque::new(),
        done: VecDeque::new(),
    }
}

/// What a task that is late does to its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLate {
    /// The process that consumes the stream exits with [`TaskError::Timeout`].
    #[default]
    Exit,
    /// The task is killed; [`TaskError::Timeout`] is the result of its item.
    Kill,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    /// None: one per worker.
    max_concurrency: Option<usize>,
    ordered: bool,
    timeout: Option<Duration>,
    on_late: OnLate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_concurrency: None,
            ordered: true,
            timeout: Some(DEFAULT_TIMEOUT),
            on_late: OnLate::Exit,
        }
    }
}

/// The stream of [`async_stream`].
#[must_use = "nothing runs until the stream is polled"]
pub struct AsyncStream<I: Iterator, F, T: Send + 'static> {
    items: Fuse<I>,
    work: F,
    options: Options,
    /// The process that polled it first.
    owner: Option<Pid>,
    /// Looks for outcomes among what came after the first task was made.
    selector: Selector,
    /// For when the selector's limit is set: when the oldest task is late, or earlier.
    timer: Option<Instant>,
    entries: Slab<Entry<T>>,
    /// By the references of their tasks.
    keys: FxHashMap<Reference, usize>,
    /// The entries in the order of their items; among them, if results come as they are done, some
    /// that are gone.
    order: VecDeque<Place>,
    /// Entries that are done, in the order in which they were; only if that is asked for.
    done: VecDeque<usize>,
}

/// Where an entry is. Keys are used again, references are not.
#[derive(Clone, Copy)]
struct Place {
    key: usize,
    reference: Reference,
}

/// An item that was begun and not delivered.
struct Entry<T: Send + 'static> {
    task: Task<T>,
    late_at: Option<Instant>,
    outcome: Option<Result<T, TaskError>>,
}

// Nothing in it is ever pinned.
impl<I: Iterator, F, T: Send + 'static> Unpin for AsyncStream<I, F, T> {}

impl<I: Iterator, F, T: Send + 'static> AsyncStream<I, F, T> {
    /// How many tasks run at a time, counting those whose results wait for their turn. Default: as
    /// many as the runtime has workers.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn max_concurrency(mut self, tasks: usize) -> Self {
        self.assert_unused();
        assert!(tasks > 0, "a stream without tasks does nothing: `max_concurrency` starts at 1");
        self.options.max_concurrency = Some(tasks);
        self
    }

    /// Whether results come in the order of their items (the default), or as they are done.
    #[track_caller]
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.assert_unused();
        self.options.ordered = ordered;
        self
    }

    /// How long each task may take from its start (`None`: for ever), looked at whenever the stream is
    /// polled. Default: 5 seconds.
    #[track_caller]
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.assert_unused();
        self.options.timeout = limit.into();
        self
    }

    /// What happens when a task is late. Default: [`OnLate::Exit`].
    #[track_caller]
    pub fn on_timeout(mut self, what: OnLate) -> Self {
        self.assert_unused();
        self.options.on_late = what;
        self
    }

    #[track_caller]
    fn assert_unused(&self) {
        assert!(self.owner.is_none(), "the options of a stream are set before it is polled");
    }
}

impl<I, F, Fut> AsyncStream<I, F, Fut::Output>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    /// The next result; `None` when all items are done.
    ///
    /// # Panics
    /// Outside a process, in another process than the one that polled the stream first, and at the
    /// process limit.
    pub async fn next(&mut self) -> Option<Result<Fut::Output, TaskError>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Begins items while there is a task for them.
    fn fill(&mut self) {
        let most = *self.options.max_concurrency.get_or_insert_with(workers);
        while self.entries.len() < most
            && let Some(item) = self.items.next()
        {
            self.begin(item);
        }
    }

    fn begin(&mut self, item: I::Item) {
        let task = or_panic(Task::start(false, (self.work)(item)));
        if self.entries.is_empty() {
            // Nothing older can be an outcome.
            self.selector.start_as(&task.selector);
        }
        let reference = task.alias.reference();
        let late_at = self.options.timeout.map(|limit| now() + limit);
        let key = self.entries.insert(Entry { task, late_at, outcome: None });
        self.order.push_back(Place { key, reference });
        self.keys.insert(reference, key);
    }
}

/// As many as the runtime has workers.
fn workers() -> usize {
    current_runtime().map_or(1, |runtime| runtime.workers())
}

impl<I: Iterator, F, T: Send + 'static> AsyncStream<I, F, T> {
    /// The result whose turn it is, if it is there.
    fn deliver(&mut self) -> Option<Result<T, TaskError>> {
        let key = if self.options.ordered {
            let first = self.order.front()?.key;
            self.entries[first].outcome.as_ref()?;
            self.order.pop_front();
            first
        } else {
            self.done.pop_front()?
        };
        self.entries.remove(key).outcome
    }

    fn note(&mut self, key: usize, outcome: Result<T, TaskError>) {
        let entry = &mut self.entries[key];
        entry.task.open = false;
        self.keys.remove(&entry.task.alias.reference());
        entry.outcome = Some(outcome);
        if !self.options.ordered {
            self.done.push_back(key);
            self.forget_places();
        }
    }

    /// Forgets the places of entries that are done: now and then all, so that each costs little.
    fn forget_places(&mut self) {
        if self.order.len() > 2 * self.entries.len() + 64 {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|place| self.is_running(place));
            self.order = order;
        }
    }

    fn is_running(&self, place: &Place) -> bool {
        self.keys.contains_key(&place.reference)
    }

    /// Waits until the oldest task that runs is late. All have the same limit, so it is the first
    /// to be; one timer serves for many of them.
    fn set_timer(&mut self) {
        if self.timer.is_some() || self.options.timeout.is_none() {
            return;
        }
        let oldest = self.order.iter().find(|place| self.is_running(place));
        if let Some(late_at) = oldest.and_then(|place| self.entries[place.key].late_at) {
            self.timer = Some(late_at);
            self.selector.wait_for(Some(late_at.saturating_duration_since(now())));
        }
    }

    /// The timer's time is up: some task may be late.
    fn expire(&mut self) {
        self.timer = None;
        self.selector.wait_for(None);
        let (now, limit) = (now(), self.options.timeout.unwrap_or(Duration::MAX));
        let is_late = |place: &&Place| {
            let late_at = |place: &Place| self.entries[place.key].late_at;
            self.is_running(place) && late_at(place).is_some_and(|late_at| late_at <= now)
        };
        let late: Vec<usize> = self.order.iter().filter(is_late).map(|place| place.key).collect();
        for key in late {
            if self.options.on_late == OnLate::Exit {
                exit(ExitReason::from(TaskError::Timeout(limit)));
            }
            self.entries[key].task.kill();
            self.entries[key].task.turn_off();
            self.note(key, Err(TaskError::Timeout(limit)));
        }
    }
}

impl<I, F, Fut> Stream for AsyncStream<I, F, Fut::Output>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Item = Result<Fut::Output, TaskError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.assert_owner();
        loop {
            this.fill();
            if let Some(result) = this.deliver() {
                return Poll::Ready(Some(result));
            }
            if this.entries.is_empty() {
                return Poll::Ready(None);
            }
            this.set_timer();
            match Pin::new(&mut this.selector.next()).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => this.expire(),
                Poll::Ready(Some(message)) => {
                    match outcome_in(message, |reference| this.keys.get(&reference).copied()) {
                        Ok((key, outcome)) => {
                            this.selector.accept();
                            this.note(key, outcome.map_err(TaskError::Exit));
                        }
                        Err(message) => this.selector.reject(message),
                    }
                }
            }
        }
    }
}

impl<I: Iterator, F, T: Send + 'static> AsyncStream<I, F, T> {
    #[track_caller]
    fn assert_owner(&mut self) {
        let Some(process) = current() else { panic!("a stream of tasks is polled by a process") };
        let owner = *self.owner.get_or_insert(process);
        assert!(owner == process, "only {owner}, which polled this stream first, may poll it");
    }
}

impl<I: Iterator, F, T: Send + 'static> Drop for AsyncStream<I, F, T> {
    fn drop(&mut self) {
        if current().is_some() {
            let running = self.entries.iter().filter(|(_, entry)| entry.outcome.is_none());
            running.for_each(|(_, entry)| entry.task.kill());
        }
    }
}

impl<I: Iterator, F, T: Send + 'static> fmt::Debug for AsyncStream<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncStream")
            .field("options", &self.options)
            .field("begun", &self.entries.len())
            .finish_non_exhaustive()
    }
}

//! Waiting for several tasks at once.

use std::{collections::HashMap, future::poll_fn, pin::Pin, time::Duration};

use super::{DEFAULT_TIMEOUT, Outcome, Task, TaskError, wait::outcome_in};
use crate::{__private::Selector, Reference, Shutdown};

/// The values of all tasks, in their order, not in the order in which they are done. `limit` is one
/// limit for all together (`None`: for ever); Elixir's default is [`DEFAULT_TIMEOUT`].
///
/// # Errors
/// As soon as one of them ends without a value, when the time is up, or at once if the value of one was
/// taken before. The others go on, linked; what they send will not reach the mailbox.
///
/// # Panics
/// In another process than the owner of the tasks.
///
/// ```
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{prelude::*, task::await_many};
/// let squares = (1..=3_u32).map(|n| Task::spawn(async move { n * n }));
/// assert_eq!(await_many(squares, Duration::from_secs(5)).await, Ok(vec![1, 4, 9]));
/// # }).unwrap();
/// ```
pub async fn await_many<T: Send + 'static>(
    tasks: impl IntoIterator<Item = Task<T>>,
    limit: impl Into<Option<Duration>>,
) -> Result<Vec<T>, TaskError> {
    let (mut tasks, limit) = (Vec::from_iter(tasks), limit.into());
    if tasks.iter().any(|task| !task.open) {
        return Err(TaskError::Taken);
    }
    let count = tasks.len();
    let outcomes = Gathering::new(&mut tasks, count, true).run(limit).await;
    let mut values = Vec::with_capacity(count);
    if let Some(reason) = outcomes.iter().find_map(|outcome| outcome.as_ref()?.as_ref().err()) {
        return Err(TaskError::Exit(reason.clone()));
    }
    for outcome in outcomes {
        match outcome {
            Some(Ok(value)) => values.push(value),
            _ => return Err(TaskError::Timeout(limit.unwrap_or(Duration::MAX))),
        }
    }
    Ok(values)
}

/// What becomes of tasks that are not done in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// They go on, and may be asked again.
    #[default]
    Nothing,
    /// They go on alone, as with [`Task::ignore`].
    Ignore,
    /// They are killed, as with [`Task::shutdown`] and [`Shutdown::Brutal`].
    Kill,
}

/// How long [`yield_many`] waits, and for how many.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct YieldOptions {
    limit: Option<usize>,
    timeout: Option<Duration>,
    on_timeout: OnTimeout,
}

impl Default for YieldOptions {
    fn default() -> Self {
        Self { limit: None, timeout: Some(DEFAULT_TIMEOUT), on_timeout: OnTimeout::Nothing }
    }
}

impl YieldOptions {
    /// Waits for all, at most [`DEFAULT_TIMEOUT`]; what is late goes on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns when so many outcomes are there.
    pub fn limit(mut self, outcomes: usize) -> Self {
        self.limit = Some(outcomes);
        self
    }

    /// Waits at most this long for all together (`None`: for ever).
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeout = limit.into();
        self
    }

    /// What becomes of the tasks that are not done when the others are returned.
    pub fn on_timeout(mut self, what: OnTimeout) -> Self {
        self.on_timeout = what;
        self
    }
}

/// The outcomes of those tasks that are done in time, each in its task's place.
///
/// # Panics
/// In another process than the owner of the tasks.
pub async fn yield_many<T: Send + 'static>(
    tasks: &mut [Task<T>],
    options: YieldOptions,
) -> Vec<Option<Outcome<T>>> {
    let wanted = options.limit.unwrap_or(tasks.len());
    let mut outcomes = Gathering::new(tasks, wanted, false).run(options.timeout).await;
    let late = tasks.iter_mut().zip(&mut outcomes).filter(|(task, _)| task.open);
    for (task, outcome) in late {
        let late = match options.on_timeout {
            OnTimeout::Nothing => continue,
            OnTimeout::Ignore => task.take_over().ignore().await,
            OnTimeout::Kill => task.take_over().shutdown(Shutdown::Brutal).await,
        };
        *outcome = late;
    }
    outcomes
}

impl<T: Send + 'static> Task<T> {
    /// The task as a value of its own; this one is settled.
    fn take_over(&mut self) -> Self {
        let selector = std::mem::replace(&mut self.selector, Selector::new(None));
        let open = std::mem::replace(&mut self.open, false);
        let Self { owner, process, alias, value, .. } = *self;
        Self { owner, process, alias, selector, open, value }
    }
}

/// A wait for several tasks.
struct Gathering<'a, T: Send + 'static> {
    tasks: &'a mut [Task<T>],
    /// The tasks by their references.
    places: HashMap<Reference, usize>,
    selector: Selector,
    outcomes: Vec<Option<Outcome<T>>>,
    /// How many outcomes are still to come.
    missing: usize,
    stop_at_exit: bool,
}

impl<'a, T: Send + 'static> Gathering<'a, T> {
    #[track_caller]
    fn new(tasks: &'a mut [Task<T>], wanted: usize, stop_at_exit: bool) -> Self {
        tasks.iter().for_each(Task::assert_owner);
        let open = || tasks.iter().enumerate().filter(|(_, task)| task.open);
        let places: HashMap<_, _> =
            open().map(|(index, task)| (task.alias.reference(), index)).collect();
        let mut selectors = open().map(|(_, task)| &task.selector);
        let mut selector = Selector::new(None);
        if let Some(first) = selectors.next() {
            selector.start_as(first);
            selectors.for_each(|other| selector.start_with(other));
        }
        let missing = wanted.min(places.len());
        let outcomes = tasks.iter().map(|_| None).collect();
        Self { tasks, places, selector, outcomes, missing, stop_at_exit }
    }

    async fn run(mut self, limit: Option<Duration>) -> Vec<Option<Outcome<T>>> {
        self.selector.wait_for(limit);
        while self.missing > 0 {
            let next = poll_fn(|context| Pin::new(&mut self.selector.next()).poll(context)).await;
            let Some(message) = next else { break };
            match outcome_in(message, |reference| self.places.get(&reference).copied()) {
                Ok((index, outcome)) => self.note(index, outcome),
                Err(message) => self.selector.reject(message),
            }
        }
        self.outcomes
    }

    fn note(&mut self, index: usize, outcome: Outcome<T>) {
        self.selector.accept();
        self.tasks[index].open = false;
        self.missing = if self.stop_at_exit && outcome.is_err() { 0 } else { self.missing - 1 };
        self.outcomes[index] = Some(outcome);
    }
}

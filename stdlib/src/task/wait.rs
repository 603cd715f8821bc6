//! Waiting for one task.

use std::{
    future::IntoFuture,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{DEFAULT_TIMEOUT, Outcome, Reply, Task, TaskError};
use crate::{Down, Message, Reference};

/// The future of a [`Task`]'s value: see [`Task::timeout`].
#[derive(Debug)]
#[must_use = "nothing is awaited until this is"]
pub struct Await<T: Send + 'static> {
    task: Task<T>,
    limit: Option<Duration>,
    started: bool,
}

impl<T: Send + 'static> Await<T> {
    pub(super) fn new(task: Task<T>, limit: Option<Duration>) -> Self {
        Self { task, limit, started: false }
    }
}

impl<T: Send + 'static> Future for Await<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.task.assert_owner();
        if !this.task.open {
            return Poll::Ready(Err(TaskError::Taken));
        }
        if !std::mem::replace(&mut this.started, true) {
            this.task.selector.wait_for(this.limit);
        }
        this.task.poll_outcome(context).map(|outcome| match outcome {
            Some(outcome) => outcome.map_err(TaskError::Exit),
            None => {
                this.task.turn_off();
                Err(TaskError::Timeout(this.limit.unwrap_or(Duration::MAX)))
            }
        })
    }
}

impl<T: Send + 'static> IntoFuture for Task<T> {
    type Output = Result<T, TaskError>;
    type IntoFuture = Await<T>;

    fn into_future(self) -> Await<T> {
        self.timeout(DEFAULT_TIMEOUT)
    }
}

impl<T: Send + 'static> Task<T> {
    /// The outcome, if it comes in time.
    pub(super) async fn outcome(&mut self, limit: Option<Duration>) -> Option<Outcome<T>> {
        self.selector.wait_for(limit);
        std::future::poll_fn(|context| self.poll_outcome(context)).await
    }

    /// `None` when the time is up.
    fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Option<Outcome<T>>> {
        loop {
            let next = Pin::new(&mut self.selector.next()).poll(context);
            let message = match next {
                Poll::Ready(Some(message)) => message,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            let mine = self.alias.reference();
            match outcome_in(message, |reference| (reference == mine).then_some(())) {
                Ok(((), outcome)) => {
                    self.selector.accept();
                    self.open = false;
                    return Poll::Ready(Some(outcome));
                }
                Err(message) => self.selector.reject(message),
            }
        }
    }
}

/// The outcome that this message tells, and where it belongs, if its task's reference has a place;
/// else the message.
pub(super) fn outcome_in<T: Send + 'static, P>(
    message: Message,
    place: impl Fn(Reference) -> Option<P>,
) -> Result<(P, Outcome<T>), Message> {
    let message = match message.take::<Reply<T>>() {
        Ok((reply, shell)) => match place(reply.alias.reference()) {
            Some(place) => return Ok((place, Ok(reply.value))),
            None => shell.restore(reply),
        },
        Err(message) => message,
    };
    match message.take::<Down>() {
        Ok((down, shell)) => match place(down.monitor.reference()) {
            Some(place) => Ok((place, Err(down.reason))),
            None => Err(shell.restore(down)),
        },
        Err(message) => Err(message),
    }
}

//! Requests that a process answers on its next turn: `process_info`, `suspend_process`.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::sync::Mutex;

struct State<T> {
    /// None: open. Some(None): there is nobody to answer.
    answer: Option<Option<T>>,
    waker: Option<Waker>,
}

/// The asked side. Dropping it unanswered answers "nobody there".
pub(crate) struct Request<T>(Arc<Mutex<State<T>>>);

/// The asking side: a future of the answer, none if there is no process to answer.
pub(crate) struct Answer<T>(Arc<Mutex<State<T>>>);

pub(crate) fn request<T>() -> (Request<T>, Answer<T>) {
    let state = Arc::new(Mutex::new(State { answer: None, waker: None }));
    (Request(state.clone()), Answer(state))
}

impl<T> Request<T> {
    pub(crate) fn answer(self, answer: Option<T>) {
        self.settle(answer);
    }

    fn settle(&self, answer: Option<T>) {
        let mut state = self.0.lock();
        if state.answer.is_none() {
            state.answer = Some(answer);
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A waker is code of somebody else's: made and dropped without the lock.
        let waker = context.waker().clone();
        let mut state = self.0.lock();
        let (answer, idle) = match state.answer.take() {
            None => (Poll::Pending, state.waker.replace(waker)),
            Some(answer) => (Poll::Ready(answer), Some(waker)),
        };
        drop(state);
        drop(idle);
        answer
    }
}

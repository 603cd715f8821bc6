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
        let mut state = self.0.lock();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

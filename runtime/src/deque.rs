//! The run queues' building blocks: `crossbeam-deque`, or a stand-in where that cannot be checked.
//!
//! Crossbeam's deque copies a task before it knows whether it has won it. That is deliberate and
//! harmless on real machines, but it is a data race by the letter of the memory model, so Miri
//! rejects it; and loom cannot see inside it. Under `cfg(loom)` and `cfg(miri)` a queue behind a
//! lock takes its place, with the part of the API that we use. What is lost: the models and Miri
//! say nothing about crossbeam's own orderings, which are its authors' and are proven elsewhere.

#[cfg(not(any(loom, miri)))]
pub(crate) use crossbeam_deque::{Injector, Steal, Stealer, Worker};

#[cfg(any(loom, miri))]
pub(crate) use self::stand_in::{Injector, Steal, Stealer, Worker};

#[cfg(any(loom, miri))]
mod stand_in {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use crate::sync::Mutex;

    pub(crate) enum Steal<T> {
        Empty,
        Success(T),
        // Never made: the lock makes a conflict impossible. Callers must handle it all the same.
        #[allow(dead_code)]
        Retry,
    }

    fn steal_half<T>(from: &Mutex<VecDeque<T>>, dest: &Worker<T>, limit: usize) -> Steal<T> {
        let mut batch = {
            let mut from = from.lock();
            let half = from.len().div_ceil(2).min(limit);
            from.drain(..half).collect::<VecDeque<T>>()
        };
        let Some(first) = batch.pop_front() else { return Steal::Empty };
        dest.0.lock().extend(batch);
        Steal::Success(first)
    }

    pub(crate) struct Worker<T>(Arc<Mutex<VecDeque<T>>>);

    impl<T> Worker<T> {
        pub(crate) fn new_fifo() -> Self {
            Self(Arc::new(Mutex::new(VecDeque::new())))
        }

        pub(crate) fn stealer(&self) -> Stealer<T> {
            Stealer(self.0.clone())
        }

        pub(crate) fn push(&self, task: T) {
            self.0.lock().push_back(task);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.0.lock().pop_front()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.lock().len()
        }
    }

    pub(crate) struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);

    impl<T> Stealer<T> {
        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.lock().len()
        }

        pub(crate) fn steal_batch_with_limit_and_pop(
            &self,
            dest: &Worker<T>,
            limit: usize,
        ) -> Steal<T> {
            steal_half(&self.0, dest, limit)
        }
    }

    pub(crate) struct Injector<T>(Mutex<VecDeque<T>>);

    impl<T> Injector<T> {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(VecDeque::new()))
        }

        pub(crate) fn push(&self, task: T) {
            self.0.lock().push_back(task);
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.lock().len()
        }

        pub(crate) fn steal_batch_with_limit_and_pop(
            &self,
            dest: &Worker<T>,
            limit: usize,
        ) -> Steal<T> {
            steal_half(&self.0, dest, limit)
        }
    }
}

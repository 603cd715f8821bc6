//! Where one thread waits for a signal from another.
//!
//! A parker holds at most one signal. Who may send one is decided elsewhere (`idle.rs`): a
//! waker first takes the sleeper's bit, so there is at most one sender per sleep, and the sleeper
//! takes every signal that was sent before it goes on.
//!
//! The waiting itself is the standard library's thread parking. Its token may be used up by
//! somebody else on this thread, or left over; that is why the signal is a word of its own and
//! the token only a reason to look at it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread::{self, Thread};

/// Why a sleeper was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// There may be work: search. The waker has counted the sleeper as a searcher.
    Search,
    /// Something of the sleeper's own changed: its timers, or the scheduler is stopping.
    Look,
    /// Take the work of this worker, which is stuck, without hesitation.
    Relieve(usize),
}

/// The word's value without a signal; every signal's code differs from it.
const NOTHING: usize = 0;
const SEARCH: usize = 1;
const LOOK: usize = 2;
/// This and above: relieve the worker with the difference as its index.
const RELIEVE: usize = 3;

impl Signal {
    fn code(self) -> usize {
        match self {
            Self::Search => SEARCH,
            Self::Look => LOOK,
            Self::Relieve(worker) => RELIEVE + worker,
        }
    }

    fn from_code(code: usize) -> Option<Self> {
        match code {
            NOTHING => None,
            SEARCH => Some(Self::Search),
            LOOK => Some(Self::Look),
            relieve => Some(Self::Relieve(relieve - RELIEVE)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Parker {
    signal: AtomicUsize,
    thread: OnceLock<Thread>,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self { signal: AtomicUsize::new(NOTHING), thread: OnceLock::new() }
    }

    /// Makes this thread the one that waits here. Once, before it says that it may be woken.
    pub(crate) fn adopt(&self) {
        let _ = self.thread.set(thread::current());
    }

    /// Sends a signal to the thread that waits here, or is about to.
    pub(crate) fn send(&self, signal: Signal) {
        // Release: pairs with the acquire in `take`, so that the woken thread sees what the waker
        // did before.
        self.signal.store(signal.code(), Ordering::Release);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Takes the signal, if there is one.
    fn take(&self) -> Option<Signal> {
        // Acquire: pairs with the release in `send`.
        let code = self.signal.load(Ordering::Acquire);
        if code != NOTHING {
            // Relaxed: no second sender before the first signal was taken.
            self.signal.store(NOTHING, Ordering::Relaxed);
        }
        Signal::from_code(code)
    }

    /// Waits for a signal.
    pub(crate) fn wait(&self) -> Signal {
        loop {
            if let Some(signal) = self.take() {
                return signal;
            }
            thread::park();
        }
    }

    /// Waits for a signal for at most `limit`.
    pub(crate) fn wait_for(&self, limit: Duration) -> Option<Signal> {
        let Some(end) = Instant::now().checked_add(limit) else { return Some(self.wait()) };
        loop {
            if let Some(signal) = self.take() {
                return Some(signal);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            thread::park_timeout(left);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn signals_survive_their_code() {
        for signal in [Signal::Search, Signal::Look, Signal::Relieve(0), Signal::Relieve(127)] {
            assert_eq!(Signal::from_code(signal.code()), Some(signal));
        }
    }

    #[test]
    fn a_signal_sent_early_is_kept_and_taken_once() {
        let parker = Parker::new();
        parker.adopt();
        parker.send(Signal::Relieve(3));
        assert_eq!(parker.wait(), Signal::Relieve(3));
        assert_eq!(parker.wait_for(Duration::ZERO), None);
    }

    #[test]
    fn a_stray_token_is_not_a_signal() {
        let parker = Parker::new();
        parker.adopt();
        std::thread::current().unpark();
        assert_eq!(parker.wait_for(Duration::from_millis(1)), None);
    }
}

#![doc = include_str!("../../docs/design/idle.md")]

use crate::park::{Parker, Signal};
use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};

/// Workers per word of sleepers.
const PER_WORD: usize = u64::BITS as usize;

pub(crate) struct Idle {
    workers: usize,
    /// How many workers search, or were just told to.
    searchers: CachePadded<AtomicUsize>,
    /// Bit n % 64 of word n / 64: worker n sleeps, and nobody has decided to wake it.
    sleepers: Box<[CachePadded<AtomicU64>]>,
    parkers: Box<[CachePadded<Parker>]>,
}

impl Idle {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            searchers: CachePadded::new(AtomicUsize::new(0)),
            sleepers: (0..workers.div_ceil(PER_WORD))
                .map(|_| CachePadded::new(AtomicU64::new(0)))
                .collect(),
            parkers: (0..workers).map(|_| CachePadded::new(Parker::new())).collect(),
        }
    }

    pub(crate) fn parker(&self, worker: usize) -> &Parker {
        &self.parkers[worker]
    }

    fn word(&self, worker: usize) -> (&AtomicU64, u64) {
        (&self.sleepers[worker / PER_WORD], 1 << (worker % PER_WORD))
    }

    // --- What a worker does that has nothing to run.

    /// Becomes a searcher, unless half the workers search already. The limit may be overshot by
    /// workers that ask at once, which is harmless.
    #[must_use]
    pub(crate) fn begin_search(&self) -> bool {
        // Relaxed, both: this only counts; the fences stand where a count is relied on.
        if 2 * self.searchers.load(Ordering::Relaxed) >= self.workers {
            return false;
        }
        self.searchers.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Step F1: a searcher has found work. It then looks for injected tasks that nobody was woken
    /// for, because their waker relied on this searcher.
    pub(crate) fn end_search(&self, injected: impl Fn() -> bool) {
        // Relaxed: the fence orders it.
        if self.searchers.fetch_sub(1, Ordering::Relaxed) == 1 {
            // SeqCst: pairs with the fence W1.
            fence(Ordering::SeqCst); // F2
            if injected() {
                self.wake_one(injected);
            }
        }
    }

    /// Steps S1 and S2: says that this worker sleeps. After that it must look at everything that
    /// others can give it, and then wait on its parker or [`get_up`](Self::get_up).
    pub(crate) fn lie_down(&self, worker: usize, searching: bool) {
        let (word, bit) = self.word(worker);
        // Release: pairs with the acquire in `claim`, so that a waker sees the parker's thread.
        word.fetch_or(bit, Ordering::Release);
        if searching {
            // Relaxed: the fence orders it.
            self.searchers.fetch_sub(1, Ordering::Relaxed);
        }
        // SeqCst: pairs with the fences W1, and M2 of the monitor. In their one total order,
        // either the other side's fence comes first and the worker's look finds what it did, or
        // this one comes first and the other side sees the bit and one searcher less.
        fence(Ordering::SeqCst); // S2
    }

    /// Step S4: ends a sleep that nobody else has ended. False if a waker was faster: then its
    /// signal is on the way and must be waited for.
    #[must_use]
    pub(crate) fn get_up(&self, worker: usize) -> bool {
        self.claim(worker)
    }

    /// Takes a sleeper's bit: whoever takes it ends that sleep.
    fn claim(&self, worker: usize) -> bool {
        let (word, bit) = self.word(worker);
        // Acquire: pairs with the release in `lie_down`.
        word.fetch_and(!bit, Ordering::Acquire) & bit != 0
    }

    // --- What others do to it.

    /// Whether this worker sleeps. A hint.
    pub(crate) fn is_asleep(&self, worker: usize) -> bool {
        let (word, bit) = self.word(worker);
        word.load(Ordering::Relaxed) & bit != 0
    }

    /// Whether some worker sleeps. A hint.
    pub(crate) fn any_asleep(&self) -> bool {
        self.sleepers.iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// Whether every worker sleeps. A hint.
    pub(crate) fn all_asleep(&self) -> bool {
        let count = |word: &CachePadded<AtomicU64>| word.load(Ordering::Relaxed).count_ones();
        self.sleepers.iter().map(count).sum::<u32>() as usize == self.workers
    }

    /// Steps W1 to W4: a task was injected from outside; makes sure that some worker looks.
    pub(crate) fn wake_for_injected(&self, injected: impl Fn() -> bool) -> bool {
        // SeqCst: pairs with the fences S2 and F2.
        fence(Ordering::SeqCst); // W1
        self.wake_one(injected)
    }

    /// Wakes a sleeper to search, unless somebody searches already. Returns whether it did.
    ///
    /// Called without a fence for a local backlog: the caller is awake and will run its tasks,
    /// so a wake that is missed costs time but no task.
    pub(crate) fn wake_one(&self, injected: impl Fn() -> bool) -> bool {
        while self.searchers.load(Ordering::Relaxed) == 0 && self.any_asleep() {
            // Step W3. Relaxed, as all of this word: the fences order it.
            let counted =
                self.searchers.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
            if counted.is_err() {
                return false;
            }
            if let Some(worker) = self.claim_any() {
                self.parkers[worker].send(Signal::Search);
                return true;
            }
            // Everyone has got up in between. Others may have relied on the searcher that never
            // was: the same steps as when a search ends.
            self.searchers.fetch_sub(1, Ordering::Relaxed);
            // SeqCst: pairs with the fence W1.
            fence(Ordering::SeqCst); // N2
            if !injected() {
                return false;
            }
        }
        false
    }

    fn claim_any(&self) -> Option<usize> {
        for (index, word) in self.sleepers.iter().enumerate() {
            let mut asleep = word.load(Ordering::Relaxed);
            while asleep != 0 {
                let worker = index * PER_WORD + asleep.trailing_zeros() as usize;
                if self.claim(worker) {
                    return Some(worker);
                }
                asleep &= asleep - 1;
            }
        }
        None
    }

    /// Wakes this worker if it sleeps, to look at what is its own. Returns whether it slept.
    ///
    /// Between the change that the worker is to see and this call must be a `SeqCst` fence, as
    /// in step W1: it pairs with that of S2.
    pub(crate) fn wake(&self, worker: usize) -> bool {
        let slept = self.is_asleep(worker) && self.claim(worker);
        if slept {
            self.parkers[worker].send(Signal::Look);
        }
        slept
    }

    /// Wakes every worker that sleeps, and keeps those awake that are about to: they see what the
    /// caller has changed before.
    pub(crate) fn wake_all(&self) {
        // SeqCst: pairs with the fence S2.
        fence(Ordering::SeqCst); // T1
        for worker in 0..self.workers {
            self.wake(worker);
        }
    }

    /// Wakes some sleeper to take a stuck worker's work. Returns whether there was one.
    pub(crate) fn relieve(&self, stuck: usize) -> bool {
        let helper = self.claim_any();
        if let Some(worker) = helper {
            self.parkers[worker].send(Signal::Relieve(stuck));
        }
        helper.is_some()
    }

    /// How many workers search.
    #[cfg(all(test, loom))]
    pub(crate) fn searchers(&self) -> usize {
        self.searchers.load(Ordering::Relaxed)
    }
}

//! Models of what must hold in every interleaving. Run them with `ci/loom`.
//!
//! Each model names the changes to the code that make it fail; `ci/mutants.d/actors.txt` has them
//! in a form that a script tries.
//!
//! The first ones run single parts: the inbox, the table, the links. The others run whole processes
//! in a small world: a real runtime whose workers are the threads of the model.

mod alias;
mod exit;
mod inbox;
mod link;
mod monitor;
mod name;
mod state;
mod table;
mod watched;
mod world;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use self::watched::Watched;

/// The fewest preemptions to try. Nearly every known bug of this kind shows with two, but loom's
/// bounded search leaves some of these out: with two it misses a mutant of `Inbox::park`.
const PREEMPTIONS: usize = 3;

/// Runs a model, and says how many interleavings it has.
fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(PREEMPTIONS));
    builder.max_branches = 20_000;
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        f();
    });
    println!("{} interleavings", runs.load(Ordering::Relaxed));
}

/// A payload that loom watches: its content is written by the sender and read by the receiver, who
/// must be ordered, and it must be dropped.
struct Parcel {
    number: u32,
    content: Watched<u32>,
    _leak: loom::sync::Arc<()>,
}

impl Parcel {
    fn new(number: u32) -> Self {
        let content = Watched::new(0);
        content.with(|content| *content = number);
        Self { number, content, _leak: loom::sync::Arc::new(()) }
    }

    /// Reads the content, which is its number.
    fn open(self) -> u32 {
        let content = self.content.with(|content| *content);
        assert_eq!(content, self.number);
        content
    }
}

//! Models of what must hold in every interleaving. Run them with
//! `RUSTFLAGS="--cfg loom" cargo test -p beamish-runtime --release --lib loom_`.
//!
//! Each model names the changes to the code that make it fail; `ci/mutants.d/runtime.txt` has
//! them in a form that a script can try. Where a lock would hide a missing fence (the injector's
//! stand-in has one), the model has a relaxed atomic in its place.

mod biased;
mod idle;
mod monitor;
mod next;
mod park;

/// Runs a model with at most two preemptions: nearly every known bug of this kind shows with two.
fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.check(f);
}

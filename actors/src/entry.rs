//! Entry points: what `#[beamish::main]` and `#[beamish::test]` expand to.

use std::{env, process::ExitCode, time::Duration};

use crate::{
    exit::{ExitReason, IntoExit},
    runtime::{Builder, Census, Runtime},
};

/// How long a test waits for processes that do not await, once its body has ended.
const TEST_LIMIT: Duration = Duration::from_secs(10);

/// Arguments of `#[beamish::main]`.
#[derive(Debug, Default)]
pub struct MainOptions {
    /// Worker threads.
    pub workers: Option<usize>,
}

/// Arguments of `#[beamish::test]`.
#[derive(Debug, Default)]
pub struct TestOptions {
    /// The test's name, for the message that tells how to run it again.
    pub name: &'static str,
    /// Worker threads.
    pub workers: Option<usize>,
    /// Run seeded, with this seed.
    pub seed: Option<u64>,
    /// Run seeded, with this many seeds, one after the other.
    pub seeds: Option<u64>,
}

fn builder(workers: Option<usize>) -> Builder {
    match workers {
        Some(workers) => Runtime::builder().workers(workers),
        None => Runtime::builder(),
    }
}

/// Runs the main process; the exit code tells how it ended: 0 for a normal end or a shutdown, 1 for
/// any other, 2 if the runtime could not be made.
pub fn run_main<F>(options: MainOptions, body: F) -> ExitCode
where
    F: Future<Output: IntoExit> + Send + 'static,
{
    let runtime = match builder(options.workers).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime could not be started: {error}");
            return ExitCode::from(2);
        }
    };
    // The crash report has said why.
    if runtime.run(body).is_abnormal() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs a test, in a runtime of its own for each seed, and looks for leaks after it.
///
/// # Panics
/// If the test's process ends abnormally, or leaves something behind.
pub fn run_test<F, Fut>(options: TestOptions, body: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output: IntoExit> + Send + 'static,
{
    for seed in seeds(&options) {
        let mut builder = builder(options.workers.or(Some(2))).quiet();
        if let Some(seed) = seed {
            builder = builder.seeded(seed);
        }
        let runtime = match builder.build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("the runtime could not be started: {error}"),
        };
        let replay = Replay { name: options.name, seed };
        let reason = runtime.run(body());
        judge(runtime, &reason);
        std::mem::forget(replay);
    }
}

/// None: on real workers. The variable `BEAMISH_SEED` picks one seed of a seeded test.
fn seeds(options: &TestOptions) -> Vec<Option<u64>> {
    let chosen = env::var("BEAMISH_SEED").ok().and_then(|seed| seed.parse().ok());
    match (options.seed, options.seeds, chosen) {
        (None, None, _) => vec![None],
        (_, _, Some(chosen)) => vec![Some(chosen)],
        (Some(seed), None, None) => vec![Some(seed)],
        (first, Some(count), None) => {
            let first = first.unwrap_or(0);
            (first..first.saturating_add(count)).map(Some).collect()
        }
    }
}

fn judge(runtime: Runtime, reason: &ExitReason) {
    let handle = runtime.handle();
    let stopped = runtime.shutdown(TEST_LIMIT);
    assert!(!reason.is_abnormal(), "the test's process ended: {reason}");
    if let Err(error) = stopped {
        panic!("{error}");
    }
    assert_eq!(handle.census(), Census::default(), "something was left behind");
}

/// Says how to run a failed test again, when it is dropped by the panic that failed it.
struct Replay {
    name: &'static str,
    seed: Option<u64>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if let Some(seed) = self.seed {
            eprintln!(
                "failed with seed {seed}; again: BEAMISH_SEED={seed} cargo test {}",
                self.name
            );
        }
    }
}

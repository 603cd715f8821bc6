//! The stopwatch that every measured Rust program shares.
//!
//! A measured program (ours and each peer's) is started afresh for one workload as
//! `PROGRAM measure WORKLOAD --workers W --n N --ops M --warmups A --samples B`, repeats the
//! workload inside, and prints one [`Measurement`] as one line of JSON. What is written once here
//! (arguments, medians, resident memory, the line itself) cannot differ between systems.
//!
//! A system joins in by implementing [`System`] and calling [`main`].

mod measurement;
mod memory;
mod request;

use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

pub use measurement::{Figure, Measurement};
pub use memory::{peak_bytes, resident_bytes};
pub use request::Request;

/// A measurement that takes longer than this is stuck; the program says so and ends.
const LIMIT: Duration = Duration::from_secs(300);

/// Exit code of a measured program that hit [`LIMIT`].
const EXIT_STUCK: i32 = 3;

/// The size of a workload. Each workload says what it makes of the two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How many processes, pairs, leaves or queued messages.
    pub n: usize,
    /// How many operations in all, for the workloads in which `n` does not say it.
    pub ops: u64,
}

/// What one repetition of a workload came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// So many operations took so long.
    Time {
        /// Operations done, as the workload counts them.
        ops: u64,
        /// Time from the first to the last of them.
        elapsed: Duration,
    },
    /// So many processes made the program's resident memory grow by so much.
    Memory {
        /// Processes alive when the memory was read.
        processes: u64,
        /// Growth of the resident memory, in bytes.
        bytes: u64,
    },
}

impl Sample {
    /// The figure of this sample alone: nanoseconds per operation, or bytes per process.
    fn per_unit(&self) -> f64 {
        match *self {
            Sample::Time { ops, elapsed } => elapsed.as_nanos() as f64 / ops.max(1) as f64,
            Sample::Memory { processes, bytes } => bytes as f64 / processes.max(1) as f64,
        }
    }

    fn units(&self) -> u64 {
        match *self {
            Sample::Time { ops, .. } => ops,
            Sample::Memory { processes, .. } => processes,
        }
    }
}

/// A runtime with its version of the workloads.
pub trait System: Sized {
    /// The name in `--system`.
    const NAME: &'static str;

    /// Starts the runtime for this request. Happens once, before the first repetition.
    ///
    /// # Errors
    ///
    /// When the runtime cannot start, for instance because no thread can be had.
    fn start(request: &Request) -> io::Result<Self>;

    /// Runs `workload` once; `None` when this system has no such workload.
    ///
    /// # Panics
    ///
    /// When the workload itself fails: its figure would mean nothing.
    fn sample(&self, workload: &str, params: Params) -> Option<Sample>;
}

/// The whole of a measured program: reads the arguments, measures, prints one line of JSON.
///
/// `allocator` names the global allocator that the program was built with. Exit code 0, or 2
/// with one line on stderr when the arguments make no sense.
pub fn main<S: System>(allocator: &str) -> ExitCode {
    match measure::<S>(allocator) {
        Ok(measurement) => {
            println!("{}", measurement.to_json());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{}: {message}", S::NAME);
            ExitCode::from(2)
        }
    }
}

fn measure<S: System>(allocator: &str) -> Result<Measurement, String> {
    let request = Request::from_env()?;
    give_up_after(LIMIT, &request.workload);
    let system = S::start(&request).map_err(|error| error.to_string())?;
    let sample = || {
        system
            .sample(&request.workload, request.params)
            .ok_or_else(|| format!("unknown workload `{}`", request.workload))
    };
    for _ in 0..request.warmups {
        sample()?;
    }
    let samples = (0..request.samples).map(|_| sample()).collect::<Result<Vec<_>, _>>()?;
    Ok(summarize(S::NAME, allocator, &request, &samples))
}

fn summarize(system: &str, allocator: &str, request: &Request, samples: &[Sample]) -> Measurement {
    let mut figures: Vec<f64> = samples.iter().map(Sample::per_unit).collect();
    figures.sort_by(f64::total_cmp);
    let median = median(&figures).unwrap_or_default();
    Measurement {
        system: system.to_owned(),
        workload: request.workload.clone(),
        n: request.params.n,
        ops: samples.first().map_or(0, Sample::units),
        figure: match samples.first() {
            Some(Sample::Memory { .. }) => Figure::BytesPerProcess(median),
            _ => Figure::NsPerOp(median),
        },
        min: figures.first().copied().unwrap_or_default(),
        max: figures.last().copied().unwrap_or_default(),
        samples: figures.len(),
        workers: request.workers,
        allocator: allocator.to_owned(),
        peak_bytes: peak_bytes(),
    }
}

/// The middle of a sorted list, or the mean of the two in the middle; `None` when it is empty.
///
/// ```
/// assert_eq!(measure::median(&[1.0, 2.0, 9.0]), Some(2.0));
/// assert_eq!(measure::median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
/// assert_eq!(measure::median(&[]), None);
/// ```
pub fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0)
}

/// Ends the program when it is still there after `limit`, so that a workload that hangs is an
/// error and not a wait without end.
fn give_up_after(limit: Duration, workload: &str) {
    let workload = workload.to_owned();
    thread::spawn(move || {
        let deadline = Instant::now() + limit;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            thread::park_timeout(left);
        }
        eprintln!("{workload}: still running after {} s, given up", limit.as_secs());
        std::process::exit(EXIT_STUCK);
    });
}

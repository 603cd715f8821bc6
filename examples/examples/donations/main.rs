//! Zakat on a file of donations, one process per row: a malformed row crashes its own process and
//! no other, and is counted.
//!
//! ```text
//! cargo run --release --example donations              the 10,000 rows of the repository
//! cargo run --release --example donations -- FILE      any other file: id, donor, amount, currency
//! ```
//!
//! The file is read row by row, and no faster than rows are done. The exit code is 0 when every row
//! is accounted for, failed ones too; 2 when the file cannot be read; 1 when rows got lost, which
//! is a defect of the program.

mod batch;
mod file;
mod row;
mod summary;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use beamish::prelude::Runtime;

use crate::batch::Batch;
use crate::file::Rows;
use crate::summary::Summary;

/// The file that comes with the repository.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/donations.csv");

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let path = PathBuf::from(arguments.next().unwrap_or_else(|| SHIPPED.into()));
    if arguments.next().is_some() {
        eprintln!("usage: donations [FILE]");
        return ExitCode::from(2);
    }
    let start = Instant::now();
    match run(&path) {
        Ok(summary) => report(&summary, start.elapsed()),
        Err(error) => {
            eprintln!("donations: {}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}

fn run(path: &Path) -> io::Result<Summary> {
    let rows = Rows::open(path)?;
    // Malformed rows are expected here and end up in the summary; they need no crash report each.
    let runtime = Runtime::builder().quiet().build()?;
    runtime
        .block_on(assess_all(rows))
        .unwrap_or_else(|reason| Err(io::Error::other(reason.to_string())))
}

async fn assess_all(mut rows: Rows) -> io::Result<Summary> {
    let mut batch = Batch::new();
    while let Some(row) = rows.next()? {
        batch.add(row).await;
    }
    Ok(batch.finish().await)
}

fn report(summary: &Summary, elapsed: Duration) -> ExitCode {
    let rate = summary.rows as f64 / elapsed.as_secs_f64();
    // Nobody is left to tell when the reader of our output has gone away.
    let _ = writeln!(
        io::stdout(),
        "{summary}{} processes in {:.1} ms, {rate:.0} per second, at most {} at once",
        summary.rows,
        elapsed.as_secs_f64() * 1e3,
        summary.most_in_flight,
    );
    if summary.adds_up() {
        return ExitCode::SUCCESS;
    }
    eprintln!("donations: rows got lost: the numbers above do not add up");
    ExitCode::FAILURE
}

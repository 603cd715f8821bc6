//! `run`: one line per workload and system.

use std::io::{self, Write};

use measure::Request;

use crate::cli::Options;
use crate::report;
use crate::system::{self, System};
use crate::workload::Workload;

/// Measures every chosen workload on every chosen system, each in its own child process.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    report::warn_when_slow();
    let mut programs = Vec::new();
    for system in &options.systems {
        programs.push((*system, system.program(options.allocator)?));
    }
    for workload in &options.workloads {
        for (system, program) in &programs {
            let measurement = system::measure(program, &request(options, workload))?;
            let line = if options.json {
                measurement.to_json().to_string()
            } else {
                report::line(workload, &measurement) + note(system, workload)
            };
            writeln!(io::stdout(), "{line}").map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// The workload with the sizes of the command line, or its own.
pub(crate) fn request(options: &Options, workload: &Workload) -> Request {
    Request {
        workload: workload.name.to_owned(),
        workers: options.workers,
        params: workload.params(options.n, options.ops),
        warmups: workload.warmups,
        samples: options.samples.unwrap_or(workload.samples),
    }
}

fn note(system: &System, workload: &Workload) -> &'static str {
    if system.has(workload.name) {
        ""
    } else {
        " (no equivalent: without the workload's special load)"
    }
}

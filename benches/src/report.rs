//! What people read: the line of `run`, the lists, the help.

use measure::{Figure, Measurement};

use crate::system::SYSTEMS;
use crate::workload::{WORKLOADS, Workload};

const HELP: &str = "\
Measures beamish beside its peers. Every measurement runs in a child process of its own.

usage:
  benches run WORKLOAD... [options]        one line per workload and system; `all` runs all
  benches compare [WORKLOAD...] [options]  all systems in turn, medians, and each goal met or missed
  benches list                             the workloads and what --n and --ops mean for them

options:
  --system NAME     measure this system (may be repeated; default: all)
  --workers N       worker threads (default: 2)
  --allocator NAME  system or mimalloc, for every system (default: system)
  --n N, --ops N    size of the workload (default: see list)
  --samples N       counted repetitions in one child process (default: see list)
  --runs N          compare: child processes per measurement (default: 5)
  --json            one JSON object per line

exit code: 0; 1 when a measurement fails or a goal is missed; 2 for unknown names and options";

/// Prints how to use the program.
pub(crate) fn help() -> Result<(), String> {
    println!("{HELP}");
    Ok(())
}

/// Prints every workload with its parameters, and the systems.
pub(crate) fn list() -> Result<(), String> {
    for workload in WORKLOADS {
        let (what, n) = workload.n;
        let mut size = format!("--n {what} ({})", grouped(n as u64));
        if let Some((what, ops)) = workload.ops {
            size += &format!(", --ops {what} ({})", grouped(ops));
        }
        println!("{:<14} {}\n{:14} {size}", workload.name, workload.summary, "");
    }
    let names: Vec<_> = SYSTEMS.iter().map(|system| system.name).collect();
    println!("systems: {}", names.join(", "));
    Ok(())
}

/// One measurement as one line.
pub(crate) fn line(workload: &Workload, measurement: &Measurement) -> String {
    let unit = match measurement.figure {
        Figure::NsPerOp(_) => format!("per {}", workload.unit),
        Figure::BytesPerProcess(_) => match measurement.peak_bytes {
            Some(peak) => format!("per process, {} MiB in all at most", grouped(peak >> 20)),
            None => "per process".to_owned(),
        },
    };
    format!(
        "{:<14} {:<8} {:>10} {unit}; n {}, ops {}, {} workers, {} allocator",
        measurement.workload,
        measurement.system,
        figure(measurement.figure),
        grouped(measurement.n as u64),
        grouped(measurement.ops),
        measurement.workers,
        measurement.allocator,
    )
}

/// The number with its unit.
pub(crate) fn figure(figure: Figure) -> String {
    match figure {
        Figure::NsPerOp(ns) => format!("{ns:.1} ns"),
        Figure::BytesPerProcess(bytes) if bytes < 1e6 => format!("{bytes:.0} B"),
        Figure::BytesPerProcess(bytes) => format!("{} MiB", grouped(bytes as u64 >> 20)),
    }
}

/// A ratio, or a number of bytes too large to be one.
pub(crate) fn ratio(value: f64) -> String {
    if value < 1e4 { format!("{value:.2}") } else { grouped(value as u64) }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Figures of a build without optimization say nothing about the runtime.
pub(crate) fn warn_when_slow() {
    if cfg!(debug_assertions) {
        eprintln!("benches: built without --release, the figures of beamish mean nothing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}

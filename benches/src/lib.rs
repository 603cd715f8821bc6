//! beamish's workloads, and the program that measures them beside the peers.
//!
//! `benches/README.md` says how to run it and what each workload means. The program is a driver:
//! every measurement happens in a child process of its own (this same program for beamish, the
//! programs below `peers/` for the others), so that neither memory nor a scheduler's state leaks
//! from one workload into the next.

mod beamish_system;
mod cli;
mod compare;
mod goals;
mod report;
mod run;
mod system;
mod table;
mod workload;
mod workloads;

use std::process::ExitCode;

use cli::Command;

/// The whole program. `allocator` names the global allocator that it was built with.
///
/// Exit code 0; 1 when a measurement fails or a goal is missed; 2 when the arguments make no sense.
pub fn main(allocator: &str) -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.peek().is_some_and(|first| first == "measure") {
        return measure::main::<beamish_system::Beamish>(allocator);
    }
    match cli::parse(args) {
        Ok(command) => execute(command),
        Err(message) => fail(&message, 2),
    }
}

fn execute(command: Command) -> ExitCode {
    let done = match command {
        Command::Help => report::help(),
        Command::List => report::list(),
        Command::Run(options) => run::run(&options),
        Command::Compare(options) => match compare::compare(&options) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::from(1),
            Err(message) => Err(message),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message, 1),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("benches: {message}");
    ExitCode::from(code)
}

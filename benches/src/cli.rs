//! The command line.
//!
//! Whatever it does not know gets one line that lists what it does know.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::system::{self as systems, Allocator, SYSTEMS, System};
use crate::workload::{self, WORKLOADS, Workload};

/// What the program is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    List,
    Run(Options),
    Compare(Options),
}

/// What `run` and `compare` are asked to do.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) workloads: Vec<&'static Workload>,
    pub(crate) systems: Vec<&'static System>,
    pub(crate) workers: usize,
    pub(crate) allocator: Allocator,
    /// `None`: the workload's own size.
    pub(crate) n: Option<usize>,
    /// `None`: the workload's own number.
    pub(crate) ops: Option<u64>,
    /// `None`: the workload's own number.
    pub(crate) samples: Option<usize>,
    /// Child processes per measurement; `compare` takes the median over them.
    pub(crate) runs: usize,
    pub(crate) json: bool,
}

const COMMANDS: &[&str] = &["run", "compare", "list", "help"];

const OPTIONS: &[&str] = &[
    "--system NAME",
    "--workers N",
    "--allocator NAME",
    "--n N",
    "--ops N",
    "--samples N",
    "--runs N",
    "--json",
];

/// Every goal of the project is stated for two workers.
const DEFAULT_WORKERS: usize = 2;
const DEFAULT_RUNS: usize = 5;

/// Reads the arguments, without the program's name. An error is one line for the user.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(args);
    let name = match parser.next().map_err(say)? {
        Some(Value(name)) => name.string().map_err(say)?,
        Some(Long("help") | Short('h')) => "help".to_owned(),
        Some(other) => return Err(unknown("command", &spelling(&other), COMMANDS)),
        None => return Err(format!("no command; known: {}", COMMANDS.join(", "))),
    };
    if !COMMANDS.contains(&name.as_str()) {
        return Err(unknown("command", &name, COMMANDS));
    }
    if name == "help" {
        return Ok(Command::Help);
    }
    let options = options(&mut parser)?;
    match name.as_str() {
        "run" if options.workloads.is_empty() => {
            Err(format!("no workload; known: {}, all", workload_names().join(", ")))
        }
        "run" => Ok(Command::Run(options)),
        "compare" => Ok(Command::Compare(options)),
        _ => Ok(Command::List),
    }
}

fn options(parser: &mut lexopt::Parser) -> Result<Options, String> {
    let mut options = Options {
        workloads: Vec::new(),
        systems: Vec::new(),
        workers: DEFAULT_WORKERS,
        allocator: Allocator::System,
        n: None,
        ops: None,
        samples: None,
        runs: DEFAULT_RUNS,
        json: false,
    };
    while let Some(arg) = parser.next().map_err(say)? {
        match arg {
            Value(name) => add_workload(&mut options.workloads, &name.string().map_err(say)?)?,
            Long("system") => options.systems.push(system(&text(parser)?)?),
            Long("workers") => options.workers = count(parser, "--workers")?,
            Long("allocator") => options.allocator = allocator(&text(parser)?)?,
            Long("n") => options.n = Some(count(parser, "--n")?),
            Long("ops") => options.ops = Some(count(parser, "--ops")? as u64),
            Long("samples") => options.samples = Some(count(parser, "--samples")?),
            Long("runs") => options.runs = count(parser, "--runs")?,
            Long("json") => options.json = true,
            other => return Err(unknown("option", &spelling(&other), OPTIONS)),
        }
    }
    if options.systems.is_empty() {
        options.systems = SYSTEMS.iter().collect();
    }
    Ok(options)
}

fn add_workload(chosen: &mut Vec<&'static Workload>, name: &str) -> Result<(), String> {
    if name == "all" {
        chosen.extend(WORKLOADS);
        return Ok(());
    }
    let known = workload_names();
    chosen.push(workload::find(name).ok_or_else(|| unknown("workload", name, &known))?);
    Ok(())
}

fn workload_names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|workload| workload.name).collect()
}

fn system(name: &str) -> Result<&'static System, String> {
    let known: Vec<_> = SYSTEMS.iter().map(|system| system.name).collect();
    systems::find(name).ok_or_else(|| unknown("system", name, &known))
}

fn allocator(name: &str) -> Result<Allocator, String> {
    Allocator::find(name).ok_or_else(|| unknown("allocator", name, Allocator::NAMES))
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().map_err(say)?.string().map_err(say)
}

/// A number from 1; underscores may group its digits.
fn count(parser: &mut lexopt::Parser, option: &str) -> Result<usize, String> {
    let text = text(parser)?;
    match text.replace('_', "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{option} takes a number from 1, not `{text}`")),
    }
}

fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {kind} `{name}`; known: {}", known.join(", "))
}

fn spelling(arg: &lexopt::Arg<'_>) -> String {
    match arg {
        Short(letter) => format!("-{letter}"),
        Long(name) => format!("--{name}"),
        Value(value) => value.to_string_lossy().into_owned(),
    }
}

fn say(error: lexopt::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn defaults_are_two_workers_and_every_system() {
        let Ok(Command::Run(options)) = parse_words("run ring") else {
            panic!("`run ring` is a command");
        };
        assert_eq!(options.workers, 2);
        assert_eq!(options.systems.len(), SYSTEMS.len());
    }

    #[test]
    fn the_unknown_is_answered_with_the_known_on_one_line() {
        for line in ["fly", "", "run", "run nonesuch", "run ring --system nonesuch", "run ring --x"]
        {
            let message = parse_words(line).expect_err(line);
            assert!(message.contains("known: "), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn zero_is_not_a_count() {
        assert!(parse_words("run ring --workers 0").is_err());
        assert!(parse_words("run ring --n 1_000").is_ok());
    }
}

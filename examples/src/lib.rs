//! Small programs that use `beamish`, in `examples/`; each is run by a test in `tests/`.
//!
//! This library only helps those tests to find the programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Compiles and runs the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// A command that runs one of the examples.
///
/// `cargo test` builds the examples before it runs a test. When only some test files were asked for
/// (`--test donations`) it does not, so a program that is missing or older than its sources is
/// built here, in the same profile.
///
/// # Panics
/// The program can not be built.
///
/// # Examples
/// ```no_run
/// let output = beamish_examples::example("donations").arg("gifts.csv").output()?;
/// assert!(output.status.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn example(name: &str) -> Command {
    let program = place_of(name);
    if !is_fresh(&program).unwrap_or(false) {
        build(name, &program);
    }
    Command::new(program)
}

/// A test program is `<profile>/deps/<test>`, an example `<profile>/examples/<name>`.
fn place_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this program");
    let profile = test.ancestors().nth(2).expect("a test program lies in <profile>/deps");
    profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

/// Cargo writes what a program was made from into a file beside it: `program: source source ...`.
fn is_fresh(program: &Path) -> Option<bool> {
    let built = modified(program)?;
    let sources = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = sources.lines().next()?.split_once(": ")?;
    let newer = |source| modified(Path::new(source)).is_none_or(|changed| changed > built);
    Some(!sources.split(' ').any(newer))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[track_caller]
fn build(name: &str, program: &Path) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "beamish-examples", "--example", name]);
    if program.ancestors().nth(2).is_some_and(|profile| profile.ends_with("release")) {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo starts");
    assert!(status.success() && program.exists(), "the example {name} can not be built");
}

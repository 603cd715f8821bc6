//! The systems, how their programs are built, and one measurement in a child process.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use measure::{Measurement, Request};

/// A system that can be measured.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    program: Program,
    /// Workloads whose meaning this system cannot express; `compare` leaves them out.
    lacks: &'static [&'static str],
}

#[derive(Debug)]
enum Program {
    /// This program itself.
    Own,
    /// The package of the workspace in `peers` whose program has the same name.
    Peer(&'static str),
}

/// The name of [`OWN`].
pub(crate) const BEAMISH: &str = "beamish";

/// The system that this project is.
pub(crate) const OWN: &System = &SYSTEMS[0];

/// Every system, ours first.
pub(crate) const SYSTEMS: &[System] = &[
    System { name: BEAMISH, program: Program::Own, lacks: &[] },
    System { name: "tokio", program: Program::Peer("tokio-peer"), lacks: &["backlog"] },
];

/// The system of this name.
pub(crate) fn find(name: &str) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| system.name == name)
}

/// The global allocator that a measured program is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allocator {
    System,
    Mimalloc,
}

impl Allocator {
    pub(crate) const NAMES: &'static [&'static str] = &["system", "mimalloc"];

    pub(crate) fn find(name: &str) -> Option<Allocator> {
        match name {
            "system" => Some(Allocator::System),
            "mimalloc" => Some(Allocator::Mimalloc),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Allocator::System => "system",
            Allocator::Mimalloc => "mimalloc",
        }
    }
}

impl System {
    /// Whether the system can express the workload.
    pub(crate) fn has(&self, workload: &str) -> bool {
        !self.lacks.contains(&workload)
    }

    /// The program to measure with this allocator, built when it is missing or out of date.
    pub(crate) fn program(&self, allocator: Allocator) -> Result<PathBuf, String> {
        let current = env::current_exe().map_err(|error| error.to_string())?;
        let target = current.parent().and_then(Path::parent).ok_or("no target directory")?;
        match (&self.program, allocator) {
            (Program::Own, Allocator::System) => Ok(current),
            (Program::Own, Allocator::Mimalloc) => {
                build("../Cargo.toml", "benches", "beamish-mimalloc", allocator, target)
            }
            (Program::Peer(package), Allocator::System) => {
                build("peers/Cargo.toml", package, package, allocator, &target.join("peers"))
            }
            (Program::Peer(package), Allocator::Mimalloc) => {
                let binary = format!("{package}-mimalloc");
                build("peers/Cargo.toml", package, &binary, allocator, &target.join("peers"))
            }
        }
    }
}

/// Builds one program with cargo; silent unless it fails.
fn build(
    manifest: &str,
    package: &str,
    binary: &str,
    allocator: Allocator,
    target: &Path,
) -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--package", package, "--bin", binary]);
    cargo.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(target);
    if allocator == Allocator::Mimalloc {
        cargo.args(["--features", "mimalloc"]);
    }
    let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cannot build `{binary}`:\n{}", errors.trim_end()));
    }
    Ok(target.join("release").join(binary))
}

/// Runs one measurement in a child process and reads its line.
pub(crate) fn measure(program: &Path, request: &Request) -> Result<Measurement, String> {
    let failed = |why: String| format!("{} in {}: {why}", request.workload, program.display());
    let output = Command::new(program)
        .args(request.to_args())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let line = String::from_utf8_lossy(&output.stdout);
    Measurement::from_json(line.trim()).map_err(failed)
}

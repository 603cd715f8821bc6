//! The benchmark program: `cargo run --release -p benches -- help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::main("system")
}

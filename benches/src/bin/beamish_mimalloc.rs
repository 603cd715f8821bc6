//! beamish on mimalloc; the benchmark program builds and calls it for `--allocator mimalloc`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    benches::main("mimalloc")
}

//! Our workloads for tokio, as its own users would write them: an actor is a task with an
//! unbounded mpsc channel, a reply is a oneshot, an end is awaited through its join handle.
//!
//! Each module is the twin of the one of the same name in `benches/src/workloads`, which says
//! what is measured.

mod big;
mod call;
mod fan_in;
mod idle_memory;
mod mass_exit;
mod pairs;
mod ring;
mod skynet;
mod sleepers;
mod spawn_monitor;
mod spawn_seq;
mod spawn_storm;

use std::io;

use measure::{Params, Request, Sample, System};
use tokio::runtime::{Builder, Runtime};

/// tokio's multi-threaded runtime.
#[derive(Debug)]
pub struct Tokio(Runtime);

impl System for Tokio {
    const NAME: &'static str = "tokio";

    fn start(request: &Request) -> io::Result<Tokio> {
        Builder::new_multi_thread().worker_threads(request.workers).enable_time().build().map(Tokio)
    }

    fn sample(&self, workload: &str, params: Params) -> Option<Sample> {
        Some(match workload {
            "ping_pong" | "pairs" => self.run(pairs::run(params)),
            "ring" => self.run(ring::run(params)),
            "spawn_seq" => self.run(spawn_seq::run(params)),
            "spawn_storm" => self.run(spawn_storm::run(params)),
            "skynet" => self.run(skynet::run(params)),
            "fan_in" => self.run(fan_in::run(params)),
            "big" => self.run(big::run(params)),
            "call" => self.run(call::run(params)),
            // A channel has one queue and no selective receive, so nothing can lie in front of a
            // reply: this is the plain call of one client.
            "backlog" => self.run(call::run(Params { n: 1, ..params })),
            "idle_memory" => self.run(idle_memory::run(params)),
            "mass_exit" => self.run(mass_exit::run(params)),
            "spawn_monitor" => self.run(spawn_monitor::run(params)),
            "sleepers" => self.run(sleepers::run(params)),
            _ => return None,
        })
    }
}

impl Tokio {
    /// Runs the body on a worker: what `block_on` runs itself stays on the thread outside, and
    /// every message to it would wake that thread.
    fn run(&self, body: impl Future<Output = Sample> + Send + 'static) -> Sample {
        self.0.block_on(self.0.spawn(body)).expect("the workload runs to its end")
    }
}

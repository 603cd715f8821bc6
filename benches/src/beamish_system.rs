//! beamish as a measured system, the same frame that the peers use.

use std::io;

use beamish::prelude::*;
use measure::{Params, Request, Sample, System};

use crate::workloads;

/// The runtime under test.
#[derive(Debug)]
pub(crate) struct Beamish(Runtime);

/// Room for the processes beside those that `--n` counts: inner nodes of a tree, the second of each
/// pair, parents and servers.
const SPARE_PROCESSES: usize = 10_000;

impl System for Beamish {
    const NAME: &'static str = crate::system::BEAMISH;

    fn start(request: &Request) -> io::Result<Beamish> {
        let limit = u32::try_from(2 * request.params.n + SPARE_PROCESSES);
        Runtime::builder()
            .workers(request.workers)
            .process_limit(limit.unwrap_or(u32::MAX))
            .build()
            .map(Beamish)
    }

    fn sample(&self, workload: &str, params: Params) -> Option<Sample> {
        Some(match workload {
            "ping_pong" | "pairs" => self.run(workloads::pairs::run(params)),
            "ring" => self.run(workloads::ring::run(params)),
            "spawn_seq" => self.run(workloads::spawn_seq::run(params)),
            "spawn_storm" => self.run(workloads::spawn_storm::run(params)),
            "skynet" => self.run(workloads::skynet::run(params)),
            "fan_in" => self.run(workloads::fan_in::run(params)),
            "big" => self.run(workloads::big::run(params)),
            "call" => self.run(workloads::call::run(params)),
            "backlog" => self.run(workloads::backlog::run(params)),
            "idle_memory" => self.run(workloads::idle_memory::run(params)),
            "mass_exit" => self.run(workloads::mass_exit::run(params)),
            "spawn_monitor" => self.run(workloads::spawn_monitor::run(params)),
            "sleepers" => self.run(workloads::sleepers::run(params)),
            _ => return None,
        })
    }
}

impl Beamish {
    fn run(&self, body: impl Future<Output = Sample> + Send + 'static) -> Sample {
        self.0.block_on(body).expect("the workload runs to its end")
    }
}

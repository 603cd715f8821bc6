//! `n` times: spawn a process with a monitor, it exits at once, wait for the down message.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

pub(crate) async fn run(params: Params) -> Sample {
    let start = Instant::now();
    for _ in 0..params.n {
        let (_, monitor) = spawn_monitor(async {});
        receive::<Down>().after(monitor).filter(|down| down.monitor == monitor).await;
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

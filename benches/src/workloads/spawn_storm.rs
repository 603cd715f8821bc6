//! `n` processes are spawned, each sends one message back and exits; then the messages are
//! drained.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let parent = me();
    let start = Instant::now();
    for _ in 0..params.n {
        spawn(async move { send(parent, Done) });
    }
    for _ in 0..params.n {
        receive::<Done>().await;
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

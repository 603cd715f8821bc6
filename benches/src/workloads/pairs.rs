//! `n` pairs exchange ping and pong, `ops` round trips in all.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Ping {
    from: Pid,
}
struct Pong;
struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let trips = params.ops / params.n as u64;
    let parent = me();
    let start = Instant::now();
    for _ in 0..params.n {
        let ponger = spawn(ponger(trips));
        spawn(pinger(ponger, trips, parent));
    }
    for _ in 0..params.n {
        receive::<Done>().await;
    }
    Sample::Time { ops: trips * params.n as u64, elapsed: start.elapsed() }
}

async fn ponger(trips: u64) {
    for _ in 0..trips {
        let ping = receive::<Ping>().await;
        send(ping.from, Pong);
    }
}

async fn pinger(ponger: Pid, trips: u64, parent: Pid) {
    for _ in 0..trips {
        send(ponger, Ping { from: me() });
        receive::<Pong>().await;
    }
    send(parent, Done);
}

//! `n` pairs exchange ping and pong, `ops` round trips in all.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;

struct Ping;
struct Pong;

pub(crate) async fn run(params: Params) -> Sample {
    let trips = params.ops / params.n as u64;
    let start = Instant::now();
    let pingers: Vec<_> = (0..params.n).map(|_| spawn_pair(trips)).collect();
    for pinger in pingers {
        pinger.await.expect("the pinger ends");
    }
    Sample::Time { ops: trips * params.n as u64, elapsed: start.elapsed() }
}

fn spawn_pair(trips: u64) -> JoinHandle<()> {
    let (to_ponger, mut pings) = unbounded_channel();
    let (to_pinger, mut pongs) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ping) = pings.recv().await {
            let _ = to_pinger.send(Pong);
        }
    });
    tokio::spawn(async move {
        for _ in 0..trips {
            let _ = to_ponger.send(Ping);
            let _: Option<Pong> = pongs.recv().await;
        }
    })
}

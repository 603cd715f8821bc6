//! `n` senders send `ops` messages to one receiver.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::unbounded_channel;

/// A sender lets others run after so many messages: sending to an unbounded channel never waits.
const BATCH: u64 = 1_000;

pub(crate) async fn run(params: Params) -> Sample {
    let share = params.ops / params.n as u64;
    let total = share * params.n as u64;
    let (to_receiver, mut inbox) = unbounded_channel();
    let start = Instant::now();
    for _ in 0..params.n {
        let to_receiver = to_receiver.clone();
        tokio::spawn(async move {
            for number in 0..share {
                let _ = to_receiver.send(number);
                if number % BATCH == BATCH - 1 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    for _ in 0..total {
        inbox.recv().await;
    }
    Sample::Time { ops: total, elapsed: start.elapsed() }
}

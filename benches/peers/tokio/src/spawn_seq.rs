//! `n` times: spawn a task that sends one message back and ends, wait for the message.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::unbounded_channel;

struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let (to_parent, mut inbox) = unbounded_channel();
    let start = Instant::now();
    for _ in 0..params.n {
        let to_parent = to_parent.clone();
        tokio::spawn(async move { to_parent.send(Done) });
        inbox.recv().await;
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

//! `n` tasks that belong together end together; the one that waits learns of every end.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

struct Ready;
struct Never;

pub(crate) async fn run(params: Params) -> Sample {
    let mut members = JoinSet::new();
    let mut handles = Vec::with_capacity(params.n);
    let (to_parent, mut ready) = unbounded_channel();
    for _ in 0..params.n {
        let (handle, mut inbox) = unbounded_channel::<Never>();
        handles.push(handle);
        let to_parent = to_parent.clone();
        members.spawn(async move {
            let _ = to_parent.send(Ready);
            inbox.recv().await;
        });
    }
    for _ in 0..params.n {
        ready.recv().await;
    }
    let start = Instant::now();
    members.shutdown().await;
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

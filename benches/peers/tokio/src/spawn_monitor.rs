//! `n` times: spawn a task that ends at once, wait until it has ended.

use std::time::Instant;

use measure::{Params, Sample};

pub(crate) async fn run(params: Params) -> Sample {
    let start = Instant::now();
    for _ in 0..params.n {
        tokio::spawn(async {}).await.expect("the task ends");
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed() }
}

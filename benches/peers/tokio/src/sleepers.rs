//! `n` tasks sleep for one second at the same time; that second does not count.

use std::time::{Duration, Instant};

use measure::{Params, Sample};

const SLEEP: Duration = Duration::from_secs(1);

pub(crate) async fn run(params: Params) -> Sample {
    let start = Instant::now();
    let spawn = |_| tokio::spawn(tokio::time::sleep(SLEEP));
    let sleepers: Vec<_> = (0..params.n).map(spawn).collect();
    for sleeper in sleepers {
        sleeper.await.expect("the sleeper wakes up");
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed().saturating_sub(SLEEP) }
}

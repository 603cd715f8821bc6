//! `n` processes sleep for one second at the same time; that second does not count.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

const SLEEP: Duration = Duration::from_secs(1);

struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let parent = me();
    let start = Instant::now();
    for _ in 0..params.n {
        spawn(async move {
            sleep(SLEEP).await;
            send(parent, Done);
        });
    }
    for _ in 0..params.n {
        receive::<Done>().await;
    }
    Sample::Time { ops: params.n as u64, elapsed: start.elapsed().saturating_sub(SLEEP) }
}

//! `n` senders send `ops` messages to one receiver.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

/// A sender lets others run after so many messages: sending never waits.
const BATCH: u64 = 1_000;

struct Number(u64);

pub(crate) async fn run(params: Params) -> Sample {
    let share = params.ops / params.n as u64;
    let receiver = me();
    let start = Instant::now();
    for _ in 0..params.n {
        spawn(sender(receiver, share));
    }
    let mut sum = 0;
    for _ in 0..share * params.n as u64 {
        let Number(number) = receive::<Number>().await;
        sum += number;
    }
    let elapsed = start.elapsed();
    assert_eq!(sum, params.n as u64 * (share * share.saturating_sub(1) / 2), "sum of the numbers");
    Sample::Time { ops: share * params.n as u64, elapsed }
}

async fn sender(receiver: Pid, share: u64) {
    for number in 0..share {
        send(receiver, Number(number));
        if number % BATCH == BATCH - 1 {
            yield_now().await;
        }
    }
}

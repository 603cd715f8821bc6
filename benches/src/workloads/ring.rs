//! One token makes `ops` hops around a ring of `n` processes.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Next(Pid);
struct Arrived;

enum Token {
    Hop { left: u64, arrived: Pid },
    Stop,
}

pub(crate) async fn run(params: Params) -> Sample {
    let first = spawn_ring(params.n);
    let start = Instant::now();
    send(first, Token::Hop { left: params.ops, arrived: me() });
    receive::<Arrived>().await;
    Sample::Time { ops: params.ops, elapsed: start.elapsed() }
}

/// The last process is spawned first, so every other one knows its neighbour from birth.
fn spawn_ring(n: usize) -> Pid {
    let last = spawn(async {
        let Next(first) = receive::<Next>().await;
        node(first).await;
    });
    let first = (1..n).fold(last, |next, _| spawn(node(next)));
    send(last, Next(first));
    first
}

/// Ends at the last hop, and tells its neighbour to end: so the ring unravels.
async fn node(next: Pid) {
    while let Token::Hop { left, arrived } = receive::<Token>().await {
        if left == 0 {
            send(arrived, Arrived);
            break;
        }
        send(next, Token::Hop { left: left - 1, arrived });
    }
    send(next, Token::Stop);
}

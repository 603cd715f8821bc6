//! `n` processes, each pings every other one and answers every ping, in rounds, `ops` messages.

use std::sync::Arc;
use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Start(Arc<[Pid]>);
struct Ping {
    from: Pid,
}
struct Pong;
struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let n = params.n as u64;
    let per_round = 2 * n * (n - 1);
    let rounds = (params.ops / per_round.max(1)).max(1);
    let parent = me();
    let start = Instant::now();
    let members: Arc<[Pid]> = (0..n).map(|_| spawn(member(parent, rounds))).collect();
    for pid in members.iter() {
        send(*pid, Start(members.clone()));
    }
    for _ in 0..n {
        receive::<Done>().await;
    }
    Sample::Time { ops: rounds * per_round, elapsed: start.elapsed() }
}

async fn member(parent: Pid, rounds: u64) {
    let Start(members) = receive::<Start>().await;
    let others = members.len() as u64 - 1;
    let mut pings = 0;
    for _ in 0..rounds {
        for other in members.iter().filter(|pid| **pid != me()) {
            send(*other, Ping { from: me() });
        }
        let mut pongs = 0;
        while pongs < others {
            receive! {
                Ping { from }: Ping => {
                    pings += 1;
                    send(from, Pong);
                },
                Pong: Pong => pongs += 1,
            }
        }
    }
    while pings < rounds * others {
        let ping = receive::<Ping>().await;
        pings += 1;
        send(ping.from, Pong);
    }
    send(parent, Done);
}

//! `n` clients make `ops` request/reply calls to one server.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

struct Request {
    from: Pid,
    reference: Reference,
    number: u64,
}

struct Reply {
    reference: Reference,
    number: u64,
}

struct Stop;
struct Done;

pub(crate) async fn run(params: Params) -> Sample {
    let share = params.ops / params.n as u64;
    let (server, parent) = (spawn_server(), me());
    let start = Instant::now();
    for _ in 0..params.n {
        spawn(async move {
            make_calls(server, share).await;
            send(parent, Done);
        });
    }
    for _ in 0..params.n {
        receive::<Done>().await;
    }
    let elapsed = start.elapsed();
    stop(server);
    Sample::Time { ops: share * params.n as u64, elapsed }
}

pub(crate) fn spawn_server() -> Pid {
    spawn(async {
        loop {
            receive! {
                request: Request => {
                    let Request { from, reference, number } = request;
                    send(from, Reply { reference, number: number + 1 });
                },
                _stop: Stop => break,
            }
        }
    })
}

pub(crate) fn stop(server: Pid) {
    send(server, Stop);
}

pub(crate) async fn make_calls(server: Pid, calls: u64) {
    for number in 0..calls {
        assert_eq!(call(server, number).await, number + 1);
    }
}

/// A reply is known by a reference that is made for its request. Messages that are older than the
/// reference cannot be that reply, so they are not looked at.
async fn call(server: Pid, number: u64) -> u64 {
    let reference = make_ref();
    send(server, Request { from: me(), reference, number });
    let reply =
        receive::<Reply>().after(reference).filter(|reply| reply.reference == reference).await;
    reply.number
}

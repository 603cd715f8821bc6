//! One client makes `ops` calls while `n` other messages wait in its mailbox.

use std::time::Instant;

use beamish::prelude::*;
use measure::{Params, Sample};

use super::call;

struct Other(usize);
struct Elapsed(Duration);

pub(crate) async fn run(params: Params) -> Sample {
    let parent = me();
    let server = call::spawn_server();
    spawn(client(parent, server, params));
    let Elapsed(elapsed) = receive::<Elapsed>().await;
    call::stop(server);
    Sample::Time { ops: params.ops, elapsed }
}

async fn client(parent: Pid, server: Pid, params: Params) {
    for number in 0..params.n {
        send(me(), Other(number));
    }
    let start = Instant::now();
    call::make_calls(server, params.ops).await;
    send(parent, Elapsed(start.elapsed()));
    // None of them was lost or moved.
    let Other(oldest) = receive::<Other>().await;
    assert_eq!(oldest, 0);
}

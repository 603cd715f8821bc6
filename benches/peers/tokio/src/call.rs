//! `n` clients make `ops` request/reply calls to one server.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

struct Request {
    number: u64,
    reply: oneshot::Sender<u64>,
}

pub(crate) async fn run(params: Params) -> Sample {
    let share = params.ops / params.n as u64;
    let server = spawn_server();
    let start = Instant::now();
    let spawn = |_| tokio::spawn(client(server.clone(), share));
    let clients: Vec<_> = (0..params.n).map(spawn).collect();
    for client in clients {
        client.await.expect("the client ends");
    }
    Sample::Time { ops: share * params.n as u64, elapsed: start.elapsed() }
}

fn spawn_server() -> UnboundedSender<Request> {
    let (to_server, mut inbox) = unbounded_channel::<Request>();
    tokio::spawn(async move {
        while let Some(request) = inbox.recv().await {
            let _ = request.reply.send(request.number + 1);
        }
    });
    to_server
}

async fn client(server: UnboundedSender<Request>, calls: u64) {
    for number in 0..calls {
        let (reply, answer) = oneshot::channel();
        let _ = server.send(Request { number, reply });
        assert_eq!(answer.await, Ok(number + 1));
    }
}

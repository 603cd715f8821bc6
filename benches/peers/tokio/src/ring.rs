//! One token makes `ops` hops around a ring of `n` tasks.

use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

struct Token {
    hops_left: u64,
    arrived: oneshot::Sender<()>,
}

pub(crate) async fn run(params: Params) -> Sample {
    let first = spawn_ring(params.n);
    let (arrived, arrival) = oneshot::channel();
    let start = Instant::now();
    let _ = first.send(Token { hops_left: params.ops, arrived });
    arrival.await.expect("the token arrives");
    Sample::Time { ops: params.ops, elapsed: start.elapsed() }
}

fn spawn_ring(n: usize) -> UnboundedSender<Token> {
    let (to_last, last) = unbounded_channel();
    let mut next = to_last.clone();
    for _ in 1..n {
        let (to_node, inbox) = unbounded_channel();
        tokio::spawn(node(inbox, next));
        next = to_node;
    }
    tokio::spawn(node(last, next));
    to_last
}

/// Ends at the last hop; that closes its neighbour's channel, and so the ring unravels.
async fn node(mut inbox: UnboundedReceiver<Token>, next: UnboundedSender<Token>) {
    while let Some(token) = inbox.recv().await {
        if token.hops_left == 0 {
            let _ = token.arrived.send(());
            return;
        }
        let _ = next.send(Token { hops_left: token.hops_left - 1, ..token });
    }
}

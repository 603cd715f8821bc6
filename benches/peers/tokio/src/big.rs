//! `n` tasks, each pings every other one and answers every ping, in rounds, `ops` messages.

use std::sync::Arc;
use std::time::Instant;

use measure::{Params, Sample};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Clone, Copy)]
enum Message {
    Ping { from: usize },
    Pong,
}

type Members = Arc<[UnboundedSender<Message>]>;

pub(crate) async fn run(params: Params) -> Sample {
    let n = params.n as u64;
    let per_round = 2 * n * (n - 1);
    let rounds = (params.ops / per_round.max(1)).max(1);
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..n).map(|_| unbounded_channel()).unzip();
    let members: Members = senders.into();
    let start = Instant::now();
    let spawn = |(me, inbox)| tokio::spawn(member(me, inbox, members.clone(), rounds));
    let handles: Vec<_> = inboxes.into_iter().enumerate().map(spawn).collect();
    for handle in handles {
        handle.await.expect("the member ends");
    }
    Sample::Time { ops: rounds * per_round, elapsed: start.elapsed() }
}

async fn member(me: usize, mut inbox: UnboundedReceiver<Message>, members: Members, rounds: u64) {
    let others = members.len() as u64 - 1;
    let mut pings = 0;
    for _ in 0..rounds {
        for (_, other) in members.iter().enumerate().filter(|(index, _)| *index != me) {
            let _ = other.send(Message::Ping { from: me });
        }
        let mut pongs = 0;
        while pongs < others {
            match inbox.recv().await {
                Some(Message::Ping { from }) => {
                    pings += 1;
                    let _ = members[from].send(Message::Pong);
                }
                Some(Message::Pong) => pongs += 1,
                None => return,
            }
        }
    }
    while pings < rounds * others {
        if let Some(Message::Ping { from }) = inbox.recv().await {
            pings += 1;
            let _ = members[from].send(Message::Pong);
        }
    }
}

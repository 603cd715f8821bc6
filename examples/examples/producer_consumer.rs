//! A producer that is faster than its consumer, kept back by the consumer's demand.
//!
//! ```text
//! cargo run --example producer_consumer
//! ```
//!
//! A mailbox has no limit, and `send` never waits. A producer that ignores that fills the memory;
//! this one sends only what was asked for.

use beamish::prelude::*;

/// How many donations may be under way at once.
const WINDOW: usize = 3;

/// "Send me this many more."
struct Demand(usize);

enum Work {
    Process { id: u32 },
    Done,
}

struct Summary {
    processed: u32,
    longest_queue: usize,
}

/// Sends the donations, each against one unit of demand.
async fn produce(consumer: Pid, donations: impl Iterator<Item = u32>) {
    let mut demand = 0;
    for id in donations {
        while demand == 0 {
            let Demand(more) = receive().await;
            demand += more;
        }
        demand -= 1;
        send(consumer, Work::Process { id });
    }
    send(consumer, Work::Done);
}

/// Asks for a window full, then for one more whenever one is done.
async fn consume(report_to: Pid) {
    let mut summary = Summary { processed: 0, longest_queue: 0 };
    let producer = receive::<Pid>().await;
    send(producer, Demand(WINDOW));
    loop {
        receive! {
            Work::Process { id }: Work => {
                let waiting = process_info(me()).await.map_or(0, |info| info.message_queue_len);
                summary.longest_queue = summary.longest_queue.max(waiting);
                process(id).await;
                summary.processed += 1;
                send(producer, Demand(1));
            }
            Work::Done: Work => break,
        }
    }
    send(report_to, summary);
}

/// Takes its time, as a payment does.
async fn process(id: u32) {
    sleep(Duration::from_millis(2)).await;
    println!("processed donation {id}");
}

#[beamish::main]
async fn main() {
    let consumer = spawn_link(consume(me()));
    let producer = spawn_link(produce(consumer, 1..=8));
    send(consumer, producer);
    let Summary { processed, longest_queue } = receive().await;
    println!("processed {processed} donations");
    println!("never more than {WINDOW} waiting: {}", longest_queue <= WINDOW);
}

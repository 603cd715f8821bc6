//! Publish and subscribe: a broker that watches its subscribers and forgets the dead ones.
//!
//! ```text
//! cargo run --example pubsub_broker
//! ```
//!
//! One subscriber crashes on purpose; its crash report goes to stderr.

use std::collections::BTreeMap;
use std::fmt;

use beamish::prelude::*;

const BROKER: &str = "donation_events";

/// The subscriber's monitor is how the broker learns of its end.
struct Subscribe(Pid);

/// What subscribers receive. Every one gets its own copy: nothing is shared.
#[derive(Clone)]
enum Event {
    DonationCreated { id: u32, amount: u64 },
    SubscriberLeft { remaining: usize },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::DonationCreated { id, amount } => write!(f, "of donation {id}: {amount}"),
            Event::SubscriberLeft { remaining } => {
                write!(f, "that {remaining} subscribers are left")
            }
        }
    }
}

async fn broker() {
    let mut subscribers: BTreeMap<Pid, Monitor> = BTreeMap::new();
    loop {
        receive! {
            Subscribe(pid): Subscribe => {
                subscribers.entry(pid).or_insert_with(|| monitor(pid));
            }
            event: Event => broadcast(&subscribers, &event),
            Down { pid: Some(pid), .. }: Down => {
                subscribers.remove(&pid);
                broadcast(&subscribers, &Event::SubscriberLeft { remaining: subscribers.len() });
            }
            _: Message => {}
        }
    }
}

fn broadcast(subscribers: &BTreeMap<Pid, Monitor>, event: &Event) {
    for subscriber in subscribers.keys() {
        send(*subscriber, event.clone());
    }
}

/// What a listener heard, sent on to the main process, which prints it.
struct Heard {
    listener: &'static str,
    event: Event,
}

async fn listen(listener: &'static str, report_to: Pid) -> Result<(), ExitReason> {
    send(BROKER, Subscribe(me()))?;
    send(report_to, listener);
    loop {
        let event = receive::<Event>().await;
        if listener == "audit" && matches!(event, Event::DonationCreated { amount: 0, .. }) {
            exit("a donation of nothing");
        }
        send(report_to, Heard { listener, event });
    }
}

/// Waits until `listeners` listeners have said one thing each, and prints it by name: they run at
/// the same time, so they may answer in any order. What one says beyond that stays in the mailbox.
async fn print_heard(listeners: usize) {
    let mut heard = BTreeMap::new();
    while heard.len() < listeners {
        receive! {
            Heard { listener, event }: Heard if !heard.contains_key(listener) => {
                heard.insert(listener, event);
            }
        }
    }
    for (listener, event) in heard {
        println!("{listener} heard {event}");
    }
}

#[beamish::main]
async fn main() -> Result<(), ExitReason> {
    SpawnOptions::new().name(BROKER).link().spawn(broker())?;
    for listener in ["audit", "mailer", "statistics"] {
        spawn(listen(listener, me()));
        // Subscribed before the next step: the broker takes signals in the order they were sent.
        receive::<&str>().await;
    }
    send(BROKER, Event::DonationCreated { id: 1, amount: 100 })?;
    print_heard(3).await;

    println!("publishing what makes one listener crash");
    send(BROKER, Event::DonationCreated { id: 2, amount: 0 })?;
    print_heard(2).await;
    print_heard(2).await; // The broker tells the others.
    send(BROKER, Event::DonationCreated { id: 3, amount: 25 })?;
    print_heard(2).await;
    Ok(())
}

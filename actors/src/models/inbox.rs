//! The inbox: every message goes to one owner, whole and in order.

use loom::{sync::Arc, thread};

use super::{Parcel, model};
use crate::{
    inbox::{Chain, Inbox, Push},
    node::Message,
};

fn open_inbox() -> Arc<Inbox> {
    let inbox = Inbox::closed();
    inbox.open();
    Arc::new(inbox)
}

fn numbers(chain: &Chain) -> Vec<u32> {
    std::iter::from_fn(|| chain.pop())
        .map(|message| message.downcast::<Parcel>().unwrap().open())
        .collect()
}

/// Sends these messages in order, and returns those that came back.
fn send(inbox: &Inbox, parcels: &[u32]) -> Vec<u32> {
    let mut back = Vec::new();
    for number in parcels {
        match inbox.push(Message::new(Parcel::new(*number))) {
            Push::Closed(message) => back.push(message.downcast::<Parcel>().unwrap().open()),
            Push::Queued => {}
            Push::Unparked(_) => unreachable!("nobody parks here"),
        }
    }
    back
}

/// Two senders and a receiver that drains, then closes: each message is drained, left to the
/// closer, or handed back to its sender; those of one sender stay in order.
///
/// Fails when a push publishes nothing, when `close` does not acquire, and when it looks and closes
/// in two steps.
#[test]
fn loom_inbox_push_drain_close() {
    model(|| {
        let inbox = open_inbox();
        let sender = {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || send(&inbox, &[1, 2]))
        };
        let other = {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || send(&inbox, &[3]))
        };
        let mut got = numbers(&inbox.drain(|_| ()).0);
        got.extend(numbers(&inbox.close()));
        got.extend(sender.join().unwrap());
        let order: Vec<u32> = got.iter().copied().filter(|number| *number < 3).collect();
        assert_eq!(order, [1, 2]);
        got.extend(other.join().unwrap());
        got.sort_unstable();
        assert_eq!(got, [1, 2, 3]);
    });
}

/// A drain takes nodes away while a sender links to them: the sender's node has no dangling link.
///
/// Fails when a push that lost the race keeps the link to the node it saw first, and when `drain`
/// does not acquire, or takes in two steps.
#[test]
fn loom_inbox_push_against_drain() {
    model(|| {
        let inbox = open_inbox();
        assert!(send(&inbox, &[1]).is_empty());
        let sender = {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || send(&inbox, &[2, 3]))
        };
        let mut got = numbers(&inbox.drain(|_| ()).0);
        got.extend(numbers(&inbox.drain(|_| ()).0));
        assert!(sender.join().unwrap().is_empty());
        got.extend(numbers(&inbox.close()));
        assert_eq!(got, [1, 2, 3]);
    });
}

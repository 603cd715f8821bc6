//! Taking the message you wait for, and leaving the others where they are.
//!
//! ```text
//! cargo run --example selective_receive
//! ```

use beamish::prelude::*;

struct Donation {
    id: u32,
    amount: u64,
}

struct Zakat {
    wealth: u64,
}

struct Stop;

#[beamish::main]
async fn main() {
    for (id, amount) in [(1, 50), (2, 75), (3, 20)] {
        send(me(), Donation { id, amount });
    }
    println!("donation 3: {:?}", wait_for(3).await);
    println!("donation 9: {:?}", wait_for(9).await);
    println!("donation 2: {:?}", skip_to(2).await);

    send(me(), Zakat { wealth: 10_000 });
    send(me(), "what is this?");
    send(me(), Donation { id: 4, amount: 10 });
    send(me(), Stop);
    process_messages().await;
}

/// Waits for one donation. Others stay in the mailbox, in their order, for whoever wants them.
async fn wait_for(wanted: u32) -> Result<u64, &'static str> {
    receive! {
        Donation { id, amount }: Donation if id == wanted => Ok(amount),
        after Duration::from_millis(20) => Err("timed out"),
    }
}

/// Waits for one donation and throws away those that come before it.
async fn skip_to(wanted: u32) -> Result<u64, &'static str> {
    loop {
        receive! {
            Donation { id, amount }: Donation if id == wanted => return Ok(amount),
            Donation { id, .. }: Donation => println!("ignoring donation {id}"),
            after Duration::from_millis(20) => return Err("timed out"),
        }
    }
}

/// Handles whatever comes, oldest first. `Message` is any message: without this last clause,
/// messages of unknown types would pile up.
async fn process_messages() {
    loop {
        receive! {
            Donation { id, amount }: Donation => println!("donation {id}: {amount}"),
            Zakat { wealth }: Zakat => println!("zakat on {wealth}: {}", wealth / 40),
            _: Stop => break,
            unknown: Message => println!("unknown message of type {}", unknown.type_name()),
        }
    }
    println!("stopped");
}

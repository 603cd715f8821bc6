//! Zakat on a small batch, a task per donation, and on a large one, fifty tasks at a time.
//!
//! ```text
//! cargo run --example zakat_batch
//! ```

use beamish::prelude::*;

#[derive(Clone, Debug)]
struct Donation {
    id: u32,
    cents: i64,
}

struct Zakat {
    id: u32,
    cents: i64,
}

/// 2.5 percent; a donation of nothing or less crashes its task.
async fn zakat(donation: Donation) -> Zakat {
    assert!(donation.cents > 0, "donation {} is of {} cents", donation.id, donation.cents);
    Zakat { id: donation.id, cents: donation.cents / 40 }
}

/// All at once: good for a few.
async fn small_batch(donations: Vec<Donation>) -> Result<Vec<Zakat>, TaskError> {
    let tasks = donations.into_iter().map(|donation| Task::spawn(zakat(donation)));
    await_many(tasks, Duration::from_secs(10)).await
}

#[derive(Debug, Default, PartialEq)]
struct Summary {
    processed: u32,
    cents: i64,
    failed: u32,
}

/// Fifty at a time, in whatever order they are done: a crash is counted and harms nobody.
async fn large_batch(donations: impl Iterator<Item = Donation>) -> Summary {
    let mut results = async_stream(donations, zakat).max_concurrency(50).ordered(false);
    let mut summary = Summary::default();
    while let Some(result) = results.next().await {
        match result {
            Ok(zakat) => {
                summary.processed += 1;
                summary.cents += zakat.cents;
            }
            Err(_) => summary.failed += 1,
        }
    }
    summary
}

#[beamish::main]
async fn main() -> Result<(), ExitReason> {
    let amounts = [100_000, 200_000, 150_000];
    let few = amounts.into_iter().zip(1..).map(|(cents, id)| Donation { id, cents });
    let mut total = 0;
    for Zakat { id, cents } in small_batch(few.collect()).await? {
        println!("donation {id}: {}.{:02}", cents / 100, cents % 100);
        total += cents;
    }
    println!("total {}.{:02}", total / 100, total % 100);

    // Two of ten thousand are malformed.
    let cents = |id| if id % 5_000 == 0 { -1 } else { 100_000 };
    let many = (1..=10_000).map(|id| Donation { id, cents: cents(id) });
    let Summary { processed, cents, failed } = large_batch(many).await;
    println!("{processed} processed, {failed} failed, total {}.{:02}", cents / 100, cents % 100);
    Ok(())
}

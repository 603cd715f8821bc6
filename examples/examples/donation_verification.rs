//! Batches whose items may be slow, wrong or unlucky: slow ones are killed, wrong ones are told apart,
//! unlucky ones try again.
//!
//! ```text
//! cargo run --example donation_verification
//! ```

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use beamish::prelude::*;

#[derive(Clone, Copy)]
enum Check {
    Quick,
    /// Asks somebody who never answers.
    Stuck,
}

#[derive(Clone, Copy)]
struct Donation {
    id: u32,
    amount: i64,
    check: Check,
}

async fn verify(donation: Donation) -> Result<u32, &'static str> {
    if let Check::Stuck = donation.check {
        std::future::pending::<()>().await;
    }
    if donation.amount > 0 { Ok(donation.id) } else { Err("invalid amount") }
}

/// Ten at a time; what takes longer than `limit` is killed, and the others go on.
async fn verify_all(donations: Vec<Donation>, limit: Duration) -> Vec<String> {
    let verified = async_stream(donations, verify).max_concurrency(10);
    let mut verified = verified.timeout(limit).on_timeout(OnLate::Kill);
    let mut lines = Vec::new();
    while let Some(result) = verified.next().await {
        lines.push(match result {
            Ok(Ok(id)) => format!("donation {id}: verified"),
            Ok(Err(error)) => format!("refused: {error}"),
            Err(error) if error.is_timeout() => "killed: it took too long".to_owned(),
            Err(error) => format!("crashed: {error}"),
        });
    }
    lines
}

/// A source of rates that fails at first.
#[derive(Default)]
struct Exchange {
    calls: AtomicU32,
}

impl Exchange {
    fn rate(&self, currency: &str) -> Option<u32> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match currency {
            "ZZZ" => None,
            _ if call == 0 => None,
            other => Some(100 + other.len() as u32),
        }
    }
}

/// Three attempts, with a pause that doubles.
async fn rate_with_retry(exchange: Arc<Exchange>, currency: &'static str) -> (&'static str, u32) {
    let mut pause = Duration::from_millis(1);
    for _ in 0..3 {
        if let Some(rate) = exchange.rate(currency) {
            return (currency, rate);
        }
        sleep(pause).await;
        pause *= 2;
    }
    exit(format!("no rate for {currency}"))
}

/// Rates that cannot be had are left out.
async fn rates(currencies: [&'static str; 3]) -> BTreeMap<&'static str, u32> {
    let exchange = Arc::new(Exchange::default());
    let fetch = move |currency| rate_with_retry(exchange.clone(), currency);
    let mut fetched = async_stream(currencies, fetch).max_concurrency(3);
    let mut rates = BTreeMap::new();
    while let Some(result) = fetched.next().await {
        rates.extend(result);
    }
    rates
}

#[beamish::main]
async fn main() {
    let donation = |id, amount, check| Donation { id, amount, check };
    let donations = vec![
        donation(1, 100, Check::Quick),
        donation(2, -5, Check::Quick),
        donation(3, 100, Check::Stuck),
        donation(4, 250, Check::Quick),
    ];
    for line in verify_all(donations, Duration::from_secs(1)).await {
        println!("{line}");
    }
    for (currency, rate) in rates(["EUR", "ZZZ", "IDR"]).await {
        println!("{currency}: {rate}");
    }
}

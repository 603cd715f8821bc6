//! Four reports at once: awaited one by one, each with its own type, and all together.
//!
//! ```text
//! cargo run --example parallel_reports
//! ```

use beamish::prelude::*;

const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy)]
struct Month {
    year: u32,
    month: u32,
}

struct Totals {
    zakat: u64,
    donations: u64,
    campaigns: usize,
}

async fn zakat(_month: Month) -> u64 {
    50_000
}

async fn donations(_month: Month) -> u64 {
    100_000
}

async fn campaigns(_month: Month) -> Vec<&'static str> {
    vec!["water", "school", "clinic"]
}

/// The tasks run beside each other; the first failure ends the caller, and with it the others.
async fn totals(month: Month) -> Result<Totals, TaskError> {
    let zakat = Task::spawn(zakat(month));
    let donations = Task::spawn(donations(month));
    let campaigns = Task::spawn(campaigns(month));
    Ok(Totals {
        zakat: zakat.timeout(PATIENCE).await?,
        donations: donations.timeout(PATIENCE).await?,
        campaigns: campaigns.timeout(PATIENCE).await?.len(),
    })
}

/// Tasks of one type are awaited by one call; the lines come in the order of the tasks.
async fn lines(months: impl Iterator<Item = Month>) -> Result<Vec<String>, TaskError> {
    let line = |month| async move {
        let Month { year, month: number } = month;
        format!("{year}-{number:02}: {} in donations", donations(month).await)
    };
    await_many(months.map(|month| Task::spawn(line(month))), PATIENCE).await
}

#[beamish::main]
async fn main() -> Result<(), ExitReason> {
    let Totals { zakat, donations, campaigns } = totals(Month { year: 2025, month: 1 }).await?;
    println!("zakat {zakat}, donations {donations}, {campaigns} campaigns");
    for line in lines((1..=3).map(|month| Month { year: 2025, month })).await? {
        println!("{line}");
    }
    Ok(())
}

//! A pool of workers: items go round robin, results come back in any order and are put in theirs.
//!
//! ```text
//! cargo run --example worker_pool
//! ```

use beamish::prelude::*;

struct Job {
    index: usize,
    amount: u64,
    reply_to: Pid,
}

struct Outcome {
    index: usize,
    worker: usize,
    receipt: String,
}

/// Works on one job after the other until its parent, to which it is linked, ends it.
async fn work(worker: usize) {
    loop {
        let Job { index, amount, reply_to } = receive().await;
        let receipt = charge(amount).await;
        send(reply_to, Outcome { index, worker, receipt });
    }
}

/// Larger amounts take longer, so outcomes do not arrive in the order of the jobs.
async fn charge(amount: u64) -> String {
    sleep(Duration::from_millis(amount / 10)).await;
    format!("receipt for {amount}")
}

/// Hands out the amounts and collects the outcomes; `None` where one did not come in time.
async fn process_with_pool(amounts: &[u64], size: usize) -> Vec<Option<Outcome>> {
    let workers: Vec<Pid> = (0..size).map(|worker| spawn_link(work(worker))).collect();
    for (index, (amount, worker)) in amounts.iter().zip(workers.iter().cycle()).enumerate() {
        send(*worker, Job { index, amount: *amount, reply_to: me() });
    }
    let mut outcomes: Vec<Option<Outcome>> = amounts.iter().map(|_| None).collect();
    for _ in amounts {
        receive! {
            outcome: Outcome => {
                let index = outcome.index;
                outcomes[index] = Some(outcome);
            }
            after Duration::from_secs(30) => break,
        }
    }
    dismiss(workers);
    outcomes
}

/// Ends the workers. `unlink` first: otherwise their end would be ours.
fn dismiss(workers: Vec<Pid>) {
    for worker in workers {
        unlink(worker);
        exit_process(worker, ExitReason::Shutdown);
    }
}

#[beamish::main]
async fn main() {
    let amounts = [300, 10, 200, 20, 100, 30, 50];
    for (amount, outcome) in amounts.iter().zip(process_with_pool(&amounts, 3).await) {
        match outcome {
            Some(Outcome { worker, receipt, .. }) => println!("worker {worker}: {receipt}"),
            None => println!("no outcome for {amount}"),
        }
    }
}

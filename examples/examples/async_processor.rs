//! Cleanup that happens however a process ends: a `Drop` guard, and an observer that sees the end.
//!
//! ```text
//! cargo run --example async_processor
//! ```
//!
//! A process owns its values, and drops them when it returns, when it crashes and when it is
//! killed. So the place for cleanup is `Drop`; there is no `try .. after` to forget.

use beamish::prelude::*;

/// A connection that must be closed. It tells the observer when it is.
struct Gateway {
    donation: u32,
    observer: Pid,
}

impl Gateway {
    fn connect(donation: u32, observer: Pid) -> Gateway {
        Gateway { donation, observer }
    }

    /// Charges the donor; fails with an error, with a panic or never, depending on the donation.
    async fn charge(&self) -> Result<String, Declined> {
        match self.donation {
            2 => return Err(Declined),
            3 => panic!("the gateway answered nonsense"),
            4 => sleep(Duration::from_secs(3600)).await,
            _ => {}
        }
        Ok(format!("receipt_{}", self.donation))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        send(self.observer, Disconnected { donation: self.donation });
    }
}

struct Disconnected {
    donation: u32,
}

struct Processed {
    receipt: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the payment was declined")]
struct Declined;

/// Handles one donation. An error ends the process with that reason, after `gateway` was dropped.
async fn process(donation: u32, observer: Pid) -> Result<(), Declined> {
    let gateway = Gateway::connect(donation, observer);
    let receipt = gateway.charge().await?;
    send(observer, Processed { receipt });
    Ok(())
}

/// What a supervisor does at heart: start, watch, and learn the reason of every end.
async fn observe(donation: u32) {
    let (worker, watch) = spawn_monitor(process(donation, me()));
    loop {
        receive! {
            Processed { receipt }: Processed => println!("donation {donation}: {receipt}"),
            closed: Disconnected if closed.donation == donation => {
                println!("donation {donation}: the gateway is disconnected");
            }
            down: Down if down.monitor == watch => {
                println!("donation {donation}: ended, {}", name(&down.reason));
                break;
            }
            after Duration::from_secs(1) => {
                println!("donation {donation}: takes too long");
                exit_process(worker, ExitReason::Kill);
            }
        }
    }
}

/// The reason without the place of a panic, which changes with every edit of this file.
fn name(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Panic(report) => format!("panic: {}", report.message()),
        other => other.to_string(),
    }
}

#[beamish::main]
async fn main() {
    for donation in 1..=4 {
        observe(donation).await;
    }
}

//! One process per row, a bounded number of them at a time, each watched by a monitor.

use std::collections::HashMap;
use std::time::Duration;

use beamish::prelude::*;

use crate::file::Row;
use crate::row::{BadRow, Donation};
use crate::summary::Summary;

/// How many rows are worked on at once. The file is read no faster than they end.
const MAX_IN_FLIGHT: usize = 1_000;

/// When no process has answered or ended for this long, the ones that are left are given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a row's process sends home.
struct Assessed {
    from: Pid,
    donation: Donation,
    zakat: u64,
}

/// The rows being worked on, and what came of the others.
pub(crate) struct Batch {
    in_flight: HashMap<Pid, Flight>,
    summary: Summary,
}

struct Flight {
    line: u64,
    answer: Option<Assessed>,
}

impl Batch {
    /// Nothing started yet.
    pub(crate) fn new() -> Batch {
        Batch { in_flight: HashMap::with_capacity(MAX_IN_FLIGHT), summary: Summary::default() }
    }

    /// Starts a process for a row. Waits first when too many are running.
    pub(crate) async fn add(&mut self, row: Row) {
        while self.in_flight.len() >= MAX_IN_FLIGHT {
            self.collect().await;
        }
        let line = row.line;
        let (pid, _monitor) = spawn_monitor(assess(row, me()));
        self.in_flight.insert(pid, Flight { line, answer: None });
        self.summary.rows += 1;
        self.summary.most_in_flight = self.summary.most_in_flight.max(self.in_flight.len());
    }

    /// Waits for every row, then tells what came of them.
    pub(crate) async fn finish(mut self) -> Summary {
        while !self.in_flight.is_empty() {
            self.collect().await;
        }
        self.summary
    }

    /// Takes one message. An answer comes before the end of the process that sent it, because
    /// signals from one process to another keep their order; so the end settles the row.
    async fn collect(&mut self) {
        receive! {
            answer: Assessed => self.note(answer),
            down: Down => self.settle(down),
            after PATIENCE => self.give_up(),
        }
    }

    fn note(&mut self, answer: Assessed) {
        if let Some(flight) = self.in_flight.get_mut(&answer.from) {
            flight.answer = Some(answer);
        }
    }

    fn settle(&mut self, down: Down) {
        let Some(flight) = down.pid.and_then(|pid| self.in_flight.remove(&pid)) else {
            return; // given up before
        };
        match flight.answer {
            Some(answer) if down.reason.is_normal() => {
                self.summary.processed(&answer.donation, answer.zakat);
            }
            _ => self.summary.failed(flight.line, down.reason.to_string()),
        }
    }

    fn give_up(&mut self) {
        for (pid, flight) in self.in_flight.drain() {
            exit_process(pid, ExitReason::Kill);
            self.summary.failed(flight.line, format!("no answer within {PATIENCE:?}"));
        }
    }
}

/// The whole life of a row's process. A malformed row ends it, and nothing else, with the trouble
/// as its exit reason.
async fn assess(row: Row, home: Pid) -> Result<(), BadRow> {
    let donation = Donation::parse(&row.record)?;
    let zakat = donation.zakat();
    send(home, Assessed { from: me(), donation, zakat });
    Ok(())
}

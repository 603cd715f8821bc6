//! What came of the rows, and how it is printed.

use std::fmt;

use crate::row::{CURRENCIES, Cents, Donation};

/// How many failures are kept for printing, so that a file of nothing but failures does not fill
/// the memory. All are counted.
const FAILURES_KEPT: usize = 20;

/// What came of the rows.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Rows read from the file, and processes started: one for each.
    pub(crate) rows: u64,
    /// The largest number of processes that were running at once.
    pub(crate) most_in_flight: usize,
    processed: u64,
    failed: u64,
    totals: [Total; CURRENCIES.len()],
    failures: Vec<(u64, String)>,
}

#[derive(Debug, Default)]
struct Total {
    rows: u64,
    amount: u128,
    zakat: u128,
}

impl Summary {
    /// Counts a row whose process ended well.
    pub(crate) fn processed(&mut self, donation: &Donation, zakat: u64) {
        self.processed += 1;
        let total = &mut self.totals[donation.currency];
        total.rows += 1;
        total.amount += u128::from(donation.amount);
        total.zakat += u128::from(zakat);
    }

    /// Counts a row whose process did not.
    pub(crate) fn failed(&mut self, line: u64, reason: String) {
        self.failed += 1;
        // Processes end in any order; of too many failures, the first lines are the ones to keep.
        let place = self.failures.partition_point(|(other, _)| *other < line);
        self.failures.insert(place, (line, reason));
        self.failures.truncate(FAILURES_KEPT);
    }

    /// Whether every row is accounted for exactly once.
    pub(crate) fn adds_up(&self) -> bool {
        self.rows == self.processed + self.failed
    }

    fn failure_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, reason) in &self.failures {
            writeln!(f, "  line {line}: {reason}")?;
        }
        match self.failed - self.failures.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { rows, processed, failed, .. } = self;
        writeln!(f, "{rows} rows = {processed} processed + {failed} failed")?;
        for (currency, total) in CURRENCIES.iter().zip(&self.totals).filter(|(_, t)| t.rows > 0) {
            let (amount, zakat) = (Cents(total.amount), Cents(total.zakat));
            let (code, rows) = (currency.code, total.rows);
            writeln!(f, "  {code} {rows:>9} rows  donated {amount:>18}  zakat {zakat:>16}")?;
        }
        self.failure_lines(f)
    }
}

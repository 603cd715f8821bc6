//! The table that `compare` prints.

use std::io::{self, Write};

use measure::Figure;
use serde_json::json;

use crate::cli::Options;
use crate::goals::Claim;
use crate::report;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: &'static str,
    pub(crate) against: String,
    pub(crate) ours: Option<Figure>,
    pub(crate) other: Option<Figure>,
    pub(crate) value: Option<f64>,
    pub(crate) goal: Option<String>,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// A measurement that it needs has failed.
    Failed,
    NoGoal,
    NotApplicable,
}

impl Verdict {
    /// Met or missed by this value; failed when there is none.
    pub(crate) fn of(claim: &Claim, value: Option<f64>) -> Verdict {
        match value.map(|value| claim.holds(value)) {
            Some(true) => Verdict::Met,
            Some(false) => Verdict::Missed,
            None => Verdict::Failed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Failed => "failed",
            Verdict::NoGoal => "no goal",
            Verdict::NotApplicable => "n/a",
        }
    }
}

/// Prints the table, or with `--json` one object per line.
pub(crate) fn print(options: &Options, rows: &[Row]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if options.json {
        return rows.iter().try_for_each(|row| writeln!(out, "{}", row.to_json(options)));
    }
    let Options { workers, runs, allocator, .. } = options;
    writeln!(out, "{workers} workers, {} allocator, medians of {runs} runs", allocator.name())?;
    writeln!(
        out,
        "{:<14} {:>12}  {:<20} {:>12} {:>14} {:>10}  goal is",
        "workload", "beamish", "against", "", "value", "goal"
    )?;
    for row in rows {
        writeln!(out, "{}", row.to_text())?;
    }
    let goals = rows.iter().filter(|row| row.goal.is_some());
    let (met, all) = (goals.clone().filter(|row| row.verdict == Verdict::Met), goals);
    writeln!(out, "{} of {} goals met", met.count(), all.count())
}

impl Row {
    fn to_text(&self) -> String {
        let figure = |it: Option<Figure>| it.map_or("-".to_owned(), report::figure);
        format!(
            "{:<14} {:>12}  {:<20} {:>12} {:>14} {:>10}  {}",
            self.workload,
            figure(self.ours),
            self.against,
            figure(self.other),
            self.value.map_or("-".to_owned(), report::ratio),
            self.goal.as_deref().unwrap_or("-"),
            self.verdict.name(),
        )
    }

    fn to_json(&self, options: &Options) -> serde_json::Value {
        json!({
            "workload": self.workload,
            "against": self.against,
            "beamish": self.ours.map(Figure::value),
            "other": self.other.map(Figure::value),
            "value": self.value,
            "goal": self.goal,
            "verdict": self.verdict.name(),
            "workers": options.workers,
            "allocator": options.allocator.name(),
        })
    }
}

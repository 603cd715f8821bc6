//! `compare`: everything in turn, medians, and each goal met or missed.
//!
//! The systems alternate, workload by workload and run by run, so that a machine that is slower
//! for a while is slower for all of them.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use measure::{Figure, Measurement};

use crate::cli::Options;
use crate::goals::{Claim, GOALS, Goal, Need};
use crate::report;
use crate::run;
use crate::system::{self, OWN, System};
use crate::table::{self, Row, Verdict};
use crate::workload::{self, WORKLOADS, Workload};

/// Measures, prints the table, and says whether every goal is met.
pub(crate) fn compare(options: &Options) -> Result<bool, String> {
    report::warn_when_slow();
    let workloads = match options.workloads.as_slice() {
        [] => WORKLOADS.iter().collect(),
        chosen => chosen.to_vec(),
    };
    let mut lines = goal_lines(options, &workloads);
    lines.extend(plain_lines(options, &workloads));
    let mut bench = Bench::new(options, &lines)?;
    bench.measure_all();
    let rows: Vec<Row> = lines.iter().map(|line| bench.row(line)).collect();
    table::print(options, &rows).map_err(|error| error.to_string())?;
    Ok(rows.iter().all(|row| !matches!(row.verdict, Verdict::Missed | Verdict::Failed)))
}

/// One line of the table, before it is measured.
struct Line {
    workload: &'static str,
    against: String,
    kind: Kind,
}

enum Kind {
    /// A goal.
    Goal(&'static Goal),
    /// A peer for which no goal is set.
    Plain(Need, Need),
    /// A peer that cannot express the workload.
    Lacking,
}

impl Line {
    fn needs(&self) -> Vec<Need> {
        match &self.kind {
            Kind::Goal(goal) => [Some(goal.ours()), goal.other()].into_iter().flatten().collect(),
            Kind::Plain(ours, other) => vec![*ours, *other],
            Kind::Lacking => Vec::new(),
        }
    }
}

fn goal_lines(options: &Options, workloads: &[&Workload]) -> Vec<Line> {
    let wanted = |goal: &&Goal| {
        workloads.iter().any(|workload| workload.name == goal.workload)
            && match goal.claim {
                Claim::Beats { peer, .. } => options.systems.iter().any(|it| it.name == peer),
                Claim::Scales { .. } => options.workers > 1,
                Claim::Fits { .. } => options.n.is_none(),
                Claim::AtMost(_) | Claim::Near { .. } => true,
            }
    };
    let line = |goal: &'static Goal| Line {
        workload: goal.workload,
        against: goal.claim.against(),
        kind: Kind::Goal(goal),
    };
    GOALS.iter().filter(wanted).map(line).collect()
}

fn plain_lines(options: &Options, workloads: &[&'static Workload]) -> Vec<Line> {
    let mut lines = Vec::new();
    for peer in options.systems.iter().filter(|system| system.name != OWN.name) {
        for workload in workloads.iter().filter(|workload| !has_goal(peer, workload)) {
            let needs = (Need::of(OWN, workload.name), Need::of(peer, workload.name));
            let kind = match peer.has(workload.name) {
                true => Kind::Plain(needs.0, needs.1),
                false => Kind::Lacking,
            };
            lines.push(Line { workload: workload.name, against: peer.name.to_owned(), kind });
        }
    }
    lines
}

fn has_goal(system: &System, workload: &Workload) -> bool {
    GOALS.iter().any(|goal| {
        let against_it = matches!(goal.claim, Claim::Beats { peer, .. } if peer == system.name);
        goal.workload == workload.name && against_it
    })
}

/// The programs, and what they have measured so far.
struct Bench<'a> {
    options: &'a Options,
    programs: Vec<(&'static str, PathBuf)>,
    measured: Vec<Measured>,
}

struct Measured {
    need: Need,
    measurements: Vec<Measurement>,
    failed: bool,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options, lines: &[Line]) -> Result<Bench<'a>, String> {
        let mut bench = Bench { options, programs: Vec::new(), measured: Vec::new() };
        for need in lines.iter().flat_map(Line::needs) {
            bench.plan(need)?;
        }
        // Neighbours in time are what is compared: one workload at a time.
        bench.measured.sort_by_key(|measured| position(measured.need.workload));
        Ok(bench)
    }

    fn plan(&mut self, need: Need) -> Result<(), String> {
        if self.measured.iter().any(|measured| measured.need == need) {
            return Ok(());
        }
        self.measured.push(Measured { need, measurements: Vec::new(), failed: false });
        if self.programs.iter().any(|(name, _)| *name == need.system) {
            return Ok(());
        }
        let system = system::find(need.system).ok_or("a goal names an unknown system")?;
        self.programs.push((system.name, system.program(self.options.allocator)?));
        Ok(())
    }

    fn measure_all(&mut self) {
        for run in 0..self.options.runs {
            for index in 0..self.measured.len() {
                self.progress(run, &self.measured[index].need);
                self.measure(index, run);
            }
        }
    }

    /// A size of its own is large and about bytes, which do not vary: once is enough. What has
    /// failed is not tried again.
    fn measure(&mut self, index: usize, run: usize) {
        let Measured { need, failed, .. } = self.measured[index];
        if failed || (need.n.is_some() && run > 0) {
            return;
        }
        match self.child(&need) {
            Ok(measurement) => self.measured[index].measurements.push(measurement),
            Err(message) => {
                eprintln!("benches: {message}");
                self.measured[index].failed = true;
            }
        }
    }

    fn child(&self, need: &Need) -> Result<Measurement, String> {
        let workload = workload::find(need.workload).ok_or("a goal names an unknown workload")?;
        let mut request = run::request(self.options, workload);
        if need.alone {
            request.workers = 1;
        }
        request.params.n = need.n.unwrap_or(request.params.n);
        let program = self.programs.iter().find(|(name, _)| *name == need.system);
        let (_, program) = program.ok_or("no program was built")?;
        system::measure(program, &request)
    }

    fn progress(&self, run: usize, need: &Need) {
        if io::stderr().is_terminal() {
            let runs = self.options.runs;
            let Need { system, workload, .. } = need;
            eprint!("\r\x1b[Krun {} of {runs}: {workload} on {system}\r", run + 1);
        }
    }

    fn row(&self, line: &Line) -> Row {
        let row = |ours, other, value, goal, verdict| Row {
            workload: line.workload,
            against: line.against.clone(),
            ours,
            other,
            value,
            goal,
            verdict,
        };
        match &line.kind {
            Kind::Lacking => row(None, None, None, None, Verdict::NotApplicable),
            Kind::Plain(ours, other) => {
                let (ours, other) = (self.median(ours), self.median(other));
                let ratio = ours.zip(other).map(|(ours, other)| other.value() / ours.value());
                row(ours, other, ratio, None, Verdict::NoGoal)
            }
            Kind::Goal(goal) => {
                let ours = self.own_figure(goal);
                let other = goal.other().and_then(|need| self.median(&need));
                let value = value(goal, ours, other);
                let verdict = Verdict::of(&goal.claim, value);
                row(ours, other, value, Some(goal.claim.bound()), verdict)
            }
        }
    }

    fn own_figure(&self, goal: &Goal) -> Option<Figure> {
        match goal.claim {
            Claim::Fits { .. } => self.peak(&goal.ours()),
            _ => self.median(&goal.ours()),
        }
    }

    fn median(&self, need: &Need) -> Option<Figure> {
        let measurements = self.measurements(need)?;
        let mut values: Vec<f64> = measurements.iter().map(|it| it.figure.value()).collect();
        values.sort_by(f64::total_cmp);
        let median = measure::median(&values)?;
        Some(match measurements.first()?.figure {
            Figure::NsPerOp(_) => Figure::NsPerOp(median),
            Figure::BytesPerProcess(_) => Figure::BytesPerProcess(median),
        })
    }

    /// All that the program ever had resident, as bytes.
    fn peak(&self, need: &Need) -> Option<Figure> {
        let peak = self.measurements(need)?.iter().filter_map(|it| it.peak_bytes).max()?;
        Some(Figure::BytesPerProcess(peak as f64))
    }

    fn measurements(&self, need: &Need) -> Option<&[Measurement]> {
        let measured = self.measured.iter().find(|measured| measured.need == *need)?;
        (!measured.failed).then_some(measured.measurements.as_slice())
    }
}

fn position(workload: &str) -> Option<usize> {
    WORKLOADS.iter().position(|known| known.name == workload)
}

fn value(goal: &Goal, ours: Option<Figure>, other: Option<Figure>) -> Option<f64> {
    let other = match goal.other() {
        Some(_) => other?.value(),
        None => 1.0,
    };
    Some(goal.claim.value(ours?.value(), other))
}

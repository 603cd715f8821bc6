//! The table of exits, links, monitors, names and aliases: what beamish does, line by line beside
//! what real Erlang does (`tests/golden/exit_table.txt`, made by `ci/golden`).

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

use beamish::prelude::*;

#[path = "../conformance/support.rs"]
#[allow(dead_code, reason = "shared with the other test binary")]
mod support;

mod exits;
mod links;
mod monitors;
mod names;
mod subject;

/// Every line of the golden table, run on beamish.
///
/// - S-EXIT-1: each cause, with each reason, does the same here as in Erlang, trapped or not.
/// - S-EXIT-3: an exit signal to the dead does nothing.
/// - S-EXIT-5: what counts is whether the receiver traps when the signal comes.
/// - S-LINK-1: linking twice is linking once; one unlink undoes it.
/// - S-LINK-2: linking to oneself does nothing.
/// - S-LINK-3: a link to the dead gives `NoProc`.
/// - S-LINK-4: an exit that is in the mailbox survives `unlink`.
/// - S-MON-2, S-MON-3, S-MON-4, S-MON-6: monitors of the dead, of names, of oneself, taken back.
/// - S-NAME-1: a name that is taken, a second name, a name for the dead.
/// - S-NOTICE-1: a name is free when the end of its process is seen.
/// - S-SEND-1, S-SEND-2: sending to the dead, and to a free name.
/// - S-ALIAS-2: an alias after `unalias`, `Down`, `demonitor` and the first reply.
/// - S-TIME-4: a timer is cancelled once.
#[test]
fn exits_are_those_of_erlang() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let table = runtime.block_on(whole_table()).expect("the table is made to its end");
    let golden = std::fs::read_to_string(repository().join("tests/golden/exit_table.txt")).unwrap();
    let expected: Vec<&str> = golden.lines().filter(|line| !line.starts_with('#')).collect();
    let differences = differences(&expected, &table);
    assert!(differences.is_empty(), "real Erlang (-) and beamish (+) differ:\n{differences}");
}

fn differences(expected: &[&str], table: &[String]) -> String {
    let mut text = String::new();
    for index in 0..expected.len().max(table.len()) {
        let (erlang, ours) = (expected.get(index), table.get(index));
        if erlang.copied() != ours.map(String::as_str) {
            for (sign, line) in [('-', erlang.copied()), ('+', ours.map(String::as_str))] {
                writeln!(text, "{sign} {}", line.unwrap_or("no such line")).unwrap();
            }
        }
    }
    text
}

/// The golden file is still what the installed Erlang says.
#[test]
fn golden_table_is_fresh() {
    let output = Command::new(repository().join("ci/golden")).output().expect("ci/golden runs");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{complaint}");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The lines made so far.
struct Table(Vec<String>);

impl Table {
    fn row(&mut self, id: &str, cause: &str, reason: &str, traps: &str, outcome: &str) {
        self.0.push(format!("{id} | {cause} | {reason} | {traps} | {outcome}"));
    }
}

async fn whole_table() -> Vec<String> {
    trap_exit(true);
    let mut table = Table(Vec::new());
    exits::exit_rows(&mut table).await;
    exits::peer_rows(&mut table).await;
    for traps in [false, true] {
        exits::trap_rows(traps, &mut table).await;
    }
    sort_like_golden(&mut table);
    monitors::monitored_rows(&mut table).await;
    links::link_rows(&mut table).await;
    monitors::monitor_rows(&mut table).await;
    names::dead_rows(&mut table).await;
    names::name_rows(&mut table).await;
    names::alias_rows(&mut table).await;
    table.0
}

/// The golden file has both values of "traps" side by side: bring equal ids together.
fn sort_like_golden(table: &mut Table) {
    let mut order: Vec<String> = Vec::new();
    for line in &table.0 {
        let id = line.split(" | ").next().unwrap().to_owned();
        if !order.contains(&id) {
            order.push(id);
        }
    }
    table.0.sort_by_key(|line| order.iter().position(|id| line.starts_with(&format!("{id} |"))));
}

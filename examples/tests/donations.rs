//! The first program of the README, run for real.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use beamish_examples::example;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/donations.csv");

/// The generator spoils each row whose id is a multiple of this.
const BAD_EVERY: u64 = 811;

/// What came of a run.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Rows, processed, failed; after a check that they add up and that nothing went wrong.
    #[track_caller]
    fn counts(&self) -> [u64; 3] {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        let first = self.stdout.lines().next().unwrap_or_default();
        let numbers: Vec<u64> = first.split(' ').filter_map(|word| word.parse().ok()).collect();
        let Ok([rows, processed, failed]) = <[u64; 3]>::try_from(numbers) else {
            panic!("not three numbers: {first}");
        };
        assert_eq!(rows, processed + failed, "{self:?}");
        [rows, processed, failed]
    }

    /// Line number and reason of every failure that is printed.
    fn failures(&self) -> Vec<(u64, &str)> {
        let failures = self.stdout.lines().filter_map(|line| line.strip_prefix("  line "));
        let pairs = failures.map(|line| line.split_once(": ").expect("a reason"));
        pairs.map(|(line, reason)| (line.parse().expect("a number"), reason)).collect()
    }

    /// The program refused: exit code 2, nothing on stdout, one line on stderr that says all this.
    #[track_caller]
    fn assert_refused(&self, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
    }
}

fn run(path: impl AsRef<Path>) -> Run {
    Run::of(example("donations").arg(path.as_ref()).output().expect("the program runs"))
}

/// Runs the program on a file that holds this.
fn run_on(name: &str, content: impl AsRef<[u8]>) -> Run {
    let path = scratch(name);
    fs::write(&path, content).expect("the file is written");
    run(path)
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("donations-{name}.csv"))
}

#[test]
fn every_row_of_the_shipped_file_is_processed_or_counted_as_failed() {
    let run = Run::of(example("donations").output().expect("the program runs"));
    assert_eq!(run.counts(), [10_000, 9_988, 12]);
    assert_eq!(run.failures().len(), 12);
    let last = run.stdout.lines().last().unwrap_or_default();
    for part in ["10000 processes in ", " per second", "at most 1000 at once"] {
        assert!(last.contains(part), "{last}");
    }
}

#[test]
fn a_failure_is_named_by_the_line_of_the_file_its_row_starts_on() {
    let text = fs::read(SHIPPED).expect("the shipped file");
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
    for (line, reason) in run(SHIPPED).failures() {
        let start = &lines[line as usize - 1];
        let id = start.trim_start_matches('#').split(',').next().expect("a field");
        let id: u64 = id.parse().unwrap_or_else(|_| panic!("line {line} ({reason}) is {start}"));
        assert_eq!(id % BAD_EVERY, 0, "line {line} ({reason}) is {start}");
    }
}

#[test]
fn totals_are_exact() {
    let run = run(SHIPPED);
    let money = |cents: u128| format!("{}.{:02}", cents / 100, cents % 100);
    for (code, nisab) in [("EUR", 780_000), ("GBP", 670_000), ("MYR", 3_800_000), ("USD", 850_000)]
    {
        let [rows, amount, zakat] = expected_totals(code, nisab);
        let expected =
            format!("{code} {rows} rows donated {} zakat {}", money(amount), money(zakat));
        let mut lines = run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert!(lines.any(|words| words.join(" ") == expected), "{expected} is not in {run:?}");
    }
}

/// Rows, amount and Zakat in one currency, computed one row after the other.
fn expected_totals(code: &str, nisab: u128) -> [u128; 3] {
    let mut totals = [0; 3];
    for record in
        csv::Reader::from_path(SHIPPED).expect("the shipped file").byte_records().flatten()
    {
        let field = |column: usize| String::from_utf8_lossy(record.get(column).unwrap_or_default());
        let spoiled = field(0).parse::<u64>().map_or(true, |id| id % BAD_EVERY == 0);
        if spoiled || field(3) != code {
            continue;
        }
        let cents: u128 = field(2).replace('.', "").parse().expect("an amount");
        let zakat = if cents < nisab { 0 } else { (cents * 25 + 500) / 1_000 };
        totals = [totals[0] + 1, totals[1] + cents, totals[2] + zakat];
    }
    totals
}

#[test]
fn the_shipped_file_is_what_the_generator_writes() {
    let output = example("generate_donations").output().expect("the generator runs");
    assert!(output.status.success());
    assert!(output.stdout == fs::read(SHIPPED).expect("the shipped file"), "they differ");
}

#[test]
fn each_kind_of_malformed_row_fails_alone_and_says_why() {
    let rows: [(&[u8], &str); 10] = [
        (b"1,Ana,12O.50,EUR", "amount \"12O.50\" is not a number"),
        (b"2,Ana,-1.00,EUR", "amount \"-1.00\" is negative"),
        (b"3,Ana,,EUR", "amount is missing"),
        (b"4,Ana,1.00", "3 fields instead of 4"),
        (b"5,Ana,1.00,EUR,6", "5 fields instead of 4"),
        (b"6,Ana,1.00,XAU", "currency \"XAU\" is not known"),
        (b"7,An\xe9,1.00,EUR", "donor is not valid UTF-8"),
        (b"8,Ana,1.005,EUR", "at most two decimals"),
        (b"9,Ana,99999999999999999999,EUR", "is too large"),
        (b"x,Ana,1.00,EUR", "id \"x\" is not a number"),
    ];
    let mut file = b"id,donor,amount,currency\n".to_vec();
    for (row, _) in rows {
        file.extend_from_slice(row);
        file.extend_from_slice(b"\n0,Good,1.00,EUR\n");
    }
    let run = run_on("malformed", file);
    assert_eq!(run.counts(), [20, 10, 10]);
    for (index, (line, reason)) in run.failures().into_iter().enumerate() {
        assert_eq!(line, 2 + 2 * index as u64);
        assert!(reason.contains(rows[index].1), "{reason}");
    }
}

#[test]
fn zakat_starts_at_the_nisab_and_half_a_cent_is_rounded_up() {
    for (amount, zakat) in [
        ("7799.99", "0.00"),
        ("7800", "195.00"),
        ("7800.19", "195.00"),
        ("7800.2", "195.01"),
        ("184467440737095516.15", "4611686018427387.90"),
    ] {
        let run = run_on("nisab", format!("1,Ana,{amount},EUR\n"));
        assert_eq!(run.counts(), [1, 1, 0], "{amount}");
        assert!(run.stdout.contains(&format!(" {zakat}\n")), "{amount}: {}", run.stdout);
    }
}

#[test]
fn an_amount_is_digits_with_at_most_two_decimals() {
    let bad = [".", ".5", "5.", "1.234", "1e3", "+1", "--1", "٣", "NaN", "1.-5", "0x10", "1 000"];
    let rows: String = bad.iter().map(|amount| format!("1,Ana,{amount},EUR\n")).collect();
    let run = run_on("amounts", rows);
    assert_eq!(run.counts(), [12, 0, 12]);
    for (bad, (_, reason)) in bad.iter().zip(run.failures()) {
        assert!(reason.starts_with(&format!("amount {bad:?} is not a number")), "{reason}");
    }
}

#[test]
fn line_numbers_count_line_breaks_in_fields_and_blank_lines() {
    let unix =
        "id,donor,amount,currency\n1,\"A\nB\nC\",1.00,EUR\n\n  \n2,bad\n3,D,1.00,EUR\n\n4,bad";
    for (name, file) in [("lf", unix.to_owned()), ("crlf", unix.replace('\n', "\r\n"))] {
        let run = run_on(name, file);
        assert_eq!(run.counts(), [4, 2, 2], "{name}");
        let lines: Vec<u64> = run.failures().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [7, 10], "{name}");
    }
}

#[test]
fn a_file_without_rows_has_none() {
    for (name, content) in
        [("empty", ""), ("header", "id,donor,amount,currency\n"), ("blank", "\n\n")]
    {
        assert_eq!(run_on(name, content).counts(), [0, 0, 0], "{name}");
    }
}

#[test]
fn a_header_may_be_missing_or_written_differently() {
    assert_eq!(run_on("headless", "1,Ana,9000.00,EUR\n2,Bo,1,EUR").counts(), [2, 2, 0]);
    assert_eq!(
        run_on("bom", "\u{feff}ID, Donor,Amount,Currency\n1,Ana,1,EUR\n").counts(),
        [1, 1, 0]
    );
}

#[test]
fn a_header_with_other_columns_is_refused() {
    let run = run_on("columns", "id,amount,donor,currency\n1,9.00,Ana,EUR\n");
    run.assert_refused(&["columns are \"id,amount,donor,currency\""]);
}

#[test]
fn only_the_first_failures_are_printed_and_all_are_counted() {
    let run = run_on("hopeless", "nonsense\n".repeat(5_000));
    assert_eq!(run.counts(), [5_000, 0, 5_000]);
    let lines: Vec<u64> = run.failures().into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, (1..=20).collect::<Vec<_>>());
    assert!(run.stdout.contains("  and 4980 more\n"), "{}", run.stdout);
}

#[test]
fn a_file_that_cannot_be_read_is_one_clear_line_and_exit_code_2() {
    let missing = scratch("no-such-file");
    run(&missing).assert_refused(&[missing.to_str().expect("UTF-8"), "No such file"]);
    run(env!("CARGO_TARGET_TMPDIR")).assert_refused(&["directory"]);
}

#[test]
fn more_than_one_argument_is_refused() {
    let output = example("donations").args(["one", "two"]).output().expect("the program runs");
    Run::of(output).assert_refused(&["usage: donations [FILE]"]);
}

#[test]
fn a_quote_that_is_never_closed_does_not_pull_the_file_into_memory() {
    let file = format!("1,\"Ana,1.00,EUR\n{}", "2,Bo,1.00,EUR\n".repeat(200_000));
    run_on("unclosed", file).assert_refused(&["longer than 1 MiB"]);

    let run = run_on("unclosed-short", "1,Bo,1.00,EUR\n2,\"Ana,1.00,EUR\n3,Bo,1.00,EUR\n");
    assert_eq!(run.counts(), [2, 1, 1]);
    assert_eq!(run.failures()[0].0, 2);
}

/// Feeds 20 MB through a pipe and looks at the largest resident size after the first tenth and at
/// the end: the rest of the file must not have stayed in memory.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_file() {
    let mut command = example("donations");
    command.arg("/dev/stdin").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let chunk = "1,Somebody With A Rather Long Name,1234.50,EUR\n".repeat(1_000);
    // A write returns when all but what fits in the pipe has been read.
    let mut feed =
        |chunks| (0..chunks).for_each(|_| pipe.write_all(chunk.as_bytes()).expect("fed"));
    feed(45);
    let early = peak_kib(child.id());
    feed(405);
    let late = peak_kib(child.id());
    drop(pipe);
    let run = Run::of(child.wait_with_output().expect("the program ends"));
    assert_eq!(run.counts(), [450_000, 450_000, 0]);
    assert!(late < early + 4 * 1024, "the peak grew from {early} to {late} KiB");
}

#[cfg(target_os = "linux")]
fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it is running");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse().expect("KiB")
}

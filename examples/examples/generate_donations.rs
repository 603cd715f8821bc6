//! Writes the donations that come with the repository to standard output, always the same ones:
//!
//! ```text
//! cargo run --release --example generate_donations > examples/data/donations.csv
//! cargo run --release --example generate_donations -- 1000000 > a-million.csv
//! ```
//!
//! Twelve of every 10,000 rows are malformed, each in another way.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use fastrand::Rng;

/// Rows in the file of the repository.
const ROWS: u64 = 10_000;

/// One malformed row in this many; the step is prime, so that they do not fall on round numbers.
const BAD_EVERY: u64 = 811;

/// Some given names want quotes, some are not ASCII, one holds a line break.
const GIVEN: [&str; 12] = [
    "Aisha",
    "Bilal",
    "Chloé",
    "Dewi",
    "Émile",
    "Fatima",
    "Görkem",
    "Hana",
    "Idris",
    "Jonas",
    "\"Kim, née",
    "\"Lin\nvan",
];

const FAMILY: [&str; 10] = [
    "Rahman", "O'Brien", "Müller", "Sutanto", "Haddad", "Nguyen", "Özil", "Smith", "Yusuf", "Zając",
];

const CURRENCIES: [&str; 4] = ["EUR", "GBP", "MYR", "USD"];

fn main() -> ExitCode {
    let rows = match std::env::args().nth(1).map(|text| text.parse()) {
        None => ROWS,
        Some(Ok(rows)) => rows,
        Some(Err(error)) => {
            eprintln!("generate_donations: the number of rows: {error}");
            return ExitCode::from(2);
        }
    };
    match write_rows(BufWriter::new(io::stdout().lock()), rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate_donations: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_rows(mut out: impl Write, rows: u64) -> io::Result<()> {
    let mut random = Rng::with_seed(1_446);
    writeln!(out, "id,donor,amount,currency")?;
    for id in 1..=rows {
        let donor = donor(&mut random);
        let (whole, cents) = (amount(&mut random), random.u32(0..100));
        let currency = random.choice(CURRENCIES).unwrap_or(CURRENCIES[0]);
        if id % BAD_EVERY == 0 {
            out.write_all(&bad_row(id, &donor))?;
        } else {
            writeln!(out, "{id},{donor},{whole}.{cents:02},{currency}")?;
        }
    }
    out.flush()
}

fn donor(random: &mut Rng) -> String {
    let given = random.choice(GIVEN).unwrap_or(GIVEN[0]);
    let family = random.choice(FAMILY).unwrap_or(FAMILY[0]);
    let close = if given.starts_with('"') { "\"" } else { "" };
    format!("{given} {family}{close}")
}

/// Small donations are common, large ones rare: as many between 10 and 100 as between 10,000 and
/// 100,000.
fn amount(random: &mut Rng) -> u32 {
    let magnitude = 10_u32.pow(random.u32(1..5));
    random.u32(magnitude..magnitude * 10)
}

fn bad_row(id: u64, donor: &str) -> Vec<u8> {
    let text = match id / BAD_EVERY % 12 {
        0 => format!("{id},{donor},12O.50,EUR"),
        1 => format!("{id},{donor},-75.00,EUR"),
        2 => format!("{id},{donor},,USD"),
        3 => format!("{id},{donor},99.95"),
        4 => format!("{id},{donor},99.95,USD,gift"),
        5 => format!("{id},{donor},410.00,XAU"),
        6 => return [format!("{id},Ren").as_bytes(), b"\xe9", b" Dupont,20.00,EUR\n"].concat(),
        7 => format!("{id},{donor},10.999,GBP"),
        8 => format!("{id},{donor},99999999999999999999.00,MYR"),
        9 => format!("#{id},{donor},55.00,MYR"),
        10 => format!("{id},,30.00,USD"),
        _ => format!("{id},{donor},\"1,250.00\",USD"),
    };
    format!("{text}\n").into_bytes()
}

//! One row of the file: what it must look like, and the Zakat due on it. Pure: no process, no I/O.

use std::fmt;

use csv::ByteRecord;

/// The columns of the file, in this order.
pub(crate) const COLUMNS: [&str; 4] = ["id", "donor", "amount", "currency"];

/// Zakat is one part in this many of the whole amount: 2.5 %.
const ZAKAT_PARTS: u64 = 40;

/// A currency the program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Currency {
    /// Its ISO 4217 code.
    pub(crate) code: &'static str,
    /// The amount, in cents, below which no Zakat is due.
    nisab: u64,
}

/// Known currencies. The nisab figures are fixed for this example; a real program asks for the
/// price of 85 g of gold on the day.
pub(crate) const CURRENCIES: [Currency; 4] = [
    Currency { code: "EUR", nisab: 780_000 },
    Currency { code: "GBP", nisab: 670_000 },
    Currency { code: "MYR", nisab: 3_800_000 },
    Currency { code: "USD", nisab: 850_000 },
];

/// An amount of money in cents, so that sums are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cents(pub(crate) u128);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

/// A well-formed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Donation {
    /// Where in [`CURRENCIES`] its currency is.
    pub(crate) currency: usize,
    /// The amount in cents.
    pub(crate) amount: u64,
}

/// Why a row is malformed. It becomes the exit reason of the row's process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRow {
    #[error("{0} fields instead of {expected}", expected = COLUMNS.len())]
    FieldCount(usize),
    #[error("{0} is not valid UTF-8")]
    NotUtf8(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("id {0:?} is not a number")]
    Id(String),
    #[error("amount {0:?} is negative")]
    Negative(String),
    #[error("amount {0:?} is not a number with at most two decimals")]
    Amount(String),
    #[error("amount {0:?} is too large")]
    TooLarge(String),
    #[error("currency {0:?} is not known")]
    Currency(String),
}

impl Donation {
    /// Reads a row; the first thing wrong with it, from left to right, is the error.
    pub(crate) fn parse(record: &ByteRecord) -> Result<Donation, BadRow> {
        if record.len() != COLUMNS.len() {
            return Err(BadRow::FieldCount(record.len()));
        }
        let id = field(record, 0)?;
        id.parse::<u64>().map_err(|_| BadRow::Id(id.to_owned()))?;
        field(record, 1)?;
        let amount = cents(field(record, 2)?)?;
        let currency = currency(field(record, 3)?)?;
        Ok(Donation { currency, amount })
    }

    /// The Zakat due, in cents: 2.5 % of the whole amount from the nisab on, nothing below it.
    /// Half a cent is rounded up.
    pub(crate) fn zakat(&self) -> u64 {
        if self.amount < CURRENCIES[self.currency].nisab {
            return 0;
        }
        self.amount / ZAKAT_PARTS + u64::from(self.amount % ZAKAT_PARTS >= ZAKAT_PARTS / 2)
    }
}

fn field(record: &ByteRecord, column: usize) -> Result<&str, BadRow> {
    let name = COLUMNS[column];
    let text = std::str::from_utf8(&record[column]).map_err(|_| BadRow::NotUtf8(name))?.trim();
    if text.is_empty() { Err(BadRow::Missing(name)) } else { Ok(text) }
}

/// `"12.5"` is 1250 cents. No sign, no exponent, no thousands separators.
fn cents(text: &str) -> Result<u64, BadRow> {
    let bad = || BadRow::Amount(text.to_owned());
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    if let Some(rest) = whole.strip_prefix('-') {
        return Err(if digits(rest) { BadRow::Negative(text.to_owned()) } else { bad() });
    }
    if whole.is_empty() || !digits(whole) || !digits(fraction) || !matches!(fraction.len(), 1 | 2) {
        return Err(bad());
    }
    // Only digits are left, so the one thing that can still go wrong is their number.
    let all = format!("{whole}{fraction:0<2}");
    all.parse().map_err(|_| BadRow::TooLarge(text.to_owned()))
}

fn currency(code: &str) -> Result<usize, BadRow> {
    let known = CURRENCIES.iter().position(|currency| currency.code == code);
    known.ok_or_else(|| BadRow::Currency(code.to_owned()))
}

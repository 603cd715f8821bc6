//! The rows of a file, one at a time: memory use does not depend on the length of the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use crate::row::COLUMNS;

/// No sensible row is longer. Without a limit, one quote that is never closed would pull the rest
/// of the file into memory.
const LONGEST_ROW: u64 = 1 << 20;

/// An open file of donations.
pub(crate) struct Rows {
    reader: Reader<Lines<File>>,
    first: bool,
}

/// A row as it stands in the file, not yet looked at.
pub(crate) struct Row {
    /// The line of the file it starts on, from 1.
    pub(crate) line: u64,
    /// Its fields.
    pub(crate) record: ByteRecord,
}

impl Rows {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> io::Result<Rows> {
        let source = Lines { inner: File::open(path)?, left: LONGEST_ROW, last: b'\n' };
        let mut builder = ReaderBuilder::new();
        // Rows of the wrong length are for their own process to complain about, not for the reader.
        builder.has_headers(false).flexible(true);
        // With this alone a row is over when its line is, which `line` builds on. The `\r` that it
        // leaves in files of other systems goes when fields are trimmed.
        builder.terminator(Terminator::Any(b'\n'));
        Ok(Rows { reader: builder.from_reader(source), first: true })
    }

    /// The next row, without the header if there is one; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read, a row has no end, or the header names other columns.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row>> {
        let row = self.read()?;
        let first = std::mem::take(&mut self.first);
        match &row {
            Some(header) if first && header.names_columns() => {
                header.check_columns()?;
                self.read()
            }
            _ => Ok(row),
        }
    }

    /// The next record that is not a blank line.
    fn read(&mut self) -> io::Result<Option<Row>> {
        let mut record = ByteRecord::new();
        while self.read_record(&mut record)? {
            if record.len() > 1 || !record[0].trim_ascii().is_empty() {
                return Ok(Some(Row { line: self.line(&record), record }));
            }
        }
        Ok(None)
    }

    fn read_record(&mut self, record: &mut ByteRecord) -> io::Result<bool> {
        self.reader.get_mut().left = LONGEST_ROW;
        Ok(self.reader.read_byte_record(record)?)
    }

    /// Where a record that was just read starts: the reader stands on the line after its end, and it
    /// spans one line more for each line break in its fields. (The record's own position is that of
    /// the blank lines before it, which is right for a quote that the end of the file closes.)
    fn line(&self, record: &ByteRecord) -> u64 {
        let breaks = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let earliest = record.position().map_or(1, csv::Position::line);
        earliest.max((self.reader.position().line() - 1).saturating_sub(breaks))
    }
}

impl Row {
    fn columns(&self) -> impl Iterator<Item = String> {
        let text = |field| String::from_utf8_lossy(field).trim().to_ascii_lowercase();
        self.record.iter().map(text)
    }

    /// No donation has the id "id", so this is a header, right or wrong.
    fn names_columns(&self) -> bool {
        self.columns().next().is_some_and(|column| column == COLUMNS[0])
    }

    fn check_columns(&self) -> io::Result<()> {
        if self.columns().eq(COLUMNS) {
            return Ok(());
        }
        let found = self.columns().collect::<Vec<_>>().join(",");
        let trouble = format!("the columns are {found:?}, not {:?}", COLUMNS.join(","));
        Err(io::Error::new(io::ErrorKind::InvalidData, trouble))
    }
}

/// A file whose last line ends like all others, and which refuses to give a row more than `left`.
struct Lines<R> {
    inner: R,
    left: u64,
    last: u8,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let advice = "a row is longer than 1 MiB; is a quote never closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, advice));
        }
        let mut read = self.inner.read(buffer)?;
        if read == 0 && self.last != b'\n' && !buffer.is_empty() {
            buffer[0] = b'\n';
            read = 1;
        }
        self.last = buffer[..read].last().copied().unwrap_or(self.last);
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

//! The line that a measured program prints.

use serde_json::{Value, json};

/// The median of a measurement, in the unit of its workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// Nanoseconds per operation.
    NsPerOp(f64),
    /// Resident bytes per process.
    BytesPerProcess(f64),
}

impl Figure {
    /// The number without its unit.
    pub fn value(self) -> f64 {
        match self {
            Figure::NsPerOp(value) | Figure::BytesPerProcess(value) => value,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Figure::NsPerOp(_) => "ns_per_op",
            Figure::BytesPerProcess(_) => "bytes_per_process",
        }
    }
}

/// One workload on one system, measured once.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Name of the system.
    pub system: String,
    /// Name of the workload.
    pub workload: String,
    /// The size that was asked for.
    pub n: usize,
    /// Operations (or processes) of one repetition.
    pub ops: u64,
    /// Median over the repetitions.
    pub figure: Figure,
    /// Smallest figure of a repetition.
    pub min: f64,
    /// Largest figure of a repetition.
    pub max: f64,
    /// Repetitions counted.
    pub samples: usize,
    /// Worker threads.
    pub workers: usize,
    /// Global allocator: `system` or `mimalloc`.
    pub allocator: String,
    /// Most bytes the program ever had resident, where known.
    pub peak_bytes: Option<u64>,
}

impl Measurement {
    /// One JSON object on one line.
    pub fn to_json(&self) -> Value {
        json!({
            "system": self.system,
            "workload": self.workload,
            "n": self.n,
            "ops": self.ops,
            self.figure.key(): hundredths(self.figure.value()),
            "min": hundredths(self.min),
            "max": hundredths(self.max),
            "samples": self.samples,
            "workers": self.workers,
            "allocator": self.allocator,
            "peak_bytes": self.peak_bytes,
        })
    }

    /// Reads a line written by [`to_json`](Measurement::to_json) or by a peer in another language,
    /// which may leave out `min`, `max`, `samples` and `peak_bytes`.
    ///
    /// # Errors
    ///
    /// A sentence that names the field that is missing or of another type.
    pub fn from_json(line: &str) -> Result<Measurement, String> {
        let object: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let figure = figure(&object)?;
        let bound = |key: &str| object[key].as_f64().unwrap_or(figure.value());
        Ok(Measurement {
            system: text(&object, "system")?,
            workload: text(&object, "workload")?,
            n: number(&object, "n")? as usize,
            ops: number(&object, "ops")?,
            figure,
            min: bound("min"),
            max: bound("max"),
            samples: object["samples"].as_u64().unwrap_or(1) as usize,
            workers: number(&object, "workers")? as usize,
            allocator: text(&object, "allocator")?,
            peak_bytes: object["peak_bytes"].as_u64(),
        })
    }
}

fn figure(object: &Value) -> Result<Figure, String> {
    if let Some(ns) = object["ns_per_op"].as_f64() {
        return Ok(Figure::NsPerOp(ns));
    }
    let bytes = object["bytes_per_process"].as_f64();
    bytes.map(Figure::BytesPerProcess).ok_or_else(|| missing("ns_per_op"))
}

fn text(object: &Value, key: &str) -> Result<String, String> {
    object[key].as_str().map(str::to_owned).ok_or_else(|| missing(key))
}

fn number(object: &Value, key: &str) -> Result<u64, String> {
    object[key].as_u64().ok_or_else(|| missing(key))
}

fn missing(key: &str) -> String {
    format!("the measured program's line has no `{key}`")
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_survives_the_round_trip() {
        let measurement = Measurement {
            system: "beamish".into(),
            workload: "idle_memory".into(),
            n: 10,
            ops: 10,
            figure: Figure::BytesPerProcess(96.5),
            min: 96.25,
            max: 97.0,
            samples: 3,
            workers: 2,
            allocator: "system".into(),
            peak_bytes: Some(4096),
        };
        let line = measurement.to_json().to_string();
        assert_eq!(Measurement::from_json(&line), Ok(measurement));
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = Measurement::from_json(r#"{"system":"go","ns_per_op":1.0}"#);
        assert_eq!(error, Err(missing("workload")));
    }
}

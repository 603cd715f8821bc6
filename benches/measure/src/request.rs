//! What a measured program is asked to do, as its command line says it.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::Params;

/// One workload, its size and how often to repeat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Name of the workload.
    pub workload: String,
    /// Worker threads of the runtime.
    pub workers: usize,
    /// Size of the workload.
    pub params: Params,
    /// Repetitions that are not counted, first.
    pub warmups: usize,
    /// Repetitions that are counted.
    pub samples: usize,
}

impl Request {
    /// The request as the arguments of a measured program, without the program's name.
    pub fn to_args(&self) -> Vec<String> {
        let mut args = vec!["measure".to_owned(), self.workload.clone()];
        let mut option = |name: &str, value: String| args.extend([format!("--{name}"), value]);
        option("workers", self.workers.to_string());
        option("n", self.params.n.to_string());
        option("ops", self.params.ops.to_string());
        option("warmups", self.warmups.to_string());
        option("samples", self.samples.to_string());
        args
    }

    pub(crate) fn from_env() -> Result<Request, String> {
        Request::from_args(std::env::args_os().skip(1)).map_err(|error| error.to_string())
    }

    fn from_args(args: impl Iterator<Item = OsString>) -> Result<Request, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(args);
        let mut words = Vec::new();
        let mut request = Request {
            workload: String::new(),
            workers: 2,
            params: Params { n: 1, ops: 1 },
            warmups: 1,
            samples: 1,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Value(word) => words.push(word.string()?),
                Long("workers") => request.workers = parser.value()?.parse()?,
                Long("n") => request.params.n = parser.value()?.parse()?,
                Long("ops") => request.params.ops = parser.value()?.parse()?,
                Long("warmups") => request.warmups = parser.value()?.parse()?,
                Long("samples") => request.samples = parser.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        match <[String; 2]>::try_from(words) {
            Ok([command, workload]) if command == "measure" => Ok(Request { workload, ..request }),
            _ => Err("this program is called by `benches`, as `measure WORKLOAD ...`".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_the_round_trip() {
        let request = Request {
            workload: "ring".into(),
            workers: 3,
            params: Params { n: 5, ops: 7 },
            warmups: 0,
            samples: 9,
        };
        let args = request.to_args().into_iter().map(OsString::from);
        assert_eq!(Request::from_args(args).ok(), Some(request));
    }
}

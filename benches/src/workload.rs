//! The workloads by name: what each measures, its size and how often it repeats.

use measure::Params;

/// One workload as the command line knows it. The programs themselves are in `workloads`.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    /// What `--n` counts, and its default.
    pub(crate) n: (&'static str, usize),
    /// What `--ops` counts, and its default; `None` when `n` says it.
    pub(crate) ops: Option<(&'static str, u64)>,
    /// One operation, as in "58 ns per round trip".
    pub(crate) unit: &'static str,
    /// Repetitions before the counted ones.
    pub(crate) warmups: usize,
    /// Counted repetitions, unless `--samples` says otherwise.
    pub(crate) samples: usize,
}

impl Workload {
    /// The size to run: what was asked for, or the default.
    ///
    /// Never zero: every workload divides by its size.
    pub(crate) fn params(&self, n: Option<usize>, ops: Option<u64>) -> Params {
        let ops = ops.or(self.ops.map(|(_, ops)| ops)).unwrap_or(1);
        Params { n: n.unwrap_or(self.n.1).max(1), ops: ops.max(1) }
    }
}

/// Repeats often enough for a median.
const BASE: Workload = Workload {
    name: "",
    summary: "",
    n: ("processes", 1_000_000),
    ops: None,
    unit: "process",
    warmups: 1,
    samples: 3,
};

/// Every workload, in the order of the tables.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "ping_pong",
        summary: "one pair exchanges ping and pong",
        n: ("pairs", 1),
        ops: Some(("round trips", 2_000_000)),
        unit: "round trip",
        ..BASE
    },
    Workload {
        name: "pairs",
        summary: "many pairs exchange ping and pong at once",
        n: ("pairs", 1_000),
        ops: Some(("round trips", 4_000_000)),
        unit: "round trip",
        ..BASE
    },
    Workload {
        name: "ring",
        summary: "one token hops around a ring of processes",
        n: ("processes", 1_000),
        ops: Some(("hops", 5_000_000)),
        unit: "hop",
        ..BASE
    },
    Workload {
        name: "spawn_seq",
        summary: "spawn, one message back, exit; one process after the other",
        ..BASE
    },
    Workload {
        name: "spawn_storm",
        summary: "spawn all, each sends one message back and exits, then drain",
        ..BASE
    },
    Workload {
        name: "skynet",
        summary: "a tree of processes, ten children each, adds up its leaves",
        n: ("leaves, a power of ten", 1_000_000),
        ..BASE
    },
    Workload {
        name: "fan_in",
        summary: "many senders, one receiver",
        n: ("senders", 8),
        ops: Some(("messages", 8_000_000)),
        unit: "message",
        ..BASE
    },
    Workload {
        name: "big",
        summary: "every process pings every other one and answers every ping, in rounds",
        n: ("processes", 500),
        ops: Some(("messages", 1_996_000)),
        unit: "message",
        ..BASE
    },
    Workload {
        name: "call",
        summary: "request and reply between clients and one server",
        n: ("clients", 1),
        ops: Some(("calls", 200_000)),
        unit: "call",
        ..BASE
    },
    Workload {
        name: "backlog",
        summary: "the same call while other messages wait in the client's mailbox",
        n: ("messages queued", 100_000),
        ops: Some(("calls", 200_000)),
        unit: "call",
        ..BASE
    },
    Workload {
        name: "idle_memory",
        summary: "resident memory of processes that wait in receive",
        warmups: 0,
        samples: 1,
        ..BASE
    },
    Workload {
        name: "mass_exit",
        summary: "processes linked to one end with it; every end is seen by a monitor",
        n: ("processes", 100_000),
        ..BASE
    },
    Workload {
        name: "spawn_monitor",
        summary: "spawn with a monitor, exit at once, wait for the down message",
        n: ("processes", 500_000),
        ..BASE
    },
    Workload {
        name: "sleepers",
        summary: "processes sleep for 1 s at the same time; that second does not count",
        samples: 1,
        ..BASE
    },
];

/// The workload of this name.
pub(crate) fn find(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, workload) in WORKLOADS.iter().enumerate() {
            assert!(WORKLOADS[..index].iter().all(|other| other.name != workload.name));
        }
    }

    #[test]
    fn a_size_of_zero_becomes_one() {
        let params = WORKLOADS[0].params(Some(0), Some(0));
        assert_eq!(params, Params { n: 1, ops: 1 });
    }
}

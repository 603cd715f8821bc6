//! The goals of the project, as ratios that hold on any machine.
//!
//! All are for the complete system with all its semantics, measured in one run beside the peers
//! on two workers. Bytes do not depend on the machine either.

use crate::system::{BEAMISH, OWN, System};

/// What is demanded of one workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    pub(crate) workload: &'static str,
    pub(crate) claim: Claim,
}

/// How beamish's figure on a workload compares with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Claim {
    /// The peer's figure is at least so many times ours.
    Beats { peer: &'static str, at_least: f64 },
    /// Our figure itself is at most this.
    AtMost(f64),
    /// Our figure is at most so many times our figure on another workload.
    Near { workload: &'static str, at_most: f64 },
    /// With all workers the speed is at least so many times the speed of one worker.
    Scales { at_least: f64 },
    /// So many processes never need more than so many resident bytes.
    Fits { n: usize, bytes: u64 },
}

const GIB: u64 = 1 << 30;

/// Every goal, in the order of the table.
pub(crate) const GOALS: &[Goal] = &[
    beats_tokio("ping_pong", 3.0),
    beats_tokio("ring", 3.0),
    beats_tokio("spawn_seq", 3.0),
    beats_tokio("pairs", 2.0),
    beats_tokio("skynet", 2.0),
    beats_tokio("spawn_monitor", 2.0),
    // No workload is slower.
    beats_tokio("spawn_storm", 1.0),
    beats_tokio("fan_in", 1.0),
    beats_tokio("big", 1.0),
    beats_tokio("call", 1.0),
    beats_tokio("mass_exit", 1.0),
    beats_tokio("sleepers", 1.0),
    // Idle processes are small: 256 bytes, a third of a tokio task with its channel.
    Goal { workload: "idle_memory", claim: Claim::AtMost(256.0) },
    beats_tokio("idle_memory", 3.0),
    Goal { workload: "idle_memory", claim: Claim::Fits { n: 10_000_000, bytes: 4 * GIB } },
    // A reply is found at once, however many other messages wait.
    Goal { workload: "backlog", claim: Claim::Near { workload: "call", at_most: 1.2 } },
    // A second worker does not tear apart what belongs together.
    scales("ping_pong"),
    scales("ring"),
    scales("pairs"),
    scales("spawn_seq"),
    scales("big"),
];

const fn beats_tokio(workload: &'static str, at_least: f64) -> Goal {
    Goal { workload, claim: Claim::Beats { peer: "tokio", at_least } }
}

const fn scales(workload: &'static str) -> Goal {
    Goal { workload, claim: Claim::Scales { at_least: 0.8 } }
}

/// A measurement that a goal needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) system: &'static str,
    pub(crate) workload: &'static str,
    /// One worker instead of all.
    pub(crate) alone: bool,
    /// A size of its own.
    pub(crate) n: Option<usize>,
}

impl Need {
    pub(crate) fn of(system: &System, workload: &'static str) -> Need {
        Need { system: system.name, workload, alone: false, n: None }
    }
}

impl Goal {
    /// Our measurement.
    pub(crate) fn ours(&self) -> Need {
        let n = match self.claim {
            Claim::Fits { n, .. } => Some(n),
            _ => None,
        };
        Need { n, ..Need::of(OWN, self.workload) }
    }

    /// The measurement that ours is set against, where there is one.
    pub(crate) fn other(&self) -> Option<Need> {
        match self.claim {
            Claim::Beats { peer, .. } => Some(Need { system: peer, ..self.ours() }),
            Claim::Near { workload, .. } => Some(Need { workload, ..self.ours() }),
            Claim::Scales { .. } => Some(Need { alone: true, ..self.ours() }),
            Claim::AtMost(_) | Claim::Fits { .. } => None,
        }
    }
}

impl Claim {
    /// The number that the claim is about, from our figure and the other one.
    pub(crate) fn value(&self, ours: f64, other: f64) -> f64 {
        match self {
            Claim::Beats { .. } | Claim::Scales { .. } => other / ours,
            Claim::Near { .. } => ours / other,
            Claim::AtMost(_) | Claim::Fits { .. } => ours,
        }
    }

    /// Whether the claim holds for that number.
    pub(crate) fn holds(&self, value: f64) -> bool {
        match *self {
            Claim::Beats { at_least, .. } | Claim::Scales { at_least } => value >= at_least,
            Claim::AtMost(at_most) | Claim::Near { at_most, .. } => value <= at_most,
            Claim::Fits { bytes, .. } => value <= bytes as f64,
        }
    }

    /// What ours is set against.
    pub(crate) fn against(&self) -> String {
        match self {
            Claim::Beats { peer, .. } => (*peer).to_owned(),
            Claim::Near { workload, .. } => format!("{BEAMISH}'s {workload}"),
            Claim::Scales { .. } => "one worker".to_owned(),
            Claim::AtMost(_) => "bytes".to_owned(),
            Claim::Fits { n, .. } => format!("bytes of {}", crate::report::grouped(*n as u64)),
        }
    }

    /// The bound in a few characters.
    pub(crate) fn bound(&self) -> String {
        match self {
            Claim::Beats { at_least, .. } | Claim::Scales { at_least } => {
                format!(">= {at_least:.2}")
            }
            Claim::Near { at_most, .. } => format!("<= {at_most:.2}"),
            Claim::AtMost(at_most) => format!("<= {at_most:.0}"),
            Claim::Fits { bytes, .. } => format!("<= {} GiB", bytes / GIB),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{system, workload};

    #[test]
    fn every_goal_names_what_exists() {
        for goal in GOALS {
            for need in [Some(goal.ours()), goal.other()].into_iter().flatten() {
                let system = system::find(need.system).expect("a system");
                assert!(system.has(workload::find(need.workload).expect("a workload").name));
            }
        }
    }

    #[test]
    fn every_workload_has_a_goal() {
        for workload in workload::WORKLOADS {
            assert!(GOALS.iter().any(|goal| goal.workload == workload.name), "{}", workload.name);
        }
    }

    #[test]
    fn faster_is_a_ratio_above_one() {
        let claim = Claim::Beats { peer: "tokio", at_least: 3.0 };
        assert!(claim.holds(claim.value(100.0, 300.0)));
        assert!(!claim.holds(claim.value(100.0, 299.0)));
        let claim = Claim::Scales { at_least: 0.8 };
        assert!(claim.holds(claim.value(125.0, 100.0)));
        assert!(!claim.holds(claim.value(126.0, 100.0)));
    }
}

//! Cases of the reference suites of Erlang and Elixir, in our own words. `tests/CONFORMANCE.md`
//! says which test stands for which case, and why some cases have none; `ci/conformance` checks it.

mod after;
mod aliases;
mod erl_link;
mod hibernate;
mod monitor;
mod monitor_lists;
mod names;
mod priority;
mod process_exit;
mod process_info;
mod process_misc;
mod process_spawn;
mod process_test;
mod receive;
mod scheduler;
mod signal;
mod support;
mod timer_bif;
mod two_runtimes;

//! What the exit reason of a crash says: the message, the place, the causes. (S-PROC-4)

use std::{
    error::Error,
    fmt, io,
    panic::{catch_unwind, panic_any, resume_unwind},
};

use beamish::prelude::*;

use crate::scene::*;

fn location(reason: &ExitReason) -> Option<&str> {
    match reason {
        ExitReason::Panic(report) => report.location(),
        other => panic!("not a panic: {other:?}"),
    }
}

/// S-PROC-4: the reason of a panic is its message and place.
#[test]
fn a_panic_tells_message_and_place() {
    survive(|| async {
        let line = line!() + 1;
        let reason = ends(async { panic!("text with {}", 7) }).await;
        assert_eq!(panic_text(&reason), "text with 7");
        let place = location(&reason).unwrap();
        assert!(place.contains(&format!("reasons.rs:{line}:")), "{place}");
        assert!(reason.to_string().starts_with("panic: text with 7 ("), "{reason}");
    });
}

#[test]
fn panics_of_the_language_tell_their_place_too() {
    survive(|| async {
        let empty: Vec<u8> = Vec::new();
        let reason = ends(async move {
            let _byte = empty[one() - 1];
        })
        .await;
        assert_eq!(panic_text(&reason), "index out of bounds: the len is 0 but the index is 0");
        assert!(location(&reason).unwrap().contains("reasons.rs"));
        let reason = ends(async {
            let _byte = "x".parse::<u8>().unwrap();
        })
        .await;
        assert!(location(&reason).unwrap().contains("reasons.rs"));
    });
}

fn one() -> usize {
    std::hint::black_box(1)
}

#[test]
fn a_payload_that_is_no_text_is_said_to_be_none() {
    survive(|| async {
        let reason = ends(async { panic_any(7_u8) }).await;
        assert_eq!(panic_text(&reason), "a value that is not text");
        assert!(location(&reason).is_some());
    });
}

#[test]
fn a_resumed_panic_is_the_one_that_was_caught() {
    survive(|| async {
        let reason = ends(async {
            let first = catch_unwind(|| panic!("first")).unwrap_err();
            drop(catch_unwind(|| panic!("second")));
            resume_unwind(first)
        });
        assert_eq!(panic_text(&reason.await), "first");
    });
}

#[test]
fn a_caught_panic_does_not_lend_its_words_to_a_later_one() {
    survive(|| async {
        // Another process, on the same worker, caught the panic.
        drop(ends(async { drop(catch_unwind(|| panic!("of another"))) }).await);
        drop(catch_unwind(|| panic!("caught")));
        let reason = ends(async { resume_unwind(Box::new("resumed")) }).await;
        assert_eq!(panic_text(&reason), "resumed");
        assert_eq!(location(&reason), None, "it is not known");
    });
}

#[test]
fn a_caught_panic_does_not_change_an_exit() {
    survive(|| async {
        let reason = ends(async {
            drop(catch_unwind(|| panic!("caught")));
            exit("reason")
        });
        assert_eq!(reason.await, ExitReason::custom("reason"));
    });
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// S-PROC-4: an `Err` of the body is the reason, and can be read back.
#[test]
fn an_error_tells_its_causes_and_can_be_read_back() {
    let reports = survive(|| async {
        let reason = ends(async { Err::<(), _>(Outer(io::Error::other("the inner"))) }).await;
        assert_eq!(reason.to_string(), "the outer: the inner");
        let ExitReason::Error(report) = reason else { panic!("not an error") };
        let outer = report.error().downcast_ref::<Outer>().unwrap();
        assert_eq!(outer.0.kind(), io::ErrorKind::Other);
    });
    assert_eq!(reports, ["the outer: the inner"]);
}

/// An error that can not be printed.
struct Rude;

impl fmt::Display for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no display");
    }
}

impl fmt::Debug for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no debug");
    }
}

impl Error for Rude {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("no source");
    }
}

#[test]
fn an_error_that_can_not_be_printed_is_an_exit_reason_all_the_same() {
    // Not quiet: the report itself must survive it.
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let body = async {
        let ExitReason::Error(report) = ends(async { Err::<(), _>(Rude) }).await else {
            panic!("not an error");
        };
        assert!(report.error().is::<Rude>());
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

#[test]
fn a_conversion_into_a_reason_that_panics_is_a_panic() {
    struct Odd;
    impl From<Odd> for ExitReason {
        fn from(_: Odd) -> Self {
            panic!("odd");
        }
    }
    survive(|| async {
        assert_eq!(panic_text(&ends(async { Err::<(), _>(Odd) }).await), "odd");
    });
}

/// S-PROC-4: a reason that is returned or given to `exit` is told as it was.
#[test]
fn reasons_of_the_application_come_back_as_they_were() {
    #[derive(Debug, PartialEq)]
    enum Why {
        OutOf(u32),
    }
    survive(|| async {
        let reason = ends(async { exit(ExitReason::custom(Why::OutOf(3))) }).await;
        assert_eq!(reason.downcast_ref::<Why>(), Some(&Why::OutOf(3)));
        let reason = ends(async { ExitReason::shutdown_with(Why::OutOf(4)) }).await;
        assert!(reason.is_shutdown());
        assert_eq!(reason.downcast_ref::<Why>(), Some(&Why::OutOf(4)));
    });
}

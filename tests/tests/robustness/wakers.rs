//! Wakers of users that panic, and hooks that do. (S-PROC-5)

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker},
};

use beamish::{ProcessStatus, Runtime, prelude::*};

use crate::scene::*;

/// A waker whose wake panics.
struct Rude;

impl Wake for Rude {
    fn wake(self: Arc<Self>) {
        // A second panic would abort the program.
        assert!(std::thread::panicking(), "rude waker");
    }
}

/// Polls a future once, with a waker of one's own, and leaves it at that.
async fn poll_with<F: Future>(future: F, waker: Waker) {
    let mut future = pin!(future);
    poll_fn(|_| {
        let _ = future.as_mut().poll(&mut Context::from_waker(&waker));
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_waker_that_panics_harms_nobody_who_answers_a_question() {
    survive(|| async {
        let target = start(async {
            receive::<u8>().await;
        });
        until_waiting(target.pid).await;
        let mut question = Box::pin(process_info(target.pid));
        poll_with(question.as_mut(), Waker::from(Arc::new(Rude))).await;
        settle(target.pid).await;
        assert_eq!(question.await.unwrap().status, ProcessStatus::Waiting);
        send(target.pid, 1_u8);
        assert_eq!(end_of(target).await, ExitReason::Normal);
    });
}

#[test]
fn a_waker_that_panics_harms_nobody_who_ends_before_the_answer() {
    survive(|| async {
        let target = start(forever());
        let mut question = Box::pin(process_info(target.pid));
        poll_with(question.as_mut(), Waker::from(Arc::new(Rude))).await;
        exit_process(target.pid, "end");
        let mut second = Box::pin(process_info(target.pid));
        poll_with(second.as_mut(), Waker::from(Arc::new(Rude))).await;
        assert_eq!(end_of(target).await, ExitReason::custom("end"));
        assert!(second.await.is_none());
        drop(question.await);
    });
}

#[test]
fn a_waker_that_panics_harms_nobody_who_is_suspended() {
    survive(|| async {
        let target = start(forever());
        until_waiting(target.pid).await;
        let mut order = Box::pin(suspend_process(target.pid));
        poll_with(order.as_mut(), Waker::from(Arc::new(Rude))).await;
        settle(target.pid).await;
        order.await.unwrap();
        resume_process(target.pid);
        exit_process(target.pid, "end");
        assert_eq!(end_of(target).await, ExitReason::custom("end"));
    });
}

async fn until_waiting(pid: Pid) {
    while process_info(pid).await.unwrap().status != ProcessStatus::Waiting {
        yield_now().await;
    }
}

/// A waker whose clone panics.
fn uncloneable() -> Waker {
    static TABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("rude clone"), |_| (), |_| (), |_| ());
    // SAFETY: the functions use no data, and may be called from any thread.
    #[allow(unsafe_code, reason = "only a raw waker can panic when it is cloned")]
    unsafe {
        Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE))
    }
}

#[test]
fn a_waker_whose_clone_panics_harms_only_the_process_that_polls_with_it() {
    survive(|| async {
        let target = start(async {
            receive::<u8>().await;
        });
        let pid = target.pid;
        let reason = ends(async move { poll_with(process_info(pid), uncloneable()).await }).await;
        assert_eq!(panic_text(&reason), "rude clone");
        send(pid, 1_u8);
        assert_eq!(end_of(target).await, ExitReason::Normal);
    });
}

#[test]
fn receives_and_sleeps_need_no_waker() {
    survive(|| async {
        let mut receiving = pin!(receive::<u8>());
        poll_with(receiving.as_mut(), uncloneable()).await;
        let mut sleeping = pin!(sleep(Duration::from_millis(1)));
        poll_with(sleeping.as_mut(), uncloneable()).await;
        send(me(), 3_u8);
        assert_eq!(receiving.await, 3);
        sleeping.await;
    });
}

/// S-PROC-10: the hook hears of abnormal ends in a quiet runtime too.
#[test]
fn a_crash_hook_that_panics_harms_nobody() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let hook = move |_: &beamish::CrashReport| {
        seen.fetch_add(1, Ordering::Relaxed);
        std::panic::panic_any(Bomb("hook"));
    };
    let runtime = Runtime::builder().workers(2).quiet().on_crash(hook).build().unwrap();
    let body = async {
        assert_eq!(panic_text(&ends(async { panic!("first") }).await), "first");
        assert_eq!(ends(async { exit("second") }).await, ExitReason::custom("second"));
        let held = ends(async {
            let _held = Bomb("held");
            exit("third")
        });
        assert_eq!(held.await, ExitReason::custom("third"));
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
    assert!(calls.load(Ordering::Relaxed) >= 3);
}

#[test]
fn a_crash_hook_may_use_the_process_and_even_exit() {
    let hook = |report: &beamish::CrashReport| {
        assert_eq!(me(), report.pid);
        send(report.pid, Bomb("from the hook"));
        exit(ExitReason::Normal);
    };
    let runtime = Runtime::builder().workers(2).quiet().on_crash(hook).build().unwrap();
    let body = async { assert_eq!(ends(async { exit("why") }).await, ExitReason::custom("why")) };
    runtime.block_on(body).unwrap();
    finish(runtime, 2);
}

/// S-PROC-5: a panic stays inside its process, even in its first poll.
#[test]
fn a_first_poll_that_panics_is_an_end_like_any_other() {
    struct Never;
    impl Future for Never {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            panic!("first poll");
        }
    }
    survive(|| async {
        assert_eq!(panic_text(&ends(Never).await), "first poll");
    });
}

#[test]
fn a_waker_that_panics_harms_nobody_who_ends_when_he_is_to_be_suspended() {
    survive(|| async {
        let target = start(forever());
        until_waiting(target.pid).await;
        let mut question = Box::pin(suspend_process(target.pid));
        poll_with(question.as_mut(), Waker::from(Arc::new(Rude))).await;
        exit_process(target.pid, ExitReason::Kill);
        assert_eq!(end_of(target).await, ExitReason::Killed);
    });
}

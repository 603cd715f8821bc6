//! Stopping a task.

use beamish::prelude::*;

use super::*;

/// A task that traps exits, and what it does when it is asked to stop.
async fn stubborn(answer: impl Fn(Exit) -> ExitReason + Send + 'static) -> Task<u32> {
    let owner = me();
    let task = Task::spawn(async move {
        trap_exit(true);
        send(owner, "ready");
        loop {
            let exit_signal = receive::<Exit>().await;
            match answer(exit_signal) {
                ExitReason::NoProc => {}
                reason => exit(reason),
            }
        }
    });
    receive::<&str>().timeout(LIMIT).await.unwrap();
    task
}

#[beamish::test]
async fn a_task_that_obeys_leaves_nothing() {
    assert_eq!(waiting::<u32>().shutdown(Shutdown::default()).await, None);
    assert_eq!(waiting::<u32>().shutdown(Shutdown::Infinity).await, None);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_task_that_is_killed_at_once_leaves_nothing() {
    let task = stubborn(|_| ExitReason::NoProc).await;
    assert_eq!(task.shutdown(Shutdown::Brutal).await, None);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_reply_is_kept_whatever_the_end() {
    for how in [Shutdown::default(), Shutdown::Infinity, Shutdown::Brutal] {
        let task = Task::spawn(async { 7_u32 });
        gone(&task).await;
        assert_eq!(task.shutdown(how).await, Some(Ok(7)));
    }
    mailbox_is_empty().await;
}

#[beamish::test]
async fn another_reason_is_told() {
    let task = stubborn(|_| ExitReason::custom("mine")).await;
    let outcome = task.shutdown(Shutdown::default()).await;
    assert_eq!(outcome, Some(Err(ExitReason::custom("mine"))));
    let task = stubborn(|_| ExitReason::Normal).await;
    assert_eq!(task.shutdown(Shutdown::default()).await, Some(Err(ExitReason::Normal)));
}

#[beamish::test]
async fn a_task_that_was_down_already_tells_why() {
    trap_exit(true);
    for how in [Shutdown::default(), Shutdown::Brutal] {
        let task = failing::<u32>(ExitReason::custom("before"));
        gone(&task).await;
        assert_eq!(task.shutdown(how).await, Some(Err(ExitReason::custom("before"))));
    }
}

#[beamish::test]
async fn a_task_that_does_not_obey_is_killed_when_the_time_is_up() {
    let task = stubborn(|_| ExitReason::NoProc).await;
    let outcome = task.shutdown(Duration::from_millis(1)).await;
    assert_eq!(outcome, Some(Err(ExitReason::Killed)));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_task_that_was_taken_is_gone() {
    for how in [Shutdown::default(), Shutdown::Brutal] {
        let mut task = Task::spawn(async { 1_u32 });
        assert_eq!(task.yield_for(LIMIT).await, Some(Ok(1)));
        assert_eq!(task.shutdown(how).await, Some(Err(ExitReason::NoProc)));
    }
}

#[beamish::test]
async fn a_completed_task_may_be_stopped() {
    assert_eq!(Task::completed(1_u32).shutdown(Shutdown::default()).await, Some(Ok(1)));
}

#[beamish::test]
async fn only_the_owner_may_stop_a_task() {
    let task = Task::completed(1_u32);
    let (_, watch) = spawn_monitor(async move { drop(task.shutdown(Shutdown::Brutal).await) });
    let down = receive::<Down>().filter(move |down| down.monitor == watch);
    assert!(down.timeout(LIMIT).await.unwrap().reason.is_panic());
}

/// A receive of the owner took the news: there is nobody to wait for.
#[beamish::test]
async fn a_task_whose_end_was_taken_elsewhere_is_gone() {
    trap_exit(true);
    for how in [Shutdown::default(), Shutdown::Infinity, Shutdown::Brutal] {
        let task = failing::<u32>(ExitReason::custom("before"));
        receive::<Down>().timeout(LIMIT).await.unwrap();
        assert_eq!(task.shutdown(how).await, Some(Err(ExitReason::NoProc)));
    }
}

/// Whoever has stopped a task can take its name.
#[beamish::test]
async fn a_task_that_replied_has_ended_when_it_is_stopped() {
    for _ in 0..50 {
        let task = Task::spawn(async {
            register("only_one", me()).unwrap();
            1_u32
        });
        assert!(matches!(task.shutdown(Shutdown::Infinity).await, Some(Ok(1)) | None));
        assert_eq!(whereis("only_one"), None);
    }
}

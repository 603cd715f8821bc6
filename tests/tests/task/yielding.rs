//! Asking one task whether it is done.

use beamish::prelude::*;

use super::*;

#[beamish::test]
async fn the_reply_comes_before_the_end() {
    let mut task = Task::spawn(async { 7_u32 });
    gone(&task).await;
    assert_eq!(task.yield_for(Duration::ZERO).await, Some(Ok(7)));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_task_that_is_not_done_may_be_asked_again() {
    let mut task = Task::spawn(async { receive::<u32>().await });
    assert_eq!(task.yield_for(Duration::ZERO).await, None);
    assert_eq!(task.yield_for(Duration::from_millis(1)).await, None);
    send(task.pid().unwrap(), 9_u32);
    assert_eq!(task.yield_for(LIMIT).await, Some(Ok(9)));
}

#[beamish::test]
async fn a_task_that_ended_tells_why() {
    let mut task = failing::<u32>(ExitReason::Normal);
    assert_eq!(task.yield_for(LIMIT).await, Some(Err(ExitReason::Normal)));
}

#[beamish::test]
async fn a_reply_that_has_arrived_is_returned_by_ignore() {
    let task = Task::spawn(async { 7_u32 });
    gone(&task).await;
    assert_eq!(task.ignore().await, Some(Ok(7)));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_reply_that_comes_later_is_dropped() {
    let task = Task::spawn(async { receive::<u32>().await });
    let pid = task.pid().unwrap();
    assert_eq!(task.ignore().await, None);
    let watch = monitor(pid);
    send(pid, 1_u32);
    assert_eq!(receive::<Down>().timeout(LIMIT).await.unwrap().monitor, watch);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_failure_that_has_arrived_is_returned_by_ignore() {
    trap_exit(true);
    let task = failing::<u32>(ExitReason::custom("early"));
    gone(&task).await;
    assert_eq!(task.ignore().await, Some(Err(ExitReason::custom("early"))));
}

#[beamish::test]
async fn a_later_failure_does_not_reach_who_ignores() {
    let task = Task::<u32>::spawn(async {
        receive::<()>().await;
        exit("late")
    });
    let pid = task.pid().unwrap();
    assert_eq!(task.ignore().await, None);
    let watch = monitor(pid);
    send(pid, ());
    let down = receive::<Down>().timeout(LIMIT).await.unwrap();
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::custom("late")));
}

#[beamish::test]
async fn a_completed_task_may_be_ignored() {
    assert_eq!(Task::completed(5_u32).ignore().await, Some(Ok(5)));
    mailbox_is_empty().await;
}

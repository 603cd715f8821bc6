//! Awaiting one task.

use beamish::prelude::*;

use super::*;

#[beamish::test]
async fn a_task_that_is_late_is_an_error_and_never_shows_up() {
    let task = Task::spawn(async {
        receive::<()>().await;
        1_u32
    });
    let pid = task.pid().unwrap();
    let error = task.timeout(Duration::ZERO).await.unwrap_err();
    assert!(error.is_timeout() && error == TaskError::Timeout(Duration::ZERO));
    let watch = monitor(pid);
    send(pid, ());
    let down = receive::<Down>().timeout(LIMIT).await.unwrap();
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::Normal));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_task_that_ends_normally_without_a_value_is_an_error() {
    let error = failing::<u32>(ExitReason::Normal).await.unwrap_err();
    assert_eq!(error.exit_reason(), Some(&ExitReason::Normal));
}

#[beamish::test]
async fn a_task_that_panics_is_an_error_for_who_traps_exits() {
    trap_exit(true);
    let task = Task::<u32>::spawn(async { panic!("oops") });
    let pid = task.pid().unwrap();
    let error = task.await.unwrap_err();
    assert!(error.exit_reason().unwrap().is_panic());
    assert_eq!(receive::<Exit>().timeout(LIMIT).await.unwrap().from, pid);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_task_that_exits_with_a_reason_tells_it() {
    trap_exit(true);
    let error = failing::<u32>(ExitReason::custom("unknown")).await.unwrap_err();
    assert_eq!(error, TaskError::Exit(ExitReason::custom("unknown")));
}

#[beamish::test]
async fn a_crash_takes_the_owner_along() {
    let (owner, watch) = spawn_monitor(async {
        let _ = failing::<u32>(ExitReason::custom("together")).await;
        unreachable!("the link is faster, or as fast");
    });
    let down = receive::<Down>().timeout(LIMIT).await.unwrap();
    assert_eq!((down.pid, down.monitor), (Some(owner), watch));
    assert_eq!(down.reason, ExitReason::custom("together"));
}

#[beamish::test]
async fn only_the_owner_may_await() {
    let task = Task::completed(1_u32);
    let (_, watch) = spawn_monitor(async move { drop(task.await) });
    let down = receive::<Down>().filter(move |down| down.monitor == watch);
    let reason = down.timeout(LIMIT).await.unwrap().reason;
    assert!(reason.to_string().contains("only its owner"), "{reason}");
}

#[beamish::test]
async fn a_task_is_awaited_once() {
    let mut task = Task::completed(1_u32);
    assert_eq!(task.yield_for(LIMIT).await, Some(Ok(1)));
    assert_eq!(task.yield_for(LIMIT).await, None);
    assert_eq!(task.await, Err(TaskError::Taken));
}

#[beamish::test]
async fn the_error_ends_who_passes_it_on() {
    let (_, watch) = spawn_monitor(async {
        trap_exit(true);
        failing::<u32>(ExitReason::custom("inside")).await?;
        Ok::<(), ExitReason>(())
    });
    let down = receive::<Down>().filter(move |down| down.monitor == watch);
    let reason = down.timeout(LIMIT).await.unwrap().reason;
    assert!(reason.to_string().contains("inside"), "{reason}");
}

#[beamish::test]
async fn other_messages_keep_their_places() {
    send(me(), 1_u8);
    let task = Task::spawn(async { "value" });
    send(me(), 2_u8);
    assert_eq!(task.await, Ok("value"));
    assert_eq!([receive::<u8>().await, receive::<u8>().await], [1, 2]);
}

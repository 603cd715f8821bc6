//! Several tasks at once.

use beamish::prelude::*;

use super::*;

/// A task that replies with the number that it is sent.
fn echo() -> Task<u32> {
    Task::spawn(async { receive::<u32>().await })
}

fn tell(task: &Task<u32>, number: u32) {
    send(task.pid().unwrap(), number);
}

#[beamish::test]
async fn values_come_in_the_order_of_the_tasks() {
    let tasks = [echo(), echo(), echo()];
    for (task, number) in tasks.iter().zip(0..3).rev() {
        tell(task, number);
        gone(task).await;
    }
    assert_eq!(await_many(tasks, LIMIT).await, Ok(vec![0, 1, 2]));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn no_tasks_have_no_values() {
    assert_eq!(await_many(Vec::<Task<u32>>::new(), Duration::ZERO).await, Ok(vec![]));
    assert_eq!(yield_many::<u32>(&mut [], YieldOptions::new()).await, vec![]);
}

#[beamish::test]
async fn foreign_messages_stay() {
    send(me(), "before");
    let tasks = [Task::completed(1_u32), Task::completed(2)];
    send(me(), "after");
    assert_eq!(await_many(tasks, LIMIT).await, Ok(vec![1, 2]));
    assert_eq!([receive::<&str>().await, receive::<&str>().await], ["before", "after"]);
}

#[beamish::test]
async fn all_have_one_time_limit() {
    let tasks = [Task::completed(1_u32), waiting()];
    let limit = Duration::from_millis(1);
    assert_eq!(await_many(tasks, limit).await, Err(TaskError::Timeout(limit)));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn the_first_exit_ends_the_wait() {
    trap_exit(true);
    let tasks = [waiting::<u32>(), failing(ExitReason::custom("first"))];
    let error = await_many(tasks, None).await.unwrap_err();
    assert_eq!(error, TaskError::Exit(ExitReason::custom("first")));
}

#[beamish::test]
async fn a_task_without_an_outcome_yields_nothing_and_may_be_asked_again() {
    let mut tasks = [Task::completed(1_u32), echo()];
    let short = YieldOptions::new().timeout(Duration::from_millis(1));
    assert_eq!(yield_many(&mut tasks, short).await, [Some(Ok(1)), None]);
    tell(&tasks[1], 2);
    assert_eq!(yield_many(&mut tasks, YieldOptions::new()).await, [None, Some(Ok(2))]);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn late_tasks_are_killed_on_request() {
    let mut tasks = [Task::completed(1_u32), waiting()];
    let watch = monitor(tasks[1].pid().unwrap());
    let options = YieldOptions::new().timeout(Duration::from_millis(1)).on_timeout(OnTimeout::Kill);
    assert_eq!(yield_many(&mut tasks, options).await, [Some(Ok(1)), None]);
    let down = receive::<Down>().timeout(LIMIT).await.unwrap();
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::Killed));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn late_tasks_are_left_alone_on_request() {
    let mut tasks = [Task::completed(1_u32), echo()];
    let pid = tasks[1].pid().unwrap();
    let options =
        YieldOptions::new().timeout(Duration::from_millis(1)).on_timeout(OnTimeout::Ignore);
    assert_eq!(yield_many(&mut tasks, options).await, [Some(Ok(1)), None]);
    assert_eq!(process_info(pid).await.unwrap().links, vec![]);
    let watch = monitor(pid);
    send(pid, 1_u32);
    assert_eq!(receive::<Down>().timeout(LIMIT).await.unwrap().monitor, watch);
    mailbox_is_empty().await;
}

#[beamish::test]
async fn an_end_is_an_outcome() {
    let mut tasks = [failing::<u32>(ExitReason::Normal), Task::completed(1)];
    let outcomes = yield_many(&mut tasks, YieldOptions::new()).await;
    assert_eq!(outcomes, [Some(Err(ExitReason::Normal)), Some(Ok(1))]);
}

#[beamish::test]
async fn so_many_outcomes_are_enough() {
    let mut tasks = [waiting::<u32>(), Task::completed(1), Task::completed(2)];
    let options = YieldOptions::new().limit(1).timeout(None);
    assert_eq!(yield_many(&mut tasks, options).await, [None, Some(Ok(1)), None]);
    let options = YieldOptions::new().limit(1).timeout(None).on_timeout(OnTimeout::Kill);
    assert_eq!(yield_many(&mut tasks, options).await, [None, None, Some(Ok(2))]);
}

#[beamish::test]
async fn only_the_owner_may_ask_many() {
    let tasks = vec![Task::completed(1_u32)];
    let (_, watch) = spawn_monitor(async move { drop(await_many(tasks, LIMIT).await) });
    let down = receive::<Down>().filter(move |down| down.monitor == watch);
    assert!(down.timeout(LIMIT).await.unwrap().reason.is_panic());
}

/// The replies of many tasks do not depend on how long the mailbox is.
#[beamish::test]
async fn a_thousand_tasks_reply_in_order_beside_a_full_mailbox() {
    (0..10_000_u16).for_each(|number| send(me(), number));
    let tasks: Vec<_> = (0..1_000_u32).map(|number| Task::spawn(async move { number })).collect();
    assert_eq!(await_many(tasks, LIMIT).await, Ok(Vec::from_iter(0..1_000)));
    assert_eq!(receive::<u16>().await, 0);
}

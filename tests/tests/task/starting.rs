//! What a task is when it starts.

use beamish::prelude::*;

use super::*;

#[beamish::test]
async fn a_task_is_linked_and_monitored_and_knows_its_owner() {
    let task = Task::spawn(async { receive::<u32>().await });
    let pid = task.pid().unwrap();
    assert_eq!(task.owner(), me());
    let info = process_info(pid).await.unwrap();
    assert_eq!((info.links, info.monitored_by, info.parent), (vec![me()], vec![me()], Some(me())));
    send(pid, 3_u32);
    assert_eq!(task.await, Ok(3));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn a_completed_task_has_no_process_and_replies_at_once() {
    let task = Task::completed("done");
    assert_eq!(task.pid(), None);
    assert_eq!(task.await, Ok("done"));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn the_end_of_the_owner_ends_the_task() {
    let owner = spawn(async {
        let task = waiting::<u32>();
        send(receive::<Pid>().await, task.pid().unwrap());
        receive::<()>().await;
        exit("over");
    });
    send(owner, me());
    let task = receive::<Pid>().timeout(LIMIT).await.unwrap();
    let watch = monitor(task);
    send(owner, ());
    let down = receive::<Down>().filter(move |down| down.monitor == watch).timeout(LIMIT).await;
    assert_eq!(down.unwrap().reason, ExitReason::custom("over"));
}

#[beamish::test]
async fn at_the_process_limit_a_task_is_an_error() {
    let runtime = Runtime::builder().workers(1).process_limit(1).quiet().build().unwrap();
    let refused = std::thread::spawn(move || {
        runtime.block_on(async { Task::try_spawn(async {}).map(drop).unwrap_err() })
    });
    assert_eq!(refused.join().unwrap(), Ok(SpawnError::ProcessLimit));
}

#[beamish::test]
async fn a_task_that_is_dropped_goes_on_and_replies_to_nobody() {
    let task = Task::spawn(async {
        receive::<()>().await;
        1_u32
    });
    let pid = task.pid().unwrap();
    drop(task);
    let watch = monitor(pid);
    send(pid, ());
    let down = receive::<Down>().timeout(LIMIT).await.unwrap();
    assert_eq!((down.monitor, down.reason), (watch, ExitReason::Normal));
    mailbox_is_empty().await;
}

#[beamish::test]
async fn the_reply_of_a_task_that_is_dropped_leaves_the_mailbox() {
    let task = Task::completed(1_u32);
    drop(task);
    mailbox_is_empty().await;
}

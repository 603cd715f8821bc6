//! A task for each item.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use beamish::prelude::*;

use super::*;

/// All results.
async fn all<I, F, Fut>(mut stream: AsyncStream<I, F, Fut::Output>) -> Vec<Outcomes<Fut::Output>>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    let mut results = Vec::new();
    while let Some(result) = stream.next().await {
        results.push(result);
    }
    results
}

type Outcomes<T> = Result<T, TaskError>;

/// Nothing is linked to this process, and nothing waits for it.
async fn nothing_is_left() {
    mailbox_is_empty().await;
    assert_eq!(process_info(me()).await.unwrap().links, vec![]);
}

#[beamish::test]
async fn results_come_in_the_order_of_the_items_below_at_and_above_their_number() {
    for tasks in [1, 4, 5, 6, 100] {
        // The first item is the slowest.
        let work = |n: u64| async move {
            sleep(Duration::from_millis(5 - n)).await;
            n * n
        };
        let stream = async_stream(0..5, work).max_concurrency(tasks);
        assert_eq!(all(stream).await, [0, 1, 4, 9, 16].map(Ok));
        nothing_is_left().await;
    }
}

#[beamish::test]
async fn unordered_results_come_as_they_are_done() {
    let work = |n: u64| async move {
        sleep(Duration::from_millis(n * 50)).await;
        n
    };
    let stream = async_stream([2, 0, 1], work).max_concurrency(3).ordered(false);
    assert_eq!(all(stream).await, [0, 1, 2].map(Ok));
    nothing_is_left().await;
}

#[beamish::test]
async fn no_items_have_no_results() {
    assert_eq!(all(async_stream([0_u8; 0], |n| async move { n })).await, vec![]);
}

#[beamish::test]
async fn items_are_taken_when_a_task_is_free() {
    let (taken, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = taken.clone();
    let items = (0..20_usize).inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let work = move |n| {
        let running = running.clone();
        async move {
            assert!(running.fetch_add(1, Ordering::Relaxed) < 3, "no more than three at a time");
            yield_now().await;
            running.fetch_sub(1, Ordering::Relaxed);
            n
        }
    };
    let mut stream = async_stream(items, work).max_concurrency(3);
    for delivered in 0..20 {
        assert_eq!(stream.next().await, Some(Ok(delivered)));
        assert!(taken.load(Ordering::Relaxed) <= delivered + 3);
    }
    assert_eq!(stream.next().await, None);
}

#[beamish::test]
async fn an_exit_is_a_result_and_harms_nobody_else() {
    for traps in [false, true] {
        trap_exit(traps);
        let work = |n: u32| async move { if n == 1 { exit("odd") } else { n } };
        let results = all(async_stream(0..3, work)).await;
        assert_eq!(results, [Ok(0), Err(TaskError::Exit(ExitReason::custom("odd"))), Ok(2)]);
        nothing_is_left().await;
    }
}

#[beamish::test]
async fn the_end_of_the_consumer_is_the_end_of_the_tasks() {
    let parent = me();
    let consumer = spawn(async move {
        let work = move |_| async move {
            send(parent, me());
            std::future::pending::<()>().await;
        };
        all(async_stream(0..2_u32, work).max_concurrency(2)).await;
    });
    let running = [receive::<Pid>().await, receive::<Pid>().await];
    let watches = running.map(monitor);
    exit_process(consumer, ExitReason::Kill);
    for watch in watches {
        let down = receive::<Down>().filter(move |down| down.monitor == watch);
        assert_eq!(down.timeout(LIMIT).await.unwrap().reason, ExitReason::Killed);
    }
}

#[beamish::test]
async fn a_late_task_ends_the_consumer() {
    let (_, watch) = spawn_monitor(async {
        let work = |_| std::future::pending::<()>();
        all(async_stream(0..3_u32, work).timeout(Duration::from_millis(1))).await;
    });
    let down = receive::<Down>().filter(move |down| down.monitor == watch);
    let reason = down.timeout(LIMIT).await.unwrap().reason;
    assert_eq!(reason, ExitReason::from(TaskError::Timeout(Duration::from_millis(1))));
}

#[beamish::test]
async fn a_late_task_is_killed_on_request() {
    let limit = Duration::from_millis(20);
    for ordered in [true, false] {
        let work = |n: u32| async move {
            if n == 1 {
                std::future::pending::<()>().await;
            }
            n
        };
        let stream = async_stream(0..3, work).max_concurrency(3).ordered(ordered);
        let mut results = all(stream.timeout(limit).on_timeout(OnLate::Kill)).await;
        results.sort_by_key(|result| result.clone().unwrap_or(1));
        assert_eq!(results, [Ok(0), Err(TaskError::Timeout(limit)), Ok(2)]);
        nothing_is_left().await;
    }
}

#[beamish::test]
async fn a_stream_without_a_limit_waits() {
    let stream = async_stream(0..3_u32, |n| async move { n }).timeout(None);
    assert_eq!(all(stream).await, [0, 1, 2].map(Ok));
}

#[beamish::test]
async fn a_stream_that_is_dropped_kills_its_tasks_and_leaves_nothing() {
    let parent = me();
    let work = move |n: u32| async move {
        if n > 0 {
            send(parent, me());
            std::future::pending::<()>().await;
        }
        n
    };
    let mut stream = async_stream(0.., work).max_concurrency(4);
    assert_eq!(stream.next().await, Some(Ok(0)));
    let running = [receive::<Pid>().await, receive::<Pid>().await, receive::<Pid>().await];
    let watches = running.map(monitor);
    drop(stream);
    for watch in watches {
        let down = receive::<Down>().filter(move |down| down.monitor == watch);
        assert_eq!(down.timeout(LIMIT).await.unwrap().reason, ExitReason::Killed);
    }
    nothing_is_left().await;
}

#[beamish::test]
async fn forged_news_of_an_end_does_not_confuse_it() {
    let (_, watch) = spawn_monitor(async {});
    let down = receive::<Down>().filter(move |down| down.monitor == watch).await;
    send(me(), down.clone());
    let stream = async_stream(0..3_u32, |n| async move { n }).max_concurrency(1);
    send(me(), down.clone());
    assert_eq!(all(stream).await, [0, 1, 2].map(Ok));
    assert_eq!([receive::<Down>().await, receive::<Down>().await], [down.clone(), down]);
}

#[beamish::test]
async fn another_process_may_consume_it() {
    let stream = async_stream(0..3_u32, |n| async move { n });
    let parent = me();
    spawn_link(async move { send(parent, all(stream).await.len()) });
    assert_eq!(receive::<usize>().timeout(LIMIT).await, Ok(3));
}

#[beamish::test]
async fn a_stream_inside_a_task_of_a_stream_works() {
    let outer = async_stream(0..3_u32, |n| async move {
        let mut sum = 0;
        let mut inner = async_stream(0..=n, |m| async move { m });
        while let Some(Ok(m)) = inner.next().await {
            sum += m;
        }
        sum
    });
    assert_eq!(all(outer).await, [0, 1, 3].map(Ok));
    nothing_is_left().await;
}

#[beamish::test]
#[should_panic(expected = "`max_concurrency` starts at 1")]
async fn a_stream_without_tasks_is_refused() {
    let _ = async_stream(0..3_u32, |n| async move { n }).max_concurrency(0);
}

#[beamish::test]
async fn a_long_stream_keeps_little() {
    let stream = async_stream(0..20_000_u32, |n| async move { n }).max_concurrency(100);
    let results = all(stream).await;
    assert!(results.into_iter().eq((0..20_000).map(Ok)));
    nothing_is_left().await;
}

#[beamish::test]
#[should_panic(expected = "before it is polled")]
async fn options_are_set_before_the_first_result() {
    let mut stream = async_stream(0..3_u32, |n| async move { n });
    stream.next().await;
    let _ = stream.ordered(false);
}

/// All at once, done in the reverse of their order.
#[beamish::test]
async fn many_tasks_out_of_order_do_not_take_longer_and_longer() {
    let parent = me();
    let work = move |n: u32| async move {
        send(parent, (n, me()));
        receive::<()>().await;
        n
    };
    let count = 5_000;
    let stream = async_stream(0..count, work).max_concurrency(count as usize).ordered(false);
    let collecting =
        spawn_monitor(async move { exit(ExitReason::custom(all(stream).await.len())) });
    let mut running = Vec::new();
    for _ in 0..count {
        running.push(receive::<(u32, Pid)>().timeout(LIMIT).await.unwrap());
    }
    running.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    running.iter().for_each(|(_, pid)| send(*pid, ()));
    let down = receive::<Down>().filter(move |down| down.monitor == collecting.1);
    assert_eq!(down.timeout(LIMIT).await.unwrap().reason, ExitReason::custom(count as usize));
}

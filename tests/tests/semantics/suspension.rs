//! What stands still in a suspended process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use beamish::prelude::*;

use crate::support::*;

const PAUSE: Duration = Duration::from_secs(5);

/// How long a process takes for this, when it is suspended for a while in the middle of it.
async fn suspended_in<F>(body: impl FnOnce() -> F + Send + 'static) -> Duration
where
    F: Future<Output = ()> + Send,
{
    let (pid, watch) = spawn_monitor(async move {
        let start = now();
        body().await;
        ExitReason::custom(now() - start)
    });
    eventually!(is_waiting(pid).await);
    suspend_process(pid).await.unwrap();
    sleep(PAUSE).await;
    resume_process(pid);
    *down_of(watch).await.downcast_ref::<Duration>().expect("it comes to its end")
}

/// S-LIVE-3: sleeps and time-outs of a suspended process stand still.
#[beamish::test(seeds = 10)]
async fn a_suspension_in_the_middle_of_a_wait_prolongs_it() {
    let ways: [fn() -> Waiting; 4] = [
        || Box::pin(sleep(2 * SECOND)),
        || Box::pin(async { sleep_until(now() + 2 * SECOND).await }),
        || Box::pin(async { drop(receive::<Never>().timeout(2 * SECOND).await) }),
        || {
            Box::pin(async {
                receive! { _: Never => {}, after 2 * SECOND => {} }
            })
        },
    ];
    for wait in ways {
        let took = suspended_in(wait).await;
        assert!(took >= PAUSE + 2 * SECOND && took < PAUSE + 3 * SECOND, "{took:?}");
    }
}

type Waiting = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// S-LIVE-3: only what is going on stands still: a later wait takes its own time.
#[beamish::test(seeds = 10)]
async fn a_suspension_of_the_past_prolongs_nothing() {
    let pid = spawn(servant());
    suspend_process(pid).await.unwrap();
    sleep(PAUSE).await;
    resume_process(pid);
    let waits = async {
        let start = now();
        sleep(SECOND).await;
        receive! { _: Never => {}, after SECOND => {} }
        sleep_until(start + 3 * SECOND).await;
        now() - start
    };
    assert_eq!(ask(pid, waits).await, 3 * SECOND);
    // A wait that was begun elsewhere, too.
    let mut begun = Box::pin(sleep(SECOND));
    poll_once(begun.as_mut()).await;
    let start = now();
    ask(pid, begun).await;
    assert_eq!(now() - start, SECOND);
}

/// Polls a future that is not ready yet.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) {
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

/// S-LIVE-3: what a suspended process has to do waits, although messages come.
#[beamish::test(workers = 2)]
async fn a_suspended_process_does_nothing() {
    let done = Arc::new(AtomicU32::new(0));
    let count = done.clone();
    let busy = spawn_link(async move {
        loop {
            receive::<u32>().await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    spawn_link(async move {
        loop {
            for n in 0..10 {
                send(busy, n);
            }
            yield_now().await;
        }
    });
    for _ in 0..1_000 {
        suspend_process(busy).await.unwrap();
        let before = done.load(Ordering::SeqCst);
        for _ in 0..10_000 {
            std::hint::spin_loop();
        }
        assert_eq!(done.load(Ordering::SeqCst), before, "it works while it is suspended");
        resume_process(busy);
    }
}

/// S-LIVE-3: timers go on, and what they send waits in the mailbox of a suspended process.
#[beamish::test(seeds = 10)]
async fn a_timer_fires_while_its_receiver_is_suspended() {
    let pid = spawn(servant());
    let timer = ask(pid, async { send_after(SECOND, me(), "tick") }).await;
    suspend_process(pid).await.unwrap();
    sleep(PAUSE).await;
    assert_eq!(read_timer(timer), None);
    assert_eq!(process_info(pid).await.unwrap().message_queue_len, 1);
    resume_process(pid);
    assert_eq!(ask(pid, drain::<&str>()).await, ["tick"]);
}

/// S-LIVE-3: a process that is suspended while it runs stops at its next await, even if the message
/// that it waits for is there.
#[beamish::test(workers = 2)]
async fn a_message_that_is_there_does_not_keep_a_suspended_process_going() {
    let (let_go, held) = mpsc::channel::<()>();
    let (told, started) = mpsc::channel();
    let done = Arc::new(AtomicU32::new(0));
    let count = done.clone();
    let busy = spawn_link(async move {
        told.send(()).unwrap();
        held.recv().unwrap();
        drop((told, held));
        loop {
            receive::<u32>().await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    started.recv().unwrap();
    let mut suspending = Box::pin(suspend_process(busy));
    poll_once(suspending.as_mut()).await;
    send(busy, 1_u32);
    let_go.send(()).unwrap();
    suspending.await.unwrap();
    assert!(process_info(busy).await.is_some());
    assert_eq!(done.load(Ordering::SeqCst), 0, "it went on");
    resume_process(busy);
    eventually!(done.load(Ordering::SeqCst) == 1);
}

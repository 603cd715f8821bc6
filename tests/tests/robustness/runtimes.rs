//! Several runtimes in one program: their processes send to, watch and link each other, and one
//! runtime may go at any time. (S-RT-1, S-NAME-3)

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use beamish::{Reference, Runtime, prelude::*};

use crate::scene::*;

fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).quiet().build().unwrap()
}

/// Two runtimes, and a process in the second that ends with the reason it is sent.
fn two() -> (Runtime, Runtime, Pid) {
    let (one, other) = (runtime(2), runtime(2));
    let pid = other.spawn(obedient()).unwrap();
    (one, other, pid)
}

async fn obedient() -> ExitReason {
    receive::<ExitReason>().await
}

/// S-ORDER-1, S-RT-4: messages between runtimes arrive, in the order in which they were sent.
#[test]
fn messages_travel_in_order() {
    let (one, other) = (runtime(2), runtime(2));
    let echo = async {
        loop {
            let (from, n) = receive::<(Pid, u32)>().await;
            send(from, n);
        }
    };
    let echo = other.spawn(echo).unwrap();
    let body = async move {
        (0..10_000_u32).for_each(|n| send(echo, (me(), n)));
        for n in 0..10_000 {
            assert_eq!(receive::<u32>().timeout(LIMIT).await, Ok(n));
        }
    };
    one.block_on(body).unwrap();
    finish(one, 2);
    finish(other, 2);
}

/// S-RT-4: links and monitors reach across runtimes.
#[test]
fn monitors_and_links_tell_the_reason() {
    let (one, other, pid) = two();
    let body = async move {
        trap_exit(true);
        let watch = monitor(pid);
        link(pid).unwrap();
        send(pid, ExitReason::custom("over there"));
        let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
        assert_eq!((down.pid, down.reason), (Some(pid), ExitReason::custom("over there")));
        let exit = receive::<Exit>().timeout(LIMIT).await.unwrap();
        assert_eq!((exit.from, exit.reason), (pid, ExitReason::custom("over there")));
        assert!(!is_alive(pid));
    };
    one.block_on(body).unwrap();
    finish(one, 2);
    finish(other, 2);
}

#[test]
fn an_exit_signal_ends_a_process_of_another_runtime() {
    let (one, other, pid) = two();
    let body = async move {
        let watch = monitor(pid);
        assert!(is_alive(pid));
        exit_process(pid, ExitReason::Kill);
        let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
        assert_eq!(down.reason, ExitReason::Killed);
    };
    one.block_on(body).unwrap();
    finish(one, 2);
    finish(other, 2);
}

#[test]
fn taken_back_links_and_monitors_tell_nothing() {
    let (one, other, pid) = two();
    let body = async move {
        trap_exit(true);
        let (watch, kept) = (monitor(pid), monitor(pid));
        link(pid).unwrap();
        unlink(pid);
        assert!(demonitor(watch));
        send(pid, ExitReason::custom("over there"));
        let down = receive::<Down>().timeout(LIMIT).await.unwrap();
        assert_eq!(down.monitor, kept);
        receive! {
            any: Message => panic!("unexpected {}", any.type_name()),
            after Duration::from_millis(5) => {}
        }
    };
    one.block_on(body).unwrap();
    finish(one, 2);
    finish(other, 2);
}

/// S-RT-3: the processes of a runtime that goes end with `Killed`.
#[test]
fn a_runtime_that_goes_ends_what_is_linked_to_its_processes() {
    let (one, other, pid) = two();
    let (told, seen) = mpsc::channel();
    let watcher = async move {
        trap_exit(true);
        link(pid).unwrap();
        monitor(pid);
        told.send(None).unwrap();
        told.send(Some(receive::<Exit>().await.reason)).unwrap();
        told.send(Some(receive::<Down>().await.reason)).unwrap();
    };
    one.spawn(watcher).unwrap();
    assert_eq!(seen.recv_timeout(LIMIT), Ok(None));
    // The link and monitor requests are on their way before the process is told to stop.
    finish(other, 2);
    assert_eq!(seen.recv_timeout(LIMIT), Ok(Some(ExitReason::Killed)));
    assert_eq!(seen.recv_timeout(LIMIT), Ok(Some(ExitReason::Killed)));
    finish(one, 2);
}

/// S-RT-4, S-LINK-3: a pid of a runtime that is gone is like that of a process that has ended.
#[test]
fn a_process_of_a_runtime_that_is_gone_is_no_process() {
    let (one, other, pid) = two();
    other.shutdown(LIMIT).unwrap();
    let body = async move {
        assert!(!is_alive(pid));
        assert_eq!(link(pid), Err(NoProc));
        let watch = monitor(pid);
        let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
        assert_eq!(down.reason, ExitReason::NoProc);
        trap_exit(true);
        assert_eq!(link(pid), Ok(()));
        let exit = receive::<Exit>().timeout(LIMIT).await.unwrap();
        assert_eq!((exit.from, exit.reason), (pid, ExitReason::NoProc));
        send(pid, "to nobody");
        exit_process(pid, ExitReason::Kill);
        unlink(pid);
        assert!(process_info(pid).await.is_none());
        assert_eq!(suspend_process(pid).await, Err(NoProc));
        resume_process(pid);
        assert!(register("gone", pid).is_err());
        send_after(Duration::ZERO, pid, "to nobody");
        sleep(Duration::from_millis(5)).await;
    };
    one.block_on(body).unwrap();
    finish(one, 2);
}

/// S-NAME-3: two runtimes do not see each other's names.
#[test]
fn names_belong_to_their_runtime() {
    let (one, other, pid) = two();
    let here = async {
        register("name", me()).unwrap();
        receive::<u8>().await;
    };
    let named = other.spawn(here).unwrap();
    let body = async move {
        assert!(register("name", me()).is_ok());
        assert_eq!(whereis("name"), Some(me()));
        assert!(register("other", pid).is_err(), "a name for a process of another runtime");
        send(named, 1_u8);
        send(pid, ExitReason::Normal);
    };
    one.block_on(body).unwrap();
    finish(one, 2);
    finish(other, 2);
}

async fn references() -> HashSet<Reference> {
    let (target, mut all) = (spawn(forever()), HashSet::new());
    for _ in 0..100 {
        all.extend([make_ref(), monitor(target).reference(), alias().reference()]);
        all.insert(send_after(Duration::ZERO, me(), ()).reference());
    }
    all
}

/// S-RT-1: runtimes live side by side without mixing up what is theirs.
#[test]
fn references_of_two_runtimes_are_different() {
    let sets =
        [runtime(1), runtime(2), runtime(1)].map(|runtime| runtime.block_on(references()).unwrap());
    let all: HashSet<_> = sets.iter().flatten().collect();
    assert_eq!(all.len(), 3 * 400);
}

#[test]
fn monitors_held_in_different_runtimes_do_not_meet() {
    let target = runtime(1);
    let pid = target.spawn(obedient()).unwrap();
    let (told, seen) = mpsc::channel();
    let keepers: Vec<_> = (0..4).map(|_| runtime(1)).collect();
    for (n, keeper) in keepers.iter().enumerate() {
        let told = told.clone();
        let body = async move {
            // The same work in each, so that their references are as alike as can be.
            let watch = monitor(pid);
            settle(pid).await;
            if n % 2 == 0 {
                assert!(demonitor(watch));
                settle(pid).await;
                told.send(None).unwrap();
            } else {
                told.send(None).unwrap();
                let down = receive::<Down>().timeout(LIMIT / 4).await;
                told.send(Some(down.is_ok_and(|down| down.monitor == watch))).unwrap();
            }
        };
        keeper.spawn(body).unwrap();
        assert_eq!(seen.recv_timeout(LIMIT), Ok(None));
    }
    send(pid, ExitReason::Normal);
    for _ in 0..2 {
        assert_eq!(seen.recv_timeout(LIMIT), Ok(Some(true)), "each monitor fires");
    }
}

/// S-TIME-4: a timer can be cancelled from another runtime; it is not mistaken for one of that.
#[test]
fn a_timer_of_one_runtime_is_not_one_of_another() {
    let (one, other) = (runtime(1), runtime(1));
    let hour = Duration::from_secs(3600);
    let set = move || async move { send_after(hour, me(), "timer") };
    let (told, timers) = mpsc::channel();
    let keeper = async move {
        told.send(set().await).unwrap();
        forever().await;
    };
    one.spawn(keeper).unwrap();
    let theirs = timers.recv_timeout(LIMIT).unwrap();
    let body = async move {
        let ours = set().await;
        assert_ne!(ours, theirs);
        assert!(read_timer(theirs).is_some());
        assert!(cancel_timer(theirs).is_some_and(|left| left <= hour));
        assert_eq!((read_timer(theirs), cancel_timer(theirs)), (None, None));
        assert!(read_timer(ours).is_some(), "another runtime's timer was cancelled");
    };
    other.block_on(body).unwrap();
    assert_eq!(one.census().timers, 0);
}

#[test]
fn runtimes_that_talk_to_each_other_go_in_any_order() {
    for turn in 0..30 {
        let stop = Arc::new(AtomicBool::new(false));
        let mut runtimes: Vec<_> = (0..3).map(|_| runtime(1 + turn % 2)).collect();
        let pids: Vec<_> = runtimes
            .iter()
            .flat_map(|runtime| (0..4).map(|_| runtime.spawn(forever()).unwrap()))
            .collect();
        let (told, ready) = mpsc::channel();
        for runtime in &runtimes {
            for _ in 0..4 {
                let work = busybody(pids.clone(), stop.clone(), told.clone());
                runtime.spawn(work).unwrap();
            }
        }
        for _ in 0..12 {
            ready.recv_timeout(LIMIT).expect("all are at work");
        }
        let first = runtimes.remove(turn % 3);
        first.shutdown(LIMIT).unwrap();
        let threads: Vec<_> = runtimes
            .into_iter()
            .map(|runtime| thread::spawn(move || runtime.shutdown(LIMIT).unwrap()))
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        stop.store(true, Ordering::Relaxed);
    }
}

/// Sends to, watches, links and unlinks processes of all runtimes, until it is ended.
async fn busybody(pids: Vec<Pid>, stop: Arc<AtomicBool>, told: mpsc::Sender<()>) {
    trap_exit(true);
    let mut told = Some(told);
    while !stop.load(Ordering::Relaxed) {
        for pid in &pids {
            send(*pid, vec![1_u8]);
            let watch = monitor(*pid);
            let _ = link(*pid);
            let timer = send_after(Duration::ZERO, *pid, "timer");
            let _ = process_info(*pid).await;
            let _ = cancel_timer(timer);
            demonitor_flush(watch);
            unlink(*pid);
        }
        while receive::<Exit>().timeout(Duration::ZERO).await.is_ok() {}
        if let Some(told) = told.take() {
            told.send(()).unwrap();
        }
    }
}

/// The number of a reference is unique in its runtime only.
#[test]
fn a_flush_leaves_news_from_another_runtime_alone() {
    let (one, other) = (runtime(1), runtime(1));
    let news = one.block_on(async {
        let _ = spawn_monitor(async {});
        receive::<Message>().await
    });
    let kept = other.block_on(async move {
        let (_, watch) = spawn_monitor(async {});
        receive::<Down>().await;
        send(me(), news.unwrap());
        demonitor_flush(watch);
        receive::<Down>().timeout(Duration::ZERO).await.is_ok()
    });
    assert_eq!(kept, Ok(true));
    finish(one, 1);
    finish(other, 1);
}

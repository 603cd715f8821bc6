//! Scheduling, suspending and listing processes, after the rest of Erlang's `process_SUITE`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use beamish::{ProcessStatus, prelude::*};

use crate::support::*;

async fn reductions() -> u64 {
    process_info(me()).await.unwrap().reductions
}

/// S-FAIR-1: reductions taken by hand are counted, and enough of them make a process yield.
#[beamish::test(workers = 1)]
async fn otp_process_suite_bump_reductions() {
    yield_now().await;
    let before = reductions().await;
    consume_reductions(100).await;
    let used = reductions().await - before;
    assert!((100..=120).contains(&used), "{used}");

    let turns = Arc::new(AtomicU64::new(0));
    let count = turns.clone();
    spawn_link(async move {
        loop {
            count.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    for _ in 0..100 {
        consume_reductions(100_000).await;
    }
    assert!(turns.load(Ordering::Relaxed) > 10, "a spent budget lets others run");
}

/// S-FAIR-2: low priority gets about one turn for every eight of normal priority.
#[beamish::test(workers = 1)]
async fn otp_process_suite_low_prio() {
    set_priority(Priority::High);
    let counts = [Priority::Normal, Priority::Low].map(|priority| {
        let turns = Arc::new(AtomicU64::new(0));
        let count = turns.clone();
        let client = async move {
            loop {
                count.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        };
        SpawnOptions::new().link().priority(priority).spawn(client).unwrap();
        turns
    });
    let mut turns = [0, 0];
    while turns[0] < 20_000 {
        sleep(Duration::from_millis(1)).await;
        turns = [0, 1].map(|index| counts[index].load(Ordering::Relaxed));
    }
    let share = turns[1] as f64 / turns[0] as f64;
    assert!(share > 1.0 / 16.0 && share < 1.0 / 4.0, "low to normal is {share:.3}");
}

/// S-FAIR-1: each yield is one turn of everybody else, and costs next to nothing.
#[beamish::test(workers = 1)]
async fn otp_process_suite_yield() {
    let turns = Arc::new(AtomicU64::new(0));
    let count = turns.clone();
    spawn_link(async move {
        loop {
            count.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    yield_now().await;
    let (reductions_before, turns_before) = (reductions().await, turns.load(Ordering::Relaxed));
    for _ in 0..4 {
        yield_now().await;
    }
    let turns_taken = turns.load(Ordering::Relaxed) - turns_before;
    assert_eq!(turns_taken, 4);
    assert!(reductions().await - reductions_before < 30);
}

/// Two that yield take turns.
#[beamish::test(workers = 1)]
async fn otp_process_suite_yield2() {
    let tester = me();
    let yielders: Vec<Pid> = (0..2)
        .map(|_| {
            spawn_link(async move {
                receive::<Stop>().await;
                for _ in 0..4 {
                    send(tester, me());
                    yield_now().await;
                }
            })
        })
        .collect();
    yield_now().await;
    for &pid in &yielders {
        send(pid, Stop);
    }
    for turn in 0..8 {
        assert_eq!(next::<Pid>().await, yielders[turn % 2], "turn {turn}");
    }
}

/// S-NAME-1, S-SEND-2: what `register` refuses, it refuses without harm: the name stays free, and
/// `send` to it gives the message back.
#[beamish::test]
async fn otp_process_suite_bad_register() {
    let dead = spawn(async {});
    ended(dead).await;
    assert!(register("a_long_and_unused_name", dead).is_err());
    assert_eq!(whereis("a_long_and_unused_name"), None);
    let refused = send("a_long_and_unused_name", String::from("anything goes"));
    assert_eq!(refused.unwrap_err().message, "anything goes");

    for reserved in ["undefined", "nil", ""] {
        assert!(register(reserved, me()).is_err(), "{reserved}");
        assert!(whereis(reserved).is_none());
    }
    assert!(!registered().iter().any(|name| name.as_str() == "a_long_and_unused_name"));
}

/// S-NAME-2, S-NOTICE-1: who sees that a name is free also sees that its owner is no more, and so
/// are its belongings when its end is told.
#[beamish::test]
async fn otp_process_suite_otp_6237() {
    for _ in 0..1_000 {
        let owner = spawn(forever());
        register("owner", owner).unwrap();
        let timer = send_after(SECOND * 1_000, owner, "never");
        let watch = monitor(owner);
        exit_process(owner, ExitReason::Kill);
        eventually!(whereis("owner").is_none());
        assert!(!is_alive(owner));
        assert!(register("another name", owner).is_err());
        assert_eq!(down_of(watch).await, ExitReason::Killed);
        assert_eq!(read_timer(timer), None);
    }
}

/// Priorities and flags tell what they were before.
#[beamish::test]
async fn otp_process_suite_process_flag_badarg() {
    assert!(!trap_exit(true));
    assert!(trap_exit(true));
    assert!(trap_exit(false));
    assert_eq!(set_priority(Priority::High), Priority::Normal);
    assert_eq!(set_priority(Priority::Normal), Priority::High);
    let info = process_info(me()).await.unwrap();
    assert_eq!((info.trap_exit, info.priority), (false, Priority::Normal));
}

/// S-LIVE-3: the limit of a waiting receive does not run on while its process is suspended.
#[beamish::test(seed = 1)]
async fn otp_process_suite_suspend_process_pausing_proc_timer() {
    let tester = me();
    let pid = spawn_link(async move {
        send(tester, Stop);
        receive::<&str>().timeout(2 * SECOND).await.expect("the limit stands still");
        send(tester, Stop);
        receive::<&str>().timeout(2 * SECOND).await.expect_err("nothing more is sent");
        send(tester, Stop);
    });
    next::<Stop>().await;
    eventually!(is_waiting(pid).await);
    suspend_process(pid).await.unwrap();
    sleep(5 * SECOND).await;
    resume_process(pid);
    sleep(SECOND).await;
    send(pid, "go");
    next::<Stop>().await;
    eventually!(is_waiting(pid).await);
    suspend_process(pid).await.unwrap();
    resume_process(pid);
    next::<Stop>().await;
}

/// What the process does when it is suspended.
#[derive(Clone, Copy)]
enum Activity {
    Waits,
    Polls,
}

/// A message to a waiting process wakes it.
#[beamish::test(seeds = 20)]
async fn otp_process_suite_otp_7738_waiting() {
    let pid = spawn_link(tells_when_awake(me(), Activity::Waits));
    eventually!(is_waiting(pid).await);
    send(pid, "wake up");
    assert_eq!(next::<&str>().await, "awake");
}

/// S-LIVE-3: a message to a suspended process wakes it once it is resumed, and not before.
#[beamish::test(seeds = 20)]
async fn otp_process_suite_otp_7738_suspended() {
    suspended_then_resumed(Activity::Waits).await;
}

#[beamish::test(seeds = 20)]
async fn otp_process_suite_otp_7738_resume() {
    suspended_then_resumed(Activity::Polls).await;
}

async fn tells_when_awake(tester: Pid, activity: Activity) {
    match activity {
        Activity::Waits => drop(receive::<&str>().await),
        Activity::Polls => {
            while receive::<&str>().timeout(Duration::ZERO).await.is_err() {
                yield_now().await;
            }
        }
    }
    send(tester, "awake");
}

async fn suspended_then_resumed(activity: Activity) {
    let pid = spawn_link(tells_when_awake(me(), activity));
    for _ in 0..3 {
        yield_now().await;
    }
    suspend_process(pid).await.unwrap();
    assert_eq!(process_info(pid).await.unwrap().status, ProcessStatus::Suspended);
    send(pid, "wake up");
    sleep(SECOND / 100).await;
    expect_no_message().await;
    resume_process(pid);
    assert_eq!(next::<&str>().await, "awake");
}

/// S-LIVE-3: suspensions add up, end with their maker, and do not protect from exit signals.
#[beamish::test]
async fn otp_process_suite_otp_7738_suspended_nesting() {
    let pid = spawn_link(tells_when_awake(me(), Activity::Waits));
    suspend_process(pid).await.unwrap();
    suspend_process(pid).await.unwrap();
    let other = spawn(servant());
    ask(other, async move { suspend_process(pid).await.unwrap() }).await;
    send(pid, "wake up");
    for _ in 0..2 {
        resume_process(pid);
    }
    assert_eq!(process_info(pid).await.unwrap().status, ProcessStatus::Suspended);
    exit_process(other, ExitReason::Kill);
    assert_eq!(next::<&str>().await, "awake");

    let (pid, watch) = spawn_monitor(forever());
    suspend_process(pid).await.unwrap();
    exit_process(pid, ExitReason::Kill);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
}

/// Every process that lives through the whole call is in the list, and none is in it twice.
#[beamish::test]
async fn otp_process_suite_processes_large_tab() {
    list_is_right(100_000).await;
}

#[beamish::test]
async fn otp_process_suite_processes_default_tab() {
    list_is_right(10_000).await;
}

#[beamish::test]
async fn otp_process_suite_processes_small_tab() {
    list_is_right(100).await;
}

#[beamish::test]
async fn otp_process_suite_processes_this_tab() {
    list_is_right(0).await;
}

async fn list_is_right(count: usize) {
    let start = processes();
    let mut crew: Vec<Pid> = (0..count).map(|_| spawn(forever())).collect();
    crew.sort();
    let mut expected: Vec<Pid> = start.into_iter().chain(crew.iter().copied()).collect();
    let mut listed = processes();
    expected.sort();
    listed.sort();
    assert!(listed == expected, "{} processes, {} listed", expected.len(), listed.len());
    for &pid in &crew {
        exit_process(pid, ExitReason::Kill);
    }
    for &pid in &crew {
        ended(pid).await;
    }
    let listed = processes();
    assert!(!listed.iter().any(|pid| crew.binary_search(pid).is_ok()));
}

/// While processes come and go, those that stay are always listed, and nobody twice.
#[beamish::test]
async fn otp_process_suite_processes_term_proc_list() {
    let stays: Vec<Pid> = (0..100).map(|_| spawn_link(forever())).collect();
    for _ in 0..4 {
        spawn_link(async {
            loop {
                ended(spawn(async {})).await;
            }
        });
    }
    for _ in 0..1_000 {
        let mut listed = processes();
        listed.sort();
        assert!(listed.windows(2).all(|pair| pair[0] < pair[1]), "a pid is listed twice");
        assert!(stays.iter().all(|pid| listed.binary_search(pid).is_ok()));
        yield_now().await;
    }
}

/// Messages sent to whatever is in the list reach processes that have hardly begun.
#[beamish::test]
async fn otp_process_suite_processes_send_infant() {
    struct Hello;

    let spawner = spawn(async {
        for _ in 0..2_000 {
            spawn(async {
                receive::<Hello>().await;
            });
            yield_now().await;
        }
    });
    while is_alive(spawner) {
        for pid in processes() {
            if pid != me() {
                send(pid, Hello);
            }
        }
        yield_now().await;
    }
    eventually!({
        let infants: Vec<Pid> = processes().into_iter().filter(|&pid| pid != me()).collect();
        infants.iter().for_each(|&pid| send(pid, Hello));
        infants.is_empty()
    });
}

/// The list can be walked while it changes.
#[beamish::test]
async fn otp_process_suite_processes_iter() {
    let mut crew: Vec<Pid> = (0..1_000).map(|_| spawn_link(forever())).collect();
    crew.sort();
    let mut seen = 0;
    for pid in processes() {
        spawn(async {});
        seen += usize::from(crew.binary_search(&pid).is_ok());
    }
    assert_eq!(seen, crew.len());
}

/// Questions of every priority at once, to one process of low priority: all are answered.
#[beamish::test]
async fn otp_process_suite_system_task_blast() {
    let low = SpawnOptions::new().priority(Priority::Low).spawn(forever()).unwrap().pid;
    let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Max];
    let askers: Vec<Monitor> = (0..1_000)
        .map(|asker: usize| {
            let asks = async move {
                for _ in 0..10 {
                    assert_eq!(process_info(low).await.expect("it lives").pid, low);
                }
            };
            let options = SpawnOptions::new().monitor().priority(priorities[asker % 4]);
            options.spawn(asks).unwrap().monitor.unwrap()
        })
        .collect();
    for asker in askers {
        assert_eq!(down_of(asker).await, ExitReason::Normal);
    }
}

/// S-LIVE-3: what is asked of a suspended process is answered, and leaves it suspended.
#[beamish::test]
async fn otp_process_suite_system_task_on_suspended() {
    let pid = spawn(tells_when_awake(me(), Activity::Polls));
    suspend_process(pid).await.unwrap();
    for _ in 0..100 {
        let watch = monitor(pid);
        let info = process_info(pid).await.unwrap();
        assert_eq!((info.status, info.monitored_by.len()), (ProcessStatus::Suspended, 1));
        assert!(demonitor(watch));
    }
    send(pid, "wake up");
    assert_eq!(process_info(pid).await.unwrap().message_queue_len, 1);
    expect_no_message().await;
    resume_process(pid);
    assert_eq!(next::<&str>().await, "awake");
}

/// S-LIVE-4: a process of high priority gets its answers from one of low priority, although others
/// of a priority between them never stop running.
#[beamish::test(workers = 1)]
async fn otp_process_suite_no_priority_inversion() {
    answered_by_low_priority(Priority::High, Priority::Normal).await;
}

/// The asked process does not get a turn of its own while the spinners run; its signals do.
async fn answered_by_low_priority(asker: Priority, between: Priority) {
    set_priority(asker);
    let low = SpawnOptions::new().priority(Priority::Low).spawn(forever()).unwrap().pid;
    let limit = now() + 5 * SECOND;
    let spinners: Vec<Pid> = (0..4)
        .map(|_| {
            let spinner = async move {
                while now() < limit {
                    yield_now().await;
                }
            };
            SpawnOptions::new().priority(between).spawn(spinner).unwrap().pid
        })
        .collect();
    for _ in 0..100 {
        assert!(process_info(low).await.is_some());
    }
    assert!(spinners.into_iter().all(is_alive), "the answers came only after the spinners ended");
}

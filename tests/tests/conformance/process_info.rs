//! Looking at processes, after the "process_info" group of Erlang's `process_SUITE`.

use std::time::Duration;

use beamish::{ProcessStatus, prelude::*};

use crate::support::*;

async fn info(pid: Pid) -> ProcessInfo {
    process_info(pid).await.expect("the process is alive")
}

async fn queue_len(pid: Pid) -> usize {
    info(pid).await.message_queue_len
}

async fn spinner() {
    loop {
        yield_now().await;
    }
}

#[beamish::test]
async fn otp_process_suite_t_process_info() {
    assert!(info(me()).await.registered_name.is_none());
    register("my_name", me()).unwrap();
    let info = info(me()).await;
    assert_eq!(info.registered_name.unwrap().as_str(), "my_name");
    assert_eq!(
        (info.pid, info.status, info.priority),
        (me(), ProcessStatus::Running, Priority::Normal)
    );
    assert!(!info.trap_exit && info.links.is_empty() && info.monitors.is_empty());
    unregister("my_name").unwrap();

    let dead = spawn(async {});
    ended(dead).await;
    assert!(process_info(dead).await.is_none());
}

/// Asking all the time, by many, while the asked one does its own work.
#[beamish::test]
async fn otp_process_suite_process_info_messages() {
    let receiver = me();
    let asker = spawn_link(async move {
        loop {
            info(receiver).await;
        }
    });
    let senders: Vec<Pid> = (0..10)
        .map(|_| {
            spawn_link(async move {
                for number in 0..100_u32 {
                    send(receiver, vec![number; 1_000]);
                }
                send(receiver, Stop);
            })
        })
        .collect();
    for _ in &senders {
        receive::<Stop>().await;
    }
    assert_eq!(info(me()).await.messages.len(), 1_000);
    assert_eq!(queue_len(me()).await, 1_000);
    assert_eq!(drain::<Vec<u32>>().await.len(), 1_000);
    unlink(asker);
    exit_process(asker, ExitReason::Kill);
}

/// Two processes that ask each other get their answers.
#[beamish::test(seeds = 20)]
async fn otp_process_suite_process_info_other() {
    let tester = me();
    let looper = spawn_link(async move {
        loop {
            info(tester).await;
        }
    });
    for _ in 0..100 {
        assert_eq!(info(looper).await.pid, looper);
    }
    for pid in processes() {
        assert!(process_info(pid).await.is_none_or(|info| info.pid == pid));
    }
    unlink(looper);
    exit_process(looper, ExitReason::Kill);
}

/// The messages of another process, oldest first, are there as soon as they are sent.
#[beamish::test]
async fn otp_process_suite_process_info_other_msg() {
    let pid = spawn_link(servant());
    send(pid, 'a');
    send(pid, 1_u32);
    assert_eq!(info(pid).await.messages, ["char", "u32"]);
    for count in 3..10 {
        send(pid, "more");
        let info = info(pid).await;
        assert_eq!((info.messages.len(), info.message_queue_len), (count, count));
        assert!(info.messages.last().unwrap().contains("str"));
    }
    ask(pid, async {
        drain::<char>().await;
        drain::<u32>().await;
        drain::<&str>().await;
    })
    .await;
    let info = info(pid).await;
    assert!(info.messages.is_empty());
    assert!(info.memory > 0);
    send(pid, Stop);
}

/// The length of a queue while signals of all kinds arrive at it.
#[beamish::test]
async fn otp_process_suite_process_info_other_message_queue_len_signal_race() {
    let receiver = spawn_link(servant());
    let sender = spawn_link(servant());
    for _ in 0..2_000 {
        tell(sender, async move {
            let watch = monitor(receiver);
            send(receiver, "hi");
            demonitor(watch);
        });
        assert!(queue_len(receiver).await <= 1);
        ask(sender, async {}).await;
        assert_eq!(queue_len(receiver).await, 1);
        assert_eq!(ask(receiver, drain::<&str>()).await, ["hi"]);
    }
}

/// A waiting process is reported as waiting, whatever the priority of the one who asks.
#[beamish::test]
async fn otp_process_suite_process_info_other_status() {
    let pid = spawn_link(servant());
    ask(pid, async {}).await;
    eventually!(is_waiting(pid).await);
    for priority in [Priority::Low, Priority::Normal, Priority::High, Priority::Max] {
        set_priority(priority);
        assert_eq!(info(pid).await.status, ProcessStatus::Waiting);
        assert_eq!(info(me()).await.status, ProcessStatus::Running);
    }
}

/// All there is to know of a process, in one consistent answer.
#[beamish::test]
async fn otp_process_suite_process_info_2_list() {
    let tester = me();
    let options = SpawnOptions::new().link().monitor().priority(Priority::Low);
    let spawned = options.name("process_info_2_list").label("a label").spawn(servant()).unwrap();
    let pid = spawned.pid;
    ask(pid, async move {
        trap_exit(true);
        monitor(tester);
    })
    .await;
    let info = info(pid).await;
    assert_eq!(info.pid, pid);
    assert_eq!(info.registered_name.unwrap().as_str(), "process_info_2_list");
    assert_eq!(info.label.as_deref(), Some("a label"));
    assert_eq!(info.links, [tester]);
    assert_eq!(info.monitored_by, [tester]);
    assert_eq!(info.monitors.len(), 1);
    assert_eq!((info.trap_exit, info.priority, info.parent), (true, Priority::Low, Some(tester)));
    assert!(info.initial_call.contains("servant"), "{}", info.initial_call);
    assert_eq!((info.message_queue_len, info.messages.len()), (0, 0));
    assert!(info.aliases == 0 && !info.priority_messages);
}

/// A process that never waits is told of again and again, and goes on spinning.
#[beamish::test]
async fn otp_process_suite_process_info_lock_reschedule() {
    let (running, waiting) = (spawn_link(spinner()), spawn_link(forever()));
    register("running", running).unwrap();
    register("waiting", waiting).unwrap();
    for _ in 0..1_000 {
        yield_now().await;
        assert_eq!(info(running).await.registered_name.unwrap().as_str(), "running");
        assert_eq!(info(waiting).await.registered_name.unwrap().as_str(), "waiting");
    }
    assert_ne!(info(running).await.status, ProcessStatus::Waiting);
}

/// Six processes ask each other by the thousand.
#[beamish::test]
async fn otp_process_suite_process_info_lock_reschedule2() {
    let crew: Vec<Pid> = (0..6).map(|_| spawn_link(servant())).collect();
    let tester = me();
    for (asker, asked) in [(0, 1), (1, 0), (2, 0), (3, 0), (4, 5), (5, 4)] {
        let asked = crew[asked];
        tell(crew[asker], async move {
            for _ in 0..1_000 {
                assert_eq!(info(asked).await.pid, asked);
            }
            send(tester, Stop);
        });
    }
    for _ in &crew {
        receive::<Stop>().await;
    }
}

/// The queue length of a process that never waits.
#[beamish::test]
async fn otp_process_suite_process_info_lock_reschedule3() {
    let running = spawn_link(spinner());
    for round in 0..10_000 {
        if round % 10 == 0 {
            yield_now().await;
        }
        assert_eq!(queue_len(running).await, 0);
    }
    assert_ne!(info(running).await.status, ProcessStatus::Waiting);
}

/// A process sees of itself what others see of it.
#[beamish::test]
async fn otp_process_suite_otp_4725() {
    for priority in [Priority::Max, Priority::Normal] {
        let pid = SpawnOptions::new().link().priority(priority).spawn(servant()).unwrap().pid;
        let inside = ask(pid, async { info(me()).await }).await;
        let outside = info(pid).await;
        assert_eq!(inside.initial_call, outside.initial_call);
        assert_eq!(inside.links, outside.links);
        assert_eq!(inside.dictionary, outside.dictionary);
        assert_eq!(inside.trap_exit, outside.trap_exit);
        assert_eq!((inside.priority, outside.priority), (priority, priority));
        assert_eq!(inside.parent, outside.parent);
    }
}

#[beamish::test]
async fn otp_process_suite_process_info_parent() {
    let child = spawn_link(servant());
    assert_eq!(info(child).await.parent, Some(me()));
    let grandchild = ask(child, async { spawn(servant()) }).await;
    assert_eq!(info(grandchild).await.parent, Some(child));
    // The parent stays known after its end.
    unlink(child);
    exit_process(child, ExitReason::Kill);
    ended(child).await;
    assert_eq!(info(grandchild).await.parent, Some(child));
    // What the runtime itself starts has none.
    assert_eq!(info(me()).await.parent, None);
}

/// A process with something in every field.
#[beamish::test]
async fn otp_process_suite_process_info_smoke_all() {
    let other = spawn(servant());
    let pid = SpawnOptions::new().link().name("smoke").spawn(servant()).unwrap().pid;
    ask(pid, async move {
        set_label("everything at once");
        dictionary::put("key", 4711_u32);
        link(other).unwrap();
        monitor(other);
        monitor("no such name");
        let _alias = alias_with(AliasOptions::new().priority());
        send_after(SECOND * 1_000, me(), "timer");
    })
    .await;
    send(pid, vec![3_u8; 1_000]);
    let watch = monitor(pid);
    let info = info(pid).await;
    assert_eq!(info.links.len(), 2);
    assert_eq!(info.aliases, 1);
    assert!(info.priority_messages);
    assert_eq!(info.dictionary.len(), 1);
    assert!(info.reductions > 0 && info.memory > 0);
    assert!(!format!("{info:?}").is_empty());
    unlink(pid);
    exit_process(pid, ExitReason::Kill);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
    assert!(process_info(pid).await.is_none());
}

/// Answering the question does not count as running.
#[beamish::test]
async fn otp_process_suite_process_info_status_handled_signal() {
    let pid = spawn_link(forever());
    eventually!(is_waiting(pid).await);
    for _ in 0..100 {
        let info = info(pid).await;
        assert_eq!((info.status, info.messages.len()), (ProcessStatus::Waiting, 0));
    }
}

/// Reductions only grow, by sane steps, for a spinning, a waiting and a busy process.
#[beamish::test]
async fn otp_process_suite_process_info_reductions() {
    let registers = async {
        let other = spawn_link(forever());
        loop {
            register("main_unlocker", other).unwrap();
            unregister("main_unlocker").unwrap();
            yield_now().await;
        }
    };
    for pid in [spawn_link(spinner()), spawn_link(forever()), spawn_link(registers)] {
        let mut before = 0;
        for _ in 0..50 {
            let reductions = info(pid).await.reductions;
            assert!(reductions >= before, "{reductions} after {before}");
            before = reductions;
        }
    }
}

/// Runs `check` while a process floods us with signals, and with messages too if asked.
async fn while_flooded<F: Future<Output = ()>>(with_messages: bool, check: impl Fn() -> F) {
    let target = me();
    let pest = spawn_link(async move {
        loop {
            if with_messages {
                send(target, "pest");
            }
            demonitor(monitor(target));
            yield_now().await;
        }
    });
    for _ in 0..50 {
        yield_now().await;
        check().await;
    }
    let watch = monitor(pest);
    unlink(pest);
    exit_process(pest, ExitReason::Kill);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
    drain::<&str>().await;
}

/// A message to oneself is seen in one's own info.
#[beamish::test]
async fn otp_process_suite_process_info_self_signal() {
    while_flooded(false, || async move {
        send(me(), 'x');
        assert_eq!(info(me()).await.messages, ["char"]);
        assert_eq!(next::<char>().await, 'x');
    })
    .await;
}

#[beamish::test]
async fn otp_process_suite_process_info_self_msgq_len() {
    send(me(), 'x');
    while_flooded(true, || async { assert!(queue_len(me()).await > 0) }).await;
}

#[beamish::test]
async fn otp_process_suite_process_info_self_msgq_len_messages() {
    while_flooded(true, || async move {
        let info = info(me()).await;
        assert_eq!(info.message_queue_len, info.messages.len());
    })
    .await;
}

/// The length together with everything else.
#[beamish::test]
async fn otp_process_suite_process_info_self_msgq_len_more() {
    send(me(), 'x');
    let call = info(me()).await.initial_call;
    while_flooded(true, || async move {
        let info = info(me()).await;
        assert!(info.message_queue_len > 0);
        assert_eq!((info.status, info.initial_call), (ProcessStatus::Running, call));
    })
    .await;
    assert_eq!(next::<char>().await, 'x');
}

/// A message counts as soon as its sender has sent it.
#[beamish::test(seeds = 20)]
async fn otp_process_suite_process_info_msgq_len_no_very_long_delay() {
    let (tester, waiting) = (me(), spawn_link(forever()));
    assert_eq!((queue_len(me()).await, queue_len(waiting).await), (0, 0));
    let sender = spawn(async move {
        send(tester, "hello");
        send(waiting, "hello");
    });
    while is_alive(sender) {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((queue_len(me()).await, queue_len(waiting).await), (1, 1));
    assert_eq!(next::<&str>().await, "hello");
    assert_eq!(queue_len(me()).await, 0);
}

/// The dictionary of another process and one's own.
#[beamish::test]
async fn otp_process_suite_process_info_dict_lookup() {
    let pid = spawn_link(servant());
    for whose in [pid, me()] {
        let edit = async {
            dictionary::put("one", 1_u32);
            dictionary::put("two", String::from("zwei"));
            dictionary::put("one", 11_u32);
        };
        if whose == pid {
            ask(pid, edit).await
        } else {
            edit.await
        }
        let entries = info(whose).await.dictionary;
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert!(entries.contains(&"one".into()) && entries.contains(&"two".into()));

        let edit = async {
            dictionary::erase("one");
            dictionary::erase("two");
        };
        if whose == pid {
            ask(pid, edit).await
        } else {
            edit.await
        }
        assert!(info(whose).await.dictionary.is_empty());
    }
}

#[beamish::test]
async fn otp_process_suite_process_info_label() {
    let pid = SpawnOptions::new().link().label("from the start").spawn(servant()).unwrap().pid;
    assert_eq!(info(pid).await.label.as_deref(), Some("from the start"));
    ask(pid, async { set_label("changed") }).await;
    let seen = info(pid).await;
    assert_eq!((seen.label.as_deref(), seen.registered_name), (Some("changed"), None));
    set_label("my own");
    assert_eq!(info(me()).await.label.as_deref(), Some("my own"));
}

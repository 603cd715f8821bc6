//! Priority messages, after that group of Erlang's `signal_SUITE`. The receiver opts in, by an
//! alias, a link or a monitor made with the option; nobody else can jump its queue.

use beamish::prelude::*;

use crate::support::*;

async fn priority_open() -> bool {
    process_info(me()).await.unwrap().priority_messages
}

fn with_priority() -> MonitorOptions {
    MonitorOptions::new().priority()
}

#[beamish::test]
async fn otp_signal_suite_priority_messages_link_enable_disable() {
    trap_exit(true);
    let pid = spawn(servant());
    assert!(!priority_open().await);
    link_priority(pid).unwrap();
    assert!(priority_open().await);
    unlink(pid);
    assert!(!priority_open().await);
    link_priority(pid).unwrap();
    assert!(priority_open().await);
    send(pid, Stop);
    assert_eq!(exit_of(pid).await, ExitReason::Normal);
    assert!(!priority_open().await);

    // A link made by the spawn is a plain one.
    let pid = spawn_link(forever());
    assert!(!priority_open().await);
    unlink(pid);
    link_priority(pid).unwrap();
    assert!(priority_open().await);
    exit_process(pid, "bye");
    assert_eq!(exit_of(pid).await, reason("bye"));
    assert!(!priority_open().await);
}

#[beamish::test]
async fn otp_signal_suite_priority_messages_monitor_enable_disable() {
    let pid = spawn(servant());
    assert!(!priority_open().await);
    let watch = monitor_with(pid, with_priority());
    assert!(priority_open().await);
    demonitor(watch);
    assert!(!priority_open().await);
    let watch = monitor_with(pid, with_priority());
    assert!(priority_open().await);
    send(pid, Stop);
    assert_eq!(down_of(watch).await, ExitReason::Normal);
    assert!(!priority_open().await);

    let options = SpawnOptions::new().monitor_with(with_priority());
    let spawned = options.spawn(forever()).unwrap();
    assert!(priority_open().await);
    exit_process(spawned.pid, "bye");
    assert_eq!(down_of(spawned.monitor.unwrap()).await, reason("bye"));
    assert!(!priority_open().await);
}

/// S-ALIAS-4: only an active alias made with `priority` brings priority messages.
#[beamish::test]
async fn otp_signal_suite_priority_messages_alias_enable_disable() {
    trap_exit(true);
    let sender = spawn_link(servant());
    assert!(!priority_open().await);
    for reply in [false, true] {
        let mut options = AliasOptions::new().priority();
        if reply {
            options = options.reply();
        }
        let alias = alias_with(options);
        assert!(priority_open().await);
        tell(sender, async move { exit_process_priority(alias, "by alias") });
        assert_eq!(exit_of(sender).await, reason("by alias"));
        assert!(priority_open().await, "an exit signal is not a reply");
        tell(sender, async move { send_priority(alias, "by alias") });
        assert_eq!(next::<&str>().await, "by alias");
        assert_eq!(priority_open().await, !reply);
        assert_eq!(unalias(alias), !reply);
        assert!(!priority_open().await);
    }
}

/// What the receiver of the order case saw, as text.
async fn everything() -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        receive! {
            exit: Exit => seen.push(format!("exit {}", exit.reason)),
            down: Down => seen.push(format!("down {}", down.reason)),
            text: &'static str => seen.push(text.to_owned()),
            after 0 => return seen,
        }
    }
}

/// S-ORDER-3, S-ALIAS-4: messages, exits and downs, plain and with priority: those with priority
/// first, each kind in order.
#[beamish::test(seeds = 20)]
async fn otp_signal_suite_priority_messages_order() {
    let linked: [Pid; 4] = std::array::from_fn(|_| spawn(forever()));
    let watched: [Pid; 4] = std::array::from_fn(|_| spawn(forever()));
    let receiver = spawn_link(servant());
    let urgent = ask(receiver, async move {
        trap_exit(true);
        for index in 0..4 {
            if index % 2 == 0 {
                link_priority(linked[index]).unwrap();
                monitor_with(watched[index], with_priority());
            } else {
                link(linked[index]).unwrap();
                monitor(watched[index]);
            }
        }
        alias_with(AliasOptions::new().priority())
    })
    .await;
    assert!(process_info(receiver).await.unwrap().priority_messages);

    send(receiver, "plain 1");
    end(linked[1], "link 1", receiver, 2).await;
    end(linked[0], "urgent link 1", receiver, 3).await;
    end(watched[1], "monitor 1", receiver, 4).await;
    end(watched[0], "urgent monitor 1", receiver, 5).await;
    send(receiver, "plain 2");
    exit_process(urgent, "by alias 1");
    send(receiver, "plain 3");
    exit_process_priority(urgent, "urgent by alias");
    exit_process(receiver, "by pid");
    exit_process(urgent, "by alias 2");
    send(urgent, "plain 4");
    send_priority(urgent, "urgent 1");
    send(urgent, "plain 5");
    send_priority(urgent, "urgent 2");
    send(receiver, "plain 6");
    end(linked[3], "link 2", receiver, 17).await;
    end(linked[2], "urgent link 2", receiver, 18).await;
    end(watched[3], "monitor 2", receiver, 19).await;
    end(watched[2], "urgent monitor 2", receiver, 20).await;

    let (seen, late) = ask(receiver, async move {
        let seen = everything().await;
        unalias(urgent);
        (seen, process_info(me()).await.unwrap().priority_messages)
    })
    .await;
    assert_eq!(seen, ORDER);
    assert!(!late);

    send(receiver, "a message");
    exit_process_priority(urgent, "lost");
    exit_process(urgent, "lost");
    send_priority(urgent, "lost");
    send(urgent, "lost");
    assert_eq!(ask(receiver, everything()).await, ["a message"]);
}

const ORDER: [&str; 20] = [
    "exit urgent link 1",
    "down urgent monitor 1",
    "exit urgent by alias",
    "urgent 1",
    "urgent 2",
    "exit urgent link 2",
    "down urgent monitor 2",
    "plain 1",
    "exit link 1",
    "down monitor 1",
    "plain 2",
    "exit by alias 1",
    "plain 3",
    "exit by pid",
    "exit by alias 2",
    "plain 4",
    "plain 5",
    "plain 6",
    "exit link 2",
    "down monitor 2",
];

/// Ends a process, and waits until the receiver has so many messages: nothing overtakes this end.
async fn end(pid: Pid, text: &'static str, receiver: Pid, count: usize) {
    exit_process(pid, text);
    eventually!(process_info(receiver).await.unwrap().message_queue_len == count);
}

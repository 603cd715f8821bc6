//! Hibernation, after Erlang's `hibernate_SUITE`.

use beamish::prelude::*;

use crate::support::*;

struct Add(u32);

/// Sleeps until the next message again and again; what it knows survives.
async fn hibernator() {
    let mut sum = 0;
    loop {
        hibernate().await;
        receive! {
            Add(number): Add => sum += number,
            asker: Pid => send(asker, sum),
            Stop: Stop => return,
        }
    }
}

#[beamish::test]
async fn otp_hibernate_suite_basic() {
    let (pid, watch) = spawn_monitor(hibernator());
    for number in 1..=100 {
        send(pid, Add(number));
        if number % 10 == 0 {
            eventually!(is_waiting(pid).await);
        }
    }
    send(pid, me());
    assert_eq!(next::<u32>().await, 5_050);
    eventually!(is_waiting(pid).await);
    send(pid, Stop);
    assert_eq!(down_of(watch).await, ExitReason::Normal);

    // Signals reach a process that hibernates.
    trap_exit(true);
    let pid = spawn_link(hibernator());
    eventually!(is_waiting(pid).await);
    exit_process(pid, "bye");
    assert_eq!(exit_of(pid).await, reason("bye"));
}

/// With a message already there, hibernating comes back at once.
#[beamish::test]
async fn otp_hibernate_suite_messages_in_queue() {
    send(me(), "a message");
    hibernate().await;
    assert_eq!(next::<&str>().await, "a message");

    let (pid, watch) = spawn_monitor(async {
        receive::<Add>().await;
        hibernate().await;
        assert_eq!(next::<&str>().await, "waiting");
    });
    send(pid, "waiting");
    send(pid, Add(1));
    assert_eq!(down_of(watch).await, ExitReason::Normal);
}

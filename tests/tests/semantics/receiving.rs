//! What a receive looks at, and when.

use std::sync::{Arc, Mutex};

use beamish::prelude::*;

use crate::support::*;

/// S-RECV-2: a receive that waits does not look again at what it has rejected.
#[beamish::test(seeds = 10)]
async fn a_rejected_message_is_not_looked_at_again() {
    let looked = Arc::new(Mutex::new(Vec::new()));
    let looks = looked.clone();
    let (receiver, watch) = spawn_monitor(async move {
        let look = |n: u32| {
            looks.lock().unwrap().push(n);
            n == 9
        };
        receive! { n: u32 if look(n) => assert_eq!(n, 9) }
        looks.lock().unwrap().push(100);
        receive::<u32>().filter(|n| look(*n) || *n == 4).await;
    });
    for n in [1_u32, 2, 3, 4, 9] {
        send(receiver, n);
        eventually!(!is_alive(receiver) || is_waiting(receiver).await);
    }
    assert_eq!(down_of(watch).await, ExitReason::Normal);
    assert_eq!(*looked.lock().unwrap(), [1, 2, 3, 4, 9, 100, 1, 2, 3, 4]);
}

/// S-RECV-3: messages that do not match do not start the time anew.
#[beamish::test(seed = 1)]
async fn the_time_runs_from_the_entry() {
    let start = now();
    for n in 1..100_u32 {
        send_after(n * SECOND / 10, me(), n);
    }
    receive! { _: Never => {}, after 2 * SECOND => {} }
    assert_eq!(now() - start, 2 * SECOND);
}

/// S-ALIAS-3: the reply to a request that was given up never comes to the mailbox.
#[beamish::test(seeds = 50)]
async fn a_late_reply_to_a_request_that_was_given_up_is_dropped() {
    let server = spawn(async {
        loop {
            let reply_to = receive::<Alias>().await;
            sleep(SECOND).await;
            send(reply_to, "reply");
        }
    });
    let options = MonitorOptions::new().alias(AliasMode::ReplyDemonitor);
    let request = monitor_with(server, options);
    send(server, request.alias().unwrap());
    let reply = receive::<&str>().after(request).timeout(SECOND / 2).await;
    assert!(reply.is_err());
    demonitor_flush(request);
    sleep(2 * SECOND).await;
    expect_no_message().await;
    // The request that waits long enough has its answer.
    let request = monitor_with(server, MonitorOptions::new().alias(AliasMode::ReplyDemonitor));
    send(server, request.alias().unwrap());
    assert_eq!(receive::<&str>().after(request).timeout(2 * SECOND).await, Ok("reply"));
}

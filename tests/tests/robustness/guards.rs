//! Filters and guards that panic, exit or look at the mailbox while a receive decides.

use std::panic::{AssertUnwindSafe, catch_unwind};

use beamish::prelude::*;

use crate::scene::*;

struct Item(u32);

async fn items_left() -> Vec<u32> {
    let mut left = Vec::new();
    while let Ok(Item(n)) = receive::<Item>().timeout(Duration::ZERO).await {
        left.push(n);
    }
    left
}

fn send_items(numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|n| send(me(), Item(n)));
}

async fn waiting() -> usize {
    process_info(me()).await.unwrap().message_queue_len
}

#[test]
fn a_panic_in_a_filter_takes_only_the_message_it_looked_at() {
    survive(|| async {
        send_items(0..5);
        // Once from the fresh messages, once from those that were passed over.
        for (bad, left) in [(2, 4), (3, 3)] {
            let receive = receive::<Item>().filter(move |item| {
                assert!(item.0 != bad, "bad item");
                false
            });
            Caught(receive).await.map(drop).unwrap_err();
            assert_eq!(waiting().await, left);
        }
        assert_eq!(items_left().await, [0, 1, 4]);
        assert_eq!(waiting().await, 0);
    });
}

#[test]
fn a_panic_in_a_guard_takes_only_the_message_it_looked_at() {
    survive(|| async {
        send_items(0..5);
        for bad in [2, 3] {
            let receive = Box::pin(async move {
                receive! {
                    Item(n): Item if { assert!(n != bad, "bad item"); false } => n,
                }
            });
            Caught(receive).await.map(drop).unwrap_err();
        }
        assert_eq!(items_left().await, [0, 1, 4]);
        assert_eq!(waiting().await, 0);
    });
}

/// S-PROC-5: a panic in a filter ends its process, and nothing else.
#[test]
fn a_panic_in_a_filter_that_is_not_caught_ends_the_process() {
    survive(|| async {
        let child = start(async {
            receive::<u8>().filter(|n| 10 / (*n - 1) == 1).await;
        });
        send(child.pid, "not looked at");
        send(child.pid, 1_u8);
        send(child.pid, Bomb("behind"));
        assert_eq!(panic_text(&end_of(child).await), "attempt to divide by zero");
    });
}

#[test]
fn an_exit_in_a_guard_ends_the_process_with_its_reason() {
    survive(|| async {
        let child = start(async {
            receive! { n: u8 if { if n == 1 { exit("guard") } true } => assert_eq!(n, 0) }
        });
        send(child.pid, 1_u8);
        assert_eq!(end_of(child).await, ExitReason::custom("guard"));
    });
}

#[test]
fn a_filter_may_use_the_mailbox_it_is_asked_about() {
    survive(|| async {
        let (pid, watch) = spawn_monitor(async {});
        until(|| !is_alive(pid)).await;
        send_items(0..4);
        let found = receive::<Item>().filter(move |item| {
            send(me(), Item(item.0 + 10));
            demonitor_flush(watch);
            dictionary::put("seen", item.0);
            item.0 == 2
        });
        assert_eq!(found.await.0, 2);
        assert_eq!(items_left().await, [0, 1, 3, 10, 11, 12]);
        assert_eq!(waiting().await, 0, "and the notice was flushed");
    });
}

#[test]
fn a_flush_takes_out_a_tagged_notice_too() {
    survive(|| async {
        let target = spawn(async {});
        let watch = monitor_with(target, MonitorOptions::new().tag("tag"));
        until(|| !is_alive(target)).await;
        assert!(receive::<u8>().timeout(Duration::from_millis(1)).await.is_err());
        demonitor_flush(watch);
        assert!(receive::<TaggedDown<&str>>().timeout(Duration::ZERO).await.is_err());
        assert_eq!(waiting().await, 0);
    });
}

#[test]
fn a_flush_from_the_list_of_passed_over_messages_keeps_the_books() {
    survive(|| async {
        let (target, watch) = spawn_monitor(async {});
        until(|| !is_alive(target)).await;
        assert!(receive::<u8>().timeout(Duration::from_millis(1)).await.is_err());
        assert!(!demonitor_flush(watch));
        assert_eq!(waiting().await, 0);
    });
}

/// S-EXIT-6: `exit` unwinds, and can be caught.
#[test]
fn a_caught_exit_lets_the_process_go_on() {
    survive(|| async {
        let reason = ends(async {
            let caught = catch_unwind(|| exit("caught"));
            assert!(caught.is_err());
            send(me(), 1_u8);
            assert_eq!(receive::<u8>().await, 1);
        });
        assert_eq!(reason.await, ExitReason::Normal);
    });
}

/// S-EXIT-1: a signal that a process sends itself has taken effect when the call is over.
#[test]
fn a_caught_exit_signal_to_oneself_still_ends_the_process() {
    survive(|| async {
        let parent = me();
        let child = start(async move {
            let caught = catch_unwind(AssertUnwindSafe(|| exit_process(me(), "signal")));
            assert!(caught.is_err());
            send(me(), 1_u8);
            receive::<u8>().await;
            send(parent, "went on");
        });
        assert_eq!(end_of(child).await, ExitReason::custom("signal"));
        assert!(receive::<&str>().timeout(Duration::ZERO).await.is_err());
    });
}

#[test]
fn a_clone_that_panics_leaves_the_dictionary_as_it_was() {
    struct Uncloneable;
    impl Clone for Uncloneable {
        fn clone(&self) -> Self {
            panic!("no copies");
        }
    }
    survive(|| async {
        dictionary::put("key", Uncloneable);
        catch_unwind(|| dictionary::get::<Uncloneable>("key")).map(drop).unwrap_err();
        assert_eq!(dictionary::keys().len(), 1);
        assert!(dictionary::erase("key").unwrap().is::<Uncloneable>());
    });
}

#[test]
fn a_message_that_came_through_an_alias_can_be_sent_on() {
    survive(|| async {
        let parent = me();
        let relay = spawn(async move {
            send(parent, alias());
            receive! { any: Message => send(parent, any) }
        });
        let through = receive::<Alias>().timeout(LIMIT).await.unwrap();
        send(through, 5_u8);
        assert_eq!(receive::<u8>().timeout(Duration::from_secs(2)).await, Ok(5));
        until(|| !is_alive(relay)).await;
    });
}

#[test]
fn a_message_taken_as_any_can_be_sent_on_through_an_alias() {
    survive(|| async {
        send(me(), 5_u8);
        let again = alias();
        receive! { any: Message => send(again, any) }
        assert_eq!(receive::<u8>().timeout(Duration::from_secs(2)).await, Ok(5));
    });
}

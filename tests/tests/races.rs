//! Races that were lost once, on real workers.

use beamish::prelude::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// S-PROC-2: the end of a child that is faster than its parent is told.
///
/// The parent looked into its inbox between the start of the child and its own note of the monitor:
/// the news of a child that had ended by then found no note, and was lost.
#[beamish::test(workers = 2)]
async fn the_end_of_a_child_that_is_faster_than_its_parent_is_told() {
    // Keeps the other worker busy looking for something to take.
    let noise = spawn(async {
        loop {
            spawn(async {});
            yield_now().await;
        }
    });
    for _ in 0..20_000 {
        let (_, watch) = spawn_monitor(async {});
        let down = receive::<Down>().after(watch).timeout(PATIENCE).await;
        assert_eq!(down.expect("the news comes").monitor, watch);
    }
    exit_process(noise, ExitReason::Kill);
}

/// The same for links: the exit of a child that is faster than its parent is seen.
#[beamish::test(workers = 2)]
async fn the_exit_of_a_linked_child_that_is_faster_than_its_parent_is_seen() {
    trap_exit(true);
    for _ in 0..20_000 {
        let child = spawn_link(async { exit("at once") });
        let exit = receive::<Exit>().timeout(PATIENCE).await.expect("the exit comes");
        assert_eq!((exit.from, exit.reason), (child, ExitReason::custom("at once")));
    }
}

/// S-SEND-3, S-ORDER-1: messages, wakes and timers from both workers at once: nothing is lost,
/// nothing comes twice.
#[beamish::test(workers = 2)]
async fn every_message_of_many_senders_arrives_once_and_in_order() {
    let parent = me();
    let senders: Vec<Pid> = (0..8_u64)
        .map(|sender| {
            spawn(async move {
                for number in 0..5_000_u64 {
                    send(parent, (sender, number));
                    if number % 64 == sender {
                        yield_now().await;
                    }
                }
            })
        })
        .collect();
    let mut next = vec![0; senders.len()];
    for _ in 0..8 * 5_000 {
        let (sender, number) = receive::<(u64, u64)>().timeout(PATIENCE).await.expect("it comes");
        let expected = &mut next[sender as usize];
        assert_eq!(number, *expected);
        *expected += 1;
    }
    assert!(receive::<(u64, u64)>().timeout(Duration::ZERO).await.is_err());
}

//! Timers and the clock.

use beamish::prelude::*;

use crate::support::*;

/// S-TIME-6: in a seeded runtime timers of one moment fire in the order of their setting, however
/// long before and by whomever they were set.
#[beamish::test(seeds = 30)]
async fn seeded_timers_of_one_moment_fire_in_the_order_of_their_setting() {
    let (receiver, other, at) = (me(), spawn(servant()), now() + 12 * SECOND);
    let mut dice = Dice::new(6);
    for n in 0..200_u32 {
        if n % 2 == 0 {
            send_at(at, receiver, n);
        } else {
            ask(other, async move { send_at(at, receiver, n) }).await;
        }
        sleep(Duration::from_micros(dice.roll(50_000))).await;
    }
    assert!(now() <= at, "all are set before");
    for n in 0..200 {
        assert_eq!(next::<u32>().await, n);
    }
}

/// S-TIME-7: virtual time stands still while anything can run, and jumps when nothing can.
#[beamish::test(seeds = 10)]
async fn virtual_time_waits_for_whoever_can_run() {
    let start = now();
    let sleeper = spawn_monitor(sleep(50 * SECOND));
    for _ in 0..1_000 {
        consume_reductions(1_000).await;
        ended(spawn(async {})).await;
        assert_eq!(now(), start);
    }
    assert_eq!(down_of(sleeper.1).await, ExitReason::Normal);
    assert_eq!(now() - start, 50 * SECOND);
}

//! Links, after Erlang's `erl_link_SUITE`.

use beamish::prelude::*;

use crate::support::*;

pub(crate) async fn assert_linked(one: Pid, other: Pid) {
    assert!(links_of(one).await.contains(&other), "{one} is not linked to {other}");
    assert!(links_of(other).await.contains(&one), "{other} is not linked to {one}");
}

/// Neither of them (if it lives) has the other among its links.
pub(crate) async fn assert_not_linked(one: Pid, other: Pid) {
    for (pid, peer) in [(one, other), (other, one)] {
        if let Some(info) = process_info(pid).await {
            assert!(!info.links.contains(&peer), "{pid} is still linked to {peer}");
        }
    }
}

/// S-LINK-1, S-LINK-2: both sides of a link know of it, either may undo it, and oneself is never
/// linked.
#[beamish::test]
async fn otp_erl_link_suite_links() {
    let first = spawn(servant());
    assert_not_linked(first, me()).await;
    let second = ask(first, async { spawn_link(servant()) }).await;
    assert_linked(first, second).await;

    ask(second, async move { unlink(first) }).await;
    assert_not_linked(first, second).await;
    ask(second, async move { link(first).unwrap() }).await;
    assert_linked(first, second).await;

    assert!(!ask(second, async { trap_exit(true) }).await);
    tell(first, async { exit("died") });
    assert_eq!(ask(second, exit_of(first)).await, reason("died"));
    assert_not_linked(first, second).await;

    let third = ask(second, async { spawn_link(servant()) }).await;
    assert_linked(third, second).await;
    let watch = monitor(third);
    tell(second, async { exit("died") });
    assert_eq!(down_of(watch).await, reason("died"));
    assert_not_linked(third, second).await;

    link(me()).unwrap();
    assert!(!links_of(me()).await.contains(&me()));
    unlink(me());
}

/// S-MON-1, S-MON-6: a monitor has one direction and ends with its `Down`; a monitor of oneself is
/// none.
#[beamish::test]
async fn otp_erl_link_suite_process_monitors() {
    let (watcher, target) = (spawn(servant()), spawn(servant()));
    monitor_life(watcher, target, None).await;
    let (watcher, target) = (spawn(servant()), spawn(servant()));
    register("erl_link_target", target).unwrap();
    monitor_life(watcher, target, Some("erl_link_target")).await;

    let on_self = monitor(me());
    register("erl_link_self", me()).unwrap();
    let on_own_name = monitor("erl_link_self");
    assert!(process_info(me()).await.unwrap().monitors.is_empty());
    expect_no_message().await;
    demonitor(on_self);
    demonitor(on_own_name);
}

/// A monitor's life: set, not to be taken by its target, taken back, set again, fired, refused.
pub(crate) async fn monitor_life(watcher: Pid, target: Pid, name: Option<&'static str>) {
    let watch = move || match name {
        Some(name) => monitor(name),
        None => monitor(target),
    };
    let first = ask(watcher, async move { watch() }).await;
    assert_monitored(watcher, target, true).await;
    ask(target, async move { demonitor(first) }).await;
    assert_monitored(watcher, target, true).await;
    ask(watcher, async move { demonitor(first) }).await;
    assert_monitored(watcher, target, false).await;

    let second = ask(watcher, async move { watch() }).await;
    assert_monitored(watcher, target, true).await;
    tell(target, async { exit("bye") });
    let down = ask(watcher, next::<Down>()).await;
    assert_eq!((down.monitor, down.reason), (second, reason("bye")));
    assert_eq!(down.name.is_some(), name.is_some());
    assert!(process_info(watcher).await.unwrap().monitors.is_empty());

    let third = ask(watcher, async move { watch() }).await;
    let down = ask(watcher, next::<Down>()).await;
    assert_eq!((down.monitor, down.reason), (third, ExitReason::NoProc));
    assert!(process_info(watcher).await.unwrap().monitors.is_empty());
}

async fn assert_monitored(watcher: Pid, target: Pid, yes: bool) {
    let info = process_info(watcher).await.unwrap();
    assert_eq!(info.monitors.len(), usize::from(yes));
    let info = process_info(target).await.unwrap();
    assert_eq!(info.monitored_by.contains(&watcher), yes);
}

/// S-LINK-4: once `unlink` has returned no exit message of that link may turn up any more.
#[beamish::test(seeds = 100)]
async fn otp_erl_link_suite_otp_5772_link() {
    late_exit_after_unlink().await;
}

#[beamish::test]
async fn otp_erl_link_suite_otp_5772_link_threads() {
    for _ in 0..100 {
        late_exit_after_unlink().await;
    }
}

async fn late_exit_after_unlink() {
    trap_exit(true);
    let peer = spawn_link(servant());
    let watch = monitor(peer);
    exit_process(peer, "bang");
    unlink(peer);
    drain::<Exit>().await;
    assert_eq!(down_of(watch).await, reason("bang"));
    for _ in 0..10 {
        yield_now().await;
    }
    expect_no_message().await;
}

/// S-MON-4: once `demonitor` has returned no down message may turn up any more.
#[beamish::test(seeds = 100)]
async fn otp_erl_link_suite_otp_5772_monitor() {
    late_down_after_demonitor().await;
}

#[beamish::test]
async fn otp_erl_link_suite_otp_5772_monitor_threads() {
    for _ in 0..100 {
        late_down_after_demonitor().await;
    }
}

async fn late_down_after_demonitor() {
    let peer = spawn(servant());
    let (taken_back, kept) = (monitor(peer), monitor(peer));
    exit_process(peer, "bang");
    demonitor(taken_back);
    receive::<Down>()
        .filter(move |down| down.monitor == taken_back)
        .timeout(Duration::ZERO)
        .await
        .ok();
    assert_eq!(down_of(kept).await, reason("bang"));
    for _ in 0..10 {
        yield_now().await;
    }
    expect_no_message().await;
}

/// S-LINK-5: one side links while the other links and unlinks: both must agree at the end.
#[beamish::test(seeds = 100)]
async fn otp_erl_link_suite_otp_17127_local_link_with_simultaneous_link_unlink() {
    simultaneous_link_unlink().await;
}

#[beamish::test]
async fn otp_erl_link_suite_otp_17127_local_link_with_simultaneous_link_unlink_threads() {
    for _ in 0..200 {
        simultaneous_link_unlink().await;
    }
}

async fn simultaneous_link_unlink() {
    link_against_link_and_unlink(spawn(servant()), spawn(servant())).await;
}

/// Two servants: one links, the other links and unlinks.
pub(crate) async fn link_against_link_and_unlink(one: Pid, other: Pid) {
    ask(one, async { trap_exit(true) }).await;
    tell(one, async move { link(other).unwrap() });
    tell(other, async move {
        link(one).unwrap();
        unlink(one);
    });
    assert_consistent_end(one, other).await;
}

/// S-LINK-5: random links and unlinks from both ends leave both with the same idea of their link.
#[beamish::test(seeds = 100)]
async fn otp_erl_link_suite_otp_17127_local_random() {
    random_link_program(1, 60).await;
    random_link_program(2, 60).await;
}

#[beamish::test]
async fn otp_erl_link_suite_otp_17127_local_random_threads() {
    for round in 0..100 {
        random_link_program(round, 500).await;
    }
}

async fn random_link_program(seed: u64, operations: u64) {
    random_links(spawn(servant()), spawn(servant()), seed, operations).await;
}

/// Two servants run a program of links and unlinks each.
pub(crate) async fn random_links(one: Pid, other: Pid, seed: u64, operations: u64) {
    ask(one, async { trap_exit(true) }).await;
    for (dice, pid, peer) in [(2 * seed, one, other), (2 * seed + 1, other, one)] {
        tell(pid, async move {
            let mut dice = Dice::new(dice);
            for _ in 0..dice.roll(operations) {
                match dice.roll(3) {
                    0 => link(peer).unwrap(),
                    1 => unlink(peer),
                    _ => yield_now().await,
                }
            }
        });
    }
    assert_consistent_end(one, other).await;
}

/// Both have run their program; their ideas of the link agree, and so does what happens when one ends.
async fn assert_consistent_end(one: Pid, other: Pid) {
    for _ in 0..2 {
        // Twice: the second round sees what the first one's answers made the other side send.
        ask(one, async {}).await;
        ask(other, async {}).await;
    }
    let linked = links_of(one).await.contains(&other);
    assert_eq!(links_of(other).await.contains(&one), linked);

    let watch = ask(one, async move { monitor(other) }).await;
    tell(other, async { exit("bye") });
    assert_eq!(ask(one, down_of(watch)).await, reason("bye"));
    eventually!(!links_of(one).await.contains(&other));
    let exits = ask(one, drain::<Exit>()).await;
    assert_eq!(exits.len(), usize::from(linked), "linked: {linked}");
    let watch = monitor(one);
    send(one, Stop);
    assert_eq!(down_of(watch).await, ExitReason::Normal);
}

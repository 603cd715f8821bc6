//! Who monitors whom, as processes tell it of themselves, after Erlang's `monitor_SUITE`.

use beamish::prelude::*;

use crate::support::*;

/// Both ends of a monitor are forgotten, whichever way it ends.
#[beamish::test]
async fn otp_monitor_suite_list_cleanup() {
    let boss = me();
    register("master_bertie", boss).unwrap();

    // The watched one ends.
    let jeeves = spawn(servant());
    let watch = monitor(jeeves);
    assert_monitors(&[jeeves], &[]).await;
    exit_process(jeeves, "frop");
    assert_eq!(down_of(watch).await, reason("frop"));
    assert_monitors(&[], &[]).await;

    // The watcher ends; it watched by pid, then by name.
    for by_name in [false, true] {
        let jeeves = spawn(servant());
        let watch = move || if by_name { monitor("master_bertie") } else { monitor(boss) };
        ask(jeeves, async move { watch() }).await;
        assert_monitors(&[], &[jeeves]).await;
        exit_process(jeeves, "frop");
        ended(jeeves).await;
        eventually!(monitors().await == (vec![], vec![]));
    }

    // Both watch each other, and the monitors are taken back.
    let jeeves = spawn(servant());
    let mine = monitor(jeeves);
    let theirs = ask(jeeves, async move { monitor(boss) }).await;
    assert_monitors(&[jeeves], &[jeeves]).await;
    demonitor(mine);
    assert_monitors(&[], &[jeeves]).await;
    ask(jeeves, async move { demonitor(theirs) }).await;
    assert_monitors(&[], &[]).await;
    unregister("master_bertie").unwrap();
}

/// Whom this process monitors, and who monitors it.
async fn monitors() -> (Vec<Pid>, Vec<Pid>) {
    let info = process_info(me()).await.unwrap();
    let (mut monitors, mut monitored_by) = (info.monitors, info.monitored_by);
    monitors.sort();
    monitored_by.sort();
    (monitors, monitored_by)
}

async fn assert_monitors(expected: &[Pid], by: &[Pid]) {
    assert_eq!(monitors().await, (expected.to_vec(), by.to_vec()));
}

/// Monitors in both directions with many processes, ended by death or taken back in any mix.
#[beamish::test(seeds = 100)]
async fn otp_monitor_suite_mixer() {
    mix(10).await;
}

#[beamish::test]
async fn otp_monitor_suite_mixer_threads() {
    for _ in 0..20 {
        mix(20).await;
    }
}

async fn mix(crowd: usize) {
    for (both_ways, taken_back) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut crew: Vec<Pid> = (0..crowd).map(|_| spawn(servant())).collect();
        crew.sort();
        let boss = me();
        let mut theirs = Vec::new();
        for &pid in &crew {
            theirs.push((pid, ask(pid, async move { monitor(boss) }).await));
        }
        let mine: Vec<Monitor> =
            crew.iter().filter(|_| both_ways).map(|&pid| monitor(pid)).collect();
        assert_monitors(if both_ways { &crew } else { &[] }, &crew).await;
        if taken_back {
            for (pid, watch) in theirs {
                assert!(ask(pid, async move { demonitor(watch) }).await);
            }
            assert_monitors(if both_ways { &crew } else { &[] }, &[]).await;
            for watch in mine {
                assert!(demonitor(watch));
            }
        } else {
            for &pid in &crew {
                exit_process(pid, "flaff");
            }
            for watch in mine {
                assert_eq!(down_of(watch).await, reason("flaff"));
            }
        }
        eventually!(monitors().await == (vec![], vec![]));
        for pid in crew {
            exit_process(pid, ExitReason::Kill);
        }
    }
}

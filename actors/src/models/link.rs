//! Links: when all is quiet, both ends agree.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    model,
    world::{Go, World},
};
use crate::{
    Exit, ExitReason, Pid, ambient::with_turn, link, receive, spawn_link, trap_exit, unlink,
    yield_now,
};

#[derive(Clone, Copy)]
enum Step {
    Link,
    Unlink,
    /// Handles what has come.
    Yield,
}
use Step::{Link, Unlink, Yield};

/// Whether the current process is linked with `peer`, and how many entries it keeps.
fn view(peer: Pid) -> (bool, usize) {
    with_turn(|turn| turn.with_links(|links| (links.active().any(|pid| pid == peer), links.len())))
}

async fn side(steps: &'static [Step], views: Arc<Mutex<Vec<(bool, usize)>>>) {
    let peer = receive::<Pid>().await;
    for step in steps {
        match step {
            Link => link(peer).unwrap(),
            Unlink => unlink(peer),
            Yield => yield_now().await,
        }
    }
    receive::<Go>().await;
    views.lock().unwrap().push(view(peer));
    receive::<Go>().await;
}

/// Runs two processes that do these steps to the link between them at the same time.
fn both_agree(steps: [&'static [Step]; 2]) {
    model(move || {
        let world = World::new(2);
        let views = Arc::new(Mutex::new(Vec::new()));
        let pids = steps.map(|steps| world.spawn(side(steps, Arc::clone(&views))));
        world.settle();
        world.send(pids[0], pids[1]);
        world.send(pids[1], pids[0]);
        world.run_on_two();
        pids.iter().for_each(|pid| world.go(*pid));
        {
            let views = views.lock().unwrap();
            let linked = views[0].0;
            assert_eq!(*views, [(linked, usize::from(linked)); 2]);
        }
        world.end();
    });
}

/// One side links and unlinks while the other links.
///
/// Fails when rule 3 of `link.rs` makes a link although an unlink is on its way.
#[test]
fn loom_link_against_link_and_unlink() {
    both_agree([&[Link, Unlink], &[Link]]);
}

/// Both sides link and unlink.
///
/// Fails when an unlink request forgets the peer's entry although that waits for its own
/// acknowledgement.
#[test]
fn loom_link_and_unlink_from_both_ends() {
    both_agree([&[Link, Unlink, Link], &[Link, Unlink]]);
}

/// One side unlinks twice while the other links in between.
///
/// Fails when an acknowledgement is taken for that of a later unlink.
#[test]
fn loom_link_acknowledgement_of_an_earlier_unlink() {
    both_agree([&[Link, Unlink, Link, Unlink], &[Yield, Link]]);
}

/// One side unlinks and takes it back while the other unlinks.
///
/// Fails when an unlink request leaves an entry active that waits for its own acknowledgement.
#[test]
fn loom_link_taken_back_against_unlink() {
    both_agree([&[Link, Yield, Unlink, Link], &[Yield, Unlink]]);
}

/// A link to a process that ends: exactly one exit signal comes, or the call says `NoProc`.
///
/// Fails when an ending process does not answer link requests that it had not read.
#[test]
fn loom_link_against_exit() {
    model(|| {
        let world = World::new(2);
        let mortal = world.spawn(async {});
        let other = world.spawn(async move {
            trap_exit(true);
            // The answer comes as a message: the process traps exits.
            link(mortal).unwrap();
            let exit = receive::<Exit>().await;
            assert_eq!(exit.from, mortal);
            assert!(matches!(exit.reason, ExitReason::Normal | ExitReason::NoProc));
            receive::<Go>().await;
            assert!(receive::<Exit>().timeout(Duration::ZERO).await.is_err());
            assert_eq!(view(mortal), (false, 0));
        });
        world.run_on_two();
        world.last_go(other);
        world.end();
    });
}

/// An unlink while the other side ends: no exit signal comes after it, and nothing is left.
///
/// Fails when the exit of an unlinked process counts.
#[test]
fn loom_link_unlink_against_exit() {
    model(|| {
        let world = World::new(2);
        let other = world.spawn(async {
            trap_exit(true);
            let mortal = spawn_link(async {});
            let early = receive::<Exit>().timeout(Duration::ZERO).await.is_ok();
            unlink(mortal);
            receive::<Go>().await;
            assert!(receive::<Exit>().timeout(Duration::ZERO).await.is_err(), "after {early}");
            assert_eq!(view(mortal), (false, 0));
        });
        world.run_on_two();
        world.last_go(other);
        world.end();
    });
}

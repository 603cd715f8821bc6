//! The end of a process, and the next tenant of its slot.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use loom::thread;

use super::{
    Parcel, Watched, model,
    world::{Go, World},
};
use crate::{
    Down, ExitReason,
    ambient::try_turn,
    exit, monitor, receive,
    sync::{AtomicBool, Ordering},
};

/// A message to a process that ends comes after its slot was let again: the next tenant never sees
/// it, and it is dropped.
///
/// Fails when the receiver does not compare generations.
#[test]
fn loom_exit_late_message_to_a_reused_slot() {
    model(|| {
        let world = World::new(1);
        let mortal = world.spawn(async {});
        let worker = {
            let world = world.clone();
            thread::spawn(move || {
                world.work();
                let next = world.spawn(async {
                    receive::<Go>().await;
                    assert!(receive::<Parcel>().timeout(Duration::ZERO).await.is_err());
                });
                world.work();
                next
            })
        };
        world.send(mortal, Parcel::new(1));
        let next = worker.join().unwrap();
        world.last_go(next);
        world.end();
    });
}

/// A request to a process that ends comes after its slot was let again: it is answered once, as by
/// a process that is gone.
///
/// Fails when the next tenant takes the request for its own.
#[test]
fn loom_exit_late_request_to_a_reused_slot() {
    model(|| {
        let world = World::new(2);
        let mortal = world.spawn(async {});
        let watcher = world.spawn(async move {
            receive::<Go>().await;
            monitor(mortal);
            let down = receive::<Down>().await;
            assert_eq!(down.pid, Some(mortal));
            assert!(matches!(down.reason, ExitReason::Normal | ExitReason::NoProc));
            receive::<Go>().await;
            assert!(receive::<Down>().timeout(Duration::ZERO).await.is_err());
        });
        let worker = {
            let world = world.clone();
            thread::spawn(move || {
                world.work();
                let _ = world.try_spawn(receive::<()>());
                world.work();
            })
        };
        world.send(watcher, Go);
        world.work();
        worker.join().unwrap();
        world.last_go(watcher);
        world.end();
    });
}

/// Looks into the inbox of the process that it is dropped in.
struct Looks;

impl Drop for Looks {
    fn drop(&mut self) {
        try_turn(|turn| turn.map(|turn| turn.drain()));
    }
}

/// A message that an ending process has not received looks into the inbox when it is dropped, as
/// `demonitor_flush` would, while another process monitors the one that ends: the watcher hears of
/// the end.
///
/// Fails when that opens the closed inbox again.
#[test]
fn loom_exit_destructor_looks_into_the_inbox() {
    model(|| {
        let world = World::new(2);
        let mortal = world.spawn(receive::<Go>());
        world.send(mortal, Looks);
        world.send(mortal, Go);
        let watcher = world.spawn(async move {
            monitor(mortal);
            receive::<Down>().await;
            receive::<Go>().await;
        });
        world.run_on_two();
        world.last_go(watcher);
        world.end();
    });
}

/// Where a process leaves a waker of its own.
type Wakers = Arc<Mutex<Option<Waker>>>;

/// Leaves a waker; made before the lock, which no switch of threads may find taken.
fn leave_waker(context: &Context<'_>, wakers: &Wakers) {
    let waker = context.waker().clone();
    let former = wakers.lock().unwrap().replace(waker);
    drop(former);
}

/// A wait that ends after some polls; loom checks that they are one after the other.
async fn polls(wakers: Wakers, number: u32) {
    let polled = Watched::new(0);
    poll_fn(|context| {
        leave_waker(context, &wakers);
        let polled = polled.with(|polled| {
            *polled += 1;
            *polled
        });
        if polled > number { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A foreign thread wakes a process that ends, and whose slot is let again: polls are one after the
/// other, and the next tenant is not run twice at once.
///
/// Fails when a wake schedules a process that is not parked.
#[test]
fn loom_exit_against_foreign_wake() {
    model(|| {
        let world = World::new(1);
        let wakers = Wakers::default();
        world.spawn(polls(Arc::clone(&wakers), 1));
        world.settle();
        let waker = wakers.lock().unwrap().take().unwrap();
        let foreign = {
            let (world, waker) = (world.clone(), waker.clone());
            thread::spawn(move || {
                waker.wake_by_ref();
                world.work();
                waker.wake();
                world.work();
            })
        };
        waker.wake();
        world.work();
        let _ = world.try_spawn(polls(Wakers::default(), 9));
        world.work();
        foreign.join().unwrap();
        drop(wakers);
        world.end();
    });
}

/// A foreign thread makes a future ready and wakes it, while two workers run the process: the future
/// is polled again.
///
/// Fails when the wake schedules nobody.
#[test]
fn loom_exit_foreign_wake_is_not_lost() {
    model(|| {
        let world = World::new(1);
        let (wakers, ready) = (Wakers::default(), Arc::new(AtomicBool::new(false)));
        let process = {
            let (wakers, ready) = (Arc::clone(&wakers), Arc::clone(&ready));
            world.spawn(poll_fn(move |context| {
                leave_waker(context, &wakers);
                if ready.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
            }))
        };
        let worker = {
            let world = world.clone();
            thread::spawn(move || world.work())
        };
        world.work();
        let waker = wakers.lock().unwrap().take();
        ready.store(true, Ordering::Relaxed);
        let woken = waker.map(Waker::wake).is_some();
        worker.join().unwrap();
        world.settle();
        assert!(!woken || !world.shared.is_alive(process), "it was not polled again");
        drop(wakers);
        world.end();
    });
}

/// Says, when it is dropped, whether it found a process.
#[derive(Debug)]
struct Finds(Arc<Mutex<bool>>);

impl PartialEq for Finds {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Drop for Finds {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = try_turn(|turn| turn.is_some());
    }
}

/// A thread has stopped waiting for a process, so the exit reason is dropped when the slot may have
/// a new tenant already: its destructor does not find the process.
///
/// Fails when the process stays the current one.
#[test]
fn loom_exit_reason_outlives_the_process() {
    model(|| {
        let world = World::new(1);
        let found = Arc::new(Mutex::new(true));
        let finds = Finds(Arc::clone(&found));
        let (watcher, _) = crossbeam_channel::bounded(1);
        world.spawn_for(watcher, async { exit(ExitReason::shutdown_with(finds)) });
        world.work();
        assert!(!*found.lock().unwrap());
        world.end();
    });
}

//! Futures from elsewhere: they can be awaited in a process, and wake it, whoever completes them.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use beamish::{ProcessStatus, Runtime, prelude::*};

use crate::scene::*;

struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// Completes a [`Receiver`], from anywhere.
struct Sender<T>(Arc<Mutex<State<T>>>);

/// A future that somebody else completes.
struct Receiver<T>(Arc<Mutex<State<T>>>);

fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let state = Arc::new(Mutex::new(State { value: None, waker: None }));
    (Sender(state.clone()), Receiver(state))
}

impl<T> Sender<T> {
    /// Completes the future. Returns the waker it called, for calling it again.
    fn send(self, value: T) -> Option<Waker> {
        let mut state = self.0.lock().unwrap();
        state.value = Some(value);
        let waker = state.waker.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref)
    }
}

impl<T> Future for Receiver<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut state = self.0.lock().unwrap();
        if let Some(value) = state.value.take() {
            return Poll::Ready(value);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

/// The waker of the current process.
async fn my_waker() -> Waker {
    poll_fn(|context| Poll::Ready(context.waker().clone())).await
}

/// Is pending until the process has been polled so often, without asking to be.
async fn polled(times: &AtomicUsize) {
    let before = times.load(Ordering::SeqCst);
    poll_fn(|_| {
        if times.fetch_add(1, Ordering::SeqCst) == before { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[test]
fn a_thread_completes_what_a_process_awaits() {
    survive(|| async {
        for n in 0..300_u32 {
            let (sender, receiver) = oneshot();
            let thread = thread::spawn(move || sender.send(n));
            assert_eq!(receiver.await, n);
            drop(thread.join().unwrap());
        }
    });
}

#[test]
fn many_processes_wait_for_threads_at_once() {
    survive(|| async {
        let (senders, children): (Vec<_>, Vec<_>) = (0..200_u32)
            .map(|n| {
                let (sender, receiver) = oneshot();
                (sender, start(async move { ExitReason::shutdown_with(receiver.await + n) }))
            })
            .unzip();
        let thread = thread::spawn(move || {
            senders.into_iter().rev().for_each(|sender| drop(sender.send(1_u32)));
        });
        for (n, child) in children.into_iter().enumerate() {
            assert_eq!(end_of(child).await, ExitReason::shutdown_with(n as u32 + 1));
        }
        thread.join().unwrap();
    });
}

#[test]
fn messages_and_foreign_futures_wake_the_same_process() {
    survive(|| async {
        let parent = me();
        let (sender, mut receiver) = oneshot();
        let child = start(async move {
            let mut got = 0_u32;
            while got < 100 {
                let mut message = pin!(receive::<u32>());
                got += poll_fn(|context| match message.as_mut().poll(context) {
                    Poll::Ready(n) => Poll::Ready(n),
                    Poll::Pending => Pin::new(&mut receiver).poll(context),
                })
                .await;
                send(parent, got);
            }
        });
        for n in 1..=50 {
            send(child.pid, 1_u32);
            assert_eq!(receive::<u32>().timeout(LIMIT).await, Ok(n));
        }
        thread::spawn(move || drop(sender.send(50_u32))).join().unwrap();
        assert_eq!(receive::<u32>().timeout(LIMIT).await, Ok(100));
        assert_eq!(end_of(child).await, ExitReason::Normal);
    });
}

#[test]
fn a_waker_is_cloned_and_dropped_ten_thousand_times() {
    survive(|| async {
        let waker = my_waker().await;
        let clones: Vec<_> = (0..10_000).map(|_| waker.clone()).collect();
        assert!(clones.iter().all(|clone| clone.will_wake(&waker)));
        let threads = clones.chunks(2_500).map(<[Waker]>::to_vec).map(|clones| {
            thread::spawn(move || {
                for (n, clone) in clones.into_iter().enumerate() {
                    if n % 2 == 0 { clone.wake() } else { drop(clone) }
                }
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn will_wake_holds_from_poll_to_poll_and_only_for_the_process_itself() {
    survive(|| async {
        // The very first clone of a process is one that it does not keep.
        drop(my_waker().await);
        yield_now().await;
        let first = my_waker().await;
        for _ in 0..10 {
            yield_now().await;
            assert!(my_waker().await.will_wake(&first));
            poll_fn(|context| {
                assert!(context.waker().will_wake(&first));
                Poll::Ready(())
            })
            .await;
        }
        let parent = me();
        let child = spawn(async move {
            send(parent, my_waker().await);
            forever().await;
        });
        let other = receive::<Waker>().timeout(LIMIT).await.unwrap();
        assert!(!other.will_wake(&first) && !first.will_wake(&other));
        exit_process(child, ExitReason::Kill);
    });
}

#[test]
fn a_wake_after_completion_does_nothing() {
    survive(|| async {
        let (sender, receiver) = oneshot();
        let thread = thread::spawn(move || sender.send(1_u8));
        assert_eq!(receiver.await, 1);
        if let Some(waker) = thread.join().unwrap() {
            waker.wake_by_ref();
            waker.wake();
        }
        assert!(receive::<Never>().timeout(Duration::from_millis(1)).await.is_err());
    });
}

#[test]
fn a_wake_from_inside_a_poll_polls_again() {
    survive(|| async {
        for by_value in [false, true] {
            let mut polls = 0;
            poll_fn(|context| {
                polls += 1;
                if polls == 100 {
                    return Poll::Ready(());
                }
                // Twice: two wakes are one poll.
                context.waker().wake_by_ref();
                #[allow(clippy::waker_clone_wake, reason = "what is tested")]
                if by_value {
                    context.waker().clone().wake()
                } else {
                    context.waker().wake_by_ref()
                }
                Poll::Pending
            })
            .await;
            assert_eq!(polls, 100);
        }
    });
}

#[test]
fn a_wake_polls_once() {
    survive(|| async {
        let polls = Arc::new(AtomicUsize::new(0));
        let (seen, parent) = (polls.clone(), me());
        let child = start(async move {
            send(parent, my_waker().await);
            polled(&seen).await;
        });
        let waker = receive::<Waker>().timeout(LIMIT).await.unwrap();
        until(|| polls.load(Ordering::SeqCst) == 1).await;
        waker.wake();
        assert_eq!(end_of(child).await, ExitReason::Normal);
        assert_eq!(polls.load(Ordering::SeqCst), 2);
    });
}

/// S-PROC-3: who held on to a process that has ended never reaches another.
#[test]
fn a_wake_of_the_dead_does_not_reach_the_next_tenant() {
    // Room for one child: the next process gets the slot of the one before.
    let runtime = Runtime::builder().workers(2).process_limit(2).quiet().build().unwrap();
    let body = async {
        let handle = beamish::current_runtime().unwrap();
        let parent = me();
        let first = spawn(async move { send(parent, my_waker().await) });
        let stale = receive::<Waker>().timeout(LIMIT).await.unwrap();
        until(|| handle.census().processes == 1).await;
        stale.wake_by_ref();

        let polls = Arc::new(AtomicUsize::new(0));
        let seen = polls.clone();
        let second = start(async move { polled(&seen).await });
        assert_ne!(first, second.pid);
        until(|| polls.load(Ordering::SeqCst) == 1).await;
        for _ in 0..100 {
            stale.wake_by_ref();
        }
        stale.wake_by_ref();
        settle(second.pid).await;
        assert_eq!(polls.load(Ordering::SeqCst), 1, "the new tenant was not polled");
        exit_process(second.pid, ExitReason::Kill);
        end_of(second).await;
        stale.wake();
    };
    runtime.block_on(body).unwrap();
    finish(runtime, 1);
}

#[test]
fn a_waker_outlives_its_runtime() {
    for seeded in [false, true] {
        let builder = Runtime::builder().workers(1).quiet();
        let builder = if seeded { builder.seeded(1) } else { builder };
        let runtime = builder.build().unwrap();
        let waker = runtime.block_on(my_waker()).unwrap();
        waker.wake_by_ref();
        let (told, waker_of_waiting) = mpsc::channel();
        let waiting = async move {
            told.send(my_waker().await).unwrap();
            forever().await;
        };
        runtime.spawn(waiting).unwrap();
        runtime.block_on(async { sleep(Duration::from_millis(5)).await }).unwrap();
        let waiting = waker_of_waiting.recv_timeout(LIMIT).unwrap();
        runtime.shutdown(LIMIT).unwrap();
        for waker in [waker, waiting] {
            waker.wake_by_ref();
            let clone = waker.clone();
            thread::spawn(move || clone.wake()).join().unwrap();
        }
    }
}

#[test]
fn a_future_polled_in_one_process_goes_on_in_another() {
    survive(|| async {
        let (sender, mut receiver) = oneshot();
        poll_fn(|context| {
            assert!(Pin::new(&mut receiver).poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let child = start(async move { ExitReason::shutdown_with(receiver.await) });
        until_waiting(child.pid).await;
        drop(thread::spawn(move || sender.send("moved")).join().unwrap());
        assert_eq!(end_of(child).await, ExitReason::shutdown_with("moved"));
    });
}

async fn until_waiting(pid: Pid) {
    while process_info(pid).await.unwrap().status != ProcessStatus::Waiting {
        yield_now().await;
    }
}

/// Waits for both: no help from any other runtime.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut left, mut right) = (None, None);
    poll_fn(|context| {
        if left.is_none() {
            left = ready(a.as_mut().poll(context));
        }
        if right.is_none() {
            right = ready(b.as_mut().poll(context));
        }
        if left.is_some() && right.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (left.unwrap(), right.unwrap())
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[test]
fn two_futures_of_two_threads_are_joined() {
    survive(|| async {
        for turn in 0..100_u32 {
            let ((one, first), (two, second)) = (oneshot(), oneshot());
            let threads = [
                thread::spawn(move || drop(one.send(turn))),
                thread::spawn(move || drop(two.send(turn + 1))),
            ];
            assert_eq!(join(first, second).await, (turn, turn + 1));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
}

#[test]
fn our_own_futures_are_joined_with_foreign_ones() {
    survive(|| async {
        let (sender, receiver) = oneshot();
        let timer = send_after(Duration::from_millis(2), me(), 5_u8);
        let thread = thread::spawn(move || drop(sender.send("foreign")));
        let both = join(join(receive::<u8>(), receiver), sleep(Duration::from_millis(4)));
        assert_eq!(both.await, ((5, "foreign"), ()));
        assert!(cancel_timer(timer).is_none());
        thread.join().unwrap();
    });
}

/// Counts wakes and passes them on: the way of every select and join.
struct Counting(AtomicUsize, Waker);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.wake_by_ref();
    }
}

#[test]
fn a_foreign_future_may_bring_a_waker_of_its_own() {
    survive(|| async {
        let (sender, mut receiver) = oneshot();
        let counting = Arc::new(Counting(AtomicUsize::new(0), my_waker().await));
        let waker = Waker::from(counting.clone());
        let thread = thread::spawn(move || drop(sender.send(1_u8)));
        let value = poll_fn(|_| Pin::new(&mut receiver).poll(&mut Context::from_waker(&waker)));
        assert_eq!(value.await, 1);
        assert!(counting.0.load(Ordering::SeqCst) <= 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_future_is_completed_by_a_process_of_another_runtime() {
    let runtimes = [1, 2].map(|n| Runtime::builder().workers(n).quiet().build().unwrap());
    for _ in 0..200 {
        let (sender, receiver) = oneshot();
        runtimes[1].spawn(async move { drop(sender.send(7_u8)) }).unwrap();
        assert_eq!(runtimes[0].block_on(receiver).unwrap(), 7);
    }
}

#[test]
fn a_lone_process_is_woken_on_every_thread_that_sleeps() {
    // All workers are asleep each time: a wake that is lost would hang here.
    for workers in [1, 2, 4] {
        let runtime = Runtime::builder().workers(workers).quiet().build().unwrap();
        let (told, wakers) = mpsc::channel::<Sender<u32>>();
        let body = async move {
            for n in 0..500 {
                let (sender, receiver) = oneshot();
                told.send(sender).unwrap();
                assert_eq!(receiver.await, n);
            }
        };
        let thread = thread::spawn(move || {
            for (n, sender) in wakers.iter().enumerate() {
                drop(sender.send(n as u32));
            }
        });
        runtime.block_on(body).unwrap();
        thread.join().unwrap();
    }
}

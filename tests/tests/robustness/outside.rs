//! Code outside of processes: what it may do, and what it is told when it may not.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Barrier, mpsc},
    task::{Context, Poll, Waker},
    thread,
};

use beamish::{AliasMode, Destination, Runtime, prelude::*};

use crate::scene::*;

/// What a panic of `f` says.
fn complaint<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().unwrap().to_string(),
    }
}

/// Polls a future once, outside of any process.
fn poll_outside<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn pid_of_the_dead() -> Pid {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    runtime.block_on(async { me() }).unwrap()
}

/// S-SEND-2: outside a process, a `send` to a name panics, among others.
#[test]
fn functions_of_a_process_called_outside_say_what_to_do() {
    let pid = pid_of_the_dead();
    let complaints = [
        complaint(me),
        complaint(make_ref),
        complaint(now),
        complaint(alias),
        complaint(processes),
        complaint(registered),
        complaint(dictionary::keys),
        complaint(|| spawn(async {})),
        complaint(|| spawn_link(async {})),
        complaint(|| spawn_monitor(async {})),
        complaint(|| SpawnOptions::new().spawn(async {})),
        complaint(|| link(pid)),
        complaint(|| unlink(pid)),
        complaint(|| monitor(pid)),
        complaint(|| monitor_with(pid, MonitorOptions::new().alias(AliasMode::Demonitor))),
        complaint(|| trap_exit(true)),
        complaint(|| exit("outside")),
        complaint(|| exit_process(pid, "outside")),
        complaint(|| is_alive(pid)),
        complaint(|| register("outside", pid)),
        complaint(|| unregister("outside")),
        complaint(|| whereis("outside")),
        complaint(|| "outside".deliver(1_u8)),
        complaint(|| set_label("outside")),
        complaint(|| set_priority(Priority::High)),
        complaint(|| dictionary::put("outside", 1)),
        complaint(|| dictionary::get::<u8>("outside")),
        complaint(|| dictionary::erase("outside")),
        complaint(|| send_after(Duration::ZERO, pid, ())),
        complaint(|| start_timer(Duration::ZERO, pid, ())),
        complaint(|| resume_process(pid)),
    ];
    for text in complaints {
        assert!(text.contains("no current process"), "{text}");
        assert!(text.contains("Runtime::block_on"), "it says what to do: {text}");
    }
}

#[test]
fn futures_of_a_process_awaited_outside_say_what_to_do() {
    let pid = pid_of_the_dead();
    let complaints = [
        complaint(|| poll_outside(receive::<u8>())),
        complaint(|| poll_outside(receive::<u8>().filter(|_| true))),
        complaint(|| poll_outside(receive::<u8>().timeout(Duration::ZERO))),
        complaint(|| {
            poll_outside(async {
                receive! { n: u8 => n, after 0 => 0 }
            })
        }),
        complaint(|| poll_outside(sleep(Duration::ZERO))),
        complaint(|| poll_outside(yield_now())),
        complaint(|| poll_outside(consume_reductions(1))),
        complaint(|| poll_outside(hibernate())),
        complaint(|| poll_outside(process_info(pid))),
        complaint(|| poll_outside(suspend_process(pid))),
    ];
    for text in complaints {
        assert!(text.contains("no current process"), "{text}");
    }
}

/// S-SEND-2: a `send` to a pid works anywhere.
#[test]
fn a_thread_of_a_process_is_outside_of_it() {
    survive(|| async {
        let text = thread::spawn(|| complaint(me)).join().unwrap();
        assert!(text.contains("no current process"), "{text}");
        // But it may send.
        let pid = me();
        thread::scope(|scope| {
            scope.spawn(|| send(pid, 7_u8));
        });
        assert_eq!(receive::<u8>().timeout(LIMIT).await, Ok(7));
    });
}

#[test]
fn a_process_may_not_block_on_its_own_runtime() {
    survive(|| async {
        let handle = Arc::new(Runtime::builder().workers(1).quiet().build().unwrap());
        let inner = handle.clone();
        let text = handle.block_on(async move { complaint(|| inner.block_on(async {})) });
        assert!(text.unwrap().contains("await instead"));
    });
}

/// S-RT-1, S-RT-2: a runtime may be used inside a process of another; its crash is a value there.
#[test]
fn a_process_may_block_on_another_runtime() {
    survive(|| async {
        let (outer, node) = (me(), dictionary_mark());
        for seeded in [false, true] {
            let builder = Runtime::builder().workers(2).quiet();
            let builder = if seeded { builder.seeded(3) } else { builder };
            let runtime = builder.build().unwrap();
            let inner = runtime.block_on(async move {
                assert_eq!(dictionary::get::<u8>("mark"), None);
                send(outer, "from inside");
                sleep(Duration::from_millis(1)).await;
                drop(ends(async { panic!("inside") }).await);
                me()
            });
            assert_ne!(inner.unwrap(), outer);
            // The outer process is the current one again.
            assert_eq!((me(), dictionary_mark()), (outer, node));
            assert_eq!(receive::<&str>().timeout(LIMIT).await, Ok("from inside"));
            // A crash inside is a value outside.
            let reason = runtime.block_on(async { panic!("within") }).unwrap_err();
            assert_eq!(panic_text(&reason), "within");
            assert_eq!(me(), outer);
        }
    });
}

fn dictionary_mark() -> u8 {
    dictionary::put("mark", 1_u8);
    dictionary::get("mark").unwrap()
}

#[test]
fn a_runtime_may_be_made_and_dropped_inside_a_process() {
    survive(|| async {
        for _ in 0..20 {
            let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
            let child = runtime.spawn(forever()).unwrap();
            send(child, Bomb("waiting"));
            let watch = monitor(child);
            drop(runtime);
            let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
            assert!(matches!(down.reason, ExitReason::Killed | ExitReason::NoProc));
        }
    });
}

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn thread_locals_belong_to_threads_and_the_dictionary_to_processes() {
    survive(|| async {
        let children: Vec<_> = (0..50_u32)
            .map(|n| {
                start(async move {
                    dictionary::put("n", n);
                    for _ in 0..20 {
                        COUNT.with(|count| count.set(count.get() + 1));
                        yield_now().await;
                        assert_eq!(dictionary::get::<u32>("n"), Some(n));
                    }
                })
            })
            .collect();
        for child in children {
            assert_eq!(end_of(child).await, ExitReason::Normal);
        }
    });
}

/// Sends when its thread ends.
struct LastWord(RefCell<Option<mpsc::Sender<&'static str>>>, Cell<Option<Pid>>);

impl Drop for LastWord {
    fn drop(&mut self) {
        if let Some(pid) = self.1.get() {
            send(pid, "last word");
            send(pid, vec![1_u8; 100]);
        }
        if let Some(sender) = self.0.take() {
            let _ = sender.send("gone");
        }
    }
}

thread_local! {
    static LAST: LastWord = const { LastWord(RefCell::new(None), Cell::new(None)) };
}

#[test]
fn a_thread_may_send_while_its_locals_are_dropped() {
    survive(|| async {
        let pid = me();
        // Before and after the thread has sent anything else: the order of the locals differs.
        for early in [false, true] {
            let thread = thread::spawn(move || {
                if early {
                    send(pid, 1_u8);
                }
                LAST.with(|last| last.1.set(Some(pid)));
                if !early {
                    send(pid, 1_u8);
                }
            });
            thread.join().unwrap();
            assert_eq!(receive::<u8>().timeout(LIMIT).await, Ok(1));
            assert_eq!(receive::<&str>().timeout(LIMIT).await, Ok("last word"));
            assert_eq!(receive::<Vec<u8>>().timeout(LIMIT).await.unwrap().len(), 100);
        }
    });
}

#[test]
fn locals_of_a_worker_may_send_when_the_runtime_goes() {
    let receiver = Runtime::builder().workers(1).quiet().build().unwrap();
    let (told, words) = mpsc::channel();
    let listener = receiver
        .spawn(async move {
            loop {
                told.send(receive::<&str>().await).unwrap();
            }
        })
        .unwrap();
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let touch = async move { LAST.with(|last| last.1.set(Some(listener))) };
    runtime.block_on(touch).unwrap();
    runtime.shutdown(LIMIT).unwrap();
    assert_eq!(words.recv_timeout(LIMIT), Ok("last word"));
}

#[test]
fn futures_may_be_made_outside_and_run_inside() {
    let waiting = receive::<u8>();
    let sleeping = sleep(Duration::from_millis(1));
    let limited = receive::<u16>().timeout(Duration::from_millis(1));
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    let body = async move {
        send(me(), 3_u8);
        sleeping.await;
        (waiting.await, limited.await.is_err())
    };
    assert_eq!(runtime.block_on(body).unwrap(), (3, true));
}

#[test]
fn handles_of_a_runtime_outlive_it() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let handle = runtime.handle();
    let pid = runtime.spawn(forever()).unwrap();
    runtime.shutdown(LIMIT).unwrap();
    assert!(!handle.is_alive(pid));
    assert_eq!(handle.spawn(async {}), Err(beamish::SpawnError::Closing));
    assert_eq!(handle.whereis("name"), None);
    send(pid, 1_u8);
    drop(handle);
    send(pid, 1_u8);
}

#[test]
fn what_threads_may_share_is_said_by_its_type() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<(Pid, Monitor, Alias, Timer, Name, Instant, beamish::Reference, beamish::Spawned)>();
    shared::<(ExitReason, Down, Exit, TaggedDown<u8>, ProcessInfo, beamish::CrashReport)>();
    shared::<(Runtime, beamish::runtime::Handle, beamish::runtime::Census, Message)>();
    shared::<(SpawnError, beamish::RegisterError, NoProc, Timeout, SendError<u8>)>();
    sent::<(SpawnOptions, MonitorOptions, beamish::Receive<u8>, beamish::Sleep)>();
}

/// A value that must lie at multiples of 4096.
#[repr(align(4096))]
#[derive(Clone, Copy)]
struct Page(u8);

fn is_aligned<T>(value: &T) -> bool {
    std::ptr::from_ref(value).addr().is_multiple_of(align_of::<T>())
}

#[test]
fn messages_and_processes_of_every_size_and_alignment() {
    survive(|| async {
        let page = Page(7);
        let child = start(async move {
            let on_stack = page;
            for _ in 0..3 {
                let mail = receive::<Page>().filter(is_aligned).await;
                assert!(is_aligned(&on_stack) && mail.0 == page.0);
                yield_now().await;
            }
            receive! { Page(n): Page if n == 7 => {} }
            receive::<()>().await;
            assert_eq!(receive::<[u8; 20_000]>().await[19_999], 3);
            assert_eq!(receive::<Vec<u128>>().await, [u128::MAX]);
        });
        (0..4).for_each(|_| send(child.pid, page));
        send(child.pid, ());
        send(child.pid, [3_u8; 20_000]);
        send(child.pid, vec![u128::MAX]);
        assert_eq!(end_of(child).await, ExitReason::Normal);
        // Through an alias, in a timer, in a tag, and unread.
        send(alias(), page);
        send_after(Duration::ZERO, me(), page);
        assert!(is_aligned(&receive::<Page>().await) && is_aligned(&receive::<Page>().await));
        let gone = spawn(async {});
        monitor_with(gone, MonitorOptions::new().tag(page));
        let down = receive::<TaggedDown<Page>>().timeout(LIMIT).await.unwrap();
        assert!(is_aligned(&down.tag) && down.tag.0 == 7);
        send(me(), page);
    });
}

/// The order in which the processes of one runtime, linked to one, hear of its end.
fn order_of_exits(seed: u64) -> Vec<u32> {
    let runtime = Runtime::builder().seeded(seed).quiet().build().unwrap();
    let body = async {
        let parent = me();
        let head = spawn(forever());
        for n in 0..50_u32 {
            spawn(async move {
                trap_exit(true);
                link(head).unwrap();
                if n % 2 == 0 {
                    monitor(head);
                }
                send(parent, ());
                receive! { _: Exit => {}, _: Down => {} }
                send(parent, n);
            });
            receive::<()>().await;
        }
        exit_process(head, ExitReason::Kill);
        let mut order = Vec::new();
        while order.len() < 50 {
            order.push(receive::<u32>().await);
        }
        order
    };
    runtime.block_on(body).unwrap()
}

/// S-RT-5: the same seed makes the same choices.
#[test]
fn the_same_seed_gives_the_same_run_however_many_runtimes_there_were() {
    for seed in 0..5 {
        let first = order_of_exits(seed);
        for _ in 0..5 {
            assert_eq!(order_of_exits(seed), first, "seed {seed}");
        }
    }
}

/// They share one list of free slots.
#[test]
fn many_threads_spawn_at_once() {
    for _ in 0..if cfg!(sanitizer) { 10 } else { 100 } {
        let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
        let gate = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    gate.wait();
                    for _ in 0..300 {
                        runtime.spawn(async {}).unwrap();
                    }
                });
            }
        });
        finish(runtime, 1);
    }
}

/// Panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("mine");
    }
}

/// Sends to a process that is gone, when its thread ends.
struct SendsLate(Cell<Option<Pid>>);

impl Drop for SendsLate {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|gone| send(gone, Mine));
    }
}

thread_local! {
    static LATE: SendsLate = const { SendsLate(Cell::new(None)) };
}

#[test]
fn a_message_that_panics_when_its_thread_ends_harms_nobody() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let gone = runtime.block_on(async { me() }).unwrap();
    let thread = thread::spawn(move || {
        // Before the first panic of the thread, whose traces are then gone first.
        LATE.with(|late| late.0.set(Some(gone)));
        send(gone, Mine);
    });
    thread.join().expect("the thread ends in peace");
    finish(runtime, 1);
}

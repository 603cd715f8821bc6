//! Cases that take years to come about by themselves, or a race that hardly ever happens: the end
//! of a slot's generations, and signals that land with the next tenant of a slot.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use beamish_runtime::{Expiry, TimerKey};

use crate::{
    Alias, Down, Exit, ExitReason, NoProc, Pid, Runtime, SpawnError, SpawnOptions, alias,
    ambient::with_turn,
    answer::{Answer, request},
    current_runtime, exit_process, is_alive, link,
    link::LinkSignal,
    me, monitor,
    node::Message,
    process_info, receive, register,
    runtime::Census,
    send, send_after,
    signal::Signal,
    sleep,
    slot::Delivery,
    spawn, spawn_monitor, suspend_process,
    sync::plain::Mutex,
    trap_exit,
    turn::Turn,
    unlink,
};

const LIMIT: Duration = Duration::from_secs(20);

/// Room for the body and one more process, so that one slot is let again and again.
fn narrow(workers: usize, body: impl Future<Output = ()> + Send + 'static) {
    let runtime = Runtime::builder().workers(workers).process_limit(2).quiet().build().unwrap();
    runtime.block_on(body).unwrap_or_else(|reason| panic!("the case ended: {reason}"));
    let escaped: u64 = runtime.counters().iter().map(|worker| worker.escaped_panics).sum();
    assert_eq!(escaped, 0, "a panic came as far as a worker");
    let handle = runtime.handle();
    runtime.shutdown(LIMIT).expect("all processes end");
    assert_eq!(handle.census(), Census::default(), "something was left behind");
}

/// Waits until a condition holds.
async fn until(mut condition: impl FnMut() -> bool) {
    let end = crate::now() + LIMIT;
    while !condition() {
        assert!(crate::now() < end, "this never came true");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until only the body lives, and the other slot is free.
async fn alone() {
    let handle = current_runtime().unwrap();
    until(|| handle.census().processes == 1).await;
}

/// A process that has lived and ended; its slot is free.
async fn former() -> Pid {
    let pid = spawn(async {});
    alone().await;
    pid
}

/// The next tenant of a free slot gets this generation.
fn set_generation(pid: Pid, generation: u64) {
    with_turn(|turn| turn.shared().table.get(pid.index()).unwrap().set_generation(generation));
}

/// Does not count as waiting for any message that may come.
enum Never {}

/// Ends when it is told to.
async fn tenant() {
    trap_exit(true);
    receive::<Leave>().await;
}

struct Leave;

/// Tells the tenant to end, and waits for it.
async fn dismiss(pid: Pid) {
    let watch = monitor(pid);
    send(pid, Leave);
    let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
    assert_eq!((down.pid, down.reason), (Some(pid), ExitReason::Normal));
    alone().await;
}

/// Everything that can be done to a process; `pid` has ended and must not be taken for another.
async fn expect_gone(pid: Pid) {
    assert!(!is_alive(pid));
    send(pid, "to the dead");
    send(Alias { pid, id: 1 }, "to the dead");
    exit_process(pid, ExitReason::Kill);
    exit_process(pid, "reason");
    let watch = monitor(pid);
    let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
    assert_eq!((down.pid, down.reason), (Some(pid), ExitReason::NoProc));
    trap_exit(false);
    assert_eq!(link(pid), Err(NoProc));
    trap_exit(true);
    assert_eq!(link(pid), Ok(()));
    let exit = receive::<Exit>().timeout(LIMIT).await.unwrap();
    assert_eq!((exit.from, exit.reason), (pid, ExitReason::NoProc));
    unlink(pid);
    send_after(Duration::ZERO, pid, "to the dead");
    assert!(process_info(pid).await.is_none());
    assert_eq!(suspend_process(pid).await, Err(NoProc));
    assert!(register("the dead", pid).is_err());
    sleep(Duration::from_millis(2)).await;
}

/// Nothing that was done has reached this process.
async fn expect_untouched(pid: Pid) {
    let info = process_info(pid).await.expect("the tenant lives");
    assert_eq!((info.message_queue_len, info.links, info.monitored_by), (0, vec![], vec![]));
}

#[test]
fn a_pid_of_a_former_tenant_does_not_reach_the_present_one() {
    for workers in [1, 2] {
        narrow(workers, async {
            let first = former().await;
            let second = spawn(tenant());
            assert_eq!(first.index(), second.index(), "the slot is let again");
            assert_ne!(first, second);
            expect_gone(first).await;
            expect_untouched(second).await;
            dismiss(second).await;
            expect_gone(second).await;
        });
    }
}

#[test]
fn a_slot_whose_generations_are_used_up_is_replaced() {
    for workers in [1, 2] {
        narrow(workers, async {
            let first = former().await;
            set_generation(first, u64::MAX - 1);
            let mut pids = vec![first];
            for generation in [u64::MAX - 1, u64::MAX] {
                let pid = spawn(tenant());
                assert_eq!((pid.index(), pid.generation()), (first.index(), generation));
                for former in &pids {
                    expect_gone(*former).await;
                }
                expect_untouched(pid).await;
                dismiss(pid).await;
                pids.push(pid);
            }
            let fresh = spawn(tenant());
            assert_ne!(fresh.index(), first.index(), "the used-up slot is never let again");
            assert_eq!(SpawnOptions::new().spawn(async {}).map(drop), limit_reached());
            for former in &pids {
                expect_gone(*former).await;
            }
            expect_untouched(fresh).await;
            dismiss(fresh).await;
            assert_eq!(spawn(tenant()).index(), fresh.index(), "from now on this one");
        });
    }
}

fn limit_reached() -> Result<(), SpawnError> {
    Err(SpawnError::ProcessLimit)
}

#[test]
fn a_slot_is_used_up_by_a_spawn_that_fails_too() {
    narrow(2, async {
        register("taken", me()).unwrap();
        let first = former().await;
        set_generation(first, u64::MAX);
        let failed = SpawnOptions::new().name("taken").spawn(async {}).map(drop);
        assert!(matches!(failed, Err(SpawnError::Name(_))));
        let fresh = spawn(tenant());
        assert_ne!(fresh.index(), first.index());
        dismiss(fresh).await;
    });
}

#[test]
fn replacements_run_out_with_an_error_not_with_a_panic() {
    narrow(1, async {
        let mut replaced = 0_u32;
        loop {
            let spawned = SpawnOptions::new().spawn(async {
                with_turn(|turn| turn.slot().set_generation(u64::MAX));
            });
            match spawned {
                Ok(_) => replaced += 1,
                Err(error) => break assert_eq!(error, SpawnError::ProcessLimit),
            }
            assert!(replaced < 10_000, "the table has an end");
            alone().await;
        }
        assert!(replaced >= 2, "as many as there were slots");
    });
}

/// Puts a signal into the inbox of a slot, as a sender does that found the former tenant there.
fn land(former: Pid, mut message: Message) {
    message.address(former.generation());
    with_turn(|turn| {
        let slot = turn.shared().table.get(former.index()).unwrap();
        match slot.push(message) {
            Delivery::Schedule => turn.worker().schedule(slot.task(), slot.priority()),
            Delivery::Done => {}
            Delivery::Refused(_) => panic!("somebody lives there"),
        }
    });
}

fn land_signal(former: Pid, signal: Signal) {
    land(former, Message::signal(signal));
}

/// An answer to come, and the signal that asks for it.
fn question<T>(signal: impl FnOnce(crate::answer::Request<T>) -> Signal) -> (Signal, Answer<T>) {
    let (request, answer) = request();
    (signal(request), answer)
}

fn timer_in_an_hour() -> TimerKey {
    with_turn(|turn: &Turn<'_>| {
        let timers = turn.shared().scheduler.timers();
        timers.insert(
            turn.shared().scheduler.now() + Duration::from_secs(3600),
            Expiry::Call(Box::new(|| ())),
        )
    })
}

#[test]
fn signals_that_land_with_the_next_tenant_are_answered_as_by_the_dead() {
    narrow(2, async {
        trap_exit(true);
        let first = former().await;
        let second = spawn(tenant());
        let kept = monitor(second);
        let from = me();
        // A monitor of the former tenant under the very reference of one of the present one.
        land_signal(first, Signal::Demonitor { reference: kept.reference() });
        land_signal(first, Signal::Exit { from, reason: ExitReason::Kill, alias: None });
        land_signal(first, Signal::LinkExit { from, reason: ExitReason::Killed });
        land_signal(first, Signal::LinkMissing { from });
        land_signal(first, Signal::Stop);
        land_signal(first, Signal::Resume);
        let reason = ExitReason::Killed;
        land_signal(first, Signal::Down { reference: 1, pid: Some(from), reason });
        land(first, Message::new("a message"));
        land(first, Message::aliased(1, true, "through an alias"));

        // Requests are answered.
        let watch = monitor_unsent(first);
        let reference = crate::Reference::new(from.node(), watch);
        land_signal(first, Signal::Monitor { reference, watcher: from });
        let down = receive::<Down>().timeout(LIMIT).await.unwrap();
        assert_eq!((down.pid, down.reason), (Some(first), ExitReason::NoProc));
        let link = with_turn(|turn| turn.with_links(|links| links.link(first))).unwrap();
        land_signal(first, Signal::Link { from, signal: link });
        let exit = receive::<Exit>().timeout(LIMIT).await.unwrap();
        assert_eq!((exit.from, exit.reason), (first, ExitReason::NoProc));
        let (asked, info) = question(Signal::Info);
        land_signal(first, asked);
        assert!(info.await.is_none());
        let (asked, suspended) = question(Signal::Suspend);
        land_signal(first, asked);
        assert!(suspended.await.is_none());
        let key = timer_in_an_hour();
        land_signal(first, Signal::TimerStarted(key));
        until(|| with_turn(|turn| turn.shared().scheduler.timers().deadline(key)).is_none()).await;

        let info = process_info(second).await.expect("the tenant lives");
        assert_eq!((info.message_queue_len, info.monitored_by), (0, vec![from]));
        assert_eq!(info.links, []);
        send(second, Leave);
        let down = receive::<Down>().timeout(LIMIT).await.unwrap();
        assert_eq!((down.monitor, down.reason), (kept, ExitReason::Normal));
    });
}

/// Books a monitor without telling the process: the signal is what the test sends.
fn monitor_unsent(pid: Pid) -> u64 {
    with_turn(|turn| {
        let id = turn.new_reference();
        turn.hold_monitor(id, pid, crate::MonitorOptions::new(), 0);
        id
    })
}

#[test]
fn an_unlink_that_lands_with_the_next_tenant_is_acknowledged() {
    narrow(2, async {
        let first = former().await;
        let second = spawn(tenant());
        with_turn(|turn| turn.with_links(|links| links.insert(first)));
        let unlink = with_turn(|turn| turn.with_links(|links| links.unlink(first)));
        assert!(matches!(unlink, Some(LinkSignal::Unlink(_))));
        land_signal(first, Signal::Link { from: me(), signal: unlink.unwrap() });
        let left = || with_turn(|turn| turn.with_links(|links| links.len()));
        until(|| left() == 0).await;
        dismiss(second).await;
    });
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // A second panic would abort the program.
        assert!(std::thread::panicking(), "bomb");
    }
}

/// The destructor of a message to the dead harms the next tenant of the slot no more than the dead.
#[test]
fn a_message_that_panics_when_dropped_does_not_harm_the_next_tenant() {
    narrow(2, async {
        let first = former().await;
        let second = spawn(tenant());
        process_info(second).await.unwrap();
        land(first, Message::new(Bomb));
        land(first, Message::aliased(1, false, Bomb));
        expect_untouched(second).await;
        dismiss(second).await;
    });
}

/// The same, with the mailbox drained from inside a receive.
#[test]
fn a_message_that_panics_when_dropped_does_not_harm_a_receive_of_the_next_tenant() {
    narrow(2, async {
        let first = former().await;
        let body = async move {
            land(first, Message::new(Bomb));
            send(me(), 7_u8);
            assert_eq!(receive::<u8>().await, 7);
        };
        let (second, watch) = spawn_monitor(body);
        assert_eq!(second.index(), first.index());
        let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
        assert_eq!(down.reason, ExitReason::Normal);
    });
}

/// Counts its polls; ends at the second.
fn polled(times: &Arc<AtomicUsize>) -> impl Future<Output = ()> + use<> {
    let times = times.clone();
    poll_fn(
        move |_| {
            if times.fetch_add(1, Ordering::SeqCst) == 0 { Poll::Pending } else { Poll::Ready(()) }
        },
    )
}

#[test]
fn a_timer_that_wakes_the_former_tenant_does_not_wake_the_present_one() {
    // The sleep outlives its process; its timer stays.
    let kept = Arc::new(Mutex::new(None));
    narrow(2, async move {
        let place = kept.clone();
        let first = spawn(async move {
            let mut sleeping = Box::pin(sleep(Duration::from_millis(20)));
            poll_fn(|context| {
                assert!(sleeping.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            *place.lock() = Some(sleeping);
        });
        alone().await;
        let times = Arc::new(AtomicUsize::new(0));
        let second = spawn(polled(&times));
        assert_eq!(first.index(), second.index());
        let timers = || with_turn(|turn| turn.shared().scheduler.timers().len());
        // That of our own sleep is one.
        until(|| timers() == 0).await;
        process_info(second).await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 1);
        exit_process(second, ExitReason::Kill);
        alone().await;
    });
}

#[test]
fn a_waker_of_the_last_generation_wakes_nobody_after_its_end() {
    narrow(2, async {
        let parent = me();
        let first = former().await;
        set_generation(first, u64::MAX);
        let last = spawn(async move {
            let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            send(parent, waker);
        });
        assert_eq!(last.generation(), u64::MAX);
        let waker = receive::<Waker>().timeout(LIMIT).await.unwrap();
        alone().await;
        waker.wake_by_ref();
        let fresh = spawn(tenant());
        waker.wake();
        expect_gone(last).await;
        dismiss(fresh).await;
    });
}

#[test]
fn an_alias_of_the_former_tenant_does_not_reach_the_present_one() {
    narrow(2, async {
        let parent = me();
        let _first = spawn(async move { send(parent, alias()) });
        let stale = receive::<Alias>().timeout(LIMIT).await.unwrap();
        alone().await;
        // One of the same id, as far as that can be.
        let second = spawn(async move {
            with_turn(|turn| {
                let state = crate::alias::AliasState {
                    off: crate::alias::TurnsOff::Never,
                    priority: false,
                    mark: 0,
                };
                turn.private().with_extra(|extra| extra.aliases.insert_new(stale.id, state));
            });
            tenant().await;
        });
        process_info(second).await.unwrap();
        send(stale, "to the former tenant");
        expect_untouched(second).await;
        dismiss(second).await;
    });
}

#[test]
fn a_process_of_the_last_generation_is_like_any_other() {
    narrow(2, async {
        let first = former().await;
        set_generation(first, u64::MAX);
        let body: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
            assert_eq!(me().generation(), u64::MAX);
            send(me(), 1_u8);
            assert_eq!(receive::<u8>().await, 1);
            sleep(Duration::from_millis(1)).await;
            let _ = receive::<Never>().timeout(Duration::from_millis(1)).await;
            register("last", me()).unwrap();
            panic!("the last")
        });
        let (pid, watch) = spawn_monitor(body);
        let down = receive::<Down>().after(watch).timeout(LIMIT).await.unwrap();
        assert!(down.reason.is_panic() && down.pid == Some(pid));
        alone().await;
        assert_eq!(crate::whereis("last"), None);
        let fresh = spawn(tenant());
        register("last", fresh).unwrap();
        dismiss(fresh).await;
    });
}

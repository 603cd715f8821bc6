//! When signals take effect, and on whom.

use std::sync::mpsc;

use beamish::prelude::*;

use crate::support::*;

/// A process that runs without awaiting until it is let go, and then goes on with `rest`.
async fn busy<F>(rest: impl FnOnce() -> F + Send + 'static) -> (Pid, mpsc::Sender<()>)
where
    F: Future<Output = ()> + Send,
{
    let (let_go, held) = mpsc::channel();
    let (told, started) = mpsc::channel();
    let pid = spawn(async move {
        told.send(()).unwrap();
        held.recv().unwrap();
        drop((told, held));
        rest().await;
    });
    started.recv().unwrap();
    (pid, let_go)
}

/// S-LIVE-2: a process that runs is not interrupted: what it does up to its next await is done.
#[beamish::test(workers = 2)]
async fn a_running_process_is_ended_at_its_next_await() {
    let tester = me();
    let (pid, let_go) = busy(async move || {
        send(tester, "up to here");
        sleep(Duration::ZERO).await;
        yield_now().await;
        send(tester, "not so far");
    })
    .await;
    exit_process(pid, ExitReason::Kill);
    let watch = monitor(pid);
    assert!(is_alive(pid), "it can not have handled the signal");
    let_go.send(()).unwrap();
    assert_eq!(next::<&str>().await, "up to here");
    assert!(matches!(down_of(watch).await, ExitReason::Killed | ExitReason::NoProc));
    expect_no_message().await;
}

/// S-LIVE-1: a process that only sleeps answers questions and is ended by a signal.
#[beamish::test(seeds = 10)]
async fn a_sleeping_process_handles_its_signals() {
    let start = now();
    let (pid, watch) = spawn_monitor(sleep(Duration::MAX));
    assert_eq!(process_info(pid).await.unwrap().monitored_by, [me()]);
    exit_process(pid, "wake up");
    assert_eq!(down_of(watch).await, reason("wake up"));
    assert!(now() - start < SECOND);
}

/// S-EXIT-5: what counts is the flag when the signal is handled, not when it was sent.
#[beamish::test(workers = 2)]
async fn the_flag_counts_that_is_set_when_the_signal_is_handled() {
    let tester = me();
    let (pid, let_go) = busy(async move || {
        trap_exit(true);
        send(tester, exit_of(tester).await);
        trap_exit(false);
        forever().await;
    })
    .await;
    exit_process(pid, "sent before it trapped");
    let_go.send(()).unwrap();
    assert_eq!(next::<ExitReason>().await, reason("sent before it trapped"));
    exit_process(pid, "sent after");
    let told = ended(pid).await;
    assert!(told == reason("sent after") || told == ExitReason::NoProc, "{told}");
}

/// S-EXIT-1: a signal that a process sends itself has taken effect when the call returns.
#[beamish::test]
async fn an_exit_signal_to_oneself_is_there_at_once() {
    trap_exit(true);
    exit_process(me(), "trapped");
    let exit = receive::<Exit>().timeout(Duration::ZERO).await.expect("it is there");
    assert_eq!((exit.from, exit.reason), (me(), reason("trapped")));
    let tester = me();
    let pid = spawn_link(async move {
        exit_process(me(), ExitReason::Normal);
        send(tester, "went on");
    });
    assert_eq!(exit_of(pid).await, ExitReason::Normal);
    expect_no_message().await;
}

/// S-EXIT-3: an exit signal to a process that has ended does nothing, also to the sender.
#[beamish::test]
async fn an_exit_signal_to_the_dead_does_nothing() {
    let dead = spawn(async {});
    ended(dead).await;
    for reason in [ExitReason::Normal, ExitReason::Kill, reason("too late")] {
        exit_process(dead, reason);
    }
    assert_eq!(ended(dead).await, ExitReason::NoProc);
    expect_no_message().await;
}

/// S-EXIT-4: a trapped exit stands between the messages that its sender sent before and after it.
#[beamish::test(seeds = 50)]
async fn a_trapped_exit_keeps_its_place() {
    trap_exit(true);
    let receiver = me();
    let sender = spawn(async move {
        send(receiver, 1_u32);
        exit_process(receiver, "two");
        send(receiver, 3_u32);
    });
    assert_eq!(next::<u32>().await, 1);
    assert_eq!(next::<Exit>().await, Exit { from: sender, reason: reason("two") });
    assert_eq!(next::<u32>().await, 3);
}

/// S-MON-3: a monitor of a name stays with the process that had it when the monitor was made.
#[beamish::test]
async fn a_monitor_of_a_name_does_not_follow_the_name() {
    let (first, second) = (spawn(forever()), spawn(forever()));
    register("semantics_monitored", first).unwrap();
    let watch = monitor("semantics_monitored");
    unregister("semantics_monitored").unwrap();
    register("semantics_monitored", second).unwrap();
    let later = monitor("semantics_monitored");
    exit_process(second, "second");
    assert_eq!(next::<Down>().await.monitor, later);
    exit_process(first, "first");
    let down = next::<Down>().await;
    assert_eq!((down.monitor, down.pid, down.reason), (watch, Some(first), reason("first")));
    assert_eq!(down.name.unwrap().as_str(), "semantics_monitored");
}

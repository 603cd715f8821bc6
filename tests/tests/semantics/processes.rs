//! How processes begin and end, and what is seen of them meanwhile.

use std::{
    num::ParseIntError,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use beamish::{IntoExit, RegisterError, prelude::*};

use crate::support::*;

/// S-PROC-1: `spawn` returns before the child has run; the child has no link and no name.
#[beamish::test(workers = 1)]
async fn spawn_returns_at_once_a_pid_without_link_or_name() {
    let started = Arc::new(AtomicBool::new(false));
    let start = started.clone();
    let pid = spawn(async move {
        start.store(true, Ordering::SeqCst);
        forever().await;
    });
    assert!(!started.load(Ordering::SeqCst));
    let info = process_info(pid).await.unwrap();
    assert!(info.links.is_empty() && info.monitored_by.is_empty());
    assert!(info.registered_name.is_none());
    assert!(links_of(me()).await.is_empty());
    exit_process(pid, "bye");
    ended(pid).await;
    expect_no_message().await;
}

async fn reason_of<T: IntoExit>(body: impl Future<Output = T> + Send + 'static) -> ExitReason {
    down_of(spawn_monitor(body).1).await
}

fn parse(text: &str) -> Result<(), ParseIntError> {
    text.parse::<u8>().map(drop)
}

/// S-PROC-4: each line of the table of exit reasons.
#[beamish::test]
async fn the_reason_follows_from_how_the_body_ended() {
    assert_eq!(reason_of(async {}).await, ExitReason::Normal);
    assert_eq!(reason_of(async { parse("1") }).await, ExitReason::Normal);
    let failed = reason_of(async { parse("x") }).await;
    let ExitReason::Error(report) = failed else { panic!("not an error: {failed}") };
    assert!(report.error().is::<ParseIntError>());
    let as_it_is = async { Err::<(), _>(ExitReason::Shutdown) };
    assert_eq!(reason_of(as_it_is).await, ExitReason::Shutdown);
    assert_eq!(reason_of(async { ExitReason::Kill }).await, ExitReason::Kill);
    assert_eq!(reason_of(async { exit("called") }).await, reason("called"));
    let panicked = reason_of(async { panic!("at the disco") }).await;
    let ExitReason::Panic(report) = panicked else { panic!("not a panic: {panicked}") };
    assert_eq!(report.message(), "at the disco");
    assert!(report.location().unwrap().contains("processes.rs:"));
}

/// S-PROC-6: what a process held is gone with it: values, messages, links, monitors, its name and
/// its aliases.
#[beamish::test]
async fn nothing_of_a_process_outlives_it() {
    let held = Arc::new(());
    let (value, message) = (held.clone(), held.clone());
    let boss = me();
    let (pid, watch) = spawn_monitor(async move {
        let _value = value;
        trap_exit(true);
        link(boss).unwrap();
        monitor(boss);
        send(boss, alias());
        forever().await;
    });
    trap_exit(true);
    let alias = receive::<Alias>().await;
    register("nothing_of_a_process", pid).unwrap();
    send(pid, message);
    exit_process(pid, ExitReason::Kill);
    assert_eq!(exit_of(pid).await, ExitReason::Killed);
    assert_eq!(down_of(watch).await, ExitReason::Killed);
    assert_eq!(Arc::strong_count(&held), 1);
    send(alias, held.clone());
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(whereis("nothing_of_a_process"), None);
    eventually!({
        let info = process_info(me()).await.unwrap();
        info.links.is_empty() && info.monitored_by.is_empty()
    });
}

/// S-PROC-8: a look tells the moment: a process that was sent `Kill` lives until it has handled the
/// signal. Whoever sees its `Down` sees it dead.
#[beamish::test(workers = 1)]
async fn a_look_does_not_wait_for_the_signal_sent_before() {
    for _ in 0..100 {
        let (pid, watch) = spawn_monitor(forever());
        exit_process(pid, ExitReason::Kill);
        assert!(is_alive(pid), "on one worker it has had no turn");
        assert_eq!(down_of(watch).await, ExitReason::Killed);
        assert!(!is_alive(pid));
    }
}

/// Says, when it is dropped, whether the process that drops it is alive.
struct Look(Pid);

impl Drop for Look {
    fn drop(&mut self) {
        send(self.0, is_alive(me()));
    }
}

/// S-PROC-8: a process that unwinds is alive still; one whose values the runtime drops is not.
#[beamish::test]
async fn a_process_is_alive_until_the_runtime_drops_what_it_holds() {
    let looker = me();
    spawn(async move {
        let _look = Look(looker);
        exit("unwinds");
    });
    assert!(next::<bool>().await);
    let waits = spawn(async move {
        let _look = Look(looker);
        forever().await;
    });
    eventually!(is_waiting(waits).await);
    exit_process(waits, "is dropped");
    assert!(!next::<bool>().await);
}

/// S-PROC-10: the hook has heard of an abnormal end when links and monitors tell it, and hears of
/// no other.
#[test]
fn the_crash_hook_hears_before_everyone_else() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let keep = reports.clone();
    let hook = move |report: &beamish::CrashReport| {
        keep.lock().unwrap().push((report.pid, report.reason.clone()));
    };
    let runtime = Runtime::builder().workers(2).quiet().on_crash(hook).build().unwrap();
    let body = async move {
        trap_exit(true);
        let heard_of =
            |pid, why: &ExitReason| reports.lock().unwrap().contains(&(pid, why.clone()));
        for _ in 0..500 {
            let pid = spawn_link(async { exit("abnormal") });
            assert!(heard_of(pid, &exit_of(pid).await));
            let (pid, watch) = spawn_monitor(async { exit("abnormal") });
            assert!(heard_of(pid, &down_of(watch).await));
        }
        let known = reports.lock().unwrap().len();
        for quiet in [ExitReason::Normal, ExitReason::Shutdown, ExitReason::shutdown_with(1)] {
            ended(spawn(async { quiet })).await;
        }
        assert_eq!(reports.lock().unwrap().len(), known);
    };
    runtime.block_on(body).unwrap();
}

/// S-EXIT-6, S-NOTICE-2: a process that a signal ends is dropped: destructors run, the code after
/// the await does not; and all of it before anyone is told.
#[beamish::test(workers = 2)]
async fn what_a_process_held_is_dropped_before_its_end_is_told() {
    trap_exit(true);
    for turn in 0..1_000 {
        let (held, went_on) = (Arc::new(()), Arc::new(AtomicBool::new(false)));
        let (value, message, flag) = (held.clone(), held.clone(), went_on.clone());
        let options = SpawnOptions::new().link().monitor();
        let spawned = options.spawn(async move {
            let _value = value;
            forever().await;
            flag.store(true, Ordering::SeqCst);
        });
        let child = spawned.unwrap();
        send(child.pid, message);
        exit_process(child.pid, "bye");
        if turn % 2 == 0 {
            assert_eq!(down_of(child.monitor.unwrap()).await, reason("bye"));
        } else {
            assert_eq!(exit_of(child.pid).await, reason("bye"));
        }
        assert_eq!(Arc::strong_count(&held), 1, "something is held still");
        assert!(!went_on.load(Ordering::SeqCst));
    }
}

/// S-EXIT-6: `exit` unwinds: destructors run, and `catch_unwind` sees it.
#[beamish::test]
async fn exit_unwinds_through_the_code_that_called_it() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Counts;
    impl Drop for Counts {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    let ended = reason_of(async {
        let _outer = Counts;
        let caught = std::panic::catch_unwind(|| {
            let _inner = Counts;
            exit("caught")
        });
        assert!(caught.is_err());
        assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
        exit("not caught")
    });
    assert_eq!(ended.await, reason("not caught"));
    assert_eq!(DROPPED.load(Ordering::SeqCst), 2);
}

/// S-NAME-1: one name per process and one process per name; the error says what is in the way.
#[beamish::test]
async fn register_says_what_stands_in_the_way() {
    let (owner, other) = (spawn(forever()), spawn(forever()));
    register("semantics_owned", owner).unwrap();
    match register("semantics_owned", other).unwrap_err() {
        RegisterError::Taken { name, owner: by } => {
            assert_eq!((name.as_str(), by), ("semantics_owned", owner));
        }
        error => panic!("{error}"),
    }
    match register("semantics_second", owner).unwrap_err() {
        RegisterError::AlreadyNamed { pid, name } => {
            assert_eq!((pid, name.as_str()), (owner, "semantics_owned"));
        }
        error => panic!("{error}"),
    }
    exit_process(other, ExitReason::Kill);
    ended(other).await;
    let refused = register("semantics_second", other).unwrap_err();
    assert_eq!(refused, RegisterError::NoProc(other));
    assert_eq!(whereis("semantics_second"), None);
}

/// S-NAME-4: five texts are no names.
#[beamish::test]
async fn reserved_names_are_refused() {
    for name in ["", "undefined", "nil", "true", "false"] {
        let refused = register(name, me()).unwrap_err();
        assert!(matches!(refused, RegisterError::Reserved(_)), "{name}: {refused}");
        assert_eq!(whereis(name), None);
    }
}

//! Crash reports as people and log collectors see them: programs of their own, whose output is
//! read. (S-PROC-10)
//!
//! The programs are in this binary: [`a_program`] runs the one that the environment names. What
//! concerns a whole program (the tracing dispatcher, standard error, aborts) needs one.

use std::{
    collections::BTreeMap,
    env, fmt,
    process::{self, Command, ExitCode},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use beamish::{Runtime, prelude::*};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::scene::*;

/// Names the program to run.
const PROGRAM: &str = "BEAMISH_TEST_PROGRAM";

/// Runs a program of this file, with these variables for backtraces. It must succeed. Returns what
/// it printed on standard error.
fn run_well(program: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "reports::a_program", "--nocapture", "--test-threads=1"]);
    command.env(PROGRAM, program).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    errors
}

/// Not a test but the programs of the tests below.
#[test]
fn a_program() {
    let program = env::var(PROGRAM);
    if program.is_ok() {
        thread::spawn(|| {
            thread::park_timeout(LIMIT);
            eprintln!("the program hangs");
            process::exit(3);
        });
    }
    match program.as_deref() {
        Ok("crashes") => crashes(),
        Ok("quiet") => quiet(),
        Ok("traced") => traced(),
        Ok("traced elsewhere") => traced_elsewhere(),
        Ok("traced rudely") => traced_rudely(),
        Ok("drops at the end") => drops_at_the_end(),
        Ok("mains that do well") => {
            assert_eq!([main_returns(), main_shuts_down()], [ExitCode::SUCCESS; 2]);
        }
        Ok("mains that fail") => {
            let failures = [main_fails(), main_panics(), main_exits(), main_is_killed()];
            assert_eq!(failures, [ExitCode::FAILURE; 4]);
        }
        Ok(other) => panic!("no program {other}"),
        Err(_) => {}
    }
}

/// Three generations, the last of which crashes with three messages waiting.
async fn family() {
    let end = |child: Monitor| receive::<Down>().filter(move |down| down.monitor == child);
    let parent = async move {
        let options = SpawnOptions::new().name("worker").label("third of three").monitor();
        let spawned = options.spawn(async {
            receive::<u8>().await;
            panic!("out of {}", "luck")
        });
        let child = spawned.unwrap();
        (0..3).for_each(|n| send(child.pid, format!("message {n}")));
        send(child.pid, 1_u8);
        end(child.monitor.unwrap()).await;
    };
    let (_, watch) = spawn_monitor(parent);
    end(watch).await;
}

fn crashes() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(family()).unwrap();
    let others = async {
        end_of(start(async { Err::<(), _>("x".parse::<u8>().unwrap_err()) })).await;
        end_of(start(async { exit("a reason") })).await;
        end_of(start(async { exit(ExitReason::Shutdown) })).await;
        end_of(start(async {})).await;
    };
    runtime.block_on(others).unwrap();
}

/// S-PROC-10: without a subscriber an abnormal end is printed on standard error, and only such an
/// end.
#[test]
fn a_crash_is_printed_readably_on_standard_error() {
    let errors = run_well("crashes", &[]);
    let report = errors.split("\nprocess ").next().unwrap();
    assert!(report.starts_with("process <"), "{errors}");
    let lines: Vec<_> = report.lines().collect();
    assert!(
        lines[0].contains("> (worker) [third of three] ended: panic: out of luck ("),
        "{report}"
    );
    assert!(lines[0].contains("robustness/reports.rs:"), "{report}");
    assert!(lines[1].contains("initial call: ") && lines[1].contains("family"), "{report}");
    // The parent and the main process.
    assert!(lines[2].contains("ancestors: [<") && lines[2].matches('<').count() == 2, "{report}");
    assert!(lines[3].contains("messages waiting: 3"), "{report}");
    assert_eq!(lines.len(), 4, "no backtrace was asked for: {report}");
    assert!(errors.contains(" ended: invalid digit found in string\n"), "{errors}");
    assert!(errors.contains(" ended: a reason\n"), "{errors}");
    assert_eq!(errors.matches(" ended: ").count(), 3, "normal ends are not reported: {errors}");
    assert!(!errors.contains("panicked at"), "and no panic is reported twice: {errors}");
}

#[test]
fn backtraces_follow_the_switches_of_the_standard_library() {
    let with = [[("RUST_BACKTRACE", "1")], [("RUST_LIB_BACKTRACE", "1")]];
    for variables in with {
        let errors = run_well("crashes", &variables);
        assert!(errors.contains("   0: "), "{variables:?}: {errors}");
        assert!(errors.contains("family"), "the frame that panicked: {errors}");
    }
    let without = [("RUST_BACKTRACE", "1"), ("RUST_LIB_BACKTRACE", "0")];
    assert!(!run_well("crashes", &without).contains("   0: "));
}

fn quiet() {
    let runtime = Runtime::builder().workers(2).quiet().build().unwrap();
    runtime.block_on(family()).unwrap();
}

/// S-PROC-10: a quiet runtime prints nothing.
#[test]
fn a_quiet_runtime_prints_nothing() {
    assert_eq!(run_well("quiet", &[]), "");
}

/// The fields of the events, by name.
type Events = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// A subscriber that keeps all events of ours.
struct Keeper(Events);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("beamish")
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = BTreeMap::from([
            ("target".to_owned(), metadata.target().to_owned()),
            ("level".to_owned(), metadata.level().to_string()),
        ]);
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push(fields);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn traced() {
    let events = Events::default();
    tracing::subscriber::set_global_default(Keeper(events.clone())).unwrap();
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let family_of = runtime.block_on(async {
        family().await;
        me()
    });
    let events_so_far = std::mem::take(&mut *events.lock().unwrap());
    assert_eq!(events_so_far.len(), 1, "{events_so_far:?}");
    let event = &events_so_far[0];
    assert_eq!(event["target"], "beamish::crash");
    assert_eq!(event["level"], Level::ERROR.to_string());
    assert_eq!(event["name"], "worker");
    assert_eq!(event["label"], "third of three");
    assert_eq!(event["message_queue_len"], "3");
    assert!(event["reason"].starts_with("panic: out of luck ("), "{event:?}");
    assert!(event["pid"].starts_with('<') && event["pid"].ends_with('>'), "{event:?}");
    assert!(event["ancestors"].contains(&family_of.unwrap().to_string()), "{event:?}");
    assert!(event["initial_call"].contains("family"), "{event:?}");
    assert!(event["message"].contains("abnormally"), "{event:?}");

    runtime.block_on(long_mailbox()).unwrap();
    let events = std::mem::take(&mut *events.lock().unwrap());
    let lengths: Vec<_> = events.iter().map(|event| event["message_queue_len"].as_str()).collect();
    assert_eq!(lengths, ["10", "20"], "{events:?}");
    assert_eq!(events[0]["target"], "beamish::mailbox");
    assert_eq!(events[0]["level"], Level::WARN.to_string());
}

/// Sends 20 messages, one by one, to a process that warns at 10.
async fn long_mailbox() {
    let child = SpawnOptions::new().mailbox_warning(10).spawn(forever()).unwrap();
    for n in 0..20_u32 {
        send(child.pid, n);
        settle(child.pid).await;
    }
    exit_process(child.pid, ExitReason::Shutdown);
}

/// S-PROC-10, S-SEND-5: with a subscriber, crashes and long mailboxes are events under their
/// targets.
#[test]
fn with_a_subscriber_reports_are_events_with_fields_and_nothing_is_printed() {
    assert_eq!(run_well("traced", &[]), "");
}

fn traced_elsewhere() {
    // A subscriber of this thread only, as in many tests: the workers have none.
    let events = Events::default();
    let _of_this_thread = tracing::subscriber::set_default(Keeper(events.clone()));
    crashes();
    assert_eq!(events.lock().unwrap().len(), 0);
}

#[test]
fn a_subscriber_of_another_thread_does_not_swallow_the_reports() {
    let errors = run_well("traced elsewhere", &[]);
    assert!(errors.contains("(worker) [third of three] ended: panic: out of luck"), "{errors}");
}

/// A subscriber that panics.
struct RudeSubscriber;

impl Subscriber for RudeSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("beamish")
    }

    fn event(&self, _: &Event<'_>) {
        panic!("rude subscriber");
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn traced_rudely() {
    tracing::subscriber::set_global_default(RudeSubscriber).unwrap();
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.block_on(family()).unwrap();
    runtime.block_on(long_mailbox()).unwrap();
    finish(runtime, 2);
}

#[test]
fn a_subscriber_that_panics_harms_nobody() {
    run_well("traced rudely", &[]);
}

/// Processes that wait behind a stuck one when the runtime gives up; their destructors want to
/// know who they are.
fn drops_at_the_end() {
    let runtime = Runtime::builder().workers(1).quiet().build().unwrap();
    let (told, started) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let (alive, gone) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let stuck = async move {
        told.send(()).unwrap();
        let _ = gate.lock().unwrap().recv();
    };
    runtime.spawn(stuck).unwrap();
    started.recv().unwrap();
    for _ in 0..10 {
        let alive = alive.clone();
        let asks = on_drop(move || {
            drop(alive);
            send(me(), "who I am");
        });
        let body = async move {
            let _asks = asks;
            forever().await;
        };
        send(runtime.spawn(body).unwrap(), Bomb("waiting"));
    }
    drop(alive);
    runtime.shutdown(Duration::from_millis(20)).unwrap_err();
    drop(release);
    // All futures are dropped, which is seen by the end of the channel.
    assert_eq!(gone.recv_timeout(LIMIT), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn destructors_of_processes_that_never_ended_do_not_abort_the_program() {
    run_well("drops at the end", &[]);
}

#[beamish::main(workers = 2)]
async fn main_returns() {
    spawn(forever());
}

#[beamish::main(workers = 2)]
async fn main_fails() -> Result<(), std::num::ParseIntError> {
    "x".parse::<u8>()?;
    Ok(())
}

#[beamish::main(workers = 2)]
async fn main_panics() {
    panic!("main panics");
}

#[beamish::main(workers = 2)]
async fn main_exits() {
    exit("a reason of its own");
}

#[beamish::main(workers = 2)]
async fn main_shuts_down() {
    exit(ExitReason::shutdown_with("done"));
}

#[beamish::main(workers = 2)]
async fn main_is_killed() {
    let main = me();
    spawn(async move { exit_process(main, ExitReason::Kill) });
    forever().await;
}

#[test]
fn the_exit_status_of_a_program_tells_how_its_main_process_ended() {
    assert_eq!(run_well("mains that do well", &[]), "");
    let errors = run_well("mains that fail", &[]);
    for report in [
        "ended: invalid digit found in string",
        "ended: panic: main panics (",
        "ended: a reason of its own",
        "ended: killed",
    ] {
        assert!(errors.contains(report), "{report}: {errors}");
    }
}

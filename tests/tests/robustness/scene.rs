//! A runtime in which something goes wrong, and what must hold after it.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, RwLock, mpsc},
    task::{Context, Poll},
    thread,
};

use beamish::{Runtime, Spawned, prelude::*, runtime::Census};

/// How long anything may take. Only a broken runtime takes it. `ci/sanitize` sets `sanitizer`.
pub(crate) const LIMIT: Duration = Duration::from_secs(if cfg!(sanitizer) { 200 } else { 20 });

/// Panics when it is dropped, unless the thread is unwinding: a second panic then aborts the
/// program, as the documentation says, and is no case for a test.
#[derive(Debug, PartialEq)]
pub(crate) struct Bomb(pub(crate) &'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("bomb {}", self.0);
        }
    }
}

/// Calls a function when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

pub(crate) fn on_drop<F: FnOnce()>(f: F) -> OnDrop<F> {
    OnDrop(Some(f))
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

/// The reasons of the crash reports of a runtime, in order.
type Reports = Arc<Mutex<Vec<String>>>;

/// Runs `case` as a process on one worker, and on two. After it nothing may be harmed: the workers
/// and a process that has nothing to do with it go on, no panic has come as far as a worker, and
/// nothing is left behind. Returns the reasons of the crash reports of the last run.
pub(crate) fn survive<Fut>(case: impl Fn() -> Fut) -> Vec<String>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let runs = [1, 2].map(|workers| survive_on(workers, case()));
    runs.into_iter().next_back().unwrap_or_default()
}

fn survive_on(workers: usize, case: impl Future<Output = ()> + Send + 'static) -> Vec<String> {
    let (runtime, reports) = reporting(workers);
    let bystander = runtime.spawn(bystander()).unwrap();
    runtime.block_on(case).unwrap_or_else(|reason| panic!("the case ended: {reason}"));
    runtime.block_on(ask_bystander(bystander)).expect("the bystander lives");
    finish(runtime, workers);
    let reports = reports.lock().unwrap();
    reports.clone()
}

/// A runtime that keeps the reasons of its crash reports.
fn reporting(workers: usize) -> (Runtime, Reports) {
    let reports = Reports::default();
    let kept = reports.clone();
    let keep = move |report: &beamish::CrashReport| {
        kept.lock().unwrap().push(report.reason.to_string());
    };
    let runtime = Runtime::builder().workers(workers).quiet().on_crash(keep).build().unwrap();
    (runtime, reports)
}

/// Ends a runtime of so many workers, all of which must work, and looks for what is left behind.
pub(crate) fn finish(runtime: Runtime, workers: usize) {
    all_workers_work(&runtime, workers);
    let escaped: u64 = runtime.counters().iter().map(|worker| worker.escaped_panics).sum();
    assert_eq!(escaped, 0, "a panic came as far as a worker");
    let handle = runtime.handle();
    runtime.shutdown(LIMIT).expect("all processes end");
    assert_eq!(handle.census(), Census::default(), "something was left behind");
}

/// Occupies all workers at once: only so many living threads can do it.
pub(crate) fn all_workers_work(runtime: &Runtime, workers: usize) {
    let gate = Arc::new(RwLock::new(()));
    let (here, arrivals) = mpsc::channel();
    let closed = gate.write().unwrap();
    for _ in 0..workers {
        let (here, gate) = (here.clone(), gate.clone());
        let wait = async move {
            here.send(thread::current().id()).unwrap();
            drop(gate.read());
        };
        runtime.spawn(wait).unwrap();
    }
    let threads: HashSet<_> = (0..workers)
        .map(|_| arrivals.recv_timeout(LIMIT).expect("as many workers as there were"))
        .collect();
    drop(closed);
    assert_eq!(threads.len(), workers);
}

struct Ping(Pid);
struct Pong;

async fn bystander() {
    loop {
        let Ping(from) = receive::<Ping>().await;
        send(from, Pong);
    }
}

async fn ask_bystander(bystander: Pid) {
    send(bystander, Ping(me()));
    receive::<Pong>().timeout(LIMIT).await.expect("the bystander answers");
}

/// Starts a process that is linked to this one and monitored by it.
pub(crate) fn start<T: beamish::IntoExit>(
    body: impl Future<Output = T> + Send + 'static,
) -> Spawned {
    trap_exit(true);
    SpawnOptions::new().link().monitor().spawn(body).unwrap()
}

/// Waits for the end of a process made by [`start`]: link and monitor must tell the same reason.
pub(crate) async fn end_of(child: Spawned) -> ExitReason {
    let by_monitor = receive::<Down>().filter(move |down| Some(down.monitor) == child.monitor);
    let by_monitor = by_monitor.timeout(LIMIT).await.expect("the monitor tells").reason;
    let by_link = receive::<Exit>().filter(move |exit| exit.from == child.pid);
    let by_link = by_link.timeout(LIMIT).await.expect("the link tells").reason;
    assert_eq!(by_monitor, by_link);
    by_monitor
}

/// Runs a process to its end.
pub(crate) async fn ends<T: beamish::IntoExit>(
    body: impl Future<Output = T> + Send + 'static,
) -> ExitReason {
    end_of(start(body)).await
}

/// What a panic said.
pub(crate) fn panic_text(reason: &ExitReason) -> &str {
    match reason {
        ExitReason::Panic(report) => report.message(),
        other => panic!("not a panic: {other:?}"),
    }
}

/// Nobody ever sends this one: waiting for it is waiting for ever.
pub(crate) enum Never {}

/// Waits for ever; only a signal ends it.
pub(crate) async fn forever() {
    receive::<Never>().await;
}

/// Waits until a condition holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let end = now() + LIMIT;
    while !condition() {
        assert!(now() < end, "this never came true");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until a process has handled all that this one has sent it so far.
pub(crate) async fn settle(pid: Pid) {
    process_info(pid).await.expect("the process lives");
}

/// A future that ends when the one in it panics, with what it panicked with.
pub(crate) struct Caught<F>(pub(crate) F);

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = thread::Result<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = Pin::new(&mut self.0);
        let poll = std::panic::AssertUnwindSafe(|| future.poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

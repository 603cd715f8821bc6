//! What the ported cases share: processes that run what they are told, and ways to wait for
//! something other than time.

use std::{future::Future, pin::Pin, time::Duration};

use beamish::{IntoReason, ProcessStatus, prelude::*};

/// How long a case waits for something that must come. Only a broken runtime makes it wait so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One second, the unit most of the reference cases count in.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A piece of code for a servant to run as its own.
pub(crate) struct Do(Job);

/// Tells a servant to return from its body.
pub(crate) struct Stop;

/// Nobody ever sends this one: waiting for it is waiting for ever.
pub(crate) enum Never {}

/// A servant's answer to [`ask`].
pub(crate) struct Reply<T> {
    pub(crate) tag: Reference,
    pub(crate) value: T,
}

/// Runs what it is told, and leaves every other message in its mailbox.
pub(crate) async fn servant() {
    loop {
        receive! {
            Do(job): Do => job.await,
            Stop: Stop => return,
        }
    }
}

/// Has a servant run `job`, and does not wait for it.
pub(crate) fn tell<T>(servant: Pid, job: impl Future<Output = T> + Send + 'static) {
    send(
        servant,
        Do(Box::pin(async move {
            job.await;
        })),
    );
}

/// Has a servant run `job` and waits for its value.
pub(crate) async fn ask<T: Send + 'static>(
    servant: Pid,
    job: impl Future<Output = T> + Send + 'static,
) -> T {
    let tag = order(servant, job);
    let reply = receive::<Reply<T>>().filter(move |reply| reply.tag == tag).timeout(PATIENCE).await;
    reply.expect("the servant answers").value
}

/// Has a servant run `job` and answer with a [`Reply`] of this tag.
pub(crate) fn order<T: Send + 'static>(
    servant: Pid,
    job: impl Future<Output = T> + Send + 'static,
) -> Reference {
    let (tag, asker) = (make_ref(), me());
    tell(servant, async move {
        let value = job.await;
        send(asker, Reply { tag, value });
    });
    tag
}

/// A text as an exit reason.
pub(crate) fn reason(text: impl IntoReason) -> ExitReason {
    text.into_reason()
}

/// Waits for ever; only a signal ends it.
pub(crate) async fn forever() {
    receive::<Never>().await;
}

/// The reason in the `Down` of this monitor.
pub(crate) async fn down_of(watch: Monitor) -> ExitReason {
    let down = receive::<Down>().filter(move |down| down.monitor == watch).timeout(PATIENCE).await;
    down.expect("the monitor fires").reason
}

/// The reason in the trapped exit of this process.
pub(crate) async fn exit_of(peer: Pid) -> ExitReason {
    let exit = receive::<Exit>().filter(move |exit| exit.from == peer).timeout(PATIENCE).await;
    exit.expect("the exit signal arrives").reason
}

/// Waits until the process is gone, and says why it ended if it was still there.
pub(crate) async fn ended(pid: Pid) -> ExitReason {
    down_of(monitor(pid)).await
}

/// The next message, which must be of this type and must be there within our patience.
pub(crate) async fn next<T: Send + 'static>() -> T {
    receive! {
        other: Message => match other.downcast::<T>() {
            Ok(message) => message,
            Err(other) => panic!("got {} instead", other.type_name()),
        },
        after PATIENCE => panic!("nothing came"),
    }
}

/// Fails unless the mailbox is empty.
pub(crate) async fn expect_no_message() {
    receive! {
        other: Message => panic!("unexpected {}", other.type_name()),
        after 0 => (),
    }
}

/// All messages of one type that are in the mailbox now, oldest first.
pub(crate) async fn drain<T: Send + 'static>() -> Vec<T> {
    let mut found = Vec::new();
    while let Ok(message) = receive::<T>().timeout(Duration::ZERO).await {
        found.push(message);
    }
    found
}

/// Waits until the condition, which may await, is true; gives up when our patience is over.
macro_rules! eventually {
    ($condition:expr) => {{
        let mut patience = $crate::support::Patience::new();
        while !$condition {
            patience.wait().await;
        }
    }};
}
pub(crate) use eventually;

/// Lets others run between two looks at a condition.
pub(crate) struct Patience {
    limit: Instant,
    looks: u32,
}

impl Patience {
    pub(crate) fn new() -> Patience {
        Patience { limit: now() + PATIENCE, looks: 0 }
    }

    pub(crate) async fn wait(&mut self) {
        assert!(now() < self.limit, "this never came true");
        self.looks += 1;
        if self.looks.is_multiple_of(1_000) {
            // With virtual time the clock moves only while everybody waits.
            sleep(Duration::from_millis(1)).await;
        } else {
            yield_now().await;
        }
    }
}

/// The sorted links of a process that must be alive.
pub(crate) async fn links_of(pid: Pid) -> Vec<Pid> {
    let mut links = process_info(pid).await.expect("the process is alive").links;
    links.sort();
    links
}

/// Whether the process waits for a message.
pub(crate) async fn is_waiting(pid: Pid) -> bool {
    process_info(pid).await.is_some_and(|info| info.status == ProcessStatus::Waiting)
}

/// A small generator of repeatable numbers, for programs that must look random.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

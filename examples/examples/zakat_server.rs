//! A server without a library: a named process in a loop, requests that say where to reply.
//!
//! ```text
//! cargo run --example zakat_server
//! ```
//!
//! This is what `GenServer` does for you. By hand it takes four things: a reference, so that a
//! reply cannot be taken for another; a monitor, so that a dead server is noticed at once; a
//! time-out, so that a busy one is; and an answer to strangers' messages.

use beamish::prelude::*;

const NAME: &str = "zakat_server";

/// A request of any kind: its reply goes to `from` and carries `tag`.
struct Request<T> {
    from: Pid,
    tag: Reference,
    content: T,
}

struct Reply<T> {
    tag: Reference,
    content: T,
}

struct Calculate {
    wealth: u64,
    nisab: u64,
}

struct GetStats;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Stats {
    requests: u64,
}

struct Stop;

#[derive(Debug, PartialEq)]
enum CallError {
    /// The server is not there, or ended before it replied.
    Down(ExitReason),
    Timeout,
}

/// Starts the server under its name, linked to the caller.
fn start_link() -> Result<Pid, SpawnError> {
    Ok(SpawnOptions::new().name(NAME).link().spawn(serve(Stats::default()))?.pid)
}

/// The server: its state is a variable of this loop.
async fn serve(mut stats: Stats) {
    loop {
        receive! {
            Request { from, tag, content: Calculate { wealth, nisab } }: Request<Calculate> => {
                let content = if wealth > nisab { wealth / 40 } else { 0 };
                stats.requests += 1;
                send(from, Reply { tag, content });
            }
            Request { from, tag, content: GetStats }: Request<GetStats> => {
                send(from, Reply { tag, content: stats });
            }
            _: Stop => break,
            _: Message => {} // Not for us; left in the mailbox it would stay there for ever.
        }
    }
}

/// Sends a request and waits for its reply.
async fn call<T: Send + 'static, R: Send + 'static>(content: T) -> Result<R, CallError> {
    let watch = monitor(NAME);
    let tag = watch.reference();
    // If there is no server to take it, the monitor says so below.
    let _ = send(NAME, Request { from: me(), tag, content });
    let result = receive! {
        reply: Reply<R> if reply.tag == tag => Ok(reply.content),
        down: Down if down.monitor == watch => Err(CallError::Down(down.reason)),
        after Duration::from_secs(5) => Err(CallError::Timeout),
    };
    demonitor_flush(watch);
    result
}

async fn calculate(wealth: u64, nisab: u64) -> Result<u64, CallError> {
    call(Calculate { wealth, nisab }).await
}

async fn stats() -> Result<Stats, CallError> {
    call(GetStats).await
}

#[beamish::main]
async fn main() -> Result<(), ExitReason> {
    let server = start_link()?;
    println!("zakat on 10000: {:?}", calculate(10_000, 5_000).await);
    println!("zakat on 3000: {:?}", calculate(3_000, 5_000).await);
    send(server, "a stray message");
    println!("statistics: {:?}", stats().await);

    let watch = monitor(server);
    send(server, Stop);
    receive::<Down>().filter(move |down| down.monitor == watch).await;
    println!("after the stop: {:?}", calculate(10_000, 5_000).await);
    Ok(())
}

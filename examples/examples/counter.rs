//! A process with state. In Elixir it calls itself with the new state; in Rust it is a loop, and
//! the state is a variable that no other process can reach.
//!
//! ```text
//! cargo run --example counter
//! ```

use beamish::prelude::*;

/// What a counter understands. One enum is as good as several types, and the compiler then checks
/// that every message is handled.
enum Request {
    Increment(i64),
    Get { caller: Pid },
    Stop,
}

struct Count(i64);

/// Starts a counter and gives its pid.
fn start(initial: i64) -> Pid {
    spawn(run(initial))
}

async fn run(mut count: i64) {
    loop {
        match receive::<Request>().await {
            Request::Increment(amount) => count += amount,
            Request::Get { caller } => send(caller, Count(count)),
            Request::Stop => break,
        }
    }
}

async fn get(counter: Pid) -> i64 {
    send(counter, Request::Get { caller: me() });
    let Count(count) = receive().await;
    count
}

#[beamish::main]
async fn main() {
    let counter = start(0);
    send(counter, Request::Increment(5));
    println!("count: {}", get(counter).await);
    send(counter, Request::Increment(-2));
    println!("count: {}", get(counter).await);

    let watch = monitor(counter);
    send(counter, Request::Stop);
    let down = receive::<Down>().filter(move |down| down.monitor == watch).await;
    println!("the counter ended: {}", down.reason);
}

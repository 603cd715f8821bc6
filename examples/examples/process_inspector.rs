//! Looking at running processes: one of them, all of them, those with a certain name.
//!
//! ```text
//! cargo run --example process_inspector
//! ```

use beamish::prelude::*;

/// A message with some weight.
struct Load(#[expect(dead_code, reason = "it only has to be there")] [u64; 16]);

#[beamish::main]
async fn main() -> Result<(), ExitReason> {
    for (name, load) in [("donation_worker.1", 1), ("donation_worker.2", 50), ("mailer", 5)] {
        let worker = SpawnOptions::new().name(name).link().spawn(idle())?.pid;
        (0..load).for_each(|_| send(worker, Load([0; 16])));
    }
    inspect_self().await;
    print_heaviest(2).await;
    print_donation_workers().await;
    Ok(())
}

/// A process that leaves its mail where it is: `receive!` takes no `Load`.
async fn idle() {
    receive! { after never => () }
}

/// What a process can find out about itself.
async fn inspect_self() {
    send(me(), "a message that nobody reads");
    register("inspector", me()).expect("the name is free");
    let Some(info) = process_info(me()).await else { return };
    println!("about this process:");
    println!("  name      {}", info.registered_name.as_deref().unwrap_or("none"));
    println!("  messages  {}", info.message_queue_len);
    println!("  links     {}", info.links.len());
    println!("  monitors  {}", info.monitors.len());
    println!("  traps     {}", info.trap_exit);
}

/// The processes that use most memory, mailboxes included.
async fn print_heaviest(count: usize) {
    let mut all = Vec::new();
    for pid in processes() {
        // A process may end between the two questions; then there is nothing to tell.
        all.extend(process_info(pid).await);
    }
    all.sort_by_key(|info| std::cmp::Reverse(info.memory));
    println!("by memory:");
    for info in all.iter().take(count) {
        let name = info.registered_name.as_deref().unwrap_or("none");
        println!("  {name}, {} messages", info.message_queue_len);
    }
}

/// The processes whose name says that they work on donations.
async fn print_donation_workers() {
    let mut names = registered();
    names.retain(|name| name.starts_with("donation_worker"));
    names.sort();
    println!("donation workers:");
    for name in names {
        let Some(pid) = whereis(&name) else { continue };
        let Some(info) = process_info(pid).await else { continue };
        println!("  {name}, {} messages, {:?}", info.message_queue_len, info.status);
    }
}

//! Tasks, case by case as Elixir's own tests of them; each test names its case in its title.

mod awaiting;
mod many;
mod starting;
mod stopping;
mod stream;
mod yielding;

use beamish::prelude::*;

/// How long anything may take. Only a broken runtime takes it.
const LIMIT: Duration = Duration::from_secs(20);

/// A task that never replies.
fn waiting<T: Send + 'static>() -> Task<T> {
    Task::spawn(std::future::pending())
}

/// A task that exits with this reason.
fn failing<T: Send + 'static>(reason: ExitReason) -> Task<T> {
    Task::spawn(async { exit(reason) })
}

/// Waits until a process has ended and everybody was told.
async fn gone(task: &Task<u32>) {
    let pid = task.pid().unwrap();
    let watch = monitor(pid);
    receive::<Down>().filter(move |down| down.monitor == watch).timeout(LIMIT).await.unwrap();
}

/// Nothing is left in the mailbox but what the test put there.
async fn mailbox_is_empty() {
    let info = process_info(me()).await.unwrap();
    assert_eq!((info.messages, info.monitors, info.aliases), (vec![], vec![], 0));
}

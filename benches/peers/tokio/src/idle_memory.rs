//! Resident memory of `n` tasks that wait for a message.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use measure::{Params, Sample, resident_bytes};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Tasks started before the next are spawned, so that no long queue counts as their memory.
const BATCH: usize = 1_000;

static WAITING: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

struct Stop;

pub(crate) async fn run(params: Params) -> Sample {
    WAITING.store(0, Relaxed);
    ENDED.store(0, Relaxed);
    // The list of handles is filled before the first reading: only the tasks are measured.
    let (placeholder, _) = unbounded_channel();
    let mut handles: Vec<UnboundedSender<Stop>> = vec![placeholder; params.n];
    let before = resident_bytes();
    for (index, handle) in handles.iter_mut().enumerate() {
        let (sender, inbox) = unbounded_channel();
        *handle = sender;
        tokio::spawn(wait(inbox));
        if index % BATCH == 0 {
            reach(&WAITING, index + 1).await;
        }
    }
    reach(&WAITING, params.n).await;
    let bytes = resident_bytes().saturating_sub(before);
    for handle in &handles {
        let _ = handle.send(Stop);
    }
    reach(&ENDED, params.n).await;
    Sample::Memory { processes: params.n as u64, bytes }
}

async fn wait(mut inbox: UnboundedReceiver<Stop>) {
    WAITING.fetch_add(1, Relaxed);
    inbox.recv().await;
    ENDED.fetch_add(1, Relaxed);
}

async fn reach(counter: &AtomicUsize, n: usize) {
    while counter.load(Relaxed) < n {
        tokio::task::yield_now().await;
    }
}

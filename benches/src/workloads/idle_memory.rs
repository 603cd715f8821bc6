//! Resident memory of `n` processes that wait for a message.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use beamish::prelude::*;
use measure::{Params, Sample, resident_bytes};

/// Processes started before the next are spawned, so that no long queue counts as their memory.
const BATCH: usize = 1_000;

static WAITING: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

struct Stop;

pub(crate) async fn run(params: Params) -> Sample {
    WAITING.store(0, Relaxed);
    ENDED.store(0, Relaxed);
    // The list of handles is filled before the first reading: only the processes are measured.
    let mut handles = vec![me(); params.n];
    let before = resident_bytes();
    for (index, handle) in handles.iter_mut().enumerate() {
        *handle = spawn(wait());
        if index % BATCH == 0 {
            reach(&WAITING, index + 1).await;
        }
    }
    reach(&WAITING, params.n).await;
    let bytes = resident_bytes().saturating_sub(before);
    for handle in handles {
        send(handle, Stop);
    }
    reach(&ENDED, params.n).await;
    Sample::Memory { processes: params.n as u64, bytes }
}

async fn wait() {
    WAITING.fetch_add(1, Relaxed);
    receive::<Stop>().await;
    ENDED.fetch_add(1, Relaxed);
}

async fn reach(counter: &AtomicUsize, n: usize) {
    while counter.load(Relaxed) < n {
        yield_now().await;
    }
}

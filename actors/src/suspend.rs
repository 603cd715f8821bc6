//! Suspending processes, for debugging.

use beamish_runtime::Nanos;

use crate::{
    ambient::with_turn,
    answer::{Request, request},
    links::NoProc,
    panics,
    pid::Pid,
    signal::Signal,
    slot::Stage,
    turn::Turn,
};

/// Suspends another process: it handles signals, and can be killed, but does not run until
/// [`resume_process`] was called as often, or the caller has ended. Its sleeps and the time-outs of
/// its receives stand still meanwhile. Returns when the process is suspended, which takes until its
/// next await if it is running.
///
/// For debugging only: a process that holds a lock keeps it.
///
/// # Errors
/// [`NoProc`] if the process does not exist.
///
/// # Panics
/// Outside a process, or when a process suspends itself: nobody could hear of it.
pub async fn suspend_process(pid: Pid) -> Result<(), NoProc> {
    let (request, answer) = request();
    with_turn(|turn| {
        assert!(pid != turn.pid(), "a process can not suspend itself");
        turn.signal_with_priority(pid, Signal::Suspend(request));
        turn.private().with_extra(|extra| extra.rare().suspending.push(pid));
    });
    let suspended = answer.await.ok_or(NoProc);
    if suspended.is_err() {
        with_turn(|turn| turn.forget_suspension(pid));
    }
    suspended
}

/// Takes back one [`suspend_process`] of the current process; without one it does nothing.
///
/// # Panics
/// Outside a process.
pub fn resume_process(pid: Pid) {
    with_turn(|turn| {
        if turn.forget_suspension(pid) {
            turn.signal(pid, Signal::Resume);
        }
    });
}

impl Turn<'_> {
    fn forget_suspension(&self, pid: Pid) -> bool {
        let forget = |extra: &mut crate::extra::Extra| {
            let suspending = &mut extra.rare.as_deref_mut()?.suspending;
            let at = suspending.iter().position(|suspended| *suspended == pid)?;
            Some(suspending.swap_remove(at))
        };
        self.private().if_extra(forget).flatten().is_some()
    }

    pub(crate) fn suspend(&self, request: Request<()>) {
        let now = self.shared().scheduler.now();
        self.private().with_extra(|extra| {
            let rare = extra.rare();
            if rare.suspensions == 0 {
                rare.suspended_since = now;
            }
            rare.suspensions += 1;
            rare.suspenders.push(request);
        });
        self.set_stage(Stage::Suspended);
        // It may be in the middle of a poll, which a receive is to end.
        self.use_up();
    }

    /// The process does not run: whoever suspended it may know.
    pub(crate) fn answer_suspenders(&self) {
        let waiting = self.private().if_extra(|extra| {
            extra.rare.as_deref_mut().map(|rare| std::mem::take(&mut rare.suspenders))
        });
        for request in waiting.flatten().unwrap_or_default() {
            panics::contain(|| request.answer(Some(())));
        }
    }

    pub(crate) fn resume(&self) {
        let now = self.shared().scheduler.now();
        let runs = self.private().with_extra(|extra| {
            let rare = extra.rare();
            if rare.suspensions == 1 {
                let paused = now.saturating_sub(rare.suspended_since);
                rare.suspended_for = rare.suspended_for.saturating_add(paused);
            }
            rare.suspensions = rare.suspensions.saturating_sub(1);
            rare.suspensions == 0
        });
        if runs {
            self.set_stage(Stage::Running);
            // Its timers may have fired meanwhile, and must be set anew.
            self.poll_again();
        }
    }

    /// How long the process has been suspended so far, in all.
    pub(crate) fn suspended_for(&self) -> Nanos {
        let total = |extra: &mut crate::extra::Extra| Some(extra.rare.as_deref()?.suspended_for);
        self.private().if_extra(total).flatten().unwrap_or(Nanos::ZERO)
    }

    fn set_stage(&self, stage: Stage) {
        let mut flags = self.private().flags.get();
        flags.stage = stage;
        self.private().flags.set(flags);
    }
}

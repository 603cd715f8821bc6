//! Aliases: references that can be sent to, and turned off.

use crate::{
    ambient::with_turn, mailbox::Mark, node::Message, pid::Pid, reference::Reference, report,
    turn::Turn,
};

/// A way to reach a process that the process can close.
///
/// Messages sent to an alias arrive like messages to the pid while the alias is active, and vanish
/// once it is not: the base of requests whose late replies never litter the mailbox. Any thread
/// may send to it; only the process that made it can turn it off.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{alias, receive, send, unalias};
/// let alias = alias();
/// send(alias, "in time");
/// assert_eq!(receive::<&str>().await, "in time");
/// unalias(alias);
/// send(alias, "late"); // vanishes
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Alias {
    pub(crate) pid: Pid,
    pub(crate) id: u64,
}

impl Alias {
    /// The reference that the alias is: a monitor made with an alias has the same one.
    #[must_use]
    pub fn reference(self) -> Reference {
        Reference::new(self.pid.node(), self.id)
    }
}

/// When an alias turns itself off, and whether it takes priority messages.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct AliasOptions {
    reply: bool,
    priority: bool,
}

impl AliasOptions {
    /// An alias that stays until [`unalias`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The alias turns itself off with the first message it delivers.
    pub fn reply(mut self) -> Self {
        self.reply = true;
        self
    }

    /// Messages sent with [`send_priority`](crate::send_priority) to this alias go before all
    /// others in the mailbox, first in, first out among themselves.
    pub fn priority(mut self) -> Self {
        self.priority = true;
        self
    }
}

/// The receiver's book entry of an active alias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AliasState {
    pub(crate) off: TurnsOff,
    pub(crate) priority: bool,
    /// Where the mailbox ended when the alias was made.
    pub(crate) mark: Mark,
}

/// What ends an alias besides `unalias`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnsOff {
    Never,
    OnReply,
    /// With the monitor of the same reference.
    OnDemonitor,
    /// With that monitor, and the first reply ends both.
    OnReplyAndDemonitor,
}

impl TurnsOff {
    /// Whether the end of the monitor of the same reference is the end of the alias.
    pub(crate) fn with_monitor(self) -> bool {
        matches!(self, Self::OnDemonitor | Self::OnReplyAndDemonitor)
    }
}

/// Makes an alias of the current process that is active until [`unalias`].
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn alias() -> Alias {
    alias_with(AliasOptions::new())
}

/// Makes an alias of the current process.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn alias_with(options: AliasOptions) -> Alias {
    with_turn(|turn| {
        let id = turn.new_reference();
        let off = if options.reply { TurnsOff::OnReply } else { TurnsOff::Never };
        let mark = turn.mark();
        turn.private().with_extra(|extra| {
            let state = AliasState { off, priority: options.priority, mark };
            extra.aliases.insert_new(id, state);
        });
        Alias { pid: turn.pid(), id }
    })
}

/// Turns an alias of the current process off; false if it was off already or belongs to another
/// process. Messages that are in the mailbox stay there; those still on their way vanish.
///
/// # Panics
/// Outside a process.
pub fn unalias(alias: Alias) -> bool {
    with_turn(|turn| {
        let remove = |extra: &mut crate::extra::Extra| extra.aliases.remove(&alias.id).is_some();
        alias.pid == turn.pid() && turn.private().if_extra(remove).unwrap_or(false)
    })
}

impl Turn<'_> {
    /// A message came through an alias: deliver it if the alias is active.
    pub(crate) fn arrive_aliased(&self, message: Message, sent_with_priority: bool) {
        let Some(id) = message.alias() else { return };
        match self.use_alias(id) {
            None => self.discard(message),
            Some(state) if state.priority && sent_with_priority => {
                self.private().arrive_urgent(message.let_in());
            }
            Some(_) => self.private().arrive(message.let_in()),
        }
    }

    /// Looks an alias up.
    pub(crate) fn find_alias(&self, id: u64) -> Option<AliasState> {
        self.private().if_extra(|extra| extra.aliases.get(&id).copied()).flatten()
    }

    /// Looks an alias up for a message, and turns it off if it serves only one.
    fn use_alias(&self, id: u64) -> Option<AliasState> {
        let state = self.private().if_extra(|extra| {
            let state = *extra.aliases.get(&id)?;
            if matches!(state.off, TurnsOff::OnReply | TurnsOff::OnReplyAndDemonitor) {
                extra.aliases.remove(&id);
            }
            Some(state)
        })??;
        if state.off == TurnsOff::OnReplyAndDemonitor {
            let monitoring = self.demonitor(id);
            report::contained(self, || drop(monitoring));
        }
        Some(state)
    }
}

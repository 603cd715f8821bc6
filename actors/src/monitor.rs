//! Monitors: being told, once, when a process ends.

use std::fmt;

use crossbeam_channel::Sender;

use crate::{
    alias::{Alias, AliasState, TurnsOff},
    ambient::with_turn,
    exit::ExitReason,
    mailbox::Mark,
    name::Name,
    node::Message,
    pid::Pid,
    reference::Reference,
    report,
    signal::Signal,
    turn::Turn,
};

/// A monitor held by the process that made it.
///
/// A plain value: compare it with [`Down::monitor`], give it to [`demonitor`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Monitor {
    reference: Reference,
    alias: Option<Pid>,
}

impl Monitor {
    fn new(holder: Pid, id: u64, aliased: bool) -> Self {
        let alias = aliased.then_some(holder);
        Self { reference: Reference::new(holder.node(), id), alias }
    }

    /// The monitor's reference.
    #[must_use]
    pub fn reference(self) -> Reference {
        self.reference
    }

    /// The alias made with the monitor, if [`MonitorOptions::alias`] asked for one.
    #[must_use]
    pub fn alias(self) -> Option<Alias> {
        self.alias.map(|pid| Alias { pid, id: self.reference.id() })
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Monitor({:?})", self.reference)
    }
}

/// The message that tells of the end of a monitored process.
///
/// Exactly one comes per monitor, unless [`demonitor`] is first.
#[derive(Clone, Debug, PartialEq)]
pub struct Down {
    /// The monitor that this answers.
    pub monitor: Monitor,
    /// The process that ended; none if there was no process of the monitored name.
    pub pid: Option<Pid>,
    /// The name that was monitored, if it was a name.
    pub name: Option<Name>,
    /// Why it ended; [`ExitReason::NoProc`] if it was not there any more.
    pub reason: ExitReason,
}

/// What comes in place of [`Down`] for a monitor made with [`MonitorOptions::tag`].
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedDown<T> {
    /// The tag given to the monitor.
    pub tag: T,
    /// What happened.
    pub down: Down,
}

/// What can be monitored: a pid, or a name at the time of the call.
#[derive(Clone, Debug)]
pub enum MonitorTarget {
    /// A process.
    Pid(Pid),
    /// Whoever has this name now.
    Name(Name),
}

impl From<Pid> for MonitorTarget {
    fn from(pid: Pid) -> Self {
        Self::Pid(pid)
    }
}

impl From<Name> for MonitorTarget {
    fn from(name: Name) -> Self {
        Self::Name(name)
    }
}

impl From<&'static str> for MonitorTarget {
    fn from(name: &'static str) -> Self {
        Self::Name(name.into())
    }
}

/// When the alias of a monitor turns itself off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasMode {
    /// Only by [`unalias`](crate::unalias): it outlives the monitor.
    ExplicitUnalias,
    /// With the monitor: by [`demonitor`], or when the process ends.
    Demonitor,
    /// As `Demonitor`; and the first message through the alias ends both.
    ReplyDemonitor,
}

/// Makes the message that tells the end.
pub(crate) type Tagger = Box<dyn FnOnce(u64, Down) -> Message + Send>;

/// Options of a monitor.
#[derive(Default)]
#[must_use]
pub struct MonitorOptions {
    alias: Option<AliasMode>,
    tagger: Option<Tagger>,
    priority: bool,
}

impl MonitorOptions {
    /// A plain monitor.
    pub fn new() -> Self {
        Self::default()
    }

    /// The monitor is an alias of the calling process too: see [`Monitor::alias`].
    pub fn alias(mut self, mode: AliasMode) -> Self {
        self.alias = Some(mode);
        self
    }

    /// The end is told as [`TaggedDown`] with this tag, not as [`Down`].
    pub fn tag<T: Send + 'static>(mut self, tag: T) -> Self {
        self.tagger =
            Some(Box::new(move |id, down| Message::telling_end(id, TaggedDown { tag, down })));
        self
    }

    /// The end is told by a priority message.
    pub fn priority(mut self) -> Self {
        self.priority = true;
        self
    }
}

impl fmt::Debug for MonitorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorOptions")
            .field("alias", &self.alias)
            .field("tagged", &self.tagger.is_some())
            .field("priority", &self.priority)
            .finish()
    }
}

/// The watcher's book entry.
pub(crate) struct Monitoring {
    pub(crate) pid: Option<Pid>,
    /// Where the mailbox ended when the monitor was made.
    pub(crate) mark: Mark,
    alias: Option<AliasMode>,
    pub(crate) priority: bool,
    /// What few monitors have, kept elsewhere to make the entry small.
    rare: Option<Box<Rare>>,
}

/// How the news is to be told, if not as usual.
#[derive(Default)]
struct Rare {
    /// The name that was monitored.
    name: Option<Name>,
    tagger: Option<Tagger>,
}

impl Monitoring {
    #[inline]
    fn new(pid: Option<Pid>, name: Option<Name>, options: MonitorOptions, mark: Mark) -> Self {
        let MonitorOptions { alias, tagger, priority } = options;
        let is_rare = name.is_some() || tagger.is_some();
        Self { pid, mark, alias, priority, rare: is_rare.then(|| Box::new(Rare { name, tagger })) }
    }

    /// Whether the news is to come as the ended process tells it.
    #[inline]
    fn is_plain(&self) -> bool {
        self.alias.is_none() && self.rare.is_none()
    }

    /// Takes out what the user gave for the message.
    pub(crate) fn forget_tag(&mut self) -> Option<Tagger> {
        self.rare.as_mut()?.tagger.take()
    }
}

/// The watched process's book entry: whom to tell.
pub(crate) enum Watcher {
    Process(Pid),
    /// A thread that waits for the process, outside of any process.
    Thread(Sender<ExitReason>),
}

/// Monitors a process: when it ends, a [`Down`] message comes. If it is gone already, or no process
/// has the name, the message comes at once, with [`ExitReason::NoProc`].
///
/// Each call makes a monitor of its own; a monitor of oneself is none, as nobody sees its own end. Unlike a link, a monitor has one direction and never ends
/// the caller.
///
/// # Panics
/// Outside a process.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::{Down, monitor, receive, spawn};
/// let pid = spawn(async {});
/// let watch = monitor(pid);
/// let down = receive::<Down>().await;
/// assert_eq!(down.monitor, watch);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn monitor(target: impl Into<MonitorTarget>) -> Monitor {
    monitor_with(target, MonitorOptions::new())
}

/// As [`monitor`], with options.
///
/// # Panics
/// Outside a process.
#[track_caller]
pub fn monitor_with(target: impl Into<MonitorTarget>, options: MonitorOptions) -> Monitor {
    let target = target.into();
    with_turn(|turn| turn.monitor(target, options))
}

/// Stops a monitor: no [`Down`] of it arrives any more. One that is in the mailbox already stays;
/// [`demonitor_flush`] removes it too.
///
/// Tells whether the monitor was still active. A monitor of another process, or one that has
/// fired, is none.
///
/// # Panics
/// Outside a process.
pub fn demonitor(monitor: Monitor) -> bool {
    with_turn(|turn| {
        let id = monitor.reference.id_in(turn.pid().node());
        id.is_some_and(|id| turn.demonitor(id).is_some())
    })
}

/// As [`demonitor`], and removes a [`Down`] (or [`TaggedDown`]) of this monitor from the mailbox.
/// Tells whether the monitor was still active.
///
/// # Panics
/// Outside a process.
pub fn demonitor_flush(monitor: Monitor) -> bool {
    with_turn(|turn| {
        let Some(id) = monitor.reference.id_in(turn.pid().node()) else { return false };
        let active = turn.demonitor(id).is_some();
        if !active {
            turn.flush(|message| {
                message.told_end() == Some(id)
                    || message.peek::<Down>().is_some_and(|down| down.monitor == monitor)
            });
        }
        active
    })
}

impl Turn<'_> {
    fn monitor(&self, target: MonitorTarget, options: MonitorOptions) -> Monitor {
        self.charge(1);
        let id = self.new_reference();
        let (pid, name) = match target {
            MonitorTarget::Pid(pid) => (Some(pid), None),
            MonitorTarget::Name(name) => (self.shared().names.whereis(&name), Some(name)),
        };
        let alias = options.alias;
        if pid == Some(self.pid()) {
            // Nobody is there to see its own end; the alias is one all the same.
            self.book_alias(id, alias, options.priority, self.mark());
            return Monitor::new(self.pid(), id, alias.is_some());
        }
        self.book_monitor(id, pid, name, options, self.mark());
        match pid {
            Some(pid) => {
                let reference = Reference::new(self.pid().node(), id);
                self.signal(pid, Signal::Monitor { reference, watcher: self.pid() });
            }
            None => self.signal(
                self.pid(),
                Signal::Down { reference: id, pid: None, reason: ExitReason::NoProc },
            ),
        }
        Monitor::new(self.pid(), id, alias.is_some())
    }

    /// The parent's side of a monitor that is made with the spawn. The child may have ended by
    /// now: nothing may look into the inbox before this, or the news would find no entry.
    #[inline]
    pub(crate) fn hold_monitor(
        &self,
        id: u64,
        pid: Pid,
        options: MonitorOptions,
        mark: Mark,
    ) -> Monitor {
        let aliased = options.alias.is_some();
        self.book_monitor(id, Some(pid), None, options, mark);
        Monitor::new(self.pid(), id, aliased)
    }

    /// Writes the watcher's entry of a monitor.
    #[inline]
    fn book_monitor(
        &self,
        id: u64,
        pid: Option<Pid>,
        name: Option<Name>,
        options: MonitorOptions,
        mark: Mark,
    ) {
        self.book_alias(id, options.alias, options.priority, mark);
        let monitoring = Monitoring::new(pid, name, options, mark);
        self.private().with_extra(|extra| extra.monitors.insert_new(id, monitoring));
        self.shared().tally.monitors.add(1);
    }

    #[inline]
    fn book_alias(&self, id: u64, mode: Option<AliasMode>, priority: bool, mark: Mark) {
        let off = match mode {
            None => return,
            Some(AliasMode::ExplicitUnalias) => TurnsOff::Never,
            Some(AliasMode::Demonitor) => TurnsOff::OnDemonitor,
            Some(AliasMode::ReplyDemonitor) => TurnsOff::OnReplyAndDemonitor,
        };
        let state = AliasState { off, priority, mark };
        self.private().with_extra(|extra| extra.aliases.insert_new(id, state));
    }

    /// Ends a monitor from the watcher's side; the entry, if it was active.
    pub(crate) fn demonitor(&self, id: u64) -> Option<Monitoring> {
        let monitoring = self.unbook_monitor(id)?;
        if let Some(pid) = monitoring.pid {
            let reference = Reference::new(self.pid().node(), id);
            self.signal(pid, Signal::Demonitor { reference });
        }
        Some(monitoring)
    }

    /// As [`Turn::unbook_monitor`], if the news is to come as it is told: whether with priority. The
    /// entry is dropped where it lies.
    #[inline]
    fn unbook_plain_monitor(&self, id: u64) -> Option<bool> {
        let priority = self.private().if_extra(|extra| {
            let priority = extra.monitors.get(&id).filter(|entry| entry.is_plain())?.priority;
            drop(extra.monitors.remove(&id));
            Some(priority)
        })??;
        self.shared().tally.monitors.add(-1);
        Some(priority)
    }

    /// Removes the watcher's entry, and the alias that ends with it.
    fn unbook_monitor(&self, id: u64) -> Option<Monitoring> {
        let monitoring = self.private().if_extra(|extra| {
            let monitoring = extra.monitors.remove(&id);
            // Without an entry it may be a monitor of oneself, which is just an alias.
            if monitoring.as_ref().is_none_or(|monitoring| monitoring.alias.is_some())
                && extra.aliases.get(&id).is_some_and(|alias| alias.off.with_monitor())
            {
                extra.aliases.remove(&id);
            }
            monitoring
        })??;
        self.shared().tally.monitors.add(-1);
        Some(monitoring)
    }

    pub(crate) fn add_watcher(&self, reference: Reference, watcher: Pid) {
        self.private().with_extra(|extra| {
            extra.watchers.insert_new(reference, Watcher::Process(watcher));
        });
    }

    pub(crate) fn remove_watcher(&self, reference: Reference) {
        if self.slot().parents_monitor().is_some_and(|(parents, _)| parents == reference) {
            self.slot().set_parents_monitor(None);
        } else {
            self.private().if_extra(|extra| extra.watchers.remove(&reference));
        }
    }

    /// Tells the holder of a monitor that this process has ended.
    #[inline]
    pub(crate) fn tell_end(&self, holder: Pid, reference: Reference, reason: &ExitReason) {
        let monitor = Monitor { reference, alias: None };
        // A clone, for it is made in its place: most reasons are one word, and moved as four.
        let down = || Down { monitor, pid: Some(self.pid()), name: None, reason: reason.clone() };
        self.deliver(holder, Message::end(reference.id(), down));
    }

    /// A monitored process told its end. Without an entry the monitor was ended in time, and nothing
    /// happens.
    #[inline]
    pub(crate) fn arrive_end(&self, message: Message) {
        let Some(id) = message.told_end() else { unreachable!("only an end is sent so") };
        if let Some(priority) = self.unbook_plain_monitor(id) {
            return self.arrive_news(message.let_in(), priority);
        }
        match self.unbook_monitor(id) {
            None => report::contained(self, || drop(message)),
            Some(monitoring) => match message.take::<Down>() {
                Ok((down, _shell)) => self.arrive_dressed(monitoring, down),
                Err(_) => unreachable!("what tells an end is a `Down`"),
            },
        }
    }

    /// There was nobody to tell his end: the entry becomes a message.
    pub(crate) fn arrive_down(&self, id: u64, pid: Option<Pid>, reason: ExitReason) {
        let Some(monitoring) = self.unbook_monitor(id) else {
            return report::contained(self, || drop(reason));
        };
        let monitor = Monitor::new(self.pid(), id, false);
        self.arrive_dressed(monitoring, Down { monitor, pid, name: None, reason });
    }

    /// Gives the news the form that the holder of the monitor asked for.
    #[cold]
    fn arrive_dressed(&self, monitoring: Monitoring, mut down: Down) {
        let Monitoring { alias, rare, priority, .. } = monitoring;
        let Rare { name, tagger } = rare.map(|rare| *rare).unwrap_or_default();
        let id = down.monitor.reference.id();
        down.monitor = Monitor::new(self.pid(), id, alias.is_some());
        down.name = name;
        let message = match tagger {
            Some(tagger) => tagger(id, down),
            None => Message::new(down),
        };
        self.arrive_news(message, priority);
    }

    #[inline]
    fn arrive_news(&self, message: Message, priority: bool) {
        if priority {
            self.private().arrive_urgent(message);
        } else {
            self.private().arrive(message);
        }
    }
}

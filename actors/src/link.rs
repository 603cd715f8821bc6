//! Links: the state that one process keeps, and the protocol between two.
//!
//! # Problem
//!
//! A link is one fact kept in two places. `link` and `unlink` change it from both ends at the same
//! time, and signals take a while. If each side just deleted its entry on `unlink`, the two could
//! end up with different views, for ever (erlang/otp issue 4606).
//!
//! # Protocol
//!
//! That of Erlang's distribution ("link protocol" in its documentation), used between any two
//! processes. Each side keeps, per peer, whether the link is `active` and the id of an unlink that
//! the peer has not acknowledged yet. Signals between two processes arrive in the order sent.
//!
//! 1. `link`: no entry: make an active one, send LINK. Inactive entry: make it active, send LINK.
//!    Active entry: nothing.
//! 2. `unlink`: active entry: make it inactive, store a fresh id, send UNLINK with it. From now
//!    on no exit of that peer counts, until it is linked again.
//! 3. LINK received: no entry: make an active one. An entry that waits for an acknowledgement:
//!    ignore it, for the peer sent it before it saw our UNLINK, and rule 4 will take its side down.
//! 4. UNLINK received: acknowledge it, always. An entry that waits for an acknowledgement of its
//!    own becomes inactive and stays; any other goes.
//! 5. ACK received with the stored id: the wait is over; an inactive entry goes.
//! 6. EXIT of a link received: counts only for an active entry that waits for nothing: an entry
//!    that waits was unlinked before, so the exit belongs to the former link.
//! 7. A LINK to a process that is gone is answered by "no such process", which counts for an
//!    active entry whether it waits or not, and removes it.
//!
//! With no signal on its way, both sides agree. `tests` at the end and the loom model check it.

use crate::{pid::Pid, small_map::SmallMap};

/// What a side must send to its peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LinkSignal {
    /// "Be linked to me."
    Link,
    /// "Be no longer linked to me, and confirm this id."
    Unlink(u64),
    /// "I have seen your unlink of this id."
    Ack(u64),
}

#[derive(Debug)]
struct Link {
    active: bool,
    /// Id of the unlink that the peer has not acknowledged.
    unlinking: Option<u64>,
}

/// The links of one process.
#[derive(Debug, Default)]
pub(crate) struct Links {
    peers: SmallMap<Pid, Link>,
    last_unlink: u64,
}

impl Links {
    /// Rule 1.
    pub(crate) fn link(&mut self, peer: Pid) -> Option<LinkSignal> {
        match self.peers.get_mut(&peer) {
            Some(link) if link.active => None,
            Some(link) => {
                link.active = true;
                Some(LinkSignal::Link)
            }
            None => {
                self.insert(peer);
                Some(LinkSignal::Link)
            }
        }
    }

    /// The entry of a link that is made with the spawn, on both sides at once, without a signal.
    pub(crate) fn insert(&mut self, peer: Pid) {
        self.peers.insert_new(peer, Link { active: true, unlinking: None });
    }

    /// Rule 2.
    pub(crate) fn unlink(&mut self, peer: Pid) -> Option<LinkSignal> {
        let link = self.peers.get_mut(&peer).filter(|link| link.active)?;
        self.last_unlink += 1;
        link.active = false;
        link.unlinking = Some(self.last_unlink);
        Some(LinkSignal::Unlink(self.last_unlink))
    }

    /// A signal of the link protocol arrived: rules 3 to 5. The answer goes back to the peer.
    pub(crate) fn receive(&mut self, peer: Pid, signal: LinkSignal) -> Option<LinkSignal> {
        match signal {
            LinkSignal::Link => {
                if self.peers.get(&peer).is_none() {
                    self.insert(peer);
                }
                None
            }
            LinkSignal::Unlink(id) => {
                self.peer_unlinked(peer);
                Some(LinkSignal::Ack(id))
            }
            LinkSignal::Ack(id) => {
                self.acknowledged(peer, id);
                None
            }
        }
    }

    fn peer_unlinked(&mut self, peer: Pid) {
        match self.peers.get_mut(&peer) {
            Some(link) if link.unlinking.is_some() => link.active = false,
            Some(_) => drop(self.peers.remove(&peer)),
            None => {}
        }
    }

    fn acknowledged(&mut self, peer: Pid, id: u64) {
        let Some(link) = self.peers.get_mut(&peer).filter(|link| link.unlinking == Some(id)) else {
            return;
        };
        link.unlinking = None;
        if !link.active {
            self.peers.remove(&peer);
        }
    }

    /// Rule 6: whether the exit of a linked process counts.
    #[must_use]
    pub(crate) fn peer_exited(&mut self, peer: Pid) -> bool {
        let counts = self.peers.get(&peer).is_some_and(|l| l.active && l.unlinking.is_none());
        if counts {
            self.peers.remove(&peer);
        }
        counts
    }

    /// Rule 7: whether "no such process" counts.
    #[must_use]
    pub(crate) fn peer_missing(&mut self, peer: Pid) -> bool {
        self.peers.remove(&peer).is_some_and(|link| link.active)
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// The processes linked at this moment.
    pub(crate) fn active(&self) -> impl Iterator<Item = Pid> {
        self.peers.iter().filter(|(_, link)| link.active).map(|(peer, _)| *peer)
    }
}

impl Links {
    /// The process has ended: from now on its links are only counted out.
    pub(crate) fn make_list(&mut self) {
        self.peers.make_list();
    }

    /// The next process to tell of the end.
    pub(crate) fn pop_active(&mut self) -> Option<Pid> {
        loop {
            let (peer, link) = self.peers.pop()?;
            if link.active {
                return Some(peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, num::NonZeroU64};

    use super::*;

    const A: Pid = Pid::new(1, 1, NonZeroU64::MIN);
    const B: Pid = Pid::new(1, 2, NonZeroU64::MIN);

    /// Two processes and the signals on their way.
    #[derive(Default)]
    struct Pair {
        sides: [Links; 2],
        to: [VecDeque<LinkSignal>; 2],
    }

    impl Pair {
        fn peer(side: usize) -> Pid {
            [B, A][side]
        }

        fn act(&mut self, side: usize, link: bool) {
            let links = &mut self.sides[side];
            let peer = Self::peer(side);
            let signal = if link { links.link(peer) } else { links.unlink(peer) };
            self.to[1 - side].extend(signal);
        }

        fn deliver(&mut self, side: usize) {
            if let Some(signal) = self.to[side].pop_front() {
                let answer = self.sides[side].receive(Self::peer(side), signal);
                self.to[1 - side].extend(answer);
            }
        }

        fn settle(&mut self) {
            while self.to.iter().any(|queue| !queue.is_empty()) {
                self.deliver(0);
                self.deliver(1);
            }
        }

        fn linked(&self) -> [bool; 2] {
            [0, 1].map(|side| self.sides[side].active().any(|peer| peer == Self::peer(side)))
        }
    }

    #[test]
    fn both_sides_agree_after_every_sequence_of_eight_steps() {
        // Six kinds of step: link, unlink, deliver, on either side. Miri takes some.
        let stride = if cfg!(miri) { 9_973 } else { 1 };
        for program in (0..6_u32.pow(8)).step_by(stride) {
            let mut pair = Pair::default();
            let mut rest = program;
            for _ in 0..8 {
                let (step, side) = (rest % 6 / 2, (rest % 2) as usize);
                rest /= 6;
                match step {
                    0 => pair.act(side, true),
                    1 => pair.act(side, false),
                    _ => pair.deliver(side),
                }
            }
            pair.settle();
            let [a, b] = pair.linked();
            assert_eq!(a, b, "program {program}");
            assert!(pair.sides.iter().all(|links| links.len() == usize::from(a)), "{program}");
        }
    }

    #[test]
    fn an_exit_of_a_former_link_does_not_count_for_the_new_one() {
        let mut links = Links::default();
        assert_eq!(links.link(B), Some(LinkSignal::Link));
        assert_eq!(links.unlink(B), Some(LinkSignal::Unlink(1)));
        assert_eq!(links.link(B), Some(LinkSignal::Link));
        assert!(!links.peer_exited(B));
        assert!(links.peer_missing(B));
        assert_eq!(links.len(), 0);
    }

    #[test]
    fn a_late_acknowledgement_of_an_earlier_unlink_is_ignored() {
        let mut links = Links::default();
        links.link(B);
        links.unlink(B);
        links.link(B);
        links.unlink(B);
        links.receive(B, LinkSignal::Ack(1));
        assert_eq!(links.len(), 1);
        links.receive(B, LinkSignal::Ack(2));
        assert_eq!(links.len(), 0);
    }
}

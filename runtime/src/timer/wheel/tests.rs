//! Tests of the wheel: each level, each state of an entry, and random runs beside a sorted map.

use std::collections::{BTreeMap, HashMap};

use super::*;

const ALL: usize = usize::MAX;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Advances without limit and returns what fired.
fn fired<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    let mut out = Vec::new();
    assert!(!wheel.advance(now, ALL, &mut |value| out.push(value)));
    out
}

/// Advances as a worker does, from one `next_expiry` to the next, until something fires.
fn run_to_next<T>(wheel: &mut Wheel<T>) -> (u64, Vec<T>) {
    for _ in 0..=LEVELS {
        let next = wheel.next_expiry().expect("something is pending");
        let out = fired(wheel, next);
        if !out.is_empty() {
            return (next, out);
        }
    }
    panic!("a deadline takes one step per level at most");
}

#[test]
fn fires_at_the_deadline_and_not_before() {
    for deadline in [1, 2, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 300_000_000] {
        let mut wheel = Wheel::new(0);
        wheel.insert(deadline, 'x');
        assert_eq!(fired(&mut wheel, deadline - 1), []);
        assert_eq!(fired(&mut wheel, deadline), ['x'], "deadline {deadline}");
        assert_eq!(wheel.next_expiry(), None);
    }
}

#[test]
fn past_and_present_deadlines_fire_at_the_next_advance() {
    let mut wheel = Wheel::new(1000);
    wheel.insert(1000, 1);
    wheel.insert(3, 2);
    wheel.insert(0, 3);
    assert_eq!(wheel.next_expiry(), Some(1000));
    assert_eq!(fired(&mut wheel, 0), [1, 2, 3], "an older time counts as the latest seen");
}

#[test]
fn every_level_wraps() {
    for level in 0..LEVELS as u32 {
        let boundary = 1_u64 << (level * DIGIT_BITS);
        let top = boundary.checked_mul(SLOTS as u64).map_or(u64::MAX, |end| end - 1);
        for start in [boundary - 1, boundary, top - boundary, top - 1] {
            let mut wheel = Wheel::new(start);
            let deadlines = [start + 1, start.saturating_add(boundary), top];
            for deadline in deadlines {
                wheel.insert(deadline, deadline);
            }
            let mut seen = Vec::new();
            while wheel.len() > 0 {
                let (now, values) = run_to_next(&mut wheel);
                assert!(values.iter().all(|&deadline| deadline == now), "late or early");
                seen.extend(values);
            }
            let mut expected = deadlines.to_vec();
            expected.sort_unstable();
            assert_eq!(seen, expected, "level {level} from {start}");
        }
    }
}

#[test]
fn short_timers_work_after_long_uptime_beside_very_far_ones() {
    for uptime in [12 * DAY, 1 << 30, 49 * DAY, 1 << 32, 3653 * DAY, 1 << 60] {
        for offset in [-2_i64, -1, 0, 1, 2] {
            let now = uptime.checked_add_signed(offset).unwrap();
            let mut wheel = Wheel::new(0);
            wheel.insert(u64::MAX, "never");
            wheel.insert(now + 400 * DAY, "far");
            assert_eq!(fired(&mut wheel, now), [""; 0]);
            wheel.insert(now + 1, "soon");
            wheel.insert(now + 70, "later");
            assert_eq!(run_to_next(&mut wheel), (now + 1, vec!["soon"]));
            assert_eq!(run_to_next(&mut wheel), (now + 70, vec!["later"]));
            assert_eq!(run_to_next(&mut wheel), (now + 400 * DAY, vec!["far"]));
            assert_eq!(run_to_next(&mut wheel), (u64::MAX, vec!["never"]));
        }
    }
}

#[test]
fn one_jump_fires_everything_in_order() {
    for jump in [12 * DAY, 49 * DAY, 3653 * DAY, u64::MAX] {
        let mut wheel = Wheel::new(0);
        let deadlines: Vec<u64> =
            (0..=64).map(|shift| jump.checked_shr(shift).unwrap_or(0)).collect();
        for &deadline in &deadlines {
            wheel.insert(deadline, deadline);
        }
        let expected: Vec<u64> = deadlines.into_iter().rev().collect();
        assert_eq!(fired(&mut wheel, jump), expected);
        assert_eq!(wheel.len(), 0);
    }
}

#[test]
fn equal_deadlines_fire_in_the_order_of_insertion() {
    let mut wheel = Wheel::new(0);
    let mut number = 0;
    let mut insert = |wheel: &mut Wheel<u32>, count: u32| {
        for _ in 0..count {
            wheel.insert(5000, number);
            number += 1;
        }
    };
    insert(&mut wheel, 10);
    // Stop in the middle of both cascades and of the firing, and insert there.
    for _ in 0..6 {
        assert!(wheel.advance(4999, 4, &mut |_| panic!("early")) || wheel.cascading == NIL);
        insert(&mut wheel, 3);
    }
    let mut out = Vec::new();
    while wheel.advance(5000, 7, &mut |value| out.push(value)) {
        if out.len() < 20 {
            insert(&mut wheel, 1);
        }
    }
    assert_eq!(out, (0..number).collect::<Vec<_>>());
}

#[test]
fn limit_bounds_the_work_and_reports_the_rest() {
    let mut wheel = Wheel::new(0);
    for value in 0..10 {
        wheel.insert(value % 2 + 1, value);
    }
    let mut out = Vec::new();
    assert!(wheel.advance(9, 4, &mut |value| out.push(value)));
    assert_eq!((out.len(), wheel.len()), (4, 6));
    assert!(wheel.next_expiry().unwrap() <= 9);
    assert!(!wheel.advance(9, 6, &mut |value| out.push(value)), "nothing left: not reported");
    assert_eq!(out, [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);
}

#[test]
fn a_limit_of_zero_does_nothing() {
    let mut wheel = Wheel::new(0);
    assert!(!wheel.advance(5, 0, &mut |()| ()));
    wheel.insert(1, ());
    assert!(wheel.advance(5, 0, &mut |()| panic!("no step was allowed")));
}

#[test]
fn removal_works_in_every_state() {
    let mut wheel = Wheel::new(0);
    let [near, far, cascading, fired_one] = [3, 1 << 40, 4100, 1].map(|at| wheel.insert(at, at));
    assert_eq!(fired(&mut wheel, 1), [1]);
    assert_eq!(wheel.remove(fired_one), None, "fired");
    assert_eq!(wheel.remove(near), Some((3, 3)));
    assert_eq!(wheel.remove(near), None, "removed before");
    assert_eq!(wheel.remove(far), Some((1 << 40, 1 << 40)));
    let other = wheel.insert(4101, 4101);
    assert!(wheel.advance(4096, 1, &mut |_| panic!("early")), "one of two is cascaded");
    assert_eq!(wheel.remove(cascading), Some((4100, 4100)));
    assert_eq!(wheel.remove(other), Some((4101, 4101)));
    assert_eq!((wheel.len(), wheel.next_expiry()), (0, None));
    assert!(!wheel.advance(9000, ALL, &mut |_| panic!("nothing is left")));
}

#[test]
fn stale_keys_find_nothing() {
    let mut wheel = Wheel::new(0);
    let old = wheel.insert(5, "old");
    assert!(wheel.remove(old).is_some());
    let new = wheel.insert(6, "new");
    assert_eq!(old.index, new.index, "the test needs a reused index");
    assert_eq!((wheel.remove(old), wheel.deadline(old)), (None, None));
    assert_eq!(wheel.deadline(new), Some(6));
}

#[test]
#[should_panic(expected = "timer keys are used up")]
fn sequence_numbers_are_never_reused() {
    let mut wheel = Wheel::new(0);
    wheel.sequence = (1 << (u64::BITS - SLOT_BITS)) - 2;
    let last = wheel.insert(1, ());
    assert!(wheel.remove(last).is_some());
    wheel.insert(1, ());
}

#[test]
fn drain_takes_everything_and_leaves_a_working_wheel() {
    let mut wheel = Wheel::new(0);
    let key = wheel.insert(70, 1);
    wheel.insert(u64::MAX, 2);
    let mut values: Vec<i32> = wheel.drain().collect();
    values.sort_unstable();
    assert_eq!((values, wheel.len(), wheel.next_expiry()), (vec![1, 2], 0, None));
    wheel.insert(70, 3);
    assert_eq!(wheel.remove(key), None);
    assert_eq!(fired(&mut wheel, 70), [3]);
}

#[test]
fn entries_are_compact_and_their_memory_comes_back() {
    assert_eq!(size_of::<Entry<[u64; 4]>>(), 56);
    let count = if cfg!(miri) { 2 * KEEP as u64 } else { 1_000_000 };
    let mut wheel = Wheel::new(0);
    for value in 0..count {
        wheel.insert(1000 + value % 500, value);
    }
    assert_eq!(wheel.len() as u64, count);
    let (mut sum, mut last) = (0, 0);
    while wheel.advance(2000, 64, &mut |value| {
        assert!(value % 500 >= last, "deadlines fire in order");
        last = value % 500;
        sum += value;
    }) {}
    assert_eq!(sum, count * (count - 1) / 2);
    assert!(wheel.entries.capacity() <= KEEP);
}

/// The wheel beside the obvious implementation.
struct Model {
    wheel: Wheel<u64>,
    /// Deadline (not before the time of insertion) and number of insertion -> real deadline.
    pending: BTreeMap<(u64, u64), u64>,
    keys: HashMap<u64, (Key, u64)>,
    now: u64,
    inserted: u64,
}

impl Model {
    fn insert(&mut self, deadline: u64) {
        let number = self.inserted;
        self.inserted += 1;
        let effective = deadline.max(self.wheel.now);
        self.pending.insert((effective, number), deadline);
        self.keys.insert(number, (self.wheel.insert(deadline, number), effective));
    }

    fn remove(&mut self, number: u64) {
        let (key, effective) = self.keys[&number];
        let expected = self.pending.remove(&(effective, number));
        assert_eq!(self.wheel.deadline(key), expected);
        assert_eq!(self.wheel.remove(key), expected.map(|deadline| (deadline, number)));
    }

    fn advance(&mut self, now: u64, limit: usize) {
        self.now = now;
        let Self { wheel, pending, .. } = self;
        let more = wheel.advance(now, limit, &mut |number| {
            let ((due, expected), _) = pending.pop_first().expect("more fired than inserted");
            assert_eq!(number, expected);
            assert!(due <= now, "early");
        });
        let earliest = pending.keys().next().map(|&(due, _)| due);
        assert!(more || earliest.is_none_or(|due| due > now), "late");
        assert!(wheel.next_expiry() <= earliest.or(wheel.next_expiry()), "next expiry too late");
        assert_eq!(wheel.next_expiry().is_none(), earliest.is_none());
        assert_eq!(wheel.len(), pending.len());
    }
}

#[test]
fn agrees_with_a_sorted_map() {
    let (seeds, steps) = if cfg!(miri) { (2, 150) } else { (60, 4000) };
    for _ in 0..seeds {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        run_model(seed, steps);
    }
}

fn run_model(seed: u64, steps: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let start = random.u64(..) >> random.u32(8..64);
    let mut model = Model {
        wheel: Wheel::new(start),
        pending: BTreeMap::new(),
        keys: HashMap::new(),
        now: start,
        inserted: 0,
    };
    for _ in 0..steps {
        match random.u32(..10) {
            0..5 => {
                let distance = random.u64(..) >> random.u32(10..64);
                let back = random.u64(..3) * random.u64(..100);
                model.insert(model.now.saturating_add(distance).saturating_sub(back));
            }
            5..7 if model.inserted > 0 => model.remove(random.u64(..model.inserted)),
            7 => {
                let next = model.wheel.next_expiry().unwrap_or(model.now).max(model.now);
                model.advance(next, random.usize(..20));
            }
            _ => {
                let distance = random.u64(..) >> random.u32(20..64);
                model.advance(model.now.saturating_add(distance), random.usize(..200));
            }
        }
    }
    model.advance(u64::MAX, ALL);
    assert!(model.pending.is_empty());
}

//! A map that is a short list while it is small and a hash map when it grows.
//!
//! Most processes have no link, or one; a supervisor may have a hundred thousand.

use std::hash::Hash;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// Above this many entries a linear search costs more than hashing (a few cache lines of pairs).
const FEW: usize = 8;

#[derive(Debug)]
pub(crate) enum SmallMap<K, V> {
    Few(SmallVec<[(K, V); 1]>),
    Many(HashMap<K, V, FxBuildHasher>),
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

impl<K: Eq + Hash, V> SmallMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(pairs) => pairs.len(),
            Self::Many(map) => map.len(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::Few(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Self::Many(map) => map.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self {
            Self::Few(pairs) => pairs.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
            Self::Many(map) => map.get_mut(key),
        }
    }

    /// Adds an entry for a key that has none.
    pub(crate) fn insert_new(&mut self, key: K, value: V) {
        debug_assert!(self.get(&key).is_none(), "the key is new");
        match self {
            Self::Few(pairs) if pairs.len() < FEW => pairs.push((key, value)),
            Self::Few(pairs) => {
                let mut map: HashMap<K, V, FxBuildHasher> = pairs.drain(..).collect();
                map.insert(key, value);
                *self = Self::Many(map);
            }
            Self::Many(map) => {
                map.insert(key, value);
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::Few(pairs) => {
                let at = pairs.iter().position(|(k, _)| k == key)?;
                Some(pairs.remove(at).1)
            }
            Self::Many(map) => map.remove(key),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (few, many) = match self {
            Self::Few(pairs) => (Some(pairs.iter()), None),
            Self::Many(map) => (None, Some(map.iter())),
        };
        few.into_iter().flatten().map(|(k, v)| (k, v)).chain(many.into_iter().flatten())
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let (few, many) = match self {
            Self::Few(pairs) => (Some(pairs.iter_mut()), None),
            Self::Many(map) => (None, Some(map.values_mut())),
        };
        few.into_iter().flatten().map(|(_, v)| v).chain(many.into_iter().flatten())
    }

    /// Turns the map into a list to [`pop`](Self::pop) from: nothing is looked up any more.
    pub(crate) fn make_list(&mut self) {
        if let Self::Many(map) = self {
            let pairs: Vec<(K, V)> = map.drain().collect();
            *self = Self::Few(SmallVec::from_vec(pairs));
        }
    }

    /// Takes an entry out of a map that is a list.
    pub(crate) fn pop(&mut self) -> Option<(K, V)> {
        match self {
            Self::Few(pairs) => pairs.pop(),
            Self::Many(_) => unreachable!("`make_list` comes first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_behaves_as_a_map_on_both_sides_of_the_change() {
        let mut map = SmallMap::default();
        for n in 0..3 * FEW {
            map.insert_new(n, n * 10);
        }
        assert_eq!(map.len(), 3 * FEW);
        assert_eq!(map.get(&5), Some(&50));
        assert_eq!(map.remove(&5), Some(50));
        assert_eq!(map.remove(&5), None);
        assert_eq!(map.iter().map(|(k, _)| *k).sum::<usize>(), (0..3 * FEW).sum::<usize>() - 5);
        map.values_mut().for_each(|v| *v += 1);
        map.make_list();
        let popped: Vec<_> = std::iter::from_fn(|| map.pop()).collect();
        assert_eq!(popped.len(), 3 * FEW - 1);
        assert!(popped.iter().all(|(k, v)| *v == k * 10 + 1));
    }
}

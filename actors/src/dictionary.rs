//! The process dictionary: values that a process keeps under names, for itself.
//!
//! For what cuts across all code of a process, such as a request's id in its logs. State belongs
//! into variables. Nobody else can see the values; `process_info` lists the keys.

use std::any::Any;

use crate::{ambient::with_turn, name::Name};

/// Keeps a value under a key; returns what was there before.
///
/// # Panics
/// Outside a process.
///
/// ```
/// # use beamish_actors as beamish;
/// # let runtime = beamish::Runtime::builder().workers(1).build().unwrap();
/// # runtime.block_on(async {
/// use beamish::dictionary;
/// dictionary::put("request", 42_u32);
/// assert_eq!(dictionary::get("request"), Some(42_u32));
/// # }).unwrap();
/// ```
pub fn put<T: Any + Send>(key: impl Into<Name>, value: T) -> Option<Box<dyn Any + Send>> {
    let key = key.into();
    let value: Box<dyn Any + Send> = Box::new(value);
    with_turn(|turn| turn.private().with_extra(|extra| extra.rare().dictionary.insert(key, value)))
}

/// A copy of the value under a key, if there is one and it is a `T`.
///
/// # Panics
/// Outside a process. A panic in `T::clone` leaves the dictionary as it was.
#[must_use]
pub fn get<T: Any + Send + Clone>(key: &str) -> Option<T> {
    // Taken out while it is cloned: `clone` may use the dictionary itself.
    let (key, value) = with_turn(|turn| {
        let take = |extra: &mut crate::extra::Extra| {
            extra.rare.as_deref_mut()?.dictionary.remove_entry(key)
        };
        turn.private().if_extra(take).flatten()
    })?;
    let place = Place { key: Some(key), value: Some(value) };
    place.value.as_ref()?.downcast_ref::<T>().cloned()
}

/// A value on its way back into the dictionary.
struct Place {
    key: Option<Name>,
    value: Option<Box<dyn Any + Send>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let (Some(key), Some(value)) = (self.key.take(), self.value.take()) else { return };
        let newer = with_turn(|turn| {
            turn.private().with_extra(|extra| {
                let dictionary = &mut extra.rare().dictionary;
                if dictionary.contains_key(&key) {
                    return Some(value);
                }
                dictionary.insert(key, value);
                None
            })
        });
        drop(newer);
    }
}

/// Removes a key; returns its value.
///
/// # Panics
/// Outside a process.
pub fn erase(key: &str) -> Option<Box<dyn Any + Send>> {
    with_turn(|turn| {
        let remove =
            |extra: &mut crate::extra::Extra| extra.rare.as_deref_mut()?.dictionary.remove(key);
        turn.private().if_extra(remove).flatten()
    })
}

/// All keys, in no particular order.
///
/// # Panics
/// Outside a process.
#[must_use]
pub fn keys() -> Vec<Name> {
    with_turn(|turn| {
        let keys = |extra: &mut crate::extra::Extra| {
            extra.rare.as_deref().map(|rare| rare.dictionary.keys().cloned().collect())
        };
        turn.private().if_extra(keys).flatten().unwrap_or_default()
    })
}

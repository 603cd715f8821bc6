//! How a process is asked to stop.

use std::time::Duration;

/// How a process is asked to stop, and what happens if it does not.
///
/// The default is OTP's: five seconds.
///
/// ```
/// use beamish::{Shutdown, prelude::Duration};
/// assert_eq!(Shutdown::default(), Shutdown::After(Duration::from_secs(5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It is sent the exit signal [`Shutdown`](crate::ExitReason::Shutdown), and killed if it has not
    /// ended after this time.
    After(Duration),
    /// It is sent that signal and has all the time it wants.
    Infinity,
    /// It is killed at once.
    Brutal,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::After(Duration::from_secs(5))
    }
}

impl From<Duration> for Shutdown {
    fn from(limit: Duration) -> Self {
        Self::After(limit)
    }
}

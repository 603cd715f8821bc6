//! Exit reasons.

use std::{
    any::Any,
    backtrace::Backtrace,
    error::Error,
    fmt::{self, Debug, Display},
    sync::Arc,
};

use crate::{links::NoProc, pid::Pid};

/// Why a process ended.
///
/// Reasons are plain values: links pass them on, monitors deliver them, supervisors decide by them.
/// They are cheap to clone and equal by content.
///
/// | reason | quiet? | comes from |
/// |---|---|---|
/// | `Normal` | yes | the body returned, or `exit(ExitReason::Normal)` |
/// | `Shutdown`, `ShutdownWith` | yes | an ordered end |
/// | `Kill` | no | `exit(ExitReason::Kill)` from inside |
/// | `Killed` | no | `exit_process(pid, ExitReason::Kill)` from outside |
/// | `NoProc` | no | a link to a process that does not exist |
/// | `NoConnection` | no | the node of the process is out of reach |
/// | `Panic` | no | a panic in the process |
/// | `Error` | no | the body returned `Err` |
/// | `Custom` | no | anything an application says |
///
/// Any error converts into a reason, so `?` works in a body that returns `Result<(), ExitReason>`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ExitReason {
    /// An ordinary end: linked processes do not mind.
    Normal,
    /// An ordered end, as a supervisor asks for it.
    Shutdown,
    /// An ordered end with an explanation.
    ShutdownWith(Term),
    /// `kill`, as an ordinary reason. As an exit signal from outside it can not be trapped, and
    /// becomes [`ExitReason::Killed`].
    Kill,
    /// Ended by a `kill` signal.
    Killed,
    /// There is no such process.
    NoProc,
    /// The connection to the process's node was lost.
    NoConnection,
    /// The process panicked.
    Panic(PanicReport),
    /// The process's body returned an error.
    Error(ErrorReport),
    /// A reason of the application's own.
    Custom(Term),
}

impl ExitReason {
    /// A reason of your own: any comparable, printable value.
    ///
    /// ```
    /// # use beamish_actors::ExitReason;
    /// let reason = ExitReason::custom("out of stock");
    /// assert_eq!(reason, ExitReason::custom("out of stock"));
    /// assert_eq!(reason.to_string(), "out of stock");
    /// ```
    pub fn custom<T: PartialEq + Debug + Send + Sync + 'static>(value: T) -> Self {
        Self::Custom(Term::new(value))
    }

    /// `{shutdown, value}`: an ordered end with an explanation.
    pub fn shutdown_with<T: PartialEq + Debug + Send + Sync + 'static>(value: T) -> Self {
        Self::ShutdownWith(Term::new(value))
    }

    /// Whether this is [`ExitReason::Normal`].
    #[must_use]
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal)
    }

    /// Whether this is an ordered end: `Shutdown` or `ShutdownWith`.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        matches!(self, Self::Shutdown | Self::ShutdownWith(_))
    }

    /// Whether this is neither normal nor an ordered end: such ends are reported.
    #[must_use]
    pub fn is_abnormal(&self) -> bool {
        !self.is_normal() && !self.is_shutdown()
    }

    /// Whether the process panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panic(_))
    }

    /// The application's value in `Custom` and `ShutdownWith`, if it is a `T`.
    #[must_use]
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Custom(term) | Self::ShutdownWith(term) => term.downcast_ref(),
            _ => None,
        }
    }
}

impl Debug for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::ShutdownWith(term) => write!(f, "shutdown({term:?})"),
            Self::Kill => f.write_str("kill"),
            Self::Killed => f.write_str("killed"),
            Self::NoProc => f.write_str("noproc"),
            Self::NoConnection => f.write_str("noconnection"),
            Self::Panic(report) => Debug::fmt(report, f),
            Self::Error(report) => Debug::fmt(report, f),
            Self::Custom(term) => Debug::fmt(term, f),
        }
    }
}

impl Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutdownWith(term) => write!(f, "shutdown: {term}"),
            Self::Panic(report) => Display::fmt(report, f),
            Self::Error(report) => Display::fmt(report, f),
            Self::Custom(term) => Display::fmt(term, f),
            quiet => Debug::fmt(quiet, f),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ExitReason {
    fn from(error: E) -> Self {
        if (&error as &dyn Any).is::<NoProc>() {
            return Self::NoProc;
        }
        Self::Error(ErrorReport(Arc::new(error)))
    }
}

/// A value carried by an exit reason: comparable, printable, and open to inspection.
#[derive(Clone)]
pub struct Term(Arc<dyn Value>);

trait Value: Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + Debug + Send + Sync + 'static> Value for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }
}

impl Term {
    /// Wraps a value.
    pub fn new<T: PartialEq + Debug + Send + Sync + 'static>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The value, if it is a `T`.
    #[must_use]
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        (*self.0).as_any().downcast_ref()
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals((*other.0).as_any())
    }
}

impl Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&*self.0, f)
    }
}

/// Text prints as itself, everything else as `{:?}` does.
impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.downcast_ref::<&'static str>() {
            f.write_str(text)
        } else if let Some(text) = self.downcast_ref::<String>() {
            f.write_str(text)
        } else {
            Debug::fmt(self, f)
        }
    }
}

/// What is known of a panic: message, place, and, when enabled, the backtrace.
///
/// Backtraces follow the standard library's switches `RUST_BACKTRACE` and `RUST_LIB_BACKTRACE`.
#[derive(Clone)]
pub struct PanicReport(Arc<PanicParts>);

struct PanicParts {
    message: String,
    location: Option<String>,
    backtrace: Option<Backtrace>,
}

impl PanicReport {
    pub(crate) fn new(
        message: String,
        location: Option<String>,
        backtrace: Option<Backtrace>,
    ) -> Self {
        Self(Arc::new(PanicParts { message, location, backtrace }))
    }

    /// The panic's message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, as `file:line:column`.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The stack at the time, if backtraces are enabled.
    #[must_use]
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.0.backtrace.as_ref()
    }
}

impl PartialEq for PanicReport {
    fn eq(&self, other: &Self) -> bool {
        self.message() == other.message() && self.location() == other.location()
    }
}

impl Debug for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panic: {}", self.message())?;
        self.location().map_or(Ok(()), |location| write!(f, " ({location})"))
    }
}

/// An error that ended a process.
#[derive(Clone)]
pub struct ErrorReport(Arc<dyn Error + Send + Sync>);

impl ErrorReport {
    /// The error itself, with its sources; `downcast_ref` tells what it is.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

/// Errors are equal if they say the same.
impl PartialEq for ErrorReport {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.to_string() == other.0.to_string()
    }
}

impl Debug for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What [`exit`](crate::exit) and [`exit_process`](crate::exit_process) take as a reason: an
/// [`ExitReason`] or, as a [`ExitReason::Custom`] one, a text.
pub trait IntoReason {
    /// The reason.
    fn into_reason(self) -> ExitReason;
}

impl IntoReason for ExitReason {
    fn into_reason(self) -> ExitReason {
        self
    }
}

impl IntoReason for &'static str {
    fn into_reason(self) -> ExitReason {
        ExitReason::custom(self)
    }
}

impl IntoReason for String {
    fn into_reason(self) -> ExitReason {
        ExitReason::custom(self)
    }
}

/// What the body of a process may return, and the exit reason that follows from it.
///
/// `()` ends the process normally; so does `Ok`. `Err` ends it with that error as the reason, and
/// an [`ExitReason`] is its own reason.
pub trait IntoExit {
    /// The reason the process ends with.
    fn into_exit(self) -> ExitReason;
}

impl IntoExit for () {
    fn into_exit(self) -> ExitReason {
        ExitReason::Normal
    }
}

impl IntoExit for ExitReason {
    fn into_exit(self) -> ExitReason {
        self
    }
}

/// A body that never returns, such as one whose last act is [`exit`](crate::exit).
impl IntoExit for never::Never {
    fn into_exit(self) -> ExitReason {
        self
    }
}

/// A name for the type `!`, which stable Rust can write only as the result of a function.
#[allow(unreachable_pub, reason = "public types in a private module: the impl above exposes them")]
mod never {
    pub trait Returns {
        type Output;
    }

    impl<R> Returns for fn() -> R {
        type Output = R;
    }

    pub type Never = <fn() -> ! as Returns>::Output;
}

impl<T: IntoExit, E: Into<ExitReason>> IntoExit for Result<T, E> {
    fn into_exit(self) -> ExitReason {
        self.map_or_else(Into::into, IntoExit::into_exit)
    }
}

/// The message that an exit signal becomes in a process that traps exits.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// The process that ended, or that called [`exit_process`](crate::exit_process).
    pub from: Pid,
    /// Why.
    pub reason: ExitReason,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_compare_by_content() {
        assert_eq!(ExitReason::custom(3), ExitReason::custom(3));
        assert_ne!(ExitReason::custom(3), ExitReason::custom(3_u8));
        assert_ne!(ExitReason::Kill, ExitReason::Killed);
    }

    #[test]
    fn only_normal_and_shutdown_are_quiet() {
        assert!(!ExitReason::Normal.is_abnormal());
        assert!(!ExitReason::shutdown_with("done").is_abnormal());
        assert!(ExitReason::Kill.is_abnormal() && ExitReason::NoProc.is_abnormal());
    }

    #[test]
    fn a_body_may_fail_with_any_error() {
        fn body() -> Result<(), ExitReason> {
            let _: u32 = "x".parse()?;
            Ok(())
        }
        assert_eq!(body().into_exit().to_string(), "invalid digit found in string");
    }

    #[test]
    fn the_value_in_a_reason_can_be_read_back() {
        assert_eq!(ExitReason::custom(7_u8).downcast_ref::<u8>(), Some(&7));
        assert_eq!(ExitReason::Normal.downcast_ref::<u8>(), None);
    }
}

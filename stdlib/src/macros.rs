//! The macros, with their documentation: here their examples can be compiled and run.

/// Takes the oldest message that a clause matches, and runs that clause's body.
///
/// ```
/// use beamish::prelude::*;
/// use std::time::Duration;
///
/// struct Donation { id: u32, amount: u64 }
/// struct Stop;
///
/// #[beamish::main]
/// async fn main() {
///     send(me(), Stop);
///     send(me(), Donation { id: 1, amount: 20 });
///     send(me(), Donation { id: 2, amount: 75 });
///
///     let wanted = 2;
///     let amount = receive! {
///         Donation { id, amount }: Donation if id == wanted => Some(amount),
///         after Duration::from_secs(5) => None,
///     };
///     assert_eq!(amount, Some(75));
///
///     // The others are still there, in their order.
///     let mut left = Vec::new();
///     loop {
///         receive! {
///             Donation { id, .. }: Donation => left.push(format!("donation {id}")),
///             other: Message => left.push(other.type_name().to_owned()),
///             after 0 => break,
///         }
///     }
///     assert!(left[0].ends_with("Stop"));
///     assert_eq!(left[1], "donation 1");
/// }
/// ```
///
/// # Clauses
///
/// | clause | takes |
/// |---|---|
/// | `PATTERN: TYPE => BODY` | a message of this type that the pattern matches |
/// | `PATTERN: TYPE if GUARD => BODY` | the same, if the guard is true for it |
/// | `NAME: Message => BODY` | any message, see [`Message`](crate::Message) |
/// | `after DURATION => BODY` | nothing: runs when no clause took a message for so long; last |
/// | `after 0 => BODY` | nothing: runs at once if no message that is already there matches |
/// | `after never => BODY` | nothing, ever: the same as no `after` at all |
///
/// Commas stand between clauses as in `match`: after a block they may be left out. The whole is an
/// expression, and all bodies have its type.
///
/// # Which message
///
/// Messages are looked at oldest first, and each is tried against the clauses from top to bottom.
/// The first message that some clause matches is taken; those before it stay in the mailbox, in
/// their order and as they were. While this receive waits, it looks at a message once and not
/// again.
///
/// The time of `after` counts from the start of the receive; messages that do not match do not
/// prolong it.
///
/// # Patterns, guards and bodies
///
/// Patterns bind by value, out of the message. A guard sees its bindings by reference, as in
/// `match`. It may not await, `return`, `break` or use `?`, since the message it looks at would be
/// lost; `if let` is not available. A body may do all of that, and means the loop and the function
/// around the macro:
///
/// ```
/// # use beamish::prelude::*;
/// struct Line(&'static str);
/// struct End;
///
/// /// Adds up numbers until the end, or up to the first line that is none.
/// async fn sum() -> Result<u32, std::num::ParseIntError> {
///     let mut sum = 0;
///     loop {
///         receive! {
///             Line(""): Line => continue,
///             Line(text): Line => sum += text.parse::<u32>()?,
///             _: End => break,
///         }
///     }
///     Ok(sum)
/// }
/// # #[beamish::main]
/// # async fn main() {
/// #     send(me(), Line("2"));
/// #     send(me(), Line(""));
/// #     send(me(), Line("3"));
/// #     send(me(), End);
/// #     assert_eq!(sum().await, Ok(5));
/// #     send(me(), Line("x"));
/// #     assert!(sum().await.is_err());
/// # }
/// ```
///
/// A message whose type no clause names is never taken. In a process that lives long, end with a
/// clause for [`Message`](crate::Message), or such messages pile up.
///
/// # Panics
/// Outside of a process.
///
/// # Compile errors
/// Each clause names its type:
/// ```compile_fail
/// # use beamish::prelude::*;
/// # async fn f() {
/// receive! { text => println!("{text}") }
/// # }
/// ```
/// `after` stands last:
/// ```compile_fail
/// # use beamish::prelude::*;
/// # async fn f() {
/// receive! { after 0 => (), _: u8 => () }
/// # }
/// ```
/// and takes a `Duration`, unless it is 0:
/// ```compile_fail
/// # use beamish::prelude::*;
/// # async fn f() {
/// receive! { _: u8 => (), after 500 => () }
/// # }
/// ```
/// A guard must not wait:
/// ```compile_fail
/// # use beamish::prelude::*;
/// # async fn allowed(n: u8) -> bool { n > 1 }
/// # async fn f() {
/// receive! { n: u8 if allowed(n).await => () }
/// # }
/// ```
#[doc(inline)]
pub use beamish_macros::receive;

/// Runs an async `main` as the first process of a new runtime.
///
/// ```
/// use beamish::prelude::*;
///
/// #[beamish::main]
/// async fn main() {
///     let parent = me();
///     spawn(async move { send(parent, "hello") });
///     assert_eq!(receive::<&str>().await, "hello");
/// }
/// ```
///
/// The program ends when this process does, and takes the other processes with it. `main` may
/// return `()` or a `Result`; an `Err`, a panic and every other abnormal end give the exit status of
/// a failure.
///
/// # Arguments
/// - `workers = N`: how many threads run processes. Default: one per core.
///
/// ```
/// #[beamish::main(workers = 2)]
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     assert_eq!("5".parse::<u32>()?, 5);
///     Ok(())
/// }
/// ```
#[doc(inline)]
pub use beamish_macros::main;

/// Runs an async test as a process in a runtime of its own.
///
/// ```
/// use beamish::prelude::*;
/// use std::time::Duration;
///
/// #[beamish::test]
/// async fn a_child_answers() {
///     let parent = me();
///     spawn(async move { send(parent, 5_u8) });
///     assert_eq!(receive::<u8>().await, 5);
/// }
///
/// #[beamish::test(seeds = 100)]
/// async fn an_hour_passes_at_once_in_virtual_time() {
///     sleep(Duration::from_secs(3600)).await;
/// }
/// ```
///
/// A panic, an `Err` and every other abnormal end of the process fail the test. Attributes of
/// ordinary tests (`#[ignore]`, `#[should_panic]`) work as usual.
///
/// # Arguments
/// - `workers = N`: how many threads run processes.
/// - `seed = N`: run on one thread in virtual time, with the order of events that this seed gives.
///   The same seed gives the same run.
/// - `seeds = N`: do so once for each of N seeds; a failure names its seed.
///
/// `workers` goes with neither of the other two, nor do these go together.
///
/// Write `#[beamish::test]` in full: a `use` of it would hide the standard `#[test]`.
#[doc(inline)]
pub use beamish_macros::test;

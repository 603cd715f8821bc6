//! `receive!`: which message is taken, what happens to the others, and what bodies may do.

use std::num::ParseIntError;
use std::sync::Arc;

use beamish::prelude::*;

#[derive(Debug, PartialEq)]
struct Donation {
    id: u32,
    amount: u64,
}

struct Stop;

const LIMIT: u32 = 9;

/// Takes all numbers that are in the mailbox.
async fn numbers() -> Vec<u32> {
    let mut all = Vec::new();
    loop {
        receive! {
            number: u32 => all.push(number),
            after 0 => return all,
        }
    }
}

fn post(numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|number| send(me(), number));
}

/// S-RECV-1: the oldest message that matches is taken, the others stay in order.
#[beamish::test]
async fn the_oldest_message_that_matches_is_taken() {
    post([1, 2, 3, 2]);
    let taken = receive! { number: u32 if number == 2 => number };
    assert_eq!(taken, 2);
    assert_eq!(numbers().await, [1, 3, 2]);
}

/// S-RECV-1: the messages are looked at oldest first, whatever the order of the clauses.
#[beamish::test]
async fn an_older_message_wins_over_an_earlier_clause() {
    send(me(), "old");
    post([1]);
    let taken = receive! {
        number: u32 => number.to_string(),
        text: &'static str => text.to_owned(),
    };
    assert_eq!(taken, "old");
}

/// S-RECV-1: for one message the clauses are tried in order.
#[beamish::test]
async fn for_one_message_the_first_matching_clause_wins() {
    let kind = async |number| {
        post([number]);
        receive! {
            0: u32 => "zero",
            1..=5: u32 => "small",
            LIMIT: u32 => "limit",
            _: &'static str => "text",
            number: u32 if number % 2 == 0 => "even",
            _: u32 => "odd",
        }
    };
    let mut kinds = Vec::new();
    for number in [0, 3, LIMIT, 8, 11] {
        kinds.push(kind(number).await);
    }
    assert_eq!(kinds, ["zero", "small", "limit", "even", "odd"]);
}

#[beamish::test]
async fn guards_see_bindings_and_surroundings() {
    send(me(), Donation { id: 1, amount: 10 });
    send(me(), Donation { id: 2, amount: 20 });
    let wanted = [2, 3];
    let amount = receive! {
        Donation { id, amount }: Donation if wanted.contains(&id) && amount > 5 => amount,
    };
    assert_eq!(amount, 20);
    assert_eq!(receive::<Donation>().await, Donation { id: 1, amount: 10 });
}

/// S-RECV-2: a guard is asked once about each message.
#[beamish::test]
async fn a_guard_runs_once_for_each_message_it_is_asked_about() {
    post([1, 2, 3]);
    let mut asked = Vec::new();
    receive! {
        n: u32 if { asked.push(n); n == 3 } => assert_eq!(n, 3),
    }
    assert_eq!(asked, [1, 2, 3]);
}

#[beamish::test]
async fn an_or_pattern_binds_by_the_alternative_its_guard_chose() {
    send(me(), (5_u32, 7_u32));
    let found = receive! { (x, _) | (_, x): (u32, u32) if x == 7 => x };
    assert_eq!(found, 7);

    send(me(), Some((Ok::<u32, u32>(1), 2_u32)));
    let found = receive! { Some((Ok(x) | Err(x), _) | (_, x)): Option<(Result<u32, u32>, u32)> if x == 2 => x };
    assert_eq!(found, 2);
}

#[beamish::test]
async fn whole_message_and_parts_can_be_bound() {
    send(me(), Donation { id: 3, amount: 4 });
    receive! {
        whole @ Donation { id: 3, .. }: Donation => assert_eq!(whole.amount, 4),
    }
    send(me(), (String::from("a"), [1_u8, 2, 3]));
    receive! {
        (mut text, [first, .., last]): (String, [u8; 3]) => {
            text.push('b');
            assert_eq!((text.as_str(), first, last), ("ab", 1, 3));
        }
    }
    send(me(), Donation { id: 3, amount: 4 });
    receive! { Donation { ref amount, .. }: Donation => assert_eq!(*amount, 4) }
}

/// S-RECV-4: a message that is not taken is unchanged, in its place in memory too.
#[beamish::test]
async fn rejected_messages_come_back_untouched() {
    struct Parcel {
        label: Box<str>,
        content: Option<Arc<()>>,
    }
    let counted = Arc::new(());
    let content = Some(Arc::clone(&counted));
    let parcel = Parcel { label: "heavy".into(), content };
    let address = parcel.label.as_ptr().addr();
    send(me(), parcel);

    for _ in 0..3 {
        receive! {
            Parcel { label, content: None }: Parcel => panic!("{label}"),
            Parcel { label, content: Some(_) }: Parcel if label.starts_with("light") => panic!("{label}"),
            after 0 => {}
        }
    }
    assert_eq!(Arc::strong_count(&counted), 2);
    let Parcel { label, content } = receive().await;
    assert_eq!((label.as_ptr().addr(), &*label), (address, "heavy"));
    drop(content);
    assert_eq!(Arc::strong_count(&counted), 1);
}

/// S-SEND-4: a message is moved to its receiver, and dropped once.
#[beamish::test]
async fn a_taken_message_is_dropped_once() {
    let counted = Arc::new(());
    send(me(), (Arc::clone(&counted), 1_u8));
    receive! { _: (Arc<()>, u8) => {} }
    assert_eq!(Arc::strong_count(&counted), 1);
    send(me(), (Arc::clone(&counted), 1_u8));
    receive! { (held, _): (Arc<()>, u8) => assert_eq!(Arc::strong_count(&held), 2) }
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[beamish::test]
async fn messages_without_size_or_with_much_of_it_are_taken() {
    send(me(), Stop);
    send(me(), [7_u64; 500]);
    receive! { large: [u64; 500] if large[499] == 7 => assert_eq!(large.len(), 500) }
    receive! { _: Stop => {} }
    send(me(), ());
    receive! { (): () => {} }
}

/// S-RECV-5: `Message` matches a message of any type.
#[beamish::test]
async fn message_takes_anything_and_can_be_passed_on() {
    let parent = me();
    let proxy = spawn(async move {
        receive! {
            text: &'static str if text == "never" => unreachable!("{text}"),
            other: Message => {
                assert!(other.is::<Donation>());
                let donation = other.downcast::<Donation>().expect("a donation");
                send(parent, donation);
            }
        }
    });
    send(proxy, Donation { id: 1, amount: 2 });
    assert_eq!(receive::<Donation>().await, Donation { id: 1, amount: 2 });
}

#[beamish::test]
async fn a_guard_on_message_leaves_the_others() {
    post([1]);
    send(me(), Stop);
    receive! { other: Message if !other.is::<u32>() => assert!(other.is::<Stop>()) }
    assert_eq!(numbers().await, [1]);
}

#[beamish::test]
async fn a_forwarded_message_keeps_its_type() {
    let parent = me();
    let relay = spawn(async move {
        receive! { any: Message => send(parent, any) }
    });
    send(relay, Donation { id: 9, amount: 1 });
    receive! {
        donation: Donation => assert_eq!(donation.id, 9),
        after Duration::from_secs(5) => panic!("it did not come as a donation"),
    }
}

/// S-RECV-3: `after 0` looks once.
#[beamish::test]
async fn after_zero_looks_once() {
    let found = receive! { _: u32 => true, after 0 => false };
    assert!(!found);
    post([1]);
    let found = receive! { _: u32 => true, after 0 => false };
    assert!(found);
}

/// S-RECV-3: `after` counts from the entry, whatever comes meanwhile.
#[beamish::test(seed = 1)]
async fn after_a_duration_the_last_body_runs() {
    let start = now();
    let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
    let child_of = me();
    spawn(async move {
        sleep(one).await;
        send(child_of, "not what is waited for");
    });
    receive! { number: u32 => panic!("{number}"), after two => {} }
    assert_eq!(now() - start, two);
}

#[beamish::test(seed = 1)]
async fn a_message_in_time_cancels_the_time_out() {
    let start = now();
    send_after(Duration::from_secs(1), me(), 5_u32);
    let number = receive! { number: u32 => number, after Duration::from_secs(2) => 0 };
    assert_eq!(number, 5);
    assert_eq!(now() - start, Duration::from_secs(1));
    let later = receive! { number: u32 => number, after Duration::from_secs(60) => 0 };
    assert_eq!(later, 0);
    assert_eq!(now() - start, Duration::from_secs(61));
}

/// S-RECV-3: without a limit a receive waits for ever.
#[beamish::test(seed = 1)]
async fn after_never_waits_for_the_message() {
    send_after(Duration::from_secs(86_400), me(), Stop);
    receive! { _: Stop => {} after never => panic!("never is over") }
}

#[beamish::test(seed = 1)]
async fn a_receive_without_clauses_only_waits() {
    let start = now();
    post([4]);
    receive! { after Duration::from_millis(30) => {} }
    assert_eq!(now() - start, Duration::from_millis(30));
    assert_eq!(numbers().await, [4]);
}

#[beamish::test]
async fn bodies_break_and_continue_the_loop_around() {
    post(0..6);
    let mut sum = 0;
    let last = loop {
        receive! {
            1: u32 => continue,
            number: u32 if number == 4 => break number,
            number: u32 => sum += number,
        }
    };
    assert_eq!((sum, last), (5, 4));
    assert_eq!(numbers().await, [5]);
    'outer: for round in 1.. {
        post([0, round]);
        loop {
            receive! {
                0: u32 => {}
                3: u32 => break 'outer,
                _: u32 => continue 'outer,
            }
        }
    }
}

#[beamish::test]
async fn bodies_return_and_use_the_question_mark() {
    async fn parse() -> Result<u32, ParseIntError> {
        receive! {
            text: &'static str => {
                if text.is_empty() {
                    return Ok(0);
                }
                Ok(text.parse::<u32>()? + 1)
            }
        }
    }
    for text in ["", "41", "x"] {
        send(me(), text);
    }
    assert_eq!(parse().await, Ok(0));
    assert_eq!(parse().await, Ok(42));
    assert!(parse().await.is_err());
}

#[beamish::test]
async fn bodies_await_and_receive() {
    send(me(), "first");
    post([5]);
    send(me(), 'x');
    let text = receive! {
        letter: char => {
            yield_now().await;
            receive! {
                text: &'static str => format!("{letter} {text} {}", receive::<u32>().await),
                _: Stop => return,
            }
        }
    };
    assert_eq!(text, "x first 5");
}

#[beamish::test]
async fn a_receive_is_generic_and_can_be_sent_to_another_thread() {
    async fn take<T: Send + 'static>() -> Option<T> {
        receive! { value: T => Some(value), after 0 => None }
    }
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    post([6]);
    assert_eq!(sendable(take::<char>()).await, None);
    assert_eq!(sendable(take::<u32>()).await, Some(6));
}

/// S-RECV-7: a receive that is dropped takes nothing out.
#[beamish::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    post([1, 2]);
    let waited = async {
        receive! { letter: char => letter }
    };
    let polled = pin!(waited).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Pending);
    assert_eq!(numbers().await, [1, 2]);
}

#[beamish::test]
async fn names_of_the_expansion_and_of_the_user_do_not_meet() {
    let (message, hit, value, found) = (1, 2, 3, 4);
    post([10]);
    let sum = receive! {
        selector: u32 if selector > message => selector + hit + value + found,
    };
    assert_eq!(sum, 19);
}

#[beamish::test(workers = 2)]
#[should_panic(expected = "as it should")]
async fn a_panic_in_a_body_ends_the_process() {
    post([1]);
    receive! { _: u32 => panic!("as it should") }
}

#[beamish::test]
async fn a_plain_receive_of_any_message_takes_whatever_is_first() {
    send(me(), "text");
    send(me(), 5_u8);
    let first = receive::<Message>().await;
    assert_eq!(first.downcast::<&str>().unwrap(), "text");
    let second = receive::<Message>().filter(|message| message.is::<u8>()).await;
    assert_eq!(second.downcast::<u8>().unwrap(), 5);
}

//! Tests of message nodes.

use std::sync::Arc;

use super::*;

#[test]
fn a_header_takes_24_bytes() {
    assert_eq!(size_of::<Header>(), 24);
}

#[test]
fn a_message_knows_its_type_and_gives_its_payload_back() {
    let message = Message::new(7_u32);
    assert!(message.is::<u32>() && !message.is::<u64>());
    assert_eq!(message.type_name(), "u32");
    let message = message.downcast::<u64>().unwrap_err();
    assert_eq!(message.downcast_ref::<u32>(), Some(&7));
    assert_eq!(message.downcast::<u32>().unwrap(), 7);
}

#[test]
fn payloads_are_dropped_once_on_every_path() {
    let counted = Arc::new(());
    drop(Message::new(counted.clone()));
    drop(Message::new(counted.clone()).downcast::<Arc<()>>().unwrap());
    let (value, shell) = Message::new(counted.clone()).take::<Arc<()>>().unwrap();
    drop(shell.restore(value));
    let (value, shell) = Message::aliased(3, false, counted.clone()).take::<Arc<()>>().unwrap();
    drop((value, shell));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn an_aliased_message_carries_its_alias_until_it_is_let_in() {
    let message = Message::aliased(42, true, "text");
    assert_eq!(message.alias(), Some(42));
    let message = message.let_in();
    assert_eq!((message.alias(), message.header().kind()), (None, Kind::Plain));
    assert_eq!(message.downcast::<&str>().unwrap(), "text");
    assert_eq!(Message::new("text").alias(), None);
}

#[test]
fn a_message_that_tells_an_end_says_of_which_monitor() {
    assert_eq!(Message::telling_end(7, "down").told_end(), Some(7));
    assert_eq!(Message::aliased(7, false, "reply").let_in().told_end(), None);
}

#[test]
fn a_message_in_a_message_is_forwarded_not_wrapped() {
    let outer = Message::new(Message::new(5_i64));
    assert!(outer.is::<i64>());
    let (inner, shell) = outer.take::<Message>().unwrap();
    assert_eq!(shell.restore(inner).downcast::<i64>().unwrap(), 5);
}

#[test]
fn over_aligned_and_large_payloads_keep_their_place() {
    #[repr(align(64))]
    #[derive(Debug, PartialEq)]
    struct Aligned([u8; 100]);
    assert_eq!(Message::new(Aligned([9; 100])).downcast::<Aligned>().unwrap(), Aligned([9; 100]));
    let big = Message::aliased(1, false, Aligned([8; 100]));
    assert_eq!(big.alias(), Some(1));
    assert_eq!(big.downcast::<Aligned>().unwrap(), Aligned([8; 100]));
}

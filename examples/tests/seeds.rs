//! Runs the programs that the source texts describe, and compares what they print.

use beamish_examples::example;

/// The program ends well and prints exactly this. Crash reports on stderr are part of some lessons.
#[track_caller]
fn assert_prints(name: &str, expected: &str) {
    // Without backtraces: to name their frames can take longer than a program's patience.
    let output = example(name).env("RUST_BACKTRACE", "0").output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}:\n{stderr}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}, stderr:\n{stderr}");
}

#[test]
fn basic_processes_end_alone_together_or_watched() {
    assert_prints(
        "basic_processes",
        "hello, Alice\n\
         the greeter ended: normal\n\
         zakat on 10000: 250\n\
         the parent of a crashed child ended: the gateway is gone\n\
         trapped the end of our child (true): the gateway is gone again\n\
         zakat on 3000: 0\n\
         the child ended (true): normal\n",
    );
}

#[test]
fn async_processor_cleans_up_however_its_processes_end() {
    assert_prints(
        "async_processor",
        "donation 1: receipt_1\n\
         donation 1: the gateway is disconnected\n\
         donation 1: ended, normal\n\
         donation 2: the gateway is disconnected\n\
         donation 2: ended, the payment was declined\n\
         donation 3: the gateway is disconnected\n\
         donation 3: ended, panic: the gateway answered nonsense\n\
         donation 4: takes too long\n\
         donation 4: the gateway is disconnected\n\
         donation 4: ended, killed\n",
    );
}

#[test]
fn process_inspector_finds_names_queues_and_the_heaviest() {
    assert_prints(
        "process_inspector",
        "about this process:\n  \
           name      inspector\n  \
           messages  1\n  \
           links     3\n  \
           monitors  0\n  \
           traps     false\n\
         by memory:\n  \
           donation_worker.2, 50 messages\n  \
           mailer, 5 messages\n\
         donation workers:\n  \
           donation_worker.1, 1 messages, Waiting\n  \
           donation_worker.2, 50 messages, Waiting\n",
    );
}

#[test]
fn selective_receive_takes_what_it_waits_for() {
    assert_prints(
        "selective_receive",
        "donation 3: Ok(20)\n\
         donation 9: Err(\"timed out\")\n\
         ignoring donation 1\n\
         donation 2: Ok(75)\n\
         zakat on 10000: 250\n\
         unknown message of type &str\n\
         donation 4: 10\n\
         stopped\n",
    );
}

#[test]
fn zakat_server_replies_until_it_is_stopped() {
    assert_prints(
        "zakat_server",
        "zakat on 10000: Ok(250)\n\
         zakat on 3000: Ok(0)\n\
         statistics: Ok(Stats { requests: 2 })\n\
         after the stop: Err(Down(noproc))\n",
    );
}

#[test]
fn pubsub_broker_forgets_the_subscriber_that_crashed() {
    assert_prints(
        "pubsub_broker",
        "audit heard of donation 1: 100\n\
         mailer heard of donation 1: 100\n\
         statistics heard of donation 1: 100\n\
         publishing what makes one listener crash\n\
         mailer heard of donation 2: 0\n\
         statistics heard of donation 2: 0\n\
         mailer heard that 2 subscribers are left\n\
         statistics heard that 2 subscribers are left\n\
         mailer heard of donation 3: 25\n\
         statistics heard of donation 3: 25\n",
    );
}

#[test]
fn producer_consumer_sends_no_more_than_was_asked_for() {
    let processed: String = (1..=8).map(|id| format!("processed donation {id}\n")).collect();
    let summary = "processed 8 donations\nnever more than 3 waiting: true\n";
    assert_prints("producer_consumer", &format!("{processed}{summary}"));
}

#[test]
fn worker_pool_puts_outcomes_in_the_order_of_the_jobs() {
    assert_prints(
        "worker_pool",
        "worker 0: receipt for 300\n\
         worker 1: receipt for 10\n\
         worker 2: receipt for 200\n\
         worker 0: receipt for 20\n\
         worker 1: receipt for 100\n\
         worker 2: receipt for 30\n\
         worker 0: receipt for 50\n",
    );
}

#[test]
fn counter_keeps_its_count_between_messages() {
    assert_prints("counter", "count: 5\ncount: 3\nthe counter ended: normal\n");
}

#[test]
fn zakat_batch_counts_the_crashes_of_a_large_batch() {
    assert_prints(
        "zakat_batch",
        "donation 1: 25.00\n\
         donation 2: 50.00\n\
         donation 3: 37.50\n\
         total 112.50\n\
         9998 processed, 2 failed, total 249950.00\n",
    );
}

#[test]
fn parallel_reports_come_in_order() {
    assert_prints(
        "parallel_reports",
        "zakat 50000, donations 100000, 3 campaigns\n\
         2025-01: 100000 in donations\n\
         2025-02: 100000 in donations\n\
         2025-03: 100000 in donations\n",
    );
}

#[test]
fn donation_verification_kills_the_slow_and_tries_again_for_the_unlucky() {
    assert_prints(
        "donation_verification",
        "donation 1: verified\n\
         refused: invalid amount\n\
         killed: it took too long\n\
         donation 4: verified\n\
         EUR: 103\n\
         IDR: 103\n",
    );
}

//! Names, after Erlang's `register_SUITE`.

use beamish::prelude::*;

use crate::support::*;

/// S-NAME-2: registering, looking up and killing fresh processes by the thousand never shows a
/// wrong one.
#[beamish::test]
async fn otp_register_suite_otp_8099() {
    for _ in 0..20_000 {
        let pid = spawn(forever());
        register("otp_8099", pid).unwrap();
        assert_eq!(whereis("otp_8099"), Some(pid));
        let watch = monitor(pid);
        exit_process(pid, ExitReason::Kill);
        let seen = whereis("otp_8099");
        assert!(seen.is_none() || seen == Some(pid));
        assert_eq!(down_of(watch).await, ExitReason::Killed);
        assert_eq!(whereis("otp_8099"), None);
    }
}

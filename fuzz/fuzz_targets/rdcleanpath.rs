//! RDCleanPath requests and the X.224 confirm of a host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use naru_relay::rdp::{CleanPathRequest, check_connection_confirm};

fuzz_target!(|data: &[u8]| {
    drop(CleanPathRequest::parse(data));
    if let Ok(Some(bytes)) = check_connection_confirm(data) {
        assert!(bytes <= data.len());
    }
});

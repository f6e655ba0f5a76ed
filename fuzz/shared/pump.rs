//! A caller as the gateway is one; checks what every scanner promises.

use naru_relay::{HOLD_BYTES_MAX, Output, Scanner, scan};

/// Passes the stream through in chunks of this length; gives what came out and whether it was refused.
pub fn pump(scanner: &mut impl Scanner, stream: &[u8], chunk_bytes: usize) -> (Vec<u8>, bool) {
    let (mut buffer, mut passed) = (Vec::new(), Vec::new());
    for chunk in stream.chunks(chunk_bytes.max(1)) {
        buffer.extend_from_slice(chunk);
        let result = scan(scanner, &buffer, |output| match output {
            Output::Slice(slice) => passed.extend_from_slice(slice),
            Output::Owned(bytes) => passed.extend(bytes),
            Output::Cut => {}
        });
        match result {
            Ok(consumed) => drop(buffer.drain(..consumed)),
            Err(_) => return (passed, true),
        }
        assert!(buffer.len() < HOLD_BYTES_MAX, "a scanner holds back {} bytes", buffer.len());
    }
    (passed, false)
}

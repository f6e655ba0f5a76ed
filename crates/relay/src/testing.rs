//! A caller as the gateway is one, with a bounded buffer, for the tests of all scanners.

use crate::{Error, HOLD_BYTES_MAX, Output, Scanner, scan};

/// What came out: WebSocket messages as they were cut, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cuts: Vec<usize>,
    pub(crate) end: Result<(), Error>,
}

/// Feeds the chunks one after the other through a buffer, checking what scanners promise.
pub(crate) fn pump(scanner: &mut impl Scanner, chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Passed {
    let mut buffer: Vec<u8> = Vec::new();
    let mut passed = Passed {
        bytes: Vec::new(),
        cuts: Vec::new(),
        end: Ok(()),
    };
    for chunk in chunks {
        buffer.extend_from_slice(chunk.as_ref());
        let result = scan(scanner, &buffer, |output| match output {
            Output::Slice(slice) => passed.bytes.extend_from_slice(slice),
            Output::Owned(bytes) => passed.bytes.extend(bytes),
            Output::Cut => passed.cuts.push(passed.bytes.len()),
        });
        match result {
            Ok(consumed) => drop(buffer.drain(..consumed)),
            Err(error) => {
                passed.end = Err(error);
                return passed;
            }
        }
        assert!(
            buffer.len() < HOLD_BYTES_MAX,
            "a scanner holds back {} bytes",
            buffer.len()
        );
    }
    passed
}

/// The stream cut at these places (taken modulo its length).
pub(crate) fn cut_at<'a>(stream: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (stream.len() + 1)).collect();
    places.push(stream.len());
    places.sort_unstable();
    let mut from = 0;
    places
        .into_iter()
        .map(|until| {
            let chunk = &stream[from..until];
            from = until;
            chunk
        })
        .collect()
}

//! Host to browser: mends 3 and 4, and `copy_out`.

use std::sync::Arc;

use naru_kernel::fleet::ClipboardPolicy;

use super::client::{as_u64, replace};
use super::clipboard::{Judge, Verdict};
use super::mcs::{FrameKind, HEAD_BYTES, Mcs, SendData, Sender, frame, mcs, send_data};
use super::{Agreement, Route, SEPARATE_PDUS, connect};
use crate::step::{Body, Scanner, Step};
use crate::{Error, HOLD_BYTES_MAX};

/// The share control header of a Deactivate All that ends there: 6 bytes, type 6, version 1
/// ([MS-RDPBCGR] 2.2.3.1 has 13 bytes at least). The last two are the source channel.
const BARE_DEACTIVATE_ALL: [u8; 4] = [6, 0, 0x16, 0];
/// The same with its full length.
const FULL_DEACTIVATE_ALL: [u8; 4] = [13, 0, 0x16, 0];
/// Share id, length of the source descriptor (1) and an empty source descriptor.
const DEACTIVATE_ALL_REST: [u8; 7] = [0, 0, 0, 0, 1, 0, 0];

/// Frames what the host sends, mends it and applies `copy_out`.
pub struct ServerScanner {
    body: Body,
    separate_left: u32,
    policy: ClipboardPolicy,
    agreement: Arc<Agreement>,
    clipboard: Judge,
}

impl Scanner for ServerScanner {
    fn step(&mut self, input: &[u8]) -> Result<Step, Error> {
        if let Some(step) = self.body.step(input) {
            return Ok(step);
        }
        let Some((kind, bytes)) = frame(input)? else {
            return Ok(Step::More);
        };
        if kind == FrameKind::FastPath {
            if self.agreement.channels.get().is_none() {
                return Err(Error::Handshake("the order of the host's PDUs"));
            }
            return Ok(self.pass(input, bytes));
        }
        if input.len() < bytes.min(HEAD_BYTES) {
            return Ok(Step::More);
        }
        match (self.agreement.channels.get(), mcs(input, bytes, Sender::Host)?) {
            (None, Mcs::Connect) => self.connect(input, bytes),
            (Some(_), Mcs::Housekeeping) => Ok(self.pass(input, bytes)),
            (Some(own), Mcs::Data(data)) => {
                let route = own.route(data.channel, self.policy);
                self.data(input, bytes, data, route)
            }
            (None, _) | (_, Mcs::Connect) => Err(Error::Handshake("the order of the host's PDUs")),
        }
    }

    fn blocked(&self) -> u64 {
        self.clipboard.blocked
    }
}

impl ServerScanner {
    pub(super) const fn new(policy: ClipboardPolicy, agreement: Arc<Agreement>) -> Self {
        Self {
            body: Body::pass(0),
            separate_left: SEPARATE_PDUS,
            policy,
            agreement,
            clipboard: Judge::new(Sender::Host, policy),
        }
    }

    /// Whether a WebSocket message must end behind the PDU that comes now.
    const fn is_separate(&mut self) -> bool {
        let is_separate = self.separate_left > 0;
        self.separate_left = self.separate_left.saturating_sub(1);
        is_separate
    }

    fn pass(&mut self, input: &[u8], bytes: usize) -> Step {
        let bytes = as_u64(bytes);
        self.body = if self.is_separate() {
            Body::pass_and_cut(bytes)
        } else {
            Body::pass(bytes)
        };
        self.body.step(input).unwrap_or(Step::More)
    }

    fn connect(&mut self, input: &[u8], bytes: usize) -> Result<Step, Error> {
        if bytes > HOLD_BYTES_MAX {
            return Err(Error::TooLong("a PDU of the handshake"));
        }
        let Some(pdu) = input.get(..bytes) else {
            return Ok(Step::More);
        };
        let asked = self.agreement.asked.get().map(Vec::as_slice).unwrap_or_default();
        let channels = connect::answered_channels(pdu, asked)?;
        self.agreement
            .channels
            .set(channels)
            .map_err(|_| Error::Handshake("the host connects twice"))?;
        Ok(self.pass(input, bytes))
    }

    fn data(&mut self, input: &[u8], bytes: usize, data: SendData, route: Route) -> Result<Step, Error> {
        let head = input
            .get(data.data_at..bytes.min(input.len()))
            .unwrap_or_default();
        let verdict = match route {
            Route::Pass => mend(head, bytes - data.data_at),
            Route::Drop => Verdict::Drop,
            Route::Judge => self.clipboard.chunk(head)?,
        };
        match verdict {
            Verdict::Pass => Ok(self.pass(input, bytes)),
            Verdict::Drop => {
                self.body = Body::skip(as_u64(bytes));
                Ok(self.body.step(input).unwrap_or(Step::More))
            }
            Verdict::Replace(user_data) => {
                let with = send_data(Sender::Host, data, &user_data)?;
                let cut = self.is_separate();
                Ok(replace(&mut self.body, input, bytes, with, cut))
            }
        }
    }
}

/// Mend 3, for user data of this whole length that begin with `head`.
fn mend(head: &[u8], data_bytes: usize) -> Verdict {
    match head.split_first_chunk::<4>() {
        Some((start, source)) if data_bytes == 6 && *start == BARE_DEACTIVATE_ALL => {
            Verdict::Replace([FULL_DEACTIVATE_ALL.as_slice(), source, &DEACTIVATE_ALL_REST].concat())
        }
        Some(_) | None => Verdict::Pass,
    }
}

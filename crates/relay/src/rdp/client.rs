//! Browser to host: mends 1 and 2, and `paste_in`.

use std::sync::Arc;

use naru_kernel::fleet::ClipboardPolicy;

use super::clipboard::{Judge, Verdict};
use super::mcs::{FrameKind, HEAD_BYTES, Mcs, SendData, Sender, frame, mcs, send_data};
use super::{Agreement, Credentials, Route, client_info, connect, core_data};
use crate::step::{Body, Scanner, Step};
use crate::{Error, HOLD_BYTES_MAX};

enum Stage {
    /// The first PDU: Connect Initial.
    Connect,
    /// Joining channels; the first data are the Client Info.
    Join(Credentials),
    /// Everything after.
    Active,
}

/// Frames what the browser sends, injects the credentials and applies `paste_in`.
pub struct ClientScanner {
    stage: Stage,
    credentials: Option<Credentials>,
    body: Body,
    policy: ClipboardPolicy,
    agreement: Arc<Agreement>,
    clipboard: Judge,
    inputs: u64,
}

impl Scanner for ClientScanner {
    fn step(&mut self, input: &[u8]) -> Result<Step, Error> {
        if let Some(step) = self.body.step(input) {
            return Ok(step);
        }
        let Some((kind, bytes)) = frame(input)? else {
            return Ok(Step::More);
        };
        if kind == FrameKind::FastPath {
            return match self.stage {
                Stage::Active => {
                    self.inputs = self.inputs.saturating_add(1);
                    Ok(self.rest(Body::pass(as_u64(bytes)), input))
                }
                Stage::Connect | Stage::Join(_) => {
                    Err(Error::Handshake("input before the client information"))
                }
            };
        }
        if input.len() < bytes.min(HEAD_BYTES) {
            return Ok(Step::More);
        }
        let pdu = mcs(input, bytes, Sender::Browser)?;
        match (&self.stage, pdu) {
            (Stage::Connect, Mcs::Connect) => whole(input, bytes, |pdu| self.connect(pdu)),
            (Stage::Join(_) | Stage::Active, Mcs::Housekeeping) => {
                Ok(self.rest(Body::pass(as_u64(bytes)), input))
            }
            (Stage::Join(_), Mcs::Data(data)) => whole(input, bytes, |pdu| self.information(pdu, data)),
            (Stage::Active, Mcs::Data(data)) => self.data(input, bytes, data),
            (Stage::Connect, _) | (_, Mcs::Connect) => {
                Err(Error::Handshake("the order of the browser's PDUs"))
            }
        }
    }

    fn blocked(&self) -> u64 {
        self.clipboard.blocked
    }

    /// The client sends input on the fast path alone (MS-RDPBCGR 2.2.8.1.2).
    fn inputs(&self) -> u64 {
        self.inputs
    }
}

impl ClientScanner {
    pub(super) fn new(policy: ClipboardPolicy, credentials: Credentials, agreement: Arc<Agreement>) -> Self {
        Self {
            stage: Stage::Connect,
            credentials: Some(credentials),
            body: Body::default(),
            policy,
            agreement,
            clipboard: Judge::new(Sender::Browser, policy),
            inputs: 0,
        }
    }

    fn rest(&mut self, body: Body, input: &[u8]) -> Step {
        self.body = body;
        self.body.step(input).unwrap_or(Step::More)
    }

    fn connect(&mut self, pdu: &[u8]) -> Result<Vec<u8>, Error> {
        let asked = connect::asked_channels(pdu)?;
        let mended = core_data::mend(pdu)?;
        let repeated = Error::Handshake("the browser connects twice");
        self.agreement.asked.set(asked).map_err(|_| repeated)?;
        self.stage = Stage::Join(self.credentials.take().ok_or(repeated)?);
        Ok(mended)
    }

    fn information(&mut self, pdu: &[u8], data: SendData) -> Result<Vec<u8>, Error> {
        let Stage::Join(credentials) = &self.stage else {
            return Err(Error::Handshake("the client information comes twice"));
        };
        let is_due = self
            .agreement
            .channels
            .get()
            .is_some_and(|own| own.input_output == data.channel);
        if !is_due {
            return Err(Error::Handshake("data before the client information"));
        }
        let user_data = pdu.get(data.data_at..).unwrap_or_default();
        let rewritten = client_info::rewrite(user_data, credentials)?;
        let pdu = send_data(Sender::Browser, data, &rewritten)?;
        self.stage = Stage::Active;
        Ok(pdu)
    }

    fn data(&mut self, input: &[u8], bytes: usize, data: SendData) -> Result<Step, Error> {
        let route = self
            .agreement
            .channels
            .get()
            .map_or(Route::Drop, |own| own.route(data.channel, self.policy));
        let verdict = match route {
            Route::Pass => Verdict::Pass,
            Route::Drop => Verdict::Drop,
            Route::Judge => {
                let head = input
                    .get(data.data_at..bytes.min(input.len()))
                    .unwrap_or_default();
                self.clipboard.chunk(head)?
            }
        };
        match verdict {
            Verdict::Pass => Ok(self.rest(Body::pass(as_u64(bytes)), input)),
            Verdict::Drop => Ok(self.rest(Body::skip(as_u64(bytes)), input)),
            Verdict::Replace(user_data) => {
                let with = send_data(Sender::Browser, data, &user_data)?;
                Ok(replace(&mut self.body, input, bytes, with, false))
            }
        }
    }
}

/// Something else in place of a PDU that may not be there whole yet.
pub(super) fn replace(body: &mut Body, input: &[u8], pdu_bytes: usize, with: Vec<u8>, cut: bool) -> Step {
    let bytes = pdu_bytes.min(input.len());
    *body = Body::skip(as_u64(pdu_bytes - bytes));
    Step::Replace { bytes, with, cut }
}

/// A PDU that must be seen whole and is replaced by another.
fn whole(
    input: &[u8],
    bytes: usize,
    rewrite: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<Step, Error> {
    if bytes > HOLD_BYTES_MAX {
        return Err(Error::TooLong("a PDU of the handshake"));
    }
    match input.get(..bytes) {
        Some(pdu) => Ok(Step::Replace {
            bytes,
            with: rewrite(pdu)?,
            cut: false,
        }),
        None => Ok(Step::More),
    }
}

/// A length in memory always fits into 64 bits.
pub(super) fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

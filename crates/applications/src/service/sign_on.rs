//! What single sign-on holds in memory: keys as read last, and counts that keep strangers from filling the record.

use std::sync::{Arc, Mutex, PoisonError};

use naru_kernel::{ApplicationId, PersonId, Seconds, Timestamp};
use naru_runtime::{Windows, outbound::Outbound};
use tokio::sync::{Notify, RwLock};

use super::keys::Keys;
use crate::{ApplicationsConfig, Error};

/// Refusals of one application that are written to the record in one window; more are only counted.
const REFUSALS_PER_WINDOW_MAX: u32 = 10;
/// The window.
const WINDOW: Seconds = Seconds(60);
/// Wrong device codes of one person in a window of them.
const CODES_PER_WINDOW_MAX: u32 = 10;
/// The window of wrong codes.
const CODES_WINDOW: Seconds = Seconds(600);

/// The part of single sign-on that is in memory.
pub(crate) struct SignOn {
    pub(super) keys: RwLock<Option<Arc<Keys>>>,
    refusals: Mutex<Windows<ApplicationId>>,
    codes: Mutex<Windows<PersonId>>,
    /// How applications are told.
    pub(super) outbound: Outbound,
    /// Told when log-outs are queued.
    pub(super) logouts: Notify,
}

impl SignOn {
    pub(super) fn new(config: &ApplicationsConfig) -> Result<Self, Error> {
        Ok(Self {
            outbound: Outbound::new(&config.trusted_roots)?,
            keys: RwLock::new(None),
            refusals: Mutex::new(Windows::new(WINDOW, REFUSALS_PER_WINDOW_MAX)),
            codes: Mutex::new(Windows::new(CODES_WINDOW, CODES_PER_WINDOW_MAX)),
            logouts: Notify::new(),
        })
    }

    /// Whether one more refusal of this application may be written to the record.
    pub(super) fn may_record(&self, application: ApplicationId, now: Timestamp) -> bool {
        self.refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(application, now)
    }

    /// Counts a wrong device code of a person.
    pub(super) fn wrong_code(&self, person: PersonId, now: Timestamp) {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(person, now);
    }

    /// Whether a person tried too many device codes.
    pub(super) fn tries_codes(&self, person: PersonId, now: Timestamp) -> bool {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_full(&person, now)
    }
}

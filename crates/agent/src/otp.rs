//! One-time passwords for RDP log-ins: made when a gateway attaches, checked by PAM on the same host.
//!
//! The agent listens on a socket only root may open; `naru agent otp-check`, run by `pam_exec` with
//! `expose_authtok`, hands account and password over and is answered with one word.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use naru_kernel::{Entropy, Seconds, Timestamp};

/// How long a password is good, in seconds.
pub(crate) const LIFE_SECONDS: i64 = 30;
/// Passwords that wait at once; one per account.
pub(crate) const WAITING_MAX: usize = 1_024;
/// The longest question, in bytes: account, line end, password.
pub(crate) const QUESTION_BYTES_MAX: u64 = 256;
/// How long the PAM helper waits for the agent. The session manager is one process and waits with it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
const YES: &[u8] = b"OK";

/// The passwords that wait to be used.
#[derive(Default)]
pub(crate) struct Passwords {
    waiting: BTreeMap<String, Waiting>,
}

struct Waiting {
    password: String,
    expires_at: Timestamp,
}

impl Passwords {
    /// Makes a password of 128 random bits for the account; an older one is void.
    /// `None` when too many wait.
    pub(crate) fn issue(&mut self, account: &str, now: Timestamp, entropy: &dyn Entropy) -> Option<String> {
        self.waiting.retain(|_, waiting| waiting.expires_at > now);
        if self.waiting.len() >= WAITING_MAX {
            return None;
        }
        let mut random = [0_u8; 16];
        entropy.fill(&mut random);
        let password = hex::encode(random);
        let waiting = Waiting {
            password: password.clone(),
            expires_at: now + Seconds(LIFE_SECONDS),
        };
        self.waiting.insert(account.to_owned(), waiting);
        Some(password)
    }

    /// Whether this is the account's password now; if so it is gone. A wrong one costs the right one
    /// nothing: 128 bits cannot be guessed, and a stranger must not be able to spend it.
    pub(crate) fn redeem(&mut self, account: &str, password: &str, now: Timestamp) -> bool {
        let right = self.waiting.get(account).is_some_and(|waiting| {
            waiting.expires_at > now
                && verify_slices_are_equal(waiting.password.as_bytes(), password.as_bytes()).is_ok()
        });
        if right {
            self.waiting.remove(account);
        }
        right
    }

    /// Answers a question as it came from the socket.
    pub(crate) fn answer(&mut self, question: &[u8], now: Timestamp) -> &'static [u8] {
        let right = str::from_utf8(question)
            .ok()
            .and_then(|text| text.split_once('\n'))
            .is_some_and(|(account, password)| self.redeem(account, password, now));
        if right { YES } else { b"NO" }
    }
}

/// What `naru agent otp-check` does: asks the agent whether `password` opens `account` now.
/// Anything unexpected is no.
fn check(socket: &Path, account: &str, password: &[u8]) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut agent = std::os::unix::net::UnixStream::connect(socket)?;
        agent.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        agent.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        agent.write_all(account.as_bytes())?;
        agent.write_all(b"\n")?;
        agent.write_all(password)?;
        agent.shutdown(std::net::Shutdown::Write)?;
        let mut answer = Vec::new();
        agent.take(8).read_to_end(&mut answer)?;
        Ok(answer == YES)
    };
    ask().unwrap_or(false)
}

/// [`check`] as `pam_exec(8)` calls it: the account in `PAM_USER`, the password on standard input,
/// ended by a zero byte.
fn check_for_pam(socket: &Path) -> bool {
    let Ok(account) = std::env::var("PAM_USER") else {
        return false;
    };
    let mut password = Vec::new();
    if std::io::stdin()
        .take(QUESTION_BYTES_MAX)
        .read_to_end(&mut password)
        .is_err()
    {
        return false;
    }
    let end = password
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(password.len());
    password.truncate(end);
    !account.contains('\n') && !password.is_empty() && check(socket, &account, &password)
}

/// `naru agent otp-check`: success if the account in `PAM_USER` may log on with the password on standard
/// input. Says nothing, whatever happens: what `pam_exec` runs must not print.
#[must_use]
pub fn otp_check(socket: &Path) -> ExitCode {
    if check_for_pam(socket) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    #[test]
    fn a_password_opens_its_account_once_and_for_thirty_seconds() {
        let (mut passwords, entropy) = (Passwords::default(), Counting(1.into()));
        let password = passwords.issue("naru-a", NOW, &entropy).unwrap();
        assert_eq!(password.len(), 32);
        assert!(!passwords.redeem("naru-b", &password, NOW));
        assert!(!passwords.redeem("naru-a", "wrong", NOW));
        assert!(passwords.redeem("naru-a", &password, NOW + Seconds(29)));
        assert!(!passwords.redeem("naru-a", &password, NOW + Seconds(29)));
        let late = passwords.issue("naru-a", NOW, &entropy).unwrap();
        assert!(!passwords.redeem("naru-a", &late, NOW + Seconds(LIFE_SECONDS)));
    }

    #[test]
    fn a_newer_password_voids_the_older_and_the_store_is_bounded() {
        let (mut passwords, entropy) = (Passwords::default(), Counting(1.into()));
        let older = passwords.issue("naru-a", NOW, &entropy).unwrap();
        let newer = passwords.issue("naru-a", NOW, &entropy).unwrap();
        assert!(!passwords.redeem("naru-a", &older, NOW));
        assert!(passwords.redeem("naru-a", &newer, NOW));
        for number in 0..WAITING_MAX {
            assert!(
                passwords
                    .issue(&format!("naru-{number}"), NOW, &entropy)
                    .is_some()
            );
        }
        assert!(passwords.issue("naru-more", NOW, &entropy).is_none());
        assert!(
            passwords
                .issue("naru-more", NOW + Seconds(LIFE_SECONDS), &entropy)
                .is_some()
        );
    }

    #[test]
    fn questions_are_read_strictly() {
        let (mut passwords, entropy) = (Passwords::default(), Counting(1.into()));
        let password = passwords.issue("naru-a", NOW, &entropy).unwrap();
        for bad in [
            &b""[..],
            b"\n",
            b"naru-a",
            b"naru-a\n",
            b"\xff\n\xff",
            b"naru-a\nx\n",
        ] {
            assert_eq!(passwords.answer(bad, NOW), b"NO");
        }
        assert_eq!(
            passwords.answer(format!("naru-a\n{password}").as_bytes(), NOW),
            YES
        );
        assert_eq!(
            passwords.answer(format!("naru-a\n{password}").as_bytes(), NOW),
            b"NO"
        );
    }
}

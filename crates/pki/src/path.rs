//! From a person's certificate up to a configured root (RFC 5280 6).
//!
//! Paths are searched by name and key identifier, every step confirmed by its signature, with a bound on depth
//! and on signatures. A path that reaches a root is then judged from the root down. Of several profiles and
//! paths the first good one wins; when none is good, the refusal of the path that came furthest is given.

use naru_kernel::Timestamp;

use crate::{
    KeyUse, Refusal, RevocationState, Trust, certificate::Certificate, oid, policy::Policies, subtree,
    trust::Prepared,
};

/// Certificates from person to root, both counted.
pub(crate) const PATH_LENGTH_MAX: usize = 6;
/// Certificates taken from a message beside the person's own.
pub(crate) const PRESENTED_MAX: usize = 8;
/// Signatures checked for one log-on.
const SIGNATURES_MAX: u32 = 48;

/// A good path's outcome.
#[derive(Debug)]
pub(crate) struct Verified<'a> {
    pub(crate) profile: &'a Prepared,
    pub(crate) policy: Option<const_oid::ObjectIdentifier>,
    pub(crate) revocation: RevocationState,
}

/// Finds and judges a path for `person`.
pub(crate) fn verify<'a>(
    person: &Certificate,
    presented: &[Certificate],
    trust: &'a Trust,
    now: Timestamp,
) -> Result<Verified<'a>, Refusal> {
    let mut best = Refusal::UnknownRoot;
    let mut signatures_left = SIGNATURES_MAX;
    for profile in trust.profiles.iter() {
        let mut search = Search {
            profile,
            presented,
            trust,
            now,
            signatures_left,
            best,
        };
        let found = search.climb(&mut vec![person]);
        (signatures_left, best) = (search.signatures_left, search.best);
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(best)
}

struct Search<'a, 'c> {
    profile: &'a Prepared,
    presented: &'c [Certificate],
    trust: &'a Trust,
    now: Timestamp,
    signatures_left: u32,
    best: Refusal,
}

impl<'a: 'c, 'c> Search<'a, 'c> {
    /// Extends the path from its last certificate; leaves it as it was.
    fn climb(&mut self, path: &mut Vec<&'c Certificate>) -> Option<Verified<'a>> {
        let last = *path.last()?;
        let profile = self.profile;
        for root in &profile.roots {
            if self.is_issuer(root, last) {
                path.push(root);
                let verdict = judge(path, profile, self.trust, self.now);
                path.pop();
                match verdict {
                    Ok(found) => return Some(found),
                    Err(refusal) => self.note(refusal),
                }
            }
        }
        if path.len() + 1 >= PATH_LENGTH_MAX {
            self.note(Refusal::PathTooLong);
            return None;
        }
        let presented = self.presented;
        for authority in profile.intermediates.iter().chain(presented) {
            let is_in_path = path
                .iter()
                .any(|known| known.key == authority.key && known.subject_key == authority.subject_key);
            if !is_in_path && self.is_issuer(authority, last) {
                path.push(authority);
                let found = self.climb(path);
                path.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// By name, then by key identifier, then by signature.
    fn is_issuer(&mut self, issuer: &Certificate, certificate: &Certificate) -> bool {
        if issuer.subject_key != certificate.issuer_key {
            return false;
        }
        if certificate.scheme.is_none() {
            self.note(Refusal::WeakSignature);
            return false;
        }
        if self.signatures_left == 0 {
            self.note(Refusal::PathTooLong);
            return false;
        }
        // A differing key identifier alone is no forgery: authorities renew their keys under the same name. But
        // if no other candidate signed it, the certificate is not what it says.
        self.signatures_left -= 1;
        let is_signed = certificate.may_come_from(issuer) && certificate.is_signed_by(&issuer.key);
        if !is_signed {
            self.note(Refusal::ForgedIssuer);
        }
        is_signed
    }

    fn note(&mut self, refusal: Refusal) {
        if rank(&refusal) > rank(&self.best) {
            self.best = refusal;
        }
    }
}

/// How far a path came before it was refused.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all that can be said of a whole path ranks alike"
)]
fn rank(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::UnknownRoot => 0,
        Refusal::PathTooLong => 1,
        Refusal::ForgedIssuer | Refusal::WeakSignature => 2,
        // A whole path in another profile under the same root, where only the policy is not wanted.
        Refusal::WrongPolicy => 3,
        _ => 4,
    }
}

/// Judges a whole path, person first, root last.
fn judge<'a>(
    path: &[&Certificate],
    profile: &'a Prepared,
    trust: &'a Trust,
    now: Timestamp,
) -> Result<Verified<'a>, Refusal> {
    let Some((person, authorities)) = path.split_first() else {
        return Err(Refusal::UnknownRoot);
    };
    let mut policies = Policies::any();
    for (below, authority) in authorities.iter().enumerate().rev() {
        let is_root = below + 1 == authorities.len();
        judge_authority(authority, profile, now)?;
        let certificates_below = path.get(1..=below).unwrap_or_default();
        judge_path_length(authority, certificates_below)?;
        // Self-issued authorities are exempt from name constraints (RFC 5280 6.1.3 b).
        let names = certificates_below
            .iter()
            .filter(|lower| lower.subject_key != lower.issuer_key);
        if !names
            .chain([person])
            .all(|lower| subtree::allows(authority, lower))
        {
            return Err(Refusal::NameConstraint);
        }
        // The root is where trust starts: its own policies say nothing (RFC 5280 6.1.1 d).
        if !is_root {
            policies.descend(authority, false);
        }
        policies.constrain(authority);
    }
    policies.descend(person, true);
    judge_person(person, profile, now)?;
    if !policies.allow(person, &profile.policies) {
        return Err(Refusal::WrongPolicy);
    }
    let revocation = judge_revocation(path, profile, trust, now)?;
    Ok(Verified {
        profile,
        policy: policies.matching(person, &profile.policies),
        revocation,
    })
}

fn judge_authority(authority: &Certificate, profile: &Prepared, now: Timestamp) -> Result<(), Refusal> {
    if authority.extensions.unknown_critical {
        return Err(Refusal::CriticalExtension);
    }
    if !authority.is_authority() {
        return Err(Refusal::IssuerNotAuthority);
    }
    if now < authority.not_before || now > authority.not_after {
        return Err(Refusal::IssuerExpired);
    }
    if !authority.key.is_strong(profile.profile.rsa_bits_min) {
        return Err(Refusal::WeakKey);
    }
    Ok(())
}

/// RFC 5280 4.2.1.9: how many authorities that are not self-issued may follow.
fn judge_path_length(authority: &Certificate, below: &[&Certificate]) -> Result<(), Refusal> {
    let limit = authority
        .extensions
        .basic
        .as_ref()
        .and_then(|basic| basic.path_len_constraint);
    let count = below
        .iter()
        .filter(|lower| lower.subject_key != lower.issuer_key)
        .count();
    match limit {
        Some(limit) if count > usize::from(limit) => Err(Refusal::PathTooLong),
        _ => Ok(()),
    }
}

fn judge_person(person: &Certificate, profile: &Prepared, now: Timestamp) -> Result<(), Refusal> {
    let extensions = &person.extensions;
    if !person.is_version_3 {
        return Err(Refusal::CertificateMalformed);
    }
    if extensions.unknown_critical {
        return Err(Refusal::CriticalExtension);
    }
    if !person.key.is_strong(profile.profile.rsa_bits_min) {
        return Err(Refusal::WeakKey);
    }
    if now < person.not_before {
        return Err(Refusal::NotYetValid);
    }
    if now > person.not_after {
        return Err(Refusal::Expired);
    }
    let is_authority = extensions.basic.as_ref().is_some_and(|basic| basic.ca);
    // Without keyUsage any use would be allowed (RFC 5280 4.2.1.3); a log-on wants it said.
    let usage = extensions.key_usage.as_ref().ok_or(Refusal::WrongUsage)?;
    let has_usage = profile.profile.key_usage.iter().all(|wanted| match wanted {
        KeyUse::DigitalSignature => usage.digital_signature(),
        KeyUse::NonRepudiation => usage.non_repudiation(),
    });
    // Where extended usages are given, one must fit a person who proves who they are.
    let fits = extensions.extended_usage.as_ref().is_none_or(|usages| {
        usages.iter().any(|usage| {
            [
                oid::CLIENT_AUTH,
                oid::EMAIL_PROTECTION,
                oid::DOCUMENT_SIGNING,
                oid::SMART_CARD_LOGON,
                oid::ANY_EXTENDED_KEY_USAGE,
            ]
            .contains(usage)
        })
    });
    if is_authority || !has_usage || !fits {
        Err(Refusal::WrongUsage)
    } else {
        Ok(())
    }
}

/// The person's certificate first, so that "revoked" is said of the right one; the root is never looked up.
fn judge_revocation(
    path: &[&Certificate],
    profile: &Prepared,
    trust: &Trust,
    now: Timestamp,
) -> Result<RevocationState, Refusal> {
    let rule = &profile.profile.revocation;
    let mut state = RevocationState::Current;
    for (at, pair) in path.windows(2).enumerate() {
        let [certificate, issuer] = pair else { continue };
        if at > 0 && !rule.check_authorities {
            break;
        }
        let found = match trust.crls.judge(certificate, issuer, rule, now) {
            Err(Refusal::Revoked { .. }) if at > 0 => return Err(Refusal::IssuerRevoked),
            found => found?,
        };
        state = state.max(found);
    }
    Ok(state)
}

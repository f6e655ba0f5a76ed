//! The verdict on one question: every set of rules is asked by itself, and one that forbids decides.

use cedar_policy::Decision;
use naru_kernel::access::{AccessDecision, AccessQuestion, Assurance};

use super::{Asked, Language};
use crate::model::{Because, Effect, Origin};

/// How a question was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be opened.
    pub is_allowed: bool,
    /// The rules that made it so; empty when no rule allowed it.
    pub because: Vec<Because>,
    /// The assurance with which it would be allowed, if that is all that is missing.
    pub step_up: Option<Assurance>,
    /// What went wrong while judging; whatever did, refuses.
    pub errors: Vec<String>,
}

impl Verdict {
    /// As the domains that ask hear it.
    #[must_use]
    pub fn decision(&self) -> AccessDecision {
        let because = self.because.iter().map(Because::line).collect();
        if self.is_allowed {
            AccessDecision::Allowed { because }
        } else {
            AccessDecision::Denied {
                because,
                step_up: self.step_up,
            }
        }
    }
}

/// What rules of the ministry the person serves, and built-in ones, allow counts; others only refuse.
const fn may_permit(origin: Origin) -> bool {
    matches!(origin, Origin::Base | Origin::Ministry)
}

impl Language {
    /// Judges with the assurance the log-on has and, where that is refused, with each higher one.
    pub fn judge(&self, question: &AccessQuestion, is_offered: bool, asked: &[Asked<'_>]) -> Verdict {
        let mut verdict = self.judge_at(question, is_offered, question.assurance, asked);
        if verdict.is_allowed || !verdict.errors.is_empty() {
            return verdict;
        }
        // A certificate alone opens nothing: the first step of a step up is a second factor.
        let higher = Assurance::ALL
            .into_iter()
            .filter(|assurance| *assurance > question.assurance && *assurance > Assurance::Certificate);
        for assurance in higher {
            if self.judge_at(question, is_offered, assurance, asked).is_allowed {
                verdict.step_up = Some(assurance);
                break;
            }
        }
        verdict
    }

    fn judge_at(
        &self,
        question: &AccessQuestion,
        is_offered: bool,
        assurance: Assurance,
        asked: &[Asked<'_>],
    ) -> Verdict {
        let (mut permits, mut forbids, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        let base = self.base();
        for one in core::iter::once(&base).chain(asked) {
            let (request, entities) = match self.slice(question, is_offered, assurance, one.ministry) {
                Ok(slice) => slice,
                Err(error) => {
                    errors.push(error.to_string());
                    continue;
                }
            };
            let response = self.authorizer.is_authorized(&request, &one.rules.set, &entities);
            let diagnostics = response.diagnostics();
            errors.extend(diagnostics.errors().map(ToString::to_string));
            let because = one.rules.because(diagnostics.reason().cloned(), one.origin);
            match response.decision() {
                Decision::Allow if may_permit(one.origin) => permits.extend(because),
                Decision::Allow => {}
                Decision::Deny => forbids.extend(because),
            }
        }
        let is_allowed = forbids.is_empty() && errors.is_empty() && !permits.is_empty();
        debug_assert!(
            forbids.iter().all(|one| one.effect == Effect::Forbid),
            "only what forbids denies"
        );
        Verdict {
            is_allowed,
            because: if is_allowed { permits } else { forbids },
            step_up: None,
            errors,
        }
    }
}

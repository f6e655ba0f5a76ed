//! Requests and answers.

use std::sync::Arc;

use naru_runtime::{Problem, Routes};

use crate::{Applications, Error};

/// The shared state of the handlers.
pub(crate) type Shared = Arc<Applications>;

pub(crate) type Answer<T> = Result<T, Problem>;

/// Every route of this domain.
#[must_use]
pub fn routes(applications: Shared) -> Routes {
    let parts: [Routes<Shared>; 0] = [];
    parts.into_iter().fold(Routes::new(), |all, part| {
        all.merge(part.with_state(Arc::clone(&applications)))
    })
}

#[expect(dead_code, reason = "the handlers use it")]
pub(crate) fn problem(error: Error) -> Problem {
    error.into_problem()
}

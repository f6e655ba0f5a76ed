//! Requests and answers.

mod applications;
mod consents;
mod corner;
mod portal_page;
mod saml;
mod saml_page;
mod sso;
mod sso_programs;
mod sso_steps;

use std::sync::Arc;

use naru_runtime::{Problem, Routes};

pub use sso::open_to_scripts;

use crate::{Applications, Error};

/// The shared state of the handlers.
pub(crate) type Shared = Arc<Applications>;

pub(crate) type Answer<T> = Result<T, Problem>;

/// Every route of this domain.
#[must_use]
pub fn routes(applications: Shared) -> Routes {
    let parts = [
        applications::routes(),
        portal_page::routes(),
        consents::routes(),
        corner::routes(),
        sso::routes(),
        sso_programs::routes(),
        sso_steps::routes(),
        saml::routes(),
    ];
    parts.into_iter().fold(Routes::new(), |all, part| {
        all.merge(part.with_state(Arc::clone(&applications)))
    })
}

pub(crate) fn problem(error: Error) -> Problem {
    error.into_problem()
}

//! Requests and answers.

mod desktops;
mod fleet;
mod operate;

use std::sync::Arc;

use naru_runtime::{Problem, Routes};

use crate::{Desktops, Error};

type Answer<T> = Result<T, Problem>;

/// Routes of the public door.
#[must_use]
pub fn routes(desktops: Arc<Desktops>) -> Routes {
    operate::routes(desktops::routes(Routes::new())).with_state(desktops)
}

/// Routes of the fleet's door.
#[must_use]
pub fn fleet_routes(desktops: Arc<Desktops>) -> Routes {
    fleet::routes(Routes::new()).with_state(desktops)
}

fn problem(error: Error) -> Problem {
    error.into_problem()
}

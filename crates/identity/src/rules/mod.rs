//! What is decided, without a database, a clock or a network.

mod logon;
mod people;
mod proof;
mod session;
mod units;

pub use logon::{
    AfterFailure, FAILURE_WINDOW, FAILURES_MAX, LOCK_LENGTH, Next, after_failure, effective_state,
    may_log_on, next_step,
};
pub use people::{LANGUAGES, NewPerson, Wrong, may_hold, search_text};
pub use proof::{methods, raised};
pub use session::{Judgement, Lifetimes, Presented, TOKEN_GRACE, TOUCH_EVERY, device, idle_deadline, judge};
pub use units::{UNIT_CHARACTERS_MAX, UNIT_LEVELS_MAX, clean_unit, unit_of_subject};

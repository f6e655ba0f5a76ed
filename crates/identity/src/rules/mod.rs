//! What is decided, without a database, a clock or a network.

mod logon;
mod people;
mod place;
mod proof;
mod session;
mod units;

pub use logon::{
    AfterFailure, FAILURE_WINDOW, FAILURES_MAX, LOCK_LENGTH, Next, after_failure, effective_state,
    may_log_on, may_log_on_known, next_step,
};
pub use people::{LANGUAGES, NewPerson, Wrong, may_hold, search_text};
pub use place::{
    FASTEST_KM_PER_HOUR, PLACES_MAX, Place, PlaceConfig, Places, Position, SAME_PLACE_KM,
    is_impossible_travel,
};
pub use proof::{methods, raised};
pub use session::{Judgement, Lifetimes, Presented, TOKEN_GRACE, TOUCH_EVERY, device, idle_deadline, judge};
pub use units::{UNIT_CHARACTERS_MAX, UNIT_LEVELS_MAX, clean_unit, unit_of_subject};

//! A ministry's corner: its look and its notices.

use naru_kernel::{NoticeId, PersonId, Timestamp};

use super::Words;

/// How a ministry's pages look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// A checked PNG.
    pub logo_png: Option<Vec<u8>>,
    /// Changed last; absent if the ministry never said how it looks.
    pub changed_at: Option<Timestamp>,
}

/// What hangs on a ministry's board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its identifier.
    pub id: NoticeId,
    /// Heading.
    pub title: Words,
    /// Text.
    pub body: Words,
    /// Whether it stands first.
    pub is_urgent: bool,
    /// From when it hangs there.
    pub shown_from: Timestamp,
    /// Until when, if it ends.
    pub shown_until: Option<Timestamp>,
    /// Who wrote it; absent for the platform itself.
    pub created_by: Option<PersonId>,
    /// When.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

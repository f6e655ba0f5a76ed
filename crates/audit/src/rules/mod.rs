//! What is decided without waiting: queries, files, trees, signed notes, months, and what a broken chain means.

pub(crate) mod diagnose;
pub(crate) mod file;
pub(crate) mod month;
pub(crate) mod note;
pub(crate) mod query;
pub(crate) mod tree;

pub(crate) use query::Cursor;

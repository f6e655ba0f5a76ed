//! Decisions: no clock, no table, no waiting.

pub mod address;
pub mod fields;
pub mod picture;

pub use fields::Wrong;

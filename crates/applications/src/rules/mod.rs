//! Decisions: no clock, no table, no waiting.

pub mod address;
pub mod changes;
pub mod corner;
pub mod fields;
pub mod form;
pub mod picture;
pub(crate) mod saml;
pub mod tiles;

pub use fields::Wrong;

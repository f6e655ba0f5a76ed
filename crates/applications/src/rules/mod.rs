//! Decisions: no clock, no table, no waiting.

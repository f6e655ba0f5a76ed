//! Real processes and real components.

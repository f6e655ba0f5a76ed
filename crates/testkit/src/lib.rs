//! Dev only: manual clock, seeded entropy, people and hosts, drivers for real components.

//! Rules on a real database.

//! Rules on a real database.

mod changing;
mod deciding;
mod language;
mod world;

//! The domain on a real database, with people, sessions and rules that only pretend.

mod administration;
mod corner;
mod portal_page;
mod saml;
mod world;

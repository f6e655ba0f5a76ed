//! SAML with service providers that nobody here wrote: `mod_auth_mellon` (lasso) and SimpleSAMLphp, in Debian's Apache.

mod mellon;
mod round_trip;
mod simplesamlphp;

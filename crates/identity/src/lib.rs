//! Domain: people, certificates, second factors, log-on sessions.

//! Domain: hosts, gateways, desktop sessions, placement.

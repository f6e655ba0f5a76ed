//! Shell: sockets that drive the relay engine.

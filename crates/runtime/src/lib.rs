//! Kit: configuration, telemetry, tasks and shutdown, TLS, guarded routes, problem answers.

//! Tests of the service, on the engine of this run.

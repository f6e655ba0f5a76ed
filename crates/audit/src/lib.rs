//! Domain: the append-only record and its queries.

//! Kit: one SQL text on SQLite and PostgreSQL; transactions that say what they do.

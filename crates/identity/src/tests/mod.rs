//! The domain, whole: on a real database, over its routes.

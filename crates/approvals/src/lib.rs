//! Domain: the two-person rule. What one administrator asks, another of the ministry agrees to or refuses.

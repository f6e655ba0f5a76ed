//! Domain: the applications a ministry's people open, and single sign-on into them.

//! Shell: one HTTP router from all domains, the local certificate authority, the web app's files.

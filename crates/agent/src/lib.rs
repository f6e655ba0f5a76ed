//! Shell: the host agent, which opens people's desktops and reports load.

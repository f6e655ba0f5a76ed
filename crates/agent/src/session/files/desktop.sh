#!/bin/bash
# The desktop itself, on the display it is given (TigerVNC or xrdp): window manager, panel, icons,
# Korean input. It lasts as long as the window manager.
set -u
export NARU_FILES="${NARU_FILES:-$(dirname "$0")}"
: "${NARU_RUN:=${XDG_RUNTIME_DIR:-$HOME/.cache/naru}}"
export NARU_RUN

# Its own runtime directory and bus: the same person may have two desktops on one host.
export XDG_RUNTIME_DIR="$NARU_RUN/xdg"
mkdir -p -m 0700 "$XDG_RUNTIME_DIR"
unset DBUS_SESSION_BUS_ADDRESS SESSION_MANAGER WAYLAND_DISPLAY

if locale -a 2>/dev/null | grep -qix 'ko_KR\.utf-\?8'; then
  export LANG=ko_KR.UTF-8
else
  export LANG=C.UTF-8 LANGUAGE=ko
fi
unset LC_ALL
export GTK_IM_MODULE=ibus QT_IM_MODULE=ibus XMODIFIERS=@im=ibus
export XDG_CONFIG_DIRS="$NARU_FILES/xdg:/etc/xdg" XDG_CURRENT_DESKTOP=Naru
export XDG_DATA_DIRS="${XDG_DATA_DIRS:-/usr/local/share:/usr/share}"
xsetroot -solid '@colour@' -cursor_name left_ptr

# Programs talk a lot on standard error; nobody reads it and it must not fill a disk.
exec dbus-run-session -- "$NARU_FILES/programs.sh" >/dev/null 2>&1

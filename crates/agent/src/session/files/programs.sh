#!/bin/bash
# What runs in the desktop; started by desktop.sh inside the session's own message bus.
set -u
marks="${XDG_CONFIG_HOME:-$HOME/.config}/naru"
mkdir -p "$marks"

# What the person changes later is theirs: each default is laid down once only.
if [ ! -e "$marks/icons" ]; then
  mkdir -p "$HOME/Desktop" "$HOME/문서"
  order=0
  for name in writer browser files notes terminal logoff; do
    cp "$NARU_FILES/desktop/$name.desktop" "$HOME/Desktop/" &&
      touch -d "2026-01-01 00:00:0$order" "$HOME/Desktop/$name.desktop"
    order=$((order + 1))
  done
  : >"$marks/icons"
fi

office="$HOME/.config/libreoffice/4/user"
if [ ! -e "$office/registrymodifications.xcu" ]; then
  mkdir -p "$office"
  cp "$NARU_FILES/libreoffice.xcu" "$office/registrymodifications.xcu"
fi

openbox --config-file "$NARU_FILES/openbox/rc.xml" &
manager=$!
pcmanfm --desktop --profile naru &
tint2 -c "$NARU_FILES/tint2rc" &

if [ ! -e "$marks/input" ]; then
  gsettings set org.freedesktop.ibus.general preload-engines "['hangul']" &&
    gsettings set org.freedesktop.ibus.general use-system-keyboard-layout true &&
    gsettings set org.freedesktop.ibus.engine.hangul switch-keys 'Hangul,Shift+space' &&
    : >"$marks/input"
fi
ibus-daemon --xim &
for _ in $(seq 50); do
  ibus engine hangul 2>/dev/null && break
  sleep 0.1
done &

wait "$manager"
exit 0

#!/bin/bash
# Runs as the person, inside their login session: an X server that only a Unix socket reaches, and the
# desktop on it. Ends when the person logs off in the desktop or when the X server dies.
# Arguments: desktop id, the session's own directory (0700), WIDTHxHEIGHT, directory of the desktop's files.
set -u
umask 077
export NARU_DESKTOP="$1" NARU_RUN="$2" NARU_FILES="$4"
geometry="$3"
cd "$HOME" || cd /
export XAUTHORITY="$NARU_RUN/xauthority"

# The server chooses a free display number itself, so two sessions cannot race for one.
Xtigervnc -displayfd 3 -rfbport=-1 -rfbunixpath "$NARU_RUN/rfb.sock" -rfbunixmode 0600 \
  -SecurityTypes None -nolisten tcp -auth "$XAUTHORITY" -noreset -geometry "$geometry" -depth 24 \
  -desktop Naru -SendPrimary=0 -SetPrimary=0 -AcceptSetDesktopSize=1 -Log '*:stderr:0' \
  3>"$NARU_RUN/display" </dev/null &
server=$!

desktop=
trap 'kill $server $desktop 2>/dev/null' TERM INT HUP

for _ in $(seq 500); do
  [ -s "$NARU_RUN/display" ] && break
  kill -0 "$server" 2>/dev/null || { echo "the X server did not start"; exit 1; }
  sleep 0.02
done
[ -s "$NARU_RUN/display" ] || { echo "the X server was not ready in time"; kill "$server"; exit 1; }
read -r number <"$NARU_RUN/display"
export DISPLAY=":$number"

"$NARU_FILES/desktop.sh" </dev/null &
desktop=$!
wait -n "$server" "$desktop"
kill "$desktop" 2>/dev/null
kill "$server" 2>/dev/null
wait "$server"
exit 0

#!/bin/bash
# What xrdp's session manager starts for a person: the same desktop as over TigerVNC. The agent says
# beforehand, in a file only it can write, which desktop this is and where the session's directory is.
set -u
umask 077
NARU_FILES="$(dirname "$0")"
entry="$NARU_FILES/../rdp/$(id -un)"
[ -r "$entry" ] || { echo "this account has no desktop here"; exit 1; }
{ read -r NARU_DESKTOP && read -r NARU_RUN; } <"$entry" || exit 1
export NARU_DESKTOP NARU_RUN NARU_FILES
"$NARU_FILES/desktop.sh" </dev/null &
desktop=$!
trap 'kill $desktop 2>/dev/null' TERM INT HUP
wait "$desktop"
exit 0

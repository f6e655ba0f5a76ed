#!/bin/sh
# The first browser there is, with what suits a desktop without a graphics card.
for browser in chromium chromium-browser; do
  command -v "$browser" >/dev/null && exec "$browser" --lang=ko --no-first-run --disable-gpu --password-store=basic "$@"
done
exec x-www-browser "$@"

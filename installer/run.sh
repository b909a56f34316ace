#!/usr/bin/env bash
# The one command: sets up what is missing, builds, and opens Sconce. With arguments it is the command line:
#
#   ./installer/run.sh                          the window; without a display: trains on the built-in data in the terminal
#   ./installer/run.sh train mnist-convnet --data FOLDER
#   ./installer/run.sh --gpu …                  also fetches NVIDIA's libraries
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
setup=()
case "${1:-}" in --gpu|--cpu) setup=("$1"); shift ;; esac
# A build that has tests keeps them: switching them off would only reconfigure.
[ "$(awk '{print $2}' "$here/../build/release/.setup" 2>/dev/null)" = 1 ] && setup+=(--tests)
"$here/setup.sh" "${setup[@]}"
bin=$here/../build/release/bin
if [ $# -gt 0 ]; then exec "$bin/sconce" "$@"; fi
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then exec "$bin/sconce-studio"; fi
echo "There is no display, so Sconce trains its first network here, on the built-in digits." >&2
exec "$bin/sconce" train digits-convnet

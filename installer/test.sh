#!/usr/bin/env bash
# Builds Sconce and passes all its tests, headless. Arguments go to ctest (for example: -R core_model).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/setup.sh" --tests
cd "$here/../build/release"
export QT_QPA_PLATFORM=offscreen LC_ALL=C.UTF-8
# Two at a time, as training tests bring threads of their own; a file of results for whoever reads afterwards.
exec ctest --output-on-failure --parallel "$(( $(nproc) > 2 ? 2 : $(nproc) ))" --output-junit tests.xml "$@"

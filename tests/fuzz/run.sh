#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the fuzz targets with clang, address and undefined-behaviour sanitizers in build/fuzz, and runs each for a while:
#   tests/fuzz/run.sh SECONDS [TARGET…]
# What they find lies in build/fuzz/found/; what they learnt is kept in build/fuzz/corpus/ for the next time.
# Ends with 1 if anything was found.
set -eu
seconds=${1:-60}
[ $# -gt 0 ] && shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build/fuzz"
targets=${*:-idx safetensors recipe picture protocol table text labels manifest blocks}

command -v clang++ >/dev/null || { echo "The fuzz targets need clang++: sudo apt-get install clang libclang-rt-dev" >&2; exit 1; }
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DSCONCE_FUZZ=ON >"$build.log" 2>&1 ||
    { cat "$build.log" >&2; exit 1; }
cmake --build "$build" --target fuzz

mkdir -p "$build/found"
rm -rf "$build/seeds"
"$build/bin/fuzz_seeds" "$build/seeds"
failed=0
for target in $targets; do
    mkdir -p "$build/corpus/$target"
    log="$build/found/$target.log"
    case $target in recipe | protocol | manifest | safetensors) dict="-dict=$root/tests/fuzz/json.dict" ;; *) dict="" ;; esac
    # One leak check at the end is enough, and rss counts what the sanitizers keep: a quarter of it is quarantine otherwise.
    if ASAN_OPTIONS=quarantine_size_mb=32:allocator_may_return_null=0 "$build/bin/fuzz_$target" -rss_limit_mb=512 -timeout=1 -max_total_time="$seconds" \
        -print_final_stats=1 $dict -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "$build/seeds/$target" >"$log" 2>&1; then
        result="nothing found"
    else
        result="FOUND, see $log"
        failed=1
    fi
    printf '%-12s %12s executions  %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$result"
done
exit $failed

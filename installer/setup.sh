#!/usr/bin/env bash
# Gets everything that Sconce needs on this machine and builds it. Safe to run again at any time, also after an interruption:
# what is there is left alone.
#
#   ./installer/setup.sh [--gpu|--cpu] [--tests] [--no-build]
#
# --gpu       also fetch NVIDIA's libraries (the default where an NVIDIA driver is found)
# --cpu       never fetch them
# --tests     also the packages that the tests need, and build the tests
# Environment: SCONCE_LIBTORCH  an existing folder that holds torch/lib and torch/include: nothing is downloaded then
#              SCONCE_DEPS      where LibTorch goes (default: ~/.local/share/sconce-deps), shared by all checkouts
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
gpu=auto tests=0 build=1
for argument in "$@"; do
    case "$argument" in
        --gpu) gpu=yes ;; --cpu) gpu=no ;; --tests) tests=1 ;; --no-build) build=0 ;;
        -h|--help) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
        *) echo "setup: '$argument' is not an option; see --help." >&2; exit 2 ;;
    esac
done

# Everything here is progress, not output: standard output belongs to the program that is run afterwards.
exec 3>&1 1>&2
say() { printf '\n== %s\n' "$*"; }
fail() { printf '\nSconce could not be set up: %s\n' "$*"; exit 1; }
human() { awk -v b="$1" 'BEGIN { if (b >= 1e9) printf "%.1f GB", b/1e9; else printf "%.0f MB", b/1e6 }'; }
free_bytes() { local d=$1; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; df -PB1 "$d" | awk 'NR==2 {print $4}'; }

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "LibTorch's wheel is for Linux on x86-64; this is $(uname -s) on $(uname -m)."

# ---- Debian packages ----
packages=$(cat "$here/packages-build.txt"); [ $tests = 1 ] && packages="$packages $(cat "$here/packages-test.txt")"
missing=()
if command -v dpkg-query >/dev/null; then
    for package in $packages; do
        case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" in installed) ;; *) missing+=("$package") ;; esac
    done
else
    say "This is not a Debian system. These Debian packages, or their equals, must be there: $(echo $packages)"
fi
sudo=()
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing and there is no sudo. As root, run: apt-get install --no-install-recommends ${missing[*]}"
    sudo=(sudo)
fi
if [ ${#missing[@]} -gt 0 ]; then
    say "Looking up ${#missing[@]} missing Debian packages"
    "${sudo[@]}" apt-get -q update >/dev/null || fail "the package lists could not be read (apt-get update failed). Is there a network?"
    uris=$(apt-get install --no-install-recommends --print-uris -qq -y "${missing[@]}" 2>/dev/null) \
        || fail "Debian does not know one of these packages: ${missing[*]}. Sconce needs Debian 12 or newer."
    apt_download=$(awk '{s += $3} END {printf "%d", s}' <<<"$uris")
    apt_count=$(grep -c . <<<"$uris" || true)
    apt_disk=$(( apt_download * 4 ))
else
    apt_download=0 apt_count=0 apt_disk=0
fi

# ---- LibTorch ----
deps=${SCONCE_DEPS:-${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/sconce-deps}
if [ $gpu = auto ]; then
    if [ -e /proc/driver/nvidia/version ] || ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then gpu=yes; else gpu=no; fi
fi
torch_download=0 torch_disk=0 need_cpu=0 need_gpu=0 need_headers=0
if [ -n "${SCONCE_LIBTORCH:-}" ]; then
    libtorch=$SCONCE_LIBTORCH
    [ -e "$libtorch/torch/lib/libtorch_cpu.so" ] || fail "SCONCE_LIBTORCH is $libtorch, but there is no torch/lib/libtorch_cpu.so in it."
else
    libtorch=$deps/libtorch-2.11.0
    [ -e "$libtorch/.cpu-complete" ] || { need_cpu=1; torch_download=$((torch_download + 544000000)); torch_disk=$((torch_disk + 1250000000)); }
    [ $gpu = no ] || [ -e "$libtorch/.gpu-complete" ] || { need_gpu=1; torch_download=$((torch_download + 1750000000)); torch_disk=$((torch_disk + 2900000000)); }
    # 0.1 MB. What was set up without a GPU before there were any is left as it is: it needs no network now.
    [ -e "$libtorch/.headers-complete" ] || [ "$gpu$need_cpu" = no0 ] || need_headers=1
fi

build_disk=400000000; [ $tests = 1 ] && build_disk=900000000
[ -e "$root/build/release/build.ninja" ] && build_disk=100000000
if [ $((apt_download + torch_download)) -gt 0 ]; then
    say "What will be downloaded"
    [ $apt_count -gt 0 ] && printf '   %s Debian packages      %s, about %s on disk\n' "$apt_count" "$(human $apt_download)" "$(human $apt_disk)"
    [ $need_cpu = 1 ] && printf '   LibTorch 2.11.0          %s, %s in %s\n' "$(human 544000000)" "$(human 1250000000)" "$libtorch"
    [ $need_gpu = 1 ] && printf '   NVIDIA libraries         %s, %s in the same folder\n' "$(human 1750000000)" "$(human 2900000000)"
    printf '   The build takes          about %s\n' "$(human $build_disk)"
fi
need=$(( torch_disk + torch_download ))
[ $need = 0 ] || [ "$(free_bytes "$deps")" -gt $((need + 200000000)) ] \
    || fail "$(human $need) are needed in $deps while unpacking, but only $(human "$(free_bytes "$deps")") are free. Make room, or set SCONCE_DEPS to a folder on another disk."
[ $apt_disk = 0 ] || [ "$(free_bytes /usr)" -gt $((apt_disk + apt_download)) ] \
    || fail "the packages need about $(human $((apt_disk + apt_download))) on the system disk, but only $(human "$(free_bytes /usr)") are free."
[ $build = 0 ] || [ "$(free_bytes "$root")" -gt $build_disk ] \
    || fail "the build needs about $(human $build_disk), but only $(human "$(free_bytes "$root")") are free at $root."

if [ ${#missing[@]} -gt 0 ]; then
    say "Installing Debian packages"
    # An install that was interrupted leaves dpkg half-way; this finishes it and is a no-op otherwise.
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >/dev/null || true
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" \
        | awk '/^(Get:|Unpacking|Setting up)/ {n++; if (n % 25 == 0) {printf "   %s\n", $0; fflush()}} /^E:/ {print}' \
        || fail "apt-get could not install the packages; its message stands above."
fi

fetch() { # NAME REQUIREMENTS: downloads with checksums, unpacks only what is needed, marks completion last
    local name=$1 requirements=$2
    local wheels=$deps/downloads-$name
    say "Downloading $name (checked by SHA-256)"
    mkdir -p "$wheels" "$libtorch"
    TMPDIR=$wheels PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore python3 -m pip download --no-deps --no-cache-dir --require-hashes \
        --only-binary=:all: --implementation cp --python-version 3.11 \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_18_x86_64 \
        --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2010_x86_64 --platform manylinux_2_12_x86_64 \
        --platform manylinux1_x86_64 --platform manylinux_2_5_x86_64 \
        -d "$wheels" -r "$requirements" || fail "the download failed or a checksum did not match. Run the same command again; nothing has been changed."
    say "Unpacking $name"
    python3 - "$wheels" "$libtorch" <<'PY' || fail "the wheels could not be unpacked into $libtorch."
import os, sys, zipfile
wheels, target = sys.argv[1:]
for wheel in sorted(os.listdir(wheels)):
    if not wheel.endswith(".whl"):
        continue
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        # Python code, test programs and the compiler's tools are never needed.
        members = [m for m in archive.namelist()
                   if m.startswith(("torch/lib/", "torch/include/", "nvidia/")) or "LICENSE" in m or m.endswith("METADATA")]
        for number, member in enumerate(members):
            archive.extract(member, target)
        print(f"   {wheel}: {len(members)} files", file=sys.stderr)
PY
    rm -rf "$wheels"
    touch "$libtorch/.$name-complete"
}
if [ $((need_cpu + need_gpu + need_headers)) -gt 0 ]; then
    mkdir -p "$deps" || fail "the folder $deps could not be made."
    exec 9>"$deps/lock"
    flock -n 9 || { say "Another set-up is at work in $deps; waiting for it"; flock 9; }
    [ $need_cpu = 0 ] || [ -e "$libtorch/.cpu-complete" ] || fetch cpu "$here/libtorch-cpu.txt"
    [ $need_gpu = 0 ] || [ -e "$libtorch/.gpu-complete" ] || fetch gpu "$here/libtorch-gpu.txt"
    [ $need_headers = 0 ] || [ -e "$libtorch/.headers-complete" ] || fetch headers "$here/libtorch-headers.txt"
    exec 9>&-
fi

# ---- build ----
if [ $build = 1 ]; then
    cd "$root"
    folder=build/release
    mkdir -p $folder || fail "the folder $root/$folder could not be made."
    stamp="$libtorch $tests"; [ ! -e "$libtorch/.headers-complete" ] || stamp="$stamp headers"
    if [ ! -e $folder/build.ninja ] || [ "$(cat $folder/.setup 2>/dev/null)" != "$stamp" ]; then
        say "Configuring"
        cmake --preset release -DSCONCE_LIBTORCH="$libtorch" -DSCONCE_TESTS=$([ $tests = 1 ] && echo ON || echo OFF) >$folder/configure.log 2>&1 \
            || { tail -n 15 $folder/configure.log; fail "CMake could not configure the build; the whole log is in $root/$folder/configure.log."; }
        echo "$stamp" >$folder/.setup
    fi
    # One compiler per 1.5 GB: the files that see torch's headers are large.
    jobs=$(nproc); memory=$(awk '/MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo); [ "$memory" -lt "$jobs" ] && jobs=$(( memory > 0 ? memory : 1 ))
    if ! cmake --build --preset release -- -n 2>/dev/null | grep -q 'no work to do'; then
        say "Building (the first time takes several minutes)"
        if [ -t 1 ]; then cmake --build --preset release -- -j "$jobs" || fail "the build failed; the compiler's message stands above."
        else
            cmake --build --preset release -- -j "$jobs" >$folder/build.log 2>&1 & builder=$!
            while kill -0 $builder 2>/dev/null; do
                for _ in $(seq 20); do sleep 1; kill -0 $builder 2>/dev/null || break; done
                printf '   %s\n' "$(tail -c 400 $folder/build.log | grep -o '^\[[0-9]*/[0-9]*\]' | tail -n 1)"
            done
            wait $builder || { grep -E 'error|FAILED' -A 4 $folder/build.log | head -n 40; fail "the build failed; the whole log is in $root/$folder/build.log."; }
        fi
    fi
fi
exec 1>&3

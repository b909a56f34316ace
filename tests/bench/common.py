# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benches share: reading MNIST, the peer's best setting of malloc, rounds in turns, and the table."""
import argparse
import gzip
import json
import os
import statistics
import struct
import subprocess
import sys


def read_idx(folder, stem):
    for name, opener in ((stem, open), (stem + ".gz", gzip.open)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with opener(path, "rb") as file:
                return file.read()
    sys.exit(f"{stem} was not found in {folder}.")


def load(folder):
    import numpy as np

    images = read_idx(folder, "train-images-idx3-ubyte")
    labels = read_idx(folder, "train-labels-idx1-ubyte")
    count, height, width = struct.unpack(">III", images[4:16])
    x = np.frombuffer(images, np.uint8, offset=16).reshape(count, 1, height, width)
    y = np.frombuffer(labels, np.uint8, offset=8)
    keep = int(count * 0.9)  # the last tenth is for validation
    return x[:keep], y[:keep]


def keep_large_blocks():
    import ctypes

    libc = ctypes.CDLL("libc.so.6")
    M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, 512 << 20)
    libc.mallopt(M_TOP_PAD, 64 << 20)


def report(who, times, **more):
    """One measurement of a peer as a JSON line; times in seconds."""
    times = sorted(times)
    at = lambda share: times[int(share * (len(times) - 1))] * 1e3
    print(json.dumps({"who": who, "median_ms": at(0.5), "mean_ms": statistics.mean(times) * 1e3, "p10_ms": at(0.1), "p90_ms": at(0.9), "steps": len(times), **more}))


def last_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"This ended with code {done.returncode}: {' '.join(command)}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def in_turns(commands, rounds, unit, key="median_ms"):
    """Runs every command once a round; a list of their results by name."""
    results = {who: [] for who in commands}
    for turn in range(rounds):
        for who, command in commands.items():
            result = last_json(command)
            results[who].append(result)
            print(f"round {turn + 1}: {who:12} {result[key]:9.2f} {unit}", file=sys.stderr, flush=True)
    return results


def print_table(results, unit, ours="sconce", key="median_ms", floor=None):
    """Medians of the rounds, their spread, the share of the floor, and how many times faster ours is; returns the medians."""
    medians = {who: statistics.median(r[key] for r in runs) for who, runs in results.items()}
    of_floor = f"{'of floor':>10}" if floor else ""
    print(f"{'':12}{unit:>12}{'spread':>20}{of_floor}{'Sconce is':>12}")
    for who, runs in results.items():
        values = sorted(r[key] for r in runs)
        name = who.replace("sconce", "Sconce") if who.startswith(ours) else who if who == "keras" else "torch " + who
        share = f"{floor / medians[who]:10.0%}" if floor else ""
        ratio = "" if who == ours else f"{medians[who] / medians[ours]:9.2f} ×"
        spread = f"{values[0]:.2f}–{values[-1]:.2f}"
        print(f"{name:15}{medians[who]:9.2f}{spread:>20}{share}{ratio:>12}")
    return medians


def main(peer, table, modes, rounds, usual=None, **numbers):
    """`peer MODE` makes one measurement, `table` runs the usual modes (or --modes) in turns; both take --data and the numbers,
    named as given here."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("peer")
    one.add_argument("mode", choices=modes)
    everything = commands.add_parser("table")
    everything.add_argument("--sconce", required=True)
    everything.add_argument("--rounds", type=int, default=rounds)
    everything.add_argument("--modes", nargs="+", choices=modes, default=usual or modes)
    for command in (one, everything):
        command.add_argument("--data", default="")
        command.add_argument("--threads", type=int, default=2)
        for name, value in numbers.items():
            command.add_argument("--" + name, type=int, default=value)
    options = parser.parse_args()
    if options.command == "table":
        return table(options)
    peer(options)
    return 0

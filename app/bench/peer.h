// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The other side of a bench: a script of tests/bench, run by a Python of the person's that has PyTorch, each measurement in a process
// of its own. The script's last line is its figures as JSON. Used on the thread that measures, which waits for the script.

#include "app/bench/benches.h"

namespace sconce::bench {

/// The script of a name: in a package's share/sconce/bench, or in tests/bench of the checkout that the program was built in.
/// NotFound, with the places, where there is none.
Result<std::string> findPeerScript(const std::string& name);
/// The same from a program's folder; for tests.
Result<std::string> findPeerScript(const std::string& name, const std::string& programFolder);

/// The Python that measures a mode: the person's own with PyTorch, or for another framework the one that SCONCE_BENCH_KERAS or
/// SCONCE_BENCH_JAX names. NotFound, with what makes one, where that is not set.
Result<std::string> pythonFor(const std::string& mode, const std::string& torchPython);

struct PeerSpec
{
    std::string python; ///< a path, or a name in PATH
    std::string script; ///< a path, of findPeerScript()
    std::string mode;   ///< one of BenchEntry::modes
    std::string unit;   ///< of its figures, as it prints them: "ms/step"
    std::string data;   ///< a path; empty: it needs none
    int threads = 1;
    std::int64_t warm = 0, steps = 0; ///< that do not count, and that do
    std::int64_t batch = 0;           ///< samples of a step
    int epochs = 0; ///< more than 0: whole trainings, each round with a seed of its own, instead of steps
};

/// A contestant that runs the script. Its errors say what the script said last.
Contestant peerContestant(const PeerSpec& spec);

} // namespace sconce::bench

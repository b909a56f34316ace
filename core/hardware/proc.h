// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading /proc and cgroups: pure functions over a root folder, so that tests feed recorded files.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sconce::proc {

struct CpuTicks { std::uint64_t busy = 0, total = 0; };
/// The whole machine first, then each core; empty if unreadable. idle = idle + iowait.
std::vector<CpuTicks> cpuTicks(const std::string& procRoot);

struct Memory { std::uint64_t total = 0, available = 0; };
Memory memory(const std::string& procRoot);

std::uint64_t residentBytes(const std::string& procRoot); ///< of this process
std::string cpuModel(const std::string& procRoot);
std::vector<std::string> cpuFeatures(const std::string& procRoot);

/// Limits of this process's cgroup (v2, else v1), the tightest of it and its parents.
struct Limits { std::optional<double> cores; std::optional<std::uint64_t> memoryBytes; };
Limits cgroupLimits(const std::string& procRoot, const std::string& sysRoot);

} // namespace sconce::proc

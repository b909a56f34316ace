// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/hardware/proc.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

namespace sconce::proc {

namespace {

std::string firstLine(const std::string& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::optional<std::uint64_t> number(const std::string& text)
{
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt; // "max"
    return std::strtoull(text.c_str(), nullptr, 10);
}

template <class T> void tighten(std::optional<T>& limit, T value)
{
    if (!limit || value < *limit) limit = value;
}

void readV2(const std::string& folder, Limits& limits)
{
    std::istringstream quota(firstLine(folder + "/cpu.max"));
    std::string share, period;
    quota >> share >> period;
    const auto micros = number(share), per = number(period);
    if (micros && per && *per > 0) tighten(limits.cores, static_cast<double>(*micros) / static_cast<double>(*per));
    if (const auto bytes = number(firstLine(folder + "/memory.max"))) tighten(limits.memoryBytes, *bytes);
}

/// Calls visit for the folder and each of its parents below root.
template <class Visit> void upwards(const std::string& root, std::string path, Visit visit)
{
    while (true) {
        visit(root + (path == "/" ? "" : path));
        if (path.empty() || path == "/") return;
        const auto slash = path.rfind('/');
        path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
    }
}

} // namespace

std::vector<CpuTicks> cpuTicks(const std::string& procRoot)
{
    std::vector<CpuTicks> all;
    std::ifstream file(procRoot + "/stat");
    std::string line;
    while (std::getline(file, line) && line.starts_with("cpu")) {
        std::istringstream fields(line);
        std::string label;
        fields >> label;
        std::array<std::uint64_t, 8> value{}; // user nice system idle iowait irq softirq steal
        for (auto& v : value) fields >> v;
        CpuTicks ticks;
        for (const auto v : value) ticks.total += v;
        ticks.busy = ticks.total - value[3] - value[4];
        all.push_back(ticks);
    }
    return all;
}

Memory memory(const std::string& procRoot)
{
    Memory result;
    std::ifstream file(procRoot + "/meminfo");
    std::string key, unit;
    std::uint64_t kib = 0;
    while (file >> key >> kib) {
        std::getline(file, unit);
        if (key == "MemTotal:") result.total = kib * 1024;
        if (key == "MemAvailable:") result.available = kib * 1024;
    }
    return result;
}

std::uint64_t residentBytes(const std::string& procRoot)
{
    std::ifstream file(procRoot + "/self/statm");
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string cpuModel(const std::string& procRoot)
{
    std::ifstream file(procRoot + "/cpuinfo");
    std::string line;
    while (std::getline(file, line))
        if (line.starts_with("model name")) {
            const auto colon = line.find(": ");
            return colon == std::string::npos ? "CPU" : line.substr(colon + 2);
        }
    return "CPU";
}

std::vector<std::string> cpuFeatures(const std::string& procRoot)
{
    std::ifstream file(procRoot + "/cpuinfo");
    std::string line;
    std::set<std::string> flags;
    while (std::getline(file, line))
        if (line.starts_with("flags")) {
            std::istringstream words(line.substr(line.find(':') + 1));
            for (std::string word; words >> word;) flags.insert(word);
            break;
        }
    constexpr std::array<std::pair<const char*, const char*>, 5> shown{
        {{"avx2", "AVX2"}, {"avx512f", "AVX-512"}, {"avx512_bf16", "AVX512-BF16"}, {"amx_bf16", "AMX"}, {"avx_vnni", "VNNI"}}};
    std::vector<std::string> features;
    for (const auto& [flag, title] : shown)
        if (flags.contains(flag)) features.emplace_back(title);
    return features;
}

Limits cgroupLimits(const std::string& procRoot, const std::string& sysRoot)
{
    Limits limits;
    std::ifstream file(procRoot + "/self/cgroup");
    std::string line;
    const std::string mount = sysRoot + "/fs/cgroup";
    while (std::getline(file, line)) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
        if (controllers.empty()) {
            upwards(mount, path, [&](const std::string& folder) { readV2(folder, limits); });
            continue;
        }
        const std::string padded = "," + controllers + ",";
        if (padded.find(",cpu,") != std::string::npos)
            upwards(mount + "/cpu", path, [&](const std::string& folder) {
                const auto quota = number(firstLine(folder + "/cpu.cfs_quota_us")), period = number(firstLine(folder + "/cpu.cfs_period_us"));
                if (quota && period && *quota > 0 && *period > 0) tighten(limits.cores, static_cast<double>(*quota) / static_cast<double>(*period));
            });
        if (padded.find(",memory,") != std::string::npos)
            upwards(mount + "/memory", path, [&](const std::string& folder) {
                const auto bytes = number(firstLine(folder + "/memory.limit_in_bytes"));
                if (bytes && *bytes < (std::uint64_t{1} << 60)) tighten(limits.memoryBytes, *bytes); // v1 writes 2^63 for "none"
            });
    }
    return limits;
}

} // namespace sconce::proc

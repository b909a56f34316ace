// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The machine: what it is (once) and how it is doing (now). CPU, memory and disk from /proc and /sys within the limits of
// cgroups; GPUs through NVML, loaded at run time with declarations of our own. No NVML is a normal state. Values that could
// not be read are absent, never 0.

#include "core/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sconce {

struct CpuFacts
{
    std::string model;          ///< "Intel(R) Xeon(R) Processor"
    int cores = 0;              ///< logical, of the machine
    int usable = 0;             ///< min(affinity, cgroup quota), at least 1: what thread defaults come from
    std::uint64_t memoryBytes = 0; ///< limit of the cgroup, else of the machine
    std::vector<std::string> features; ///< "AVX2", "AVX-512", "AVX512-BF16", "AMX"
};

struct GpuFacts
{
    int index = 0;              ///< NVML's; not CUDA's
    std::string name, uuid, pciBusId;
    std::uint64_t memoryBytes = 0;
    std::optional<double> powerLimitWatts;
    std::optional<int> temperatureSlowdown; ///< °C
};

struct MachineFacts
{
    std::string hostName, system, kernel;
    CpuFacts cpu;
    std::vector<GpuFacts> gpus;
    std::string gpuDriver;      ///< empty where there is none
    std::string gpuState;       ///< a sentence where there is no usable GPU: "No NVIDIA driver was found; training uses the CPU."
};

struct GpuProcess { std::int64_t pid = 0; std::string name; std::optional<std::uint64_t> memoryBytes; };

struct GpuReading
{
    std::optional<double> use;             ///< 0…1: share of time with work on the device, not efficiency
    std::optional<std::uint64_t> memoryUsed, memoryTotal;
    std::optional<double> temperature, powerWatts, smClockMhz, fan;
    std::vector<std::string> limitedBy;    ///< "power cap", "heat": clock-event reasons now
    std::vector<GpuProcess> processes;
};

struct MachineReading
{
    double seconds = 0;                    ///< monotonic
    std::optional<double> cpu;             ///< 0…1 of the usable cores
    std::vector<double> perCore;           ///< 0…1
    std::uint64_t memoryUsed = 0, memoryTotal = 0;
    std::uint64_t processMemory = 0;       ///< resident, this process
    std::optional<std::uint64_t> diskFree; ///< of the store's disk
    std::vector<GpuReading> gpus;          ///< as MachineFacts::gpus
};

/// Paths and library names, replaced by tests.
struct HardwareSources
{
    std::string proc = "/proc", sys = "/sys";
    std::string nvmlLibrary; ///< empty: $SCONCE_NVML, else libnvidia-ml.so.1
};

/// Bytes that this process may fill: the machine's memory, or the limit of its cgroup where that is tighter. Filling more gets it
/// killed, not refused. Cheap: two or three small files.
std::uint64_t usableMemory(const HardwareSources& sources = {});

/// Reads the machine. Not thread-safe: one owner, one thread (telemetry runs it on a thread of its own).
class Machine
{
  public:
    explicit Machine(HardwareSources sources = {}, std::string storePath = {});
    ~Machine();
    const MachineFacts& facts() const;
    /// One sample; rates are differences to the sample before (the first has no cpu).
    MachineReading read();

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Samples once a second on a thread of its own and calls `sink` there. Stops when destroyed.
class Telemetry
{
  public:
    using Sink = std::function<void(const MachineFacts&, const MachineReading&)>;
    Telemetry(HardwareSources sources, std::string storePath, double intervalSeconds, Sink sink);
    ~Telemetry();

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace sconce

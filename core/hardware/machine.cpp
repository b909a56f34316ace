// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/hardware/machine.h"

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/hardware/nvml.h"
#include "core/hardware/proc.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <sched.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace sconce {

namespace {

/// Asking who uses a GPU costs more than the rest of a sample together.
constexpr double processInterval = 5.0;

int coresAllowed(double cgroupCores)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    const int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    return std::max(1, std::min(allowed, static_cast<int>(std::ceil(cgroupCores))));
}

std::string systemName()
{
    std::ifstream file("/etc/os-release");
    std::string line;
    while (std::getline(file, line))
        if (line.starts_with("PRETTY_NAME=")) {
            std::string name = line.substr(12);
            std::erase(name, '"');
            return name;
        }
    return "Linux";
}

double share(const proc::CpuTicks& now, const proc::CpuTicks& before)
{
    const auto total = now.total - before.total;
    return total == 0 || now.total < before.total ? 0.0 : std::clamp(static_cast<double>(now.busy - before.busy) / static_cast<double>(total), 0.0, 1.0);
}

std::uint64_t tightest(const HardwareSources& sources, const proc::Limits& limits)
{
    return std::min(proc::memory(sources.proc).total, limits.memoryBytes.value_or(~std::uint64_t{0}));
}

} // namespace

std::uint64_t usableMemory(const HardwareSources& sources) { return tightest(sources, proc::cgroupLimits(sources.proc, sources.sys)); }

struct Machine::Impl
{
    HardwareSources sources;
    std::string storePath;
    MachineFacts facts;
    Nvml nvml;
    std::vector<proc::CpuTicks> before;
    double processesReadAt = -1e9;

    Impl(HardwareSources s, std::string path) : sources(std::move(s)), storePath(std::move(path)), nvml(sources.nvmlLibrary)
    {
        utsname names{};
        if (uname(&names) == 0) {
            facts.hostName = names.nodename;
            facts.kernel = names.release;
        }
        facts.system = systemName();
        const auto limits = proc::cgroupLimits(sources.proc, sources.sys);
        facts.cpu.model = proc::cpuModel(sources.proc);
        facts.cpu.features = proc::cpuFeatures(sources.proc);
        facts.cpu.cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
        facts.cpu.usable = coresAllowed(limits.cores.value_or(1e6));
        facts.cpu.memoryBytes = tightest(sources, limits);
        facts.gpus = nvml.gpus();
        facts.gpuDriver = nvml.driver();
        facts.gpuState = nvml.state();
    }
};

Machine::Machine(HardwareSources sources, std::string storePath) : m_impl(std::make_unique<Impl>(std::move(sources), std::move(storePath))) {}
Machine::~Machine() = default;

const MachineFacts& Machine::facts() const { return m_impl->facts; }

MachineReading Machine::read()
{
    auto& m = *m_impl;
    MachineReading reading;
    reading.seconds = Clock::system().monotonicSeconds();

    auto ticks = proc::cpuTicks(m.sources.proc);
    if (ticks.size() == m.before.size() && !ticks.empty()) {
        // Of the cores that may be used: on a shared machine a quota of 2 of 64 cores is full at 2.
        const double machineShare = share(ticks[0], m.before[0]);
        const double scale = static_cast<double>(ticks.size() - 1) / m.facts.cpu.usable;
        reading.cpu = std::min(1.0, machineShare * std::max(1.0, scale));
        for (std::size_t i = 1; i < ticks.size(); ++i) reading.perCore.push_back(share(ticks[i], m.before[i]));
    }
    m.before = std::move(ticks);

    const auto memory = proc::memory(m.sources.proc);
    reading.memoryTotal = m.facts.cpu.memoryBytes;
    reading.memoryUsed = memory.total - std::min(memory.total, memory.available);
    reading.processMemory = proc::residentBytes(m.sources.proc);
    if (!m.storePath.empty()) {
        if (const auto free = freeBytes(m.storePath)) reading.diskFree = *free;
    }
    const bool withProcesses = reading.seconds - m.processesReadAt >= processInterval;
    if (withProcesses) m.processesReadAt = reading.seconds;
    reading.gpus = m.nvml.read(withProcesses);
    return reading;
}

struct Telemetry::Impl
{
    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;
    std::thread thread;
};

Telemetry::Telemetry(HardwareSources sources, std::string storePath, double intervalSeconds, Sink sink) : m_impl(std::make_unique<Impl>())
{
    m_impl->thread = std::thread([impl = m_impl.get(), sources = std::move(sources), storePath = std::move(storePath), intervalSeconds,
                                  sink = std::move(sink)] {
        Machine machine(sources, storePath); // made here: loading NVML may take a second
        std::unique_lock lock(impl->mutex);
        while (!impl->stopping) {
            lock.unlock();
            try { // the root of a thread: one reading that fails must not end the program
                sink(machine.facts(), machine.read());
            } catch (const std::exception& failure) {
                log(LogLevel::Warning, std::string("A reading of the machine was lost: ") + failure.what());
            }
            lock.lock();
            impl->wake.wait_for(lock, std::chrono::duration<double>(intervalSeconds), [impl] { return impl->stopping; });
        }
    });
}

Telemetry::~Telemetry()
{
    {
        std::lock_guard lock(m_impl->mutex);
        m_impl->stopping = true;
    }
    m_impl->wake.notify_all();
    m_impl->thread.join();
}

} // namespace sconce

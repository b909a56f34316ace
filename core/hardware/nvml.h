// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// NVML behind one file: loaded at run time, declarations of our own (layouts for x86-64 and AArch64, natural alignment). Every
// function besides init, shutdown, count and handle is optional; a value that cannot be read is absent. One owner, one thread.

#include "core/hardware/machine.h"

namespace sconce {

class Nvml
{
  public:
    /// Loads and initialises the library; `state()` says in words why there is no GPU when it could not.
    explicit Nvml(const std::string& library);
    ~Nvml();
    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;

    const std::vector<GpuFacts>& gpus() const { return m_gpus; }
    const std::string& driver() const { return m_driver; }
    const std::string& state() const { return m_state; } ///< empty when there is a GPU to read
    /// Fresh readings, in the order of gpus(). `withProcesses` also asks who uses them (slower: every few seconds).
    std::vector<GpuReading> read(bool withProcesses);

  private:
    struct Api;
    std::unique_ptr<Api> m_api;
    std::vector<void*> m_handles;
    std::vector<GpuFacts> m_gpus;
    std::vector<std::vector<GpuProcess>> m_processes;
    std::string m_driver, m_state;

    void listDevices();
    void readMemory(void* device, GpuReading& reading) const;
    void readLimits(void* device, GpuReading& reading) const;
    std::vector<GpuProcess> processesOf(void* device) const;
};

} // namespace sconce

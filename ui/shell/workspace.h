// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The wiring: makes the services over an opened store, in the order in which they need each other, and takes them down in
// the reverse order. One per window; the window's thread.

#include "ui/services/studio.h"

namespace sconce::ui {

class Workspace
{
  public:
    /// settings must outlive it; workerProgram is the `sconce` command line that trains on in the background.
    Workspace(std::shared_ptr<Store> store, Settings& settings, QString workerProgram, HardwareSources sources = {});
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    Studio& studio() { return m_studio; }

  private:
    Navigator m_navigator;
    StallMeter m_stalls;
    Jobs m_jobs;
    RunList m_runs;
    RunService m_runService;
    DataService m_data;
    HardwareService m_hardware;
    Studio m_studio;
};

} // namespace sconce::ui

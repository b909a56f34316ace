// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/workspace.h"

namespace sconce::ui {

Workspace::Workspace(std::shared_ptr<Store> store, Settings& settings, QString workerProgram, HardwareSources sources)
    : m_runs(store, m_jobs)
    , m_runService(store, m_jobs, m_runs, settings, std::move(workerProgram))
    , m_data(store, m_jobs)
    , m_hardware(m_jobs, QString::fromStdString(store->folder()), std::move(sources))
{
    m_studio.store = std::move(store);
    m_studio.jobs = &m_jobs;
    m_studio.settings = &settings;
    m_studio.runs = &m_runs;
    m_studio.runService = &m_runService;
    m_studio.data = &m_data;
    m_studio.hardware = &m_hardware;
    m_studio.stalls = &m_stalls;
    m_studio.navigator = &m_navigator;
    m_runs.refresh();
    m_data.refresh();
}

Workspace::~Workspace() = default;

} // namespace sconce::ui

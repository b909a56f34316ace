// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/studio.h"

#include <mutex>

namespace sconce::ui {

namespace {
constexpr std::size_t tenMinutes = 600;
constexpr int engineDelayMs = 250; ///< LibTorch's CUDA part is heavy to load: only after the window's first paint

struct EngineFacts { std::vector<ComputeDevice> devices; EngineVersions versions; };

/// The newest sample on its way from the telemetry thread to the window's.
struct Letterbox
{
    std::mutex mutex;
    HardwareService* owner = nullptr;
    MachineFacts facts;
    std::vector<MachineReading> readings;
};
} // namespace

struct HardwareService::Impl
{
    MachineFacts facts;
    MachineReading reading;
    std::vector<MachineReading> history;
    std::vector<ComputeDevice> devices;
    EngineVersions versions;
    std::shared_ptr<Letterbox> box = std::make_shared<Letterbox>();
    std::unique_ptr<Telemetry> telemetry;

    bool collect()
    {
        std::vector<MachineReading> arrived;
        {
            const std::lock_guard lock(box->mutex);
            arrived.swap(box->readings);
            if (arrived.empty()) return false;
            facts = box->facts;
        }
        for (MachineReading& one : arrived) history.push_back(std::move(one));
        if (history.size() > tenMinutes) history.erase(history.begin(), history.end() - tenMinutes);
        reading = history.back();
        return true;
    }
};

HardwareService::HardwareService(Jobs& jobs, QString storeFolder, HardwareSources sources, QObject* parent)
    : QObject(parent)
    , m(std::make_unique<Impl>())
{
    m->box->owner = this;
    auto sink = [this, box = m->box](const MachineFacts& facts, const MachineReading& reading) {
        const std::lock_guard lock(box->mutex);
        if (!box->owner) return;
        box->facts = facts;
        box->readings.push_back(reading);
        if (box->readings.size() > tenMinutes) box->readings.erase(box->readings.begin());
        if (box->readings.size() > 1) return; // one call is on its way already
        QMetaObject::invokeMethod(box->owner, [this] { if (m->collect()) Q_EMIT sampled(); }, Qt::QueuedConnection);
    };
    m->telemetry = std::make_unique<Telemetry>(std::move(sources), storeFolder.toStdString(), 1.0, std::move(sink));
    QTimer::singleShot(engineDelayMs, this, [this, &jobs] {
        jobs.run<EngineFacts>(
            this, [] { return EngineFacts{computeDevices(), engineVersions()}; },
            [this](EngineFacts known) {
                m->devices = std::move(known.devices);
                m->versions = std::move(known.versions);
                Q_EMIT devicesKnown();
            });
    });
}

HardwareService::~HardwareService()
{
    {
        const std::lock_guard lock(m->box->mutex);
        m->box->owner = nullptr;
    }
    m->telemetry.reset();
}

const MachineFacts& HardwareService::facts() const { return m->facts; }
const MachineReading& HardwareService::reading() const { return m->reading; }
const std::vector<MachineReading>& HardwareService::history() const { return m->history; }
const std::vector<ComputeDevice>& HardwareService::devices() const { return m->devices; }
const EngineVersions& HardwareService::versions() const { return m->versions; }

} // namespace sconce::ui

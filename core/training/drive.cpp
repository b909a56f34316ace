// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/devices.h"
#include "core/engine/memory.h"
#include "core/hardware/machine.h"
#include "core/recipe/limits.h"
#include "core/training/event_desk.h"
#include "core/training/hardware_values.h"
#include "core/training/priority.h"
#include "core/training/run_data.h"
#include "core/training/run_host.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace sconce {

namespace {

constexpr double timingAfter = 1.0;   ///< seconds of steps before their speed is worth remembering
constexpr double timingEvery = 30.0;
constexpr double longestHandOver = 2.0;
constexpr double lastChance = 5.0;    ///< seconds that the end of a run waits for a history that cannot be written

/// A run that stands in the store, on its way through one attempt.
class Drive
{
  public:
    Drive(std::shared_ptr<Store> store, RunRow row, const DriveOptions& options, CommandQueue& commands, const EventSink& sink)
        : m_store(std::move(store)), m_row(std::move(row)), m_options(options), m_commands(commands), m_desk(*m_store, m_row.id, options.host, sink)
    {
    }

    Result<RunEnded> run()
    {
        removeStaleStaging(m_row.folder);
        openSocket();
        auto prepared = prepare();
        if (!prepared) return failBeforeStart(prepared.error());
        startTelemetry();
        RunEnded ended = trainRun(m_input, m_commands, [this](const EventBody& body) { return emit(body); });
        m_telemetry.reset();
        insistOnHistory();
        return ended;
    }

  private:
    void openSocket()
    {
        if (!m_options.listen) return;
        auto socket = SocketServer::open(m_row.folder, m_commands);
        if (socket) {
            m_socket = std::move(*socket);
            m_desk.setSocket(m_socket.get());
        } else { // worth a warning, not the run
            say("warning", "Other windows cannot attach to this run: " + socket.error().message);
        }
    }

    Result<void> prepare()
    {
        auto recipe = m_store->recipe(m_row.id);
        if (!recipe) return recipe.error();
        m_input.recipe = std::move(*recipe);
        m_input.run = m_row.id;
        m_input.runFolder = m_row.folder;
        m_input.attempt = m_row.attempts + 1;
        m_input.epochs = m_options.epochs;
        m_input.settle = [this] { return m_desk.settle(); };
        SCONCE_TRY(findCheckpoint());
        if (m_input.resumeFrom) m_desk.setClock(m_input.resumeFrom->state.secondsTrained);
        if (m_input.resumeFrom && m_options.epochs && *m_options.epochs < m_input.resumeFrom->state.epoch)
            return Error{ErrorCode::Invalid, "This run has done " + plural(m_input.resumeFrom->state.epoch, "epoch", "epochs") + " already; it cannot be trained to " +
                                                 plural(*m_options.epochs, "epoch", "epochs") + ".", "Give a larger number.", ""};
        SCONCE_TRY(findData());
        return chooseDevice();
    }

    /// The newest that verifies. None at all: from the start, which is exact too.
    Result<void> findCheckpoint()
    {
        std::vector<std::string> skipped;
        auto checkpoint = newestValidCheckpoint(m_row.folder, &skipped);
        for (const std::string& sentence : skipped) say("warning", sentence);
        if (checkpoint) {
            m_input.resumeFrom = std::move(*checkpoint);
            m_input.recipe = m_input.resumeFrom->recipe;
        } else if (checkpoint.error().code != ErrorCode::NotFound) {
            return checkpoint.error();
        } else if (m_row.attempts > 0) {
            // With damage before it, a warning: somebody expected to go on.
            say(skipped.empty() ? "info" : "warning", "There is no checkpoint to go on from; the run begins again.");
        }
        return {};
    }

    Result<void> findData()
    {
        auto progress = [this](double, const std::string&) { return !m_commands.stopRequested(); };
        auto data = reopenData(*m_store, m_row, m_input.recipe, progress);
        if (!data) return data.error();
        m_input.data = std::move(*data);
        return {};
    }

    /// Automatic choices are made once (rule 8): a resumed run takes device and threads from its checkpoint.
    Result<void> chooseDevice()
    {
        const Json before = m_input.resumeFrom ? m_input.resumeFrom->state.choices : Json();
        auto chosen = [&](const char* key) { return before.is_object() ? before.value(key, Json()) : Json(); };
        const Json device = chosen("device"), threads = chosen("threads");
        auto resolved = resolveDevice(device.is_string() ? device.get<std::string>() : m_input.recipe.device);
        if (!resolved) return resolved.error();
        m_input.recipe.device = *resolved;
        const CpuFacts cpu = Machine().facts().cpu;
        m_input.threads = threads.is_number_integer() && threads.get<std::int64_t>() > 0 && threads.get<std::int64_t>() <= 4096
                              ? threads.get<int>()
                              : m_input.recipe.threads > 0 ? m_input.recipe.threads : std::max(1, cpu.usable);
        m_input.choices = before.is_object() ? before : Json::object();
        const EngineVersions versions = engineVersions();
        const Json versionsNow{{"sconce", SCONCE_VERSION}, {"torch", versions.torch}, {"cpu", versions.cpuCapability}};
        if (const Json then = chosen("versions"); then.is_object() && then != versionsNow)
            say("warning", "The checkpoint was made with other versions (" + then.dump() + " then, " + versionsNow.dump() + " now): the numbers that follow may differ in the last digits.");
        m_input.choices["versions"] = versionsNow;
        m_input.deviceName = *resolved == "cpu" ? cpu.model : "";
        if (*resolved == "cpu") return {};
        for (const ComputeDevice& each : computeDevices()) {
            if (each.id != *resolved) continue;
            m_input.deviceName = each.name;
            m_input.choices["device_uuid"] = each.uuid;
            m_desk.setDevice(m_deviceUuid = each.uuid);
        }
        return {};
    }

    void startTelemetry()
    {
        if (m_options.hardwareInterval <= 0) return;
        m_telemetry = std::make_unique<Telemetry>(HardwareSources{}, m_store->folder(), m_options.hardwareInterval,
                                                  [this](const MachineFacts& facts, const MachineReading& reading) {
                                                      const KeptOn kept{m_input.recipe.device, m_deviceUuid, keptMemory(m_input.recipe.device)};
                                                      m_desk.hardware(hardwareValues(facts, reading, kept));
                                                  });
    }

    Result<void> emit(const EventBody& body)
    {
        if (const auto* steps = std::get_if<StepsDone>(&body)) rememberSpeed(*steps);
        return m_desk.emit(body);
    }

    /// For "expected time of an epoch" the next time the same plan is composed for the same device.
    void rememberSpeed(const StepsDone& steps)
    {
        if (steps.seconds.empty() || steps.samplesPerSecond <= 0) return;
        m_timedSteps += static_cast<std::int64_t>(steps.seconds.size());
        m_timedSeconds += static_cast<double>(steps.seconds.size()) * static_cast<double>(m_input.recipe.training.batchSize) / steps.samplesPerSecond;
        const double now = Clock::system().monotonicSeconds();
        if (m_timedSeconds < timingAfter || (m_lastTiming > 0 && now - m_lastTiming < timingEvery)) return;
        m_lastTiming = now;
        const double rate = static_cast<double>(m_timedSteps * m_input.recipe.training.batchSize) / m_timedSeconds;
        (void)m_store->putTiming(timingKey(m_input.recipe, factsOf(m_input.data->info()), m_input.recipe.device), rate); // a nicety: a full disk shows elsewhere
        m_timedSteps = 0;
        m_timedSeconds = 0;
    }

    void say(const char* level, std::string text)
    {
        (void)m_desk.emit(LogLine{level, Clock::system().wallMs(), std::move(text)});
    }

    /// A run that never began is marked as failed, so that it does not seem to wait for ever; one that has work behind it stays
    /// interrupted, to be resumed when the cause is gone. Stopped before it began, it is stopped.
    Result<RunEnded> failBeforeStart(const Error& error)
    {
        const bool cancelled = error.code == ErrorCode::Cancelled && m_commands.stopRequested();
        RunEnded ended;
        ended.summary = m_row.summary;
        ended.status = m_row.attempts > 0 ? RunStatus::Interrupted : cancelled ? RunStatus::Stopped : RunStatus::Failed;
        ended.errorCode = errorCodeName(error.code);
        ended.message = error.message;
        ended.remedy = error.remedy;
        ended.detail = error.detail;
        if (m_row.attempts > 0) m_desk.stopRecording(); // a new attempt would cut the series where the old one may still go on
        while (auto command = m_commands.take()) {
            if (command->id == 0) break; // a signal, which never ends
            (void)m_desk.emit(CommandAnswered{command->id, m_row.summary.steps, std::holds_alternative<StopCommand>(command->body), "The run ended before it began."});
        }
        (void)m_desk.emit(LogLine{"error", Clock::system().wallMs(), error.text()});
        (void)m_desk.emit(ended);
        insistOnHistory();
        if (cancelled) return ended;
        return error;
    }

    /// The loop has waited for the disk already; here only a stop during that wait arrives.
    void insistOnHistory()
    {
        const double until = Clock::system().monotonicSeconds() + lastChance;
        for (;;) {
            auto settled = m_desk.settle();
            if (settled) return;
            if (Clock::system().monotonicSeconds() >= until) {
                log(LogLevel::Error, "The end of run " + m_row.id + " could not be written into the history: " + settled.error().text());
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
    }

    const std::shared_ptr<Store> m_store;
    const RunRow m_row;
    const DriveOptions m_options;
    CommandQueue& m_commands;
    EventDesk m_desk;
    std::unique_ptr<SocketServer> m_socket;
    TrainerInput m_input;
    std::string m_deviceUuid; ///< of a GPU
    std::int64_t m_timedSteps = 0;
    double m_timedSeconds = 0, m_lastTiming = 0;
    std::unique_ptr<Telemetry> m_telemetry; ///< last: its thread reads what stands above
};

} // namespace

Result<RunEnded> driveRun(std::shared_ptr<Store> store, const RunId& run, const DriveOptions& options, CommandQueue& commands, const EventSink& sink)
{
    if (options.epochs && (*options.epochs < 1 || *options.epochs > limits::epochs))
        return Error{ErrorCode::Invalid, "The number of epochs must be between 1 and " + groupedInt(limits::epochs) + ", not " + groupedInt(*options.epochs) + ".", "", ""};
    auto row = store->run(run);
    if (!row) return row.error();
    if (store->opened().how == StoreOpened::How::ReadOnlyNewer) // before anything is said to have begun
        return Error{ErrorCode::TooNew, store->opened().message, "Use the newer version of Sconce, or another store folder.", ""};
    if (std::error_code ignored; !std::filesystem::is_directory(row->folder, ignored))
        return Error{ErrorCode::NotFound, "The folder of this run, " + row->folder + ", is not there, and its checkpoints with it.",
                     "Put it back; or let “sconce doctor” make it anew, and the run begins again from its recipe.", ""};
    auto lock = FileLock::acquire(ownerFile(row->folder), false);
    // Whoever hands a run over says so a moment before it lets go.
    for (double until = Clock::system().monotonicSeconds() + longestHandOver;
         !lock && lock.error().code == ErrorCode::Busy && Clock::system().monotonicSeconds() < until && !commands.stopRequested();) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        lock = FileLock::acquire(ownerFile(row->folder), false);
    }
    if (!lock) {
        if (lock.error().code != ErrorCode::Busy) return lock.error();
        return Error{ErrorCode::Busy, "This run is already being trained, by another window or command line.", "Attach to it there, or stop it first.", ""};
    }
    row = store->run(run); // what the one before has written since
    if (!row) return row.error();
    if (row->status == RunStatus::Finished && (!options.epochs || *options.epochs <= row->summary.epochs))
        return Error{ErrorCode::Invalid, "This run has finished its " + plural(row->summary.epochs, "epoch", "epochs") + ".", "Say how many epochs in all to train it longer.", ""};
    if (options.host == "process") lowerThisThread(processBehindTheWindow); // which stands on the same machine; a thread host has done so for itself
    auto ended = Drive(std::move(store), std::move(*row), options, commands, sink).run();
    releaseCachedMemory(); // its session is gone, and its data with it
    return ended;
}

} // namespace sconce

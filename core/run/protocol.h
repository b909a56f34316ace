// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One protocol (rule 10): events that a trainer sends and commands that it takes, small structs with a type, a version and a
// sequence number. The same encoding (one JSON object a line) serves thread, child process, socket and ssh. A reader skips
// types that it does not know and fields that it does not know.

#include "core/base/histogram.h"
#include "core/run/run.h"

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sconce {

/// The run's attempt begins (or goes on after a resume).
struct RunStarted { RunId run; int attempt = 1; std::int64_t startStep = 0, stepsPerEpoch = 0, epochs = 0, batchSize = 0;
                    std::string device, deviceName; int threads = 0; Json choices; ///< automatic choices (rule 8)
};
/// Consecutive training steps, oldest first. All vectors have the same length.
struct StepsDone { std::int64_t firstStep = 0; ///< 0-based
                   std::vector<float> loss, accuracy, learningRate; std::vector<double> seconds; ///< since the run's start, pauses left out
                   double samplesPerSecond = 0; ///< over this group
                   std::map<std::string, std::vector<float>> metrics = {}; ///< besides accuracy, by id: "mae"; accuracy is empty where the task has none
};
struct EpochDone { std::int64_t epoch = 0; ///< 1-based
                   std::int64_t step = 0;  ///< steps done so far
                   double trainLoss = 0, trainAccuracy = 0, valLoss = 0, valAccuracy = 0, seconds = 0, samplesPerSecond = 0; bool best = false;
                   MetricMap metrics = {}; ///< "train_mae", "val_mae", …; accuracies are NaN where the task has none
};
/// Validation or test under way: done of total samples.
struct EvaluationProgress { std::string what; std::int64_t done = 0, total = 0; };
struct TestDone { double loss = 0, accuracy = 0; MetricMap metrics = {}; ///< "test_mae", …
};
struct CheckpointSaved { std::string path; std::int64_t step = 0; std::string reason; ///< "epoch", "steps", "time", "pause", "stop", "signal", "asked", "end"
                         bool best = false; double seconds = 0; ///< that writing took
                         double writerCpuSeconds = 0;  ///< processor time of the thread that wrote it; waiting for the disk is none
                         double trainerCpuSeconds = 0; ///< of the training thread: copying its state (told once, where one copy is written as the best too)
};
struct StatusChanged { RunStatus status = RunStatus::Running; std::string because; };
struct LogLine { std::string level; ///< "info", "warning", "error"
                 WallMs time = 0; std::string text; };
/// Answer to a command: the step at which it took effect, or why it did not.
struct CommandAnswered { std::int64_t command = 0; std::int64_t step = 0; bool ok = true; std::string text; };
struct Amended { Amendment amendment; };
/// Hardware while the run goes on, once a second: named values ("cpu", "memory", "gpu0.use", "gpu0.memory", "gpu0.power", "gpu0.temperature").
struct HardwareRead { double seconds = 0; std::vector<std::pair<std::string, double>> values; };
/// How the numbers of the network are spread at a step, for who asked with a HistogramsCommand: weights before the step, gradients and
/// outputs of its batch. Sent just before the answer to the command, and kept nowhere.
struct HistogramsTaken { std::int64_t step = 0; std::vector<TensorNumbers> tensors; };
/// Exactly one of these ends an attempt.
struct RunEnded { RunStatus status = RunStatus::Finished; RunSummary summary; std::string errorCode, message, remedy, detail; };

using EventBody = std::variant<RunStarted, StepsDone, EpochDone, EvaluationProgress, TestDone, CheckpointSaved, StatusChanged, LogLine,
                               CommandAnswered, Amended, HardwareRead, HistogramsTaken, RunEnded>;
struct Event { std::int64_t sequence = 0; WallMs time = 0; EventBody body; };

struct PauseCommand {};
struct ResumeCommand {};
/// Ends the run after this step with a checkpoint. leave: ends as *interrupted*, to be taken up by another host at once.
struct StopCommand { bool handOver = false; std::string reason = "asked"; };
struct CheckpointCommand {};
/// Changes a live field: "/training/epochs".
struct AmendCommand { std::string path; Json value; };
/// Asks for a HistogramsTaken at the next step. The run goes on as if it had not been asked.
struct HistogramsCommand {};
using CommandBody = std::variant<PauseCommand, ResumeCommand, StopCommand, CheckpointCommand, AmendCommand, HistogramsCommand>;
struct Command { std::int64_t id = 0; CommandBody body; };

std::string encode(const Event& event);     ///< one line without the newline
std::string encode(const Command& command);
/// nullopt for an unknown type; an error for text that is no message.
Result<std::optional<Event>> decodeEvent(std::string_view line);
Result<std::optional<Command>> decodeCommand(std::string_view line);

/// One tensor's numbers as messages and --json have them; nothing where it is not well formed (counts that do not add up among it).
Json toJson(const TensorNumbers& tensor);
std::optional<TensorNumbers> tensorNumbersFromJson(const Json& json);

/// Takes events; called on the trainer's thread in order. Must not block for long: queue and return.
using EventSink = std::function<void(const Event&)>;

} // namespace sconce

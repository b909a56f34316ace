// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/histograms.h"

#include "core/model/catalogue.h"
#include "core/training/checkpoint.h"
#include "core/training/run_host.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>

namespace sconce {

namespace {

constexpr std::int64_t firstId = 1; ///< of a host's commands

/// What the connection has told so far; shared with its thread, which may outlive the wait by a moment.
struct Heard
{
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<HistogramsTaken> taken; ///< for us, or for another who asked at the same moment: it is the same
    std::optional<std::string> refused;
    bool ended = false;
};

void hear(Heard& heard, const Event& event)
{
    const std::lock_guard lock(heard.mutex);
    const auto* answer = std::get_if<CommandAnswered>(&event.body);
    if (const auto* taken = std::get_if<HistogramsTaken>(&event.body)) heard.taken = *taken;
    else if (answer && answer->command == firstId && !answer->ok) heard.refused = answer->text;
    else if (std::holds_alternative<RunEnded>(event.body)) heard.ended = true;
    else return;
    heard.changed.notify_all();
}

} // namespace

Result<HistogramsTaken> askForHistograms(const std::string& runFolder, const RunId& run, double timeoutSeconds)
{
    const auto heard = std::make_shared<Heard>();
    auto host = attachHost(runFolder, run, fromNowOn, [heard](const Event& event) { hear(*heard, event); });
    if (!host) return host.error();
    (void)(*host)->send(HistogramsCommand{});
    std::unique_lock lock(heard->mutex);
    const auto done = [&] { return heard->taken || heard->refused || heard->ended; };
    if (!heard->changed.wait_for(lock, std::chrono::duration<double>(timeoutSeconds), done))
        return Error{ErrorCode::Busy, "The trainer has not answered yet.", "It looks as soon as the step under way is done; ask again.", ""};
    if (heard->taken) return *heard->taken;
    if (heard->refused) return Error{ErrorCode::Invalid, *heard->refused, "", ""};
    return Error{ErrorCode::NotFound, "The run ended before it could be looked at.", "Its weights are in its last checkpoint.", ""};
}

Result<HistogramsTaken> savedHistograms(const std::string& runFolder, bool best)
{
    auto checkpoint = best ? bestCheckpoint(runFolder) : newestValidCheckpoint(runFolder);
    if (!checkpoint) return checkpoint.error();
    auto weights = openWeights(*checkpoint);
    if (!weights) return weights.error();
    // Names begin with that of their layer: "block.conv1.weight".
    HistogramsTaken taken;
    taken.step = checkpoint->state.step;
    std::map<std::string, LayerId, std::less<>> layers;
    visitLayers(checkpoint->recipe.stack, [&](const Layer& layer, const std::string&, int) { layers[layer.name] = layer.id; });
    for (const TensorView& tensor : weights->tensors()) {
        if (tensor.dtype != DType::F32 || tensor.name.ends_with(".running_mean") || tensor.name.ends_with(".running_var")) continue;
        std::vector<float> values(tensor.bytes.size() / sizeof(float));
        std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(float));
        const std::string owner = tensor.name.substr(0, tensor.name.rfind('.'));
        const auto layer = layers.find(owner);
        taken.tensors.push_back({TensorNumbers::Kind::Weight, layer == layers.end() ? owner : layer->second, tensor.name, tensor.shape, histogramOf(values)});
    }
    return taken;
}

} // namespace sconce

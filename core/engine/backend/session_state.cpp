// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/session_impl.h"

#include "core/base/text.h"
#include "core/engine/backend/conv_pool_kernels.h"
#include "core/engine/backend/failure.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <map>
#include <set>

namespace sconce::engine {

using at::Tensor;

/// GPU: looks at the flag before state leaves the session, since the trainer's counters would be ahead of it.
Result<void> SessionImpl::checkDeferred() const
{
    if (m_failed) return *m_failed;
    SCONCE_TRY(replayWaiting());
    if (!m_deferred || m_bad.item<float>() == 0) return {};
    m_failed = Error{ErrorCode::NotFinite, "The loss or a gradient became NaN or infinite, so training stopped before that step.", remedyForNaN, {}};
    return *m_failed;
}

/// Told already, by takeMetrics(), the counters are those of the last good step again: that state may be saved.
Result<void> SessionImpl::checkMayLeave() const
{
    return m_failed && m_failed->code == ErrorCode::NotFinite && m_pending.empty() ? Result<void>() : checkDeferred();
}

namespace {
constexpr const char* lastWeights = "weights/"; ///< in the optimiser's state: beside their average
}

/// Where weights are averaged: those that training goes on from.
std::vector<std::pair<std::string, Tensor>> SessionImpl::lastStepsWeights() const
{
    std::vector<std::pair<std::string, Tensor>> result;
    if (m_average.empty()) return result;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) result.emplace_back(lastWeights + m_execution.plan.parameters[i].name, m_parameters[i]);
    return result;
}

std::vector<std::pair<std::string, Tensor>> SessionImpl::named() const
{
    std::vector<std::pair<std::string, Tensor>> result;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) result.emplace_back(m_execution.plan.parameters[i].name, shown()[i]);
    for (std::size_t i = 0; i < m_buffers.size(); ++i) result.emplace_back(m_execution.plan.buffers[i].name, m_buffers[i]);
    return result;
}

Result<std::vector<HostTensor>> SessionImpl::weights() const
{
    return guarded("reading the weights", [&]() -> Result<std::vector<HostTensor>> {
        SCONCE_TRY(checkMayLeave());
        std::vector<HostTensor> result;
        for (const auto& [name, tensor] : named()) result.push_back(copyOut(name, tensor));
        return result;
    });
}

Result<std::vector<HostTensor>> SessionImpl::optimiserState() const
{
    return guarded("reading the optimiser's state", [&]() -> Result<std::vector<HostTensor>> {
        SCONCE_TRY(checkMayLeave());
        std::vector<HostTensor> state = m_optimiser ? m_optimiser->state(skippedUntold()) : std::vector<HostTensor>{};
        if (m_scale)
            for (HostTensor& tensor : m_scale->state()) state.push_back(std::move(tensor));
        for (const auto& [name, tensor] : lastStepsWeights()) state.push_back(copyOut(name, tensor));
        return state;
    });
}

Result<void> SessionImpl::setWeights(std::span<const TensorView> tensors)
{
    const auto corrupt = [](std::string sentence) {
        return Error{ErrorCode::Corrupt, std::move(sentence), "Use the weights that were saved with this recipe.", {}};
    };
    return guarded("setting the weights", [&]() -> Result<void> {
        const auto expected = named();
        std::map<std::string_view, const TensorView*> given;
        for (const TensorView& tensor : tensors)
            if (!given.emplace(tensor.name, &tensor).second) return corrupt("The weights hold “" + tensor.name + "” twice.");
        for (const auto& [name, tensor] : expected) {
            const auto found = given.find(name);
            if (found == given.end()) return corrupt("The weights lack “" + name + "”.");
            const TensorView& view = *found->second;
            if (view.dtype != DType::F32 || at::IntArrayRef(view.shape) != tensor.sizes() || view.bytes.size() != tensor.nbytes())
                return corrupt("“" + name + "” is " + shapeText(view.shape) + " of type " + std::string(sconce::name(view.dtype)) + " in the weights, but the network has " +
                               shapeText(std::vector<std::int64_t>(tensor.sizes().begin(), tensor.sizes().end())) + " of type F32.");
        }
        if (given.size() != expected.size()) {
            std::set<std::string_view> known;
            for (const auto& [name, tensor] : expected) known.insert(name);
            for (const auto& [name, view] : given)
                if (!known.contains(name)) return corrupt("The weights hold “" + std::string(name) + "”, which the network does not have.");
        }
        enter();
        dropStep();
        (void)replayWaiting(); // they come before, whatever becomes of them
        const at::NoGradGuard noGrad;
        // Weights that were good take the place of what a faulty step stopped at.
        m_failed.reset();
        forgetPending();
        m_bad.zero_();
        for (auto [name, tensor] : expected) copyIn(tensor, given.at(name)->bytes);
        for (std::size_t i = 0; i < m_average.size(); ++i) m_parameters[i].copy_(m_average[i]); // until the optimiser's state says more
        return {};
    });
}

Result<void> SessionImpl::setOptimiserState(std::span<const TensorView> tensors)
{
    if (!m_optimiser) return Error{ErrorCode::Internal, "This model was opened without an optimiser.", "", {}};
    return guarded("setting the optimiser's state", [&]() -> Result<void> {
        enter();
        dropStep();
        SCONCE_TRY(replayWaiting());
        std::vector<TensorView> own, scale;
        std::map<std::string_view, const TensorView*> last;
        for (const TensorView& tensor : tensors) {
            if (tensor.name.starts_with(lastWeights)) last.emplace(tensor.name, &tensor);
            else if (m_scale && LossScale::owns(tensor.name)) scale.push_back(tensor);
            else own.push_back(tensor);
        }
        const auto expected = lastStepsWeights();
        const auto fits = [&](const auto& each) {
            const auto found = last.find(each.first);
            return found != last.end() && found->second->dtype == DType::F32 && at::IntArrayRef(found->second->shape) == each.second.sizes() &&
                   found->second->bytes.size() == each.second.nbytes();
        };
        if (last.size() != expected.size() || !std::all_of(expected.begin(), expected.end(), fits))
            return Error{ErrorCode::Corrupt, "The optimiser's state belongs to a run that averages weights in another way.", "Use an older checkpoint of this run.", {}};
        const auto scaleState = m_scale ? m_scale->read(scale) : Result<ScaleState>(ScaleState{});
        SCONCE_TRY(scaleState);
        SCONCE_TRY(m_optimiser->setState(own));
        if (m_scale) m_scale->set(*scaleState);
        const at::NoGradGuard noGrad;
        for (auto [name, tensor] : expected) copyIn(tensor, last.at(name)->bytes);
        return {};
    });
}

Json SessionImpl::choices() const
{
    Json json = Json::object();
    json["device"] = m_spec.device;
    if (!m_deviceUuid.empty()) json["device_uuid"] = m_deviceUuid;
    json["threads"] = m_spec.threads;
    if (m_device.is_cpu()) json["loop_threads"] = m_loopThreads; // 1 in a build whose own loops are not parallel
    m_precision.write(json);
    if (m_scale) json["loss_scale"] = m_spec.step.firstScale;
    json["layout"] = m_execution.channelsLast ? "channels-last" : "contiguous";
    if (m_optimiser && countsRows()) json["balanced_by"] = "rows trained on";
    json["activations_behind_pools"] = m_execution.poolsMoved;
    json["activations_in_place"] = std::count(m_execution.inPlace.begin(), m_execution.inPlace.end(), 1);
    const auto fused = std::count_if(m_execution.fusions.begin(), m_execution.fusions.end(), [](const auto& fusion) { return fusion.has_value(); });
    json["fusion"] = fused ? convpool::kernels().name : "off";
    json["fused_blocks"] = fused;
    const auto count = [&](Fusion::Kind kind) { return std::count_if(m_execution.fusions.begin(), m_execution.fusions.end(), [&](const auto& fusion) { return fusion && fusion->kind == kind; }); };
    json["deep_blocks"] = count(Fusion::Kind::DeepConvPool);
    json["short_attention"] = count(Fusion::Kind::Attention);
    json["winograd_convolutions"] = count(Fusion::Kind::WindowConv);
    // On the CPU the same number of threads gives the same numbers in any case.
    json["deterministic"] = at::globalContext().deterministicAlgorithms() ? "refuses what is not" : m_device.is_cuda() ? (m_tuned ? "no" : "convolutions") : "for the same number of threads";
    json["loss"] = m_losses->description(m_execution.outputKind);
    if (m_passes.recompute) {
        json["recomputed_segments"] = m_execution.segments.size();
        json["recomputed_share"] = recomputedShare(m_execution); // of a step's arithmetic
    }
    if (m_spec.step.microBatch > 0) json["micro_batch"] = m_spec.step.microBatch;
    if (m_optimiser) json["optimiser"] = (m_optimiser->fused() ? "fused " : "") + m_optimiser->name();
    if (m_optimiser && m_device.is_cuda()) json["convolutions"] = m_tuned ? tunedConvolutions : "as cuDNN's rules have it";
    if (m_optimiser) m_choice.write(json);
    if (m_optimiser && drops()) json["dropout"] = m_spec.step.countedDropout && masksOnDevice(m_device).empty() ? "counted" : drawnDropout;
    if (m_optimiser) json["commit"] = m_deferred ? "gated on the device" : "checked at once";
    if (m_feed) json["feed"] = m_feed->kind();
    const EngineVersions versions = engineVersions();
    json["torch"] = versions.torch;
    json["cpu_capability"] = versions.cpuCapability;
    return json;
}

Session::DeviceMemory SessionImpl::deviceMemory() const
{
    auto result = guarded("reading the GPU's memory", [&]() -> Result<DeviceMemory> {
        if (!m_device.is_cuda()) return DeviceMemory{};
        const auto stats = c10::getDeviceAllocator(c10::kCUDA)->getDeviceStats(m_device.index());
        const auto bytes = [](std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)); };
        return DeviceMemory{bytes(stats.allocated_bytes[0].current), bytes(stats.reserved_bytes[0].current), bytes(stats.allocated_bytes[0].peak)};
    });
    return result.valueOr(DeviceMemory{});
}

} // namespace sconce::engine

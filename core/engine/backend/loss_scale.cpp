// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/loss_scale.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sconce::engine {

using at::Tensor;

namespace {
constexpr double growth = 2, fall = 0.5; // powers of two: dividing by the scale loses nothing
constexpr const char *scaleName = "loss_scale/scale", *goodName = "loss_scale/good", *skippedName = "loss_scale/skipped";
}

ScaleState afterStep(const ScaleSettings& settings, const ScaleState& state, bool overflowed)
{
    if (overflowed) return {std::max(settings.least, state.scale * fall), 0, state.skipped + 1};
    if (state.good + 1 < settings.growsAfter) return {state.scale, state.good + 1, state.skipped};
    return {std::min(settings.most, state.scale * growth), 0, state.skipped};
}

LossScale::LossScale(const ScaleSettings& settings, at::Device device, bool onDevice) : m_settings(settings), m_onDevice(onDevice)
{
    m_scale = at::full({1}, settings.first, at::TensorOptions().dtype(at::kFloat).device(device));
    m_good = at::zeros({1}, at::TensorOptions().dtype(at::kLong).device(device));
    m_skipped = at::zeros({1}, at::TensorOptions().dtype(at::kLong).device(device));
    m_state.scale = static_cast<float>(settings.first); // as a checkpoint will hold it
}

Tensor LossScale::scaled(const Tensor& loss) const
{
    return m_onDevice ? loss * m_scale.squeeze(0) : loss * m_state.scale;
}

Tensor LossScale::unscale(const std::vector<Tensor>& gradients) const
{
    Tensor found = at::zeros({1}, m_scale.options());
    const Tensor inverse = m_onDevice ? m_scale.reciprocal() : at::full({1}, 1 / m_state.scale, m_scale.options());
    if (!gradients.empty()) at::_amp_foreach_non_finite_check_and_unscale_(gradients, found, inverse);
    return found;
}

Tensor LossScale::beyondHelp(const Tensor& found) const
{
    return found * m_scale.le(m_settings.least);
}

void LossScale::doneOnDevice(const Tensor& found, const Tensor& bad)
{
    const Tensor overflowed = found.gt(0), still = bad.gt(0);
    const Tensor good = m_good + 1, grows = good.ge(m_settings.growsAfter);
    const Tensor scale = at::where(overflowed, (m_scale * fall).clamp_min(m_settings.least), at::where(grows, (m_scale * growth).clamp_max(m_settings.most), m_scale));
    m_skipped.copy_(at::where(still, m_skipped, m_skipped + overflowed));
    m_good.copy_(at::where(still, m_good, at::where(overflowed.logical_or(grows), at::zeros_like(m_good), good)));
    m_scale.copy_(at::where(still, m_scale, scale));
}

ScaleState LossScale::now() const
{
    return m_onDevice ? ScaleState{m_scale.item<double>(), m_good.item<std::int64_t>(), m_skipped.item<std::int64_t>()} : m_state;
}

void LossScale::set(const ScaleState& state)
{
    const at::NoGradGuard noGrad;
    m_state = state;
    m_scale.fill_(state.scale);
    m_good.fill_(state.good);
    m_skipped.fill_(state.skipped);
}

std::vector<HostTensor> LossScale::state() const
{
    const ScaleState state = now();
    const auto entry = [](const char* name, DType type, const auto& value) {
        HostTensor tensor{name, type, {}, std::vector<std::byte>(sizeof value)};
        std::memcpy(tensor.bytes.data(), &value, sizeof value);
        return tensor;
    };
    return {entry(scaleName, DType::F32, static_cast<float>(state.scale)), entry(goodName, DType::I64, state.good), entry(skippedName, DType::I64, state.skipped)};
}

Result<ScaleState> LossScale::read(std::span<const TensorView> tensors) const
{
    const Error corrupt{ErrorCode::Corrupt, "The optimiser's state lacks the scale of the loss that float16 needs.", "Use an older checkpoint of this run.", {}};
    const auto take = [&](const char* name, DType type, auto& value) {
        for (const TensorView& tensor : tensors)
            if (tensor.name == name && tensor.dtype == type && tensor.shape.empty() && tensor.bytes.size() == sizeof value) {
                std::memcpy(&value, tensor.bytes.data(), sizeof value);
                return true;
            }
        return false;
    };
    float scale = 0;
    ScaleState state;
    const bool found = take(scaleName, DType::F32, scale) && take(goodName, DType::I64, state.good) && take(skippedName, DType::I64, state.skipped);
    if (!found || tensors.size() != 3 || !std::isfinite(scale) || scale < m_settings.least || state.good < 0 || state.skipped < 0) return corrupt;
    state.scale = scale;
    return state;
}

} // namespace sconce::engine

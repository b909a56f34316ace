// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The scale of the loss for float16, whose smallest number is 6e-8: gradients below vanish. The loss is multiplied by a scale
// before the backward pass, and the gradients divided by it behind (Micikevicius et al., "Mixed precision training", 2017). The
// scale is kept as large as gradients bear it: halved where they overflow, doubled after many steps without. Private to the
// engine.

#include "core/base/result.h"
#include "core/base/tensor_view.h"

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

namespace sconce::engine {

struct ScaleSettings
{
    double first = 65536;
    std::int64_t growsAfter = 2000; ///< steps without an overflow
    double least = 1;               ///< gradients that overflow even unscaled are a failure, not the scale's fault
    double most = 16777216;         ///< 2^24: beyond, no gradient of use is left to save
};

struct ScaleState
{
    double scale = 65536;
    std::int64_t good = 0;    ///< steps without an overflow since the scale last changed
    std::int64_t skipped = 0; ///< steps that overflowed, in all
    bool operator==(const ScaleState&) const = default;
};

/// What follows a step whose loss was finite.
ScaleState afterStep(const ScaleSettings& settings, const ScaleState& state, bool overflowed);

/// The state where the finite check is: on the host, or on a GPU, where nothing may wait for it.
class LossScale
{
  public:
    LossScale(const ScaleSettings& settings, at::Device device, bool onDevice);

    at::Tensor scaled(const at::Tensor& loss) const;
    /// Divides the gradients by the scale. A float {1} on their device: 1 if one of them is not finite.
    at::Tensor unscale(const std::vector<at::Tensor>& gradients) const;

    // ---- on the host ----
    bool canFall() const { return m_state.scale > m_settings.least; }
    void done(bool overflowed) { m_state = afterStep(m_settings, m_state, overflowed); }
    double value() const { return m_state.scale; }

    // ---- on the device, by the same rule ----
    /// Where `found` is not the scale's fault: a float {1}, 1 or 0.
    at::Tensor beyondHelp(const at::Tensor& found) const;
    /// `bad`, if 1: nothing changes any more.
    void doneOnDevice(const at::Tensor& found, const at::Tensor& bad);
    const at::Tensor& valueOnDevice() const { return m_scale; }

    std::vector<at::Tensor> tensors() const { return {m_scale, m_good, m_skipped}; } ///< of the state on the device
    std::vector<HostTensor> state() const;
    /// What such tensors say; Corrupt where they are not complete or make no sense.
    Result<ScaleState> read(std::span<const TensorView> tensors) const;
    void set(const ScaleState& state);
    static bool owns(const std::string& name) { return name.starts_with("loss_scale/"); }

  private:
    ScaleState now() const;

    ScaleSettings m_settings;
    bool m_onDevice;
    ScaleState m_state;                 ///< on the host
    at::Tensor m_scale, m_good, m_skipped; ///< on the device: float {1}, and int64 {1}
};

} // namespace sconce::engine

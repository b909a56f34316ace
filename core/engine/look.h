// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a session tells of a single step when it is asked to look closely: where its time and its memory go. Values, free of torch.

#include "core/base/ids.h"

#include <cstdint>

#include <string>
#include <vector>

namespace sconce {

enum class ProfilePhase { Step, Data, Forward, Loss, Backward, Again, Optimiser };

/// A stretch of a step's time. Spans lie within their parent, and siblings do not overlap.
struct ProfileSpan
{
    ProfilePhase phase = ProfilePhase::Step;
    /// What the plan calls it, of a forward step and of the functions that go back through it: "conv", "fused conv + maxpool + relu".
    /// Empty for what is no part of the plan.
    std::string primitive;
    std::string name; ///< for the trace: the primitive, or autograd's name of the function
    std::vector<LayerId> layers; ///< who asked for it; several where a block is fused of them
    int parent = -1;  ///< its place among the spans, before this one; -1: the step itself
    double begin = 0, end = 0; ///< seconds since the step began
    double seconds() const { return end - begin; }
};

/// One step, forward to commit. spans.front() is the step; what a span took itself is its time without that of its children, so that all
/// of them add up to the step.
struct StepProfile
{
    std::vector<ProfileSpan> spans;
    std::string clock; ///< "processor", or "events on the GPU"
    double startedAt = 0; ///< monotonic seconds
    /// Memory of tensors at the fullest moment of the step, weights and optimiser with them. On a GPU all that this process had
    /// allocated there.
    std::uint64_t peakBytes = 0;
};

inline const char* phaseName(ProfilePhase phase)
{
    constexpr const char* names[] = {"step", "data", "forward", "loss", "backward", "again", "optimiser"};
    return names[static_cast<int>(phase)];
}

} // namespace sconce

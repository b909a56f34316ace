// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a session computes its products in: what the recipe asks for, as far as this device has it; what an earlier attempt
// chose; or what a measurement finds. Private to the engine.

#include "core/engine/backend/executor.h"
#include "core/engine/session.h"

namespace sconce::engine {

struct Precision
{
    std::string name = "float32";    ///< float32, tf32, bf16, fp16
    DType products = DType::F32;
    std::optional<std::vector<std::string>> only; ///< automatic: weights of the products that are computed in `products`
    std::string because;             ///< a sentence where it is not simply what was asked for
    bool undecided = false;          ///< automatic, and not measured yet

    bool mixed() const { return products != DType::F32; }
    /// For the run's record; resolvePrecision() reads it again.
    void write(Json& choices) const;
};

/// `choices` of an earlier attempt come before what the recipe says (rule 8).
Precision resolvePrecision(const StepSettings& step, const Json& choices, at::Device device);

/// Settles what is undecided: each product of the plan forward and back in float32 and in bfloat16, casts included, with `rows`
/// samples; bfloat16 where it takes less than nine tenths of the time. Leaves gradients behind in the parameters.
Precision measurePrecision(const ExecutionPlan& execution, const RunContext& context, std::int64_t rows, at::Device device);

} // namespace sconce::engine

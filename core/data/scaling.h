// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a table's numbers are brought to the network: what stands for a missing one, then (x − mean) / deviation. Worked out once
// from the rows that a run trains on, stored with the run, and used wherever its model is (rule 8): nothing of validation or test
// is known in training.

#include "core/data/dataset.h"

namespace sconce {

struct Scaling
{
    std::vector<float> fill;            ///< per feature: the median of training, for entries that are missing
    std::vector<float> mean, deviation; ///< per feature; 0 and 1 for words. All three empty: records of bytes
    double targetMean = 0, targetDeviation = 1; ///< of the numbers to be predicted
    bool operator==(const Scaling&) const = default;
    Json toJson() const;
    static Result<Scaling> fromJson(const Json& json);
};

/// Of a run's choices (TrainerState::choices, "scaling"); without one, none. Corrupt where it cannot be read.
Result<Scaling> scalingIn(const Json& choices);

/// Of these rows of the training part. A feature without any spread has deviation 1. Nothing to do for pictures with classes.
Scaling fitScaling(const Dataset& data, std::span<const std::int64_t> rows);

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The feed alone, outside of any session: what a batch costs before the first layer sees it. For the bench of the data path.
// Owned by who measures; every call comes from one thread.

#include "core/base/result.h"
#include "core/data/dataset.h"
#include "core/recipe/recipe.h"

#include <memory>
#include <span>

namespace sconce {

struct BatchFeedSpec
{
    DatasetPtr data;     ///< pictures with classes
    InputSettings input;
    Augmentation augmentation;
    int threads = 1;
};

class BatchFeed
{
  public:
    static Result<std::unique_ptr<BatchFeed>> open(BatchFeedSpec spec);
    virtual ~BatchFeed() = default;
    /// Gathers and scales these rows of the training part on the CPU, as a session's forward() would, with their classes; changed in each call otherwise, as in another epoch. The sum of the
    /// first number and the first class, so that what was brought is also used.
    virtual Result<double> bring(std::span<const std::int64_t> rows) = 0;
};

} // namespace sconce

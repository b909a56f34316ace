// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Taking a model or a run's numbers out.

#include "core/formats/safetensors.h"
#include "core/history/store.h"

namespace sconce {

/// Formats of `export --format`; only "safetensors" so far.
std::vector<std::string> exportFormats();
/// Writes the weights with the recipe and class names in the metadata, durably.
Result<void> exportWeights(const std::string& out, std::span<const TensorView> weights, const Recipe& recipe, const DatasetInfo& data);
/// CSV with header step,key,value of all series of a run; formula characters prefixed.
Result<void> exportSeriesCsv(Store& store, const RunId& run, const std::string& out);

} // namespace sconce

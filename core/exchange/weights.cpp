// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exchange/weights.h"

#include "core/base/text.h"

namespace sconce {

std::vector<std::string> exportFormats() { return {"safetensors"}; }

Result<void> exportWeights(const std::string& out, std::span<const TensorView> weights, const Recipe& recipe, const DatasetInfo& data)
{
    Json classes = data.classes;
    std::map<std::string, std::string> metadata{{"format", "pt"}, {"generator", "Sconce " SCONCE_VERSION}, {"recipe", toJson(recipe).dump()}, {"data", data.title}, {"classes", classes.dump()}};
    auto written = writeSafetensors(out, std::vector<TensorView>(weights.begin(), weights.end()), metadata);
    if (!written) return written.error();
    return {};
}

Result<void> exportSeriesCsv(Store& store, const RunId& run, const std::string& out)
{
    auto keys = store.seriesKeys(run);
    if (!keys) return keys.error();
    std::string text = "step,key,value\n";
    for (const auto& key : *keys) {
        auto points = store.series(run, key);
        if (!points) return points.error();
        // A spreadsheet would run a cell that begins with one of these.
        const std::string cell = !key.empty() && std::string("=+-@").find(key[0]) != std::string::npos ? "'" + key : key;
        for (std::size_t i = 0; i < points->step.size(); ++i) {
            char buffer[64];
            std::snprintf(buffer, sizeof buffer, "%lld,", static_cast<long long>(points->step[i]));
            text += buffer + cell + ",";
            const float value = points->value[i];
            text += value != value ? "nan" : Json(value).dump();
            text += '\n';
        }
    }
    return writeFileDurably(out, text);
}

} // namespace sconce

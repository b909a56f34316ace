// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exchange/weights.h"

#include "core/base/json_text.h"

#include <charconv>
#include <cmath>

namespace sconce {

namespace {


/// A text cell: quoted where CSV asks for it, and never taken for a formula by a spreadsheet (reliability: formula injection).
std::string cell(std::string text)
{
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) text.insert(0, 1, '\'');
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

void addNumber(std::string& text, auto value)
{
    char digits[40];
    const auto [end, failure] = std::to_chars(std::begin(digits), std::end(digits), value);
    text.append(digits, failure == std::errc() ? end : digits);
}

void addValue(std::string& text, double value, int bits)
{
    if (std::isnan(value)) text += "NaN";
    else if (std::isinf(value)) text += value > 0 ? "inf" : "-inf";
    else if (bits == 32) addNumber(text, static_cast<float>(value));
    else addNumber(text, value); // the shortest text that reads back as the same number, in every locale
}

} // namespace

std::vector<std::string> exportFormats() { return {"safetensors"}; }

Result<void> exportWeights(const std::string& out, std::span<const TensorView> weights, const Recipe& recipe, const DatasetInfo& data)
{
    if (weights.empty())
        return Error{ErrorCode::Invalid, "There are no weights to export.", "Train the run for at least one step first.", {}};
    Json classes = Json::array();
    for (const std::string& name : data.classes) classes.push_back(name);
    std::map<std::string, std::string> metadata{{"format", "sconce"},
                                                      {"sconce_version", SCONCE_VERSION},
                                                      {"name", recipe.name},
                                                      {"recipe", jsonText(toJson(recipe))},
                                                      {"classes", jsonText(classes)},
                                                      {"dataset", data.title},
                                                      {"fingerprint", data.fingerprint},
                                                      {"input", data.sample.text()}};
    if (!data.labelNames.empty()) metadata["labels"] = jsonText(data.labelNames);
    if (!data.symbols.empty()) metadata["symbols"] = jsonText(data.symbols);
    const Result<std::string> written = writeSafetensors(out, std::vector<TensorView>(weights.begin(), weights.end()), metadata);
    if (!written) return written.error();
    return {};
}

Result<void> exportSeriesCsv(Store& store, const RunId& run, const std::string& out)
{
    SCONCE_TRY(store.run(run)); // else an unknown run would give an empty file
    Result<std::vector<std::string>> keys = store.seriesKeys(run);
    if (!keys) return keys.error();
    std::vector<std::string> parts{"step,key,value\n"};
    for (const std::string& key : *keys) {
        Result<SeriesPoints> points = store.series(run, key);
        if (!points) return points.error();
        const std::string name = "," + cell(key) + ",";
        std::string text;
        text.reserve(points->step.size() * (name.size() + 20));
        for (std::size_t i = 0; i < points->step.size(); ++i) {
            addNumber(text, points->step[i]);
            text += name;
            addValue(text, points->value[i], points->bits);
            text += '\n';
        }
        parts.push_back(std::move(text));
    }
    std::vector<std::span<const std::byte>> chunks;
    for (const std::string& part : parts) chunks.push_back(std::as_bytes(std::span(part.data(), part.size())));
    return writeFileDurably(out, chunks);
}

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
// Histograms in messages. A range may be NaN, so numbers go as numbers.h has them.
#include "core/run/numbers.h"
#include "core/run/protocol.h"

namespace sconce {

Json toJson(const TensorNumbers& tensor)
{
    const Histogram& numbers = tensor.numbers;
    return Json{{"kind", kindName(tensor.kind)}, {"layer", tensor.layer}, {"name", tensor.name}, {"shape", tensor.shape},
                {"count", numbers.count}, {"zeros", numbers.zeros}, {"non_finite", numbers.nonFinite},
                {"min", realToJson(numbers.min)}, {"max", realToJson(numbers.max)}, {"mean", realToJson(numbers.mean)}, {"deviation", realToJson(numbers.deviation)},
                {"bins", numbers.bins}};
}

namespace {

bool wholes(const Json& json, const char* key, std::vector<std::int64_t>& out)
{
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array()) return false;
    for (const Json& each : *found) {
        if (!each.is_number_integer() || each.get<std::int64_t>() < 0) return false;
        out.push_back(each.get<std::int64_t>());
    }
    return true;
}

bool whole(const Json& json, const char* key, std::int64_t& out)
{
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer()) return false;
    out = found->get<std::int64_t>();
    return out >= 0;
}

bool real(const Json& json, const char* key, double& out)
{
    const auto found = json.find(key);
    return found != json.end() && realFromJson(*found, out);
}

bool text(const Json& json, const char* key, std::string& out)
{
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) return false;
    out = found->get<std::string>();
    return true;
}

/// What is drawn must add up: a peer may be broken.
bool addsUp(const Histogram& numbers)
{
    const std::int64_t finite = numbers.count - numbers.nonFinite;
    if (finite < 0 || numbers.zeros > finite) return false;
    if (finite == 0) return numbers.bins.empty();
    if (numbers.bins.size() != Histogram::binCount) return false;
    std::int64_t left = finite;
    for (const std::int64_t bin : numbers.bins) {
        if (bin > left) return false;
        left -= bin;
    }
    return left == 0;
}

} // namespace

std::optional<TensorNumbers> tensorNumbersFromJson(const Json& json)
{
    using Kind = TensorNumbers::Kind;
    if (!json.is_object()) return std::nullopt;
    TensorNumbers tensor;
    Histogram& numbers = tensor.numbers;
    std::string kind;
    const bool read = text(json, "kind", kind) && text(json, "layer", tensor.layer) && text(json, "name", tensor.name) && wholes(json, "shape", tensor.shape) &&
                      whole(json, "count", numbers.count) && whole(json, "zeros", numbers.zeros) && whole(json, "non_finite", numbers.nonFinite) &&
                      real(json, "min", numbers.min) && real(json, "max", numbers.max) && real(json, "mean", numbers.mean) &&
                      real(json, "deviation", numbers.deviation) && wholes(json, "bins", numbers.bins) && addsUp(numbers);
    if (!read) return std::nullopt;
    for (const Kind each : {Kind::Weight, Kind::Gradient, Kind::Activation}) {
        if (kind != kindName(each)) continue;
        tensor.kind = each;
        return tensor;
    }
    return std::nullopt;
}

} // namespace sconce

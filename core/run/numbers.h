// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Numbers that JSON has no word for. A loss may be NaN or infinite, and must arrive so: NaN is null, infinities are the
// strings "inf" and "-inf", and arrays of floats travel as base64 of their little-endian bytes (exact, and a third of the
// text). Private to core/run and core/history.

#include "core/base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

Json realToJson(double value);
/// False if the value is neither a number, null, "inf" nor "-inf"; `out` is left alone then.
bool realFromJson(const Json& json, double& out);

std::string packFloats(const std::vector<float>& values);
std::string packDoubles(const std::vector<double>& values);
/// nullopt for text that is not base64 or does not hold whole numbers.
std::optional<std::vector<float>> unpackFloats(std::string_view text);
std::optional<std::vector<double>> unpackDoubles(std::string_view text);

} // namespace sconce

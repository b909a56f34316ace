// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// JSON of Sconce: nlohmann's type with ordered keys, parsed with limits. A recipe, manifest or command that comes from
// a file or a socket goes through parseJson(), never through Json::parse.

#include "core/base/result.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sconce {

using Json = nlohmann::ordered_json;

struct JsonLimits
{
    std::size_t bytes = 1 << 20; ///< largest text accepted
    int depth = 64;              ///< deepest nesting accepted
};

/// Parses UTF-8 text. Refuses: more bytes or depth than allowed, duplicate keys, NaN/Infinity or numbers that overflow a
/// double, trailing text. The error's message names `what` ("The recipe mnist.json") and line:column. Never throws,
/// never recurses deeper than the limit.
Result<Json> parseJson(std::string_view text, const std::string& what, JsonLimits limits = {});

/// Reads a file whole (its size is checked first) and parses it.
Result<Json> readJsonFile(const std::string& path, JsonLimits limits = {});

/// One problem met while reading values out of JSON.
struct JsonProblem
{
    std::string path;    ///< JSON pointer, "/layers/3/units"
    std::string message; ///< a sentence
};

/// Reads an object field by field, collects problems instead of throwing, and reports keys that nobody asked for.
///     JsonReader r(json, "", problems);
///     recipe.seed = r.integer("seed", recipe.seed, 0, INT64_MAX);
///     r.object("split", [&](JsonReader& s) { … });
///     r.refuseUnknown();
class JsonReader
{
  public:
    JsonReader(const Json& object, std::string path, std::vector<JsonProblem>& problems);

    bool has(std::string_view key) const;
    std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max);
    double real(std::string_view key, double fallback, double min, double max);
    bool boolean(std::string_view key, bool fallback);
    std::string text(std::string_view key, std::string fallback, std::size_t maxBytes = 4096);
    /// The raw value, or nullptr where absent; marks the key as known.
    const Json* raw(std::string_view key);
    /// Path of a key below this object.
    std::string pathOf(std::string_view key) const;
    void problem(std::string_view key, std::string message);
    /// Adds "Unknown key …" (with the nearest known key as a suggestion) for each key never asked for.
    void refuseUnknown();
    const std::string& path() const { return m_path; }
    std::vector<JsonProblem>& problems() { return m_problems; }

  private:
    const Json* find(std::string_view key);
    const Json& m_object;
    std::string m_path;
    std::vector<JsonProblem>& m_problems;
    std::vector<std::string> m_known;
};

} // namespace sconce

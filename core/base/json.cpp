// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"

#include "core/base/files.h"
#include "core/base/text.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace sconce {
namespace {

/// "line 3, column 14" of a byte offset.
std::string placeText(std::string_view text, std::size_t offset)
{
    offset = std::min(offset, text.size());
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto lastBreak = before.rfind('\n');
    const std::size_t column = lastBreak == std::string_view::npos ? offset + 1 : offset - lastBreak;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// A key or word of a foreign file as it may stand in a sentence: short, and free of control characters.
std::string quotable(std::string_view text)
{
    std::string shown;
    for (const char c : text.substr(0, 60)) shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    while (!shown.empty() && text.size() > 60 && (static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80) shown.pop_back();
    return "“" + shown + (text.size() > 60 ? "…" : "") + "”";
}

/// Builds the value while nlohmann's lexer walks the text; depth and duplicates are refused before anything grows.
class Builder
{
  public:
    explicit Builder(int maxDepth) : m_maxDepth(maxDepth) {}

    Json root;
    std::string refusal;         ///< what our own limits say
    std::size_t position = 0;    ///< of a syntax error
    std::string syntax;          ///< what the parser says

    bool null() { return put(nullptr); }
    bool boolean(bool value) { return put(value); }
    bool number_integer(Json::number_integer_t value) { return put(value); }
    bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
    bool number_float(Json::number_float_t value, const std::string&) { return std::isfinite(value) ? put(value) : refuse("holds a number that is too large"); }
    bool string(std::string& value) { return put(std::move(value)); }
    bool binary(Json::binary_t&) { return refuse("holds binary data"); }
    bool start_object(std::size_t) { return open(Json::object()); }
    bool start_array(std::size_t) { return open(Json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(std::string& name)
    {
        Level& level = m_levels.back();
        if (!level.keys.insert(name).second) return refuse("has the key " + quotable(name) + " twice in one object");
        level.key = std::move(name);
        return true;
    }

    bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& failure)
    {
        position = at;
        syntax = failure.what();
        if (failure.id == 406) refusal = "holds a number that is too large"; // out_of_range: overflows a double
        return false;
    }

  private:
    struct Level
    {
        Json value;
        std::string key;                      ///< of the value that comes next, in an object
        std::unordered_set<std::string> keys; ///< nlohmann's ordered object would search its list for each
    };

    bool refuse(std::string why)
    {
        refusal = std::move(why);
        return false;
    }
    bool open(Json empty)
    {
        if (static_cast<int>(m_levels.size()) >= m_maxDepth) return refuse("is nested deeper than " + std::to_string(m_maxDepth) + " levels");
        m_levels.push_back({std::move(empty), {}, {}});
        return true;
    }
    bool close()
    {
        Json done = std::move(m_levels.back().value);
        m_levels.pop_back();
        return put(std::move(done));
    }
    bool put(Json value)
    {
        if (m_levels.empty()) {
            root = std::move(value);
        } else if (Level& level = m_levels.back(); level.value.is_array()) {
            level.value.get_ref<Json::array_t&>().push_back(std::move(value));
        } else {
            level.value.get_ref<Json::object_t&>().emplace_back(std::move(level.key), std::move(value));
        }
        return true;
    }

    int m_maxDepth;
    std::vector<Level> m_levels;
};

/// The lexer's own words without their prefix: "[json.exception.parse_error.101] parse error at line …: REASON".
std::string reasonOf(const std::string& syntax)
{
    const auto colon = syntax.rfind("; ");
    if (colon != std::string::npos) return syntax.substr(colon + 2);
    const auto dash = syntax.find(" - ");
    return dash == std::string::npos ? syntax : syntax.substr(dash + 3);
}

std::string typeText(const Json& value)
{
    switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "the text " + quotable(value.get_ref<const std::string&>());
    case Json::value_t::boolean: return value.get<bool>() ? "true" : "false";
    case Json::value_t::number_unsigned: return std::to_string(value.get<std::uint64_t>());
    case Json::value_t::number_integer: return groupedInt(value.get<std::int64_t>());
    case Json::value_t::number_float: return realText(value.get<double>(), 6);
    default: return "something else";
    }
}

std::string rangeText(double min, double max)
{
    return "between " + realText(min, 6) + " and " + realText(max, 6);
}

/// A whole number of any JSON number that is one (3, 3.0, 1e3).
bool wholeNumber(const Json& value, std::int64_t& whole)
{
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        if (number > static_cast<std::uint64_t>(INT64_MAX)) return false;
        whole = static_cast<std::int64_t>(number);
        return true;
    }
    if (value.is_number_integer()) {
        whole = value.get<std::int64_t>();
        return true;
    }
    if (!value.is_number_float()) return false;
    const double number = value.get<double>();
    if (std::floor(number) != number || std::abs(number) > 9007199254740992.0) return false;
    whole = static_cast<std::int64_t>(number);
    return true;
}

const Json emptyObject = Json::object();

} // namespace

Result<Json> parseJson(std::string_view text, const std::string& what, JsonLimits limits)
{
    if (text.size() > limits.bytes) {
        return Error{ErrorCode::Invalid, what + " is too large: " + bytesText(text.size()) + ", at most " + bytesText(limits.bytes) + " are read.", "", ""};
    }
    Builder builder(limits.depth);
    bool done = false;
    try {
        done = Json::sax_parse(text.begin(), text.end(), &builder, Json::input_format_t::json, true);
    } catch (const std::exception& failure) { // out of memory, at worst
        return Error{ErrorCode::Invalid, what + " could not be read.", "", failure.what()};
    }
    if (done) return std::move(builder.root);
    if (!builder.refusal.empty()) return Error{ErrorCode::Invalid, what + " " + builder.refusal + ".", "", builder.syntax};
    return Error{ErrorCode::Invalid, what + " is not valid JSON at " + placeText(text, builder.position > 0 ? builder.position - 1 : 0) + ": " + reasonOf(builder.syntax) + ".",
                 "Correct the file there, or open another one.", builder.syntax};
}

Result<Json> readJsonFile(const std::string& path, JsonLimits limits)
{
    auto text = readTextFile(path, limits.bytes);
    if (!text) return text.error();
    return parseJson(*text, "The file " + path, limits);
}

JsonReader::JsonReader(const Json& object, std::string path, std::vector<JsonProblem>& problems)
    : m_object(object.is_object() ? object : emptyObject)
    , m_path(std::move(path))
    , m_problems(problems)
{
    if (!object.is_object()) m_problems.push_back({m_path, "This must be an object in braces, not " + typeText(object) + "."});
}

const Json* JsonReader::find(std::string_view key)
{
    if (std::find(m_known.begin(), m_known.end(), key) == m_known.end()) m_known.emplace_back(key);
    const auto found = m_object.find(std::string(key));
    return found == m_object.end() ? nullptr : &*found;
}

bool JsonReader::has(std::string_view key) const
{
    return m_object.contains(std::string(key));
}

std::string JsonReader::pathOf(std::string_view key) const
{
    std::string path = m_path + "/";
    for (const char c : key) {
        if (c == '~') path += "~0";
        else if (c == '/') path += "~1";
        else path += c;
    }
    return path;
}

void JsonReader::problem(std::string_view key, std::string message)
{
    m_problems.push_back({pathOf(key), std::move(message)});
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max)
{
    const Json* value = find(key);
    if (!value) return fallback;
    std::int64_t whole = 0;
    if (!wholeNumber(*value, whole)) {
        problem(key, quotable(key) + " must be a whole number, not " + typeText(*value) + ".");
        return fallback;
    }
    if (whole < min || whole > max) {
        problem(key, quotable(key) + " must be between " + groupedInt(min) + " and " + groupedInt(max) + ", not " + groupedInt(whole) + ".");
        return fallback;
    }
    return whole;
}

double JsonReader::real(std::string_view key, double fallback, double min, double max)
{
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_number()) {
        problem(key, quotable(key) + " must be a number, not " + typeText(*value) + ".");
        return fallback;
    }
    const double number = value->get<double>();
    if (!(number >= min && number <= max)) {
        problem(key, quotable(key) + " must be " + rangeText(min, max) + ", not " + typeText(*value) + ".");
        return fallback;
    }
    return number;
}

bool JsonReader::boolean(std::string_view key, bool fallback)
{
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_boolean()) {
        problem(key, quotable(key) + " must be true or false, not " + typeText(*value) + ".");
        return fallback;
    }
    return value->get<bool>();
}

std::string JsonReader::text(std::string_view key, std::string fallback, std::size_t maxBytes)
{
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_string()) {
        problem(key, quotable(key) + " must be a text in quotes, not " + typeText(*value) + ".");
        return fallback;
    }
    const auto& found = value->get_ref<const std::string&>();
    if (found.size() > maxBytes) {
        problem(key, quotable(key) + " is longer than " + groupedInt(static_cast<std::int64_t>(maxBytes)) + " bytes.");
        return fallback;
    }
    return found;
}

const Json* JsonReader::raw(std::string_view key)
{
    return find(key);
}

void JsonReader::refuseUnknown()
{
    for (const auto& [key, value] : m_object.items()) {
        if (std::find(m_known.begin(), m_known.end(), key) != m_known.end()) continue;
        const std::string suggestion = nearest(key, m_known);
        problem(key, "Unknown key " + quotable(key) + (suggestion.empty() ? "." : "; did you mean " + quotable(suggestion) + "?"));
    }
}

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/parameters.h"

#include "core/base/text.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sconce {
namespace {

std::string limitText(const ParamDescriptor& d, double limit)
{
    const bool whole = d.kind == ParamKind::Int || d.kind == ParamKind::Ints;
    return whole ? groupedInt(static_cast<std::int64_t>(limit)) : realText(limit, 6);
}

std::string rangeText(const ParamDescriptor& d)
{
    return "between " + limitText(d, d.min) + " and " + limitText(d, d.max);
}

std::string countText(const ParamDescriptor& d)
{
    if (d.minCount == d.maxCount) return plural(d.minCount, "whole number", "whole numbers");
    return std::to_string(d.minCount) + " to " + std::to_string(d.maxCount) + " whole numbers";
}

std::string choicesText(const ParamDescriptor& d)
{
    std::string text;
    for (std::size_t i = 0; i < d.choices.size(); ++i) {
        if (i > 0) text += i + 1 == d.choices.size() ? " or " : ", ";
        text += d.choices[i].id;
    }
    return text;
}

std::string wantedText(const ParamDescriptor& d)
{
    switch (d.kind) {
    case ParamKind::Bool: return "true or false";
    case ParamKind::Int: return "a whole number " + rangeText(d);
    case ParamKind::Real: return "a number " + rangeText(d);
    case ParamKind::Choice: return choicesText(d);
    case ParamKind::Text: return "a text";
    case ParamKind::Ints: return countText(d) + " " + rangeText(d);
    }
    return "something else";
}

bool inRange(const ParamDescriptor& d, std::int64_t value)
{
    return static_cast<double>(value) >= d.min && static_cast<double>(value) <= d.max;
}

std::string checkInts(const ParamDescriptor& d, const std::vector<std::int64_t>& list)
{
    const auto count = static_cast<std::int64_t>(list.size());
    if (count < d.minCount || count > d.maxCount) return d.title + " needs " + countText(d) + ", not " + std::to_string(count) + ".";
    for (const std::int64_t value : list) {
        if (!inRange(d, value)) return d.title + " must be " + rangeText(d) + ", not " + groupedInt(value) + ".";
    }
    return {};
}

/// The word a value is compared by in `onlyWhen`.
std::string conditionWord(const ParamValue& value)
{
    if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (const double* real = std::get_if<double>(&value)) return realText(*real, 17);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return {};
}

bool wholeOf(const Json& json, std::int64_t& value)
{
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) return false;
    if (json.is_number_integer()) {
        value = json.get<std::int64_t>();
        return true;
    }
    if (!json.is_number_float()) return false;
    const double number = json.get<double>();
    if (std::floor(number) != number || std::abs(number) > 9007199254740992.0) return false;
    value = static_cast<std::int64_t>(number);
    return true;
}

bool intsOf(const ParamDescriptor& d, const Json& json, std::vector<std::int64_t>& list)
{
    std::int64_t whole = 0;
    if (wholeOf(json, whole) && d.minCount == d.maxCount) {
        list.assign(static_cast<std::size_t>(d.maxCount), whole);
        return true;
    }
    if (!json.is_array() || json.size() > 4096) return false;
    for (const Json& entry : json) {
        if (!wholeOf(entry, whole)) return false;
        list.push_back(whole);
    }
    return true;
}

/// False if the JSON is of another kind than the parameter.
bool fromJson(const ParamDescriptor& d, const Json& json, ParamValue& value)
{
    switch (d.kind) {
    case ParamKind::Bool:
        if (!json.is_boolean()) return false;
        value = json.get<bool>();
        return true;
    case ParamKind::Int: {
        std::int64_t whole = 0;
        if (!wholeOf(json, whole)) return false;
        value = whole;
        return true;
    }
    case ParamKind::Real:
        if (!json.is_number()) return false;
        value = json.get<double>();
        return true;
    case ParamKind::Choice:
    case ParamKind::Text:
        if (!json.is_string()) return false;
        value = json.get<std::string>();
        return true;
    case ParamKind::Ints: {
        std::vector<std::int64_t> list;
        if (!intsOf(d, json, list)) return false;
        value = std::move(list);
        return true;
    }
    }
    return false;
}

ParamDescriptor make(std::string id, std::string title, std::string help, ParamKind kind, ParamValue value)
{
    ParamDescriptor d;
    d.id = std::move(id);
    d.title = std::move(title);
    d.help = std::move(help);
    d.kind = kind;
    d.defaultValue = std::move(value);
    return d;
}

} // namespace

ParamDescriptor boolParam(std::string id, std::string title, bool value, std::string help)
{
    return make(std::move(id), std::move(title), std::move(help), ParamKind::Bool, value);
}

ParamDescriptor intParam(std::string id, std::string title, std::int64_t value, std::int64_t min, std::int64_t max, std::string help)
{
    ParamDescriptor d = make(std::move(id), std::move(title), std::move(help), ParamKind::Int, value);
    d.min = static_cast<double>(min);
    d.max = static_cast<double>(max);
    return d;
}

ParamDescriptor realParam(std::string id, std::string title, double value, double min, double max, std::string help)
{
    ParamDescriptor d = make(std::move(id), std::move(title), std::move(help), ParamKind::Real, value);
    d.min = min;
    d.max = max;
    return d;
}

ParamDescriptor choiceParam(std::string id, std::string title, std::string value, std::vector<ParamChoice> choices, std::string help)
{
    ParamDescriptor d = make(std::move(id), std::move(title), std::move(help), ParamKind::Choice, std::move(value));
    d.choices = std::move(choices);
    return d;
}

ParamDescriptor intsParam(std::string id, std::string title, std::vector<std::int64_t> value, int minCount, int maxCount,
                          std::int64_t min, std::int64_t max, std::string help)
{
    ParamDescriptor d = make(std::move(id), std::move(title), std::move(help), ParamKind::Ints, std::move(value));
    d.minCount = minCount;
    d.maxCount = maxCount;
    d.min = static_cast<double>(min);
    d.max = static_cast<double>(max);
    return d;
}

ParamDescriptor advanced(ParamDescriptor descriptor)
{
    descriptor.advanced = true;
    return descriptor;
}

const ParamDescriptor* findParam(const std::vector<ParamDescriptor>& descriptors, std::string_view id)
{
    const auto found = std::find_if(descriptors.begin(), descriptors.end(), [&](const ParamDescriptor& d) { return d.id == id; });
    return found == descriptors.end() ? nullptr : &*found;
}

const ParamValue& valueOf(const std::vector<ParamDescriptor>& descriptors, const ParamValues& values, std::string_view id)
{
    const ParamDescriptor* d = findParam(descriptors, id);
    assert(d && "a parameter that is not declared");
    const auto set = values.find(std::string(id));
    // A value of another kind (only a bug could put it there) must not reach std::get.
    if (set != values.end() && (!d || set->second.index() == d->defaultValue.index())) return set->second;
    static const ParamValue nothing = std::int64_t{0};
    return d ? d->defaultValue : nothing;
}

bool isActive(const ParamDescriptor& descriptor, const std::vector<ParamDescriptor>& all, const ParamValues& values)
{
    if (descriptor.onlyWhen.empty()) return true;
    const std::string_view condition = descriptor.onlyWhen;
    const auto equals = condition.find('=');
    const std::string_view other = condition.substr(0, equals);
    if (equals == std::string_view::npos || !findParam(all, other)) return true;
    const std::string word = conditionWord(valueOf(all, values, other));
    std::string_view rest = condition.substr(equals + 1);
    while (true) {
        const auto bar = rest.find('|');
        if (rest.substr(0, bar) == word) return true;
        if (bar == std::string_view::npos) return false;
        rest.remove_prefix(bar + 1);
    }
}

std::string checkParam(const ParamDescriptor& d, const ParamValue& value)
{
    const std::string wrongKind = d.title + " must be " + wantedText(d) + ".";
    if (value.index() != d.defaultValue.index()) return wrongKind;
    switch (d.kind) {
    case ParamKind::Bool: return {};
    case ParamKind::Int: {
        const std::int64_t whole = std::get<std::int64_t>(value);
        return inRange(d, whole) ? std::string() : d.title + " must be " + rangeText(d) + ", not " + groupedInt(whole) + ".";
    }
    case ParamKind::Real: {
        const double real = std::get<double>(value);
        return real >= d.min && real <= d.max ? std::string() : d.title + " must be " + rangeText(d) + ", not " + realText(real, 6) + ".";
    }
    case ParamKind::Choice: {
        const std::string& id = std::get<std::string>(value);
        std::vector<std::string> ids;
        for (const ParamChoice& choice : d.choices) ids.push_back(choice.id);
        if (std::find(ids.begin(), ids.end(), id) != ids.end()) return {};
        return d.title + " must be " + choicesText(d) + ", not “" + id.substr(0, 60) + "”.";
    }
    case ParamKind::Text:
        if (d.max > 0 && static_cast<double>(std::get<std::string>(value).size()) > d.max) {
            return d.title + " may have at most " + groupedInt(static_cast<std::int64_t>(d.max)) + " characters.";
        }
        return {};
    case ParamKind::Ints: return checkInts(d, std::get<std::vector<std::int64_t>>(value));
    }
    return wrongKind;
}

Json paramsToJson(const std::vector<ParamDescriptor>& descriptors, const ParamValues& values)
{
    Json json = Json::object();
    for (const ParamDescriptor& d : descriptors) {
        std::visit([&](const auto& value) { json[d.id] = value; }, valueOf(descriptors, values, d.id));
    }
    return json;
}

ParamValues paramsFromJson(const std::vector<ParamDescriptor>& descriptors, JsonReader& reader)
{
    ParamValues values;
    std::vector<std::pair<const ParamDescriptor*, std::string>> wrong;
    for (const ParamDescriptor& d : descriptors) {
        const Json* json = reader.raw(d.id);
        if (!json) continue;
        ParamValue value = d.defaultValue;
        std::string problem;
        if (!fromJson(d, *json, value)) problem = d.title + " must be " + wantedText(d) + ".";
        else problem = checkParam(d, value);
        if (problem.empty()) values[d.id] = std::move(value);
        else wrong.emplace_back(&d, std::move(problem));
    }
    // What a choice elsewhere has switched off may be anything: it is not used.
    for (auto& [d, problem] : wrong) {
        if (isActive(*d, descriptors, values)) reader.problem(d->id, std::move(problem));
    }
    return values;
}

std::string paramText(const ParamDescriptor& d, const ParamValue& value)
{
    if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
    const std::string unit = d.unit.empty() || d.unit == "°" ? d.unit : " " + d.unit;
    if (!d.zero.empty() && (value == ParamValue(0.0) || value == ParamValue(std::int64_t{0}))) return d.zero;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return groupedInt(*whole) + unit;
    if (const double* real = std::get_if<double>(&value)) return realText(*real) + unit;
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) return shapeText(*list) + unit;
    const std::string& text = std::get<std::string>(value);
    for (const ParamChoice& choice : d.choices) {
        if (choice.id == text) return choice.title;
    }
    return text;
}

} // namespace sconce

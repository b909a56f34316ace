// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Parameter descriptors and values: how layers, optimisers, schedules, tasks and data kinds declare their settings. One
// description serves inspector, JSON, command line, validation, help and tests. Values only; any thread.

#include "core/base/json.h"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace sconce {

/// A value of a parameter. Int pairs and lists (kernel 3×3, target shape) are vectors.
using ParamValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

enum class ParamKind {
    Bool,
    Int,    ///< whole number in [min, max]
    Real,   ///< number in [min, max]
    Choice, ///< one of choices
    Text,   ///< free text, at most max bytes
    Ints    ///< list of minCount…maxCount whole numbers, each in [min, max] (kernel, stride, shape)
};

struct ParamChoice
{
    std::string id;    ///< as written in JSON: "valid"
    std::string title; ///< as shown: "valid"
    std::string help;  ///< one sentence, may be empty
};

struct ParamDescriptor
{
    std::string id;    ///< key in JSON: "filters"
    std::string title; ///< label in the inspector: "Filters"
    std::string help;  ///< what it does, in a sentence or two; never empty
    ParamKind kind = ParamKind::Int;
    ParamValue defaultValue = std::int64_t{0};
    double min = 0;
    double max = 0;
    int minCount = 0; ///< Ints only
    int maxCount = 0; ///< Ints only
    std::vector<ParamChoice> choices;
    std::string unit;      ///< shown behind the field: "px", "%"
    bool advanced = false; ///< folded away under *More*
    bool logarithmic = false; ///< a spin box steps by factors (learning rate)
    std::string zero;      ///< what 0 means, in words, where that is not nothing much: "off", "whole batch"
    std::string onlyWhen;  ///< "other=value|value2": shown and read only when that choice is made; empty = always
};

/// Values by parameter id. Holds only what was set; valueOf() supplies the default for the rest.
using ParamValues = std::map<std::string, ParamValue>;

ParamDescriptor boolParam(std::string id, std::string title, bool value, std::string help);
ParamDescriptor intParam(std::string id, std::string title, std::int64_t value, std::int64_t min, std::int64_t max, std::string help);
ParamDescriptor realParam(std::string id, std::string title, double value, double min, double max, std::string help);
ParamDescriptor choiceParam(std::string id, std::string title, std::string value, std::vector<ParamChoice> choices, std::string help);
/// A pair such as a kernel: `count` numbers, each in [min, max].
ParamDescriptor intsParam(std::string id, std::string title, std::vector<std::int64_t> value, int minCount, int maxCount,
                          std::int64_t min, std::int64_t max, std::string help);
ParamDescriptor advanced(ParamDescriptor descriptor);

/// The descriptor with this id, or nullptr.
const ParamDescriptor* findParam(const std::vector<ParamDescriptor>& descriptors, std::string_view id);

/// The value set, else the default. Asserts that the id is declared.
const ParamValue& valueOf(const std::vector<ParamDescriptor>& descriptors, const ParamValues& values, std::string_view id);

/// True if the condition `onlyWhen` holds.
bool isActive(const ParamDescriptor& descriptor, const std::vector<ParamDescriptor>& all, const ParamValues& values);

/// An empty string if the value is allowed, else a sentence: "Filters must be between 1 and 4,096, not 0."
std::string checkParam(const ParamDescriptor& descriptor, const ParamValue& value);

/// Writes every parameter, also those at their default (a file says everything).
Json paramsToJson(const std::vector<ParamDescriptor>& descriptors, const ParamValues& values);
/// Reads the declared keys out of `reader`'s object; wrong types and ranges become problems and keep the default. A single
/// number is accepted for an Ints parameter of fixed count (kernel: 3 → 3×3).
ParamValues paramsFromJson(const std::vector<ParamDescriptor>& descriptors, JsonReader& reader);

/// "3×3", "0.5", "valid", "yes": as cards and tables show it.
std::string paramText(const ParamDescriptor& descriptor, const ParamValue& value);

} // namespace sconce

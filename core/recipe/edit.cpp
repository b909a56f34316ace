// SPDX-License-Identifier: GPL-3.0-or-later
// Changes to a recipe by way of its JSON: fixes and `--set`.
#include "core/base/text.h"
#include "core/recipe/recipe.h"

namespace sconce {

namespace {

Error invalid(std::string message, std::string remedy = {}, std::string detail = {})
{
    return {ErrorCode::Invalid, std::move(message), std::move(remedy), std::move(detail)};
}

void collectPointers(const Json& json, const std::string& path, std::vector<std::string>& out)
{
    if (!path.empty()) out.push_back(path);
    if (json.is_object()) {
        for (auto it = json.begin(); it != json.end(); ++it) collectPointers(it.value(), path + "/" + it.key(), out);
    } else if (json.is_array()) {
        for (std::size_t i = 0; i < json.size(); ++i) collectPointers(json[i], path + "/" + std::to_string(i), out);
    }
}

/// What the JSON leaves out where it is the default may be set all the same: of a layer's training, and of a text.
void addUnwritten(Json& json, const Json::json_pointer& at)
{
    if (at.empty() || json.contains(at)) return;
    if (at.to_string() == "/data/import/context") {
        json[at] = 0;
        return;
    }
    if (at.to_string() == "/data/import/labels") {
        json[at] = Json::array();
        return;
    }
    const ParamDescriptor* descriptor = findParam(layerTrainingParams(), at.back());
    const Json::json_pointer layer = at.parent_pointer();
    if (!descriptor || !json.contains(layer) || !json[layer].is_object() || !json[layer].contains("name")) return;
    json[at] = std::visit([](const auto& value) { return Json(value); }, descriptor->defaultValue);
}

/// A new type brings settings of its own: what belonged to the old one goes.
void clearForType(Json& holder)
{
    Json kept = Json::object();
    for (const char* key : {"id", "name", "branches"})
        if (holder.contains(key)) kept[key] = holder[key];
    holder = std::move(kept);
}

} // namespace

Result<Recipe> applyFix(const Recipe& recipe, const Fix& fix)
{
    const Json before = toJson(recipe);
    Json after;
    try {
        after = before.patch(fix.patch);
    } catch (const std::exception& error) {
        return invalid("The fix “" + fix.title + "” no longer fits the recipe.", "Look at the problem list again.", error.what());
    }
    Result<ParsedRecipe> parsed = recipeFromJson(after);
    if (!parsed.ok()) return parsed.error();
    if (!parsed.value().problems.empty()) {
        const Result<ParsedRecipe> old = recipeFromJson(before);
        if (!old.ok() || parsed.value().problems.size() > old.value().problems.size())
            return invalid("The fix “" + fix.title + "” does not fit the recipe: " + parsed.value().problems.front().sentence);
    }
    return std::move(parsed.value().recipe);
}

Result<Recipe> withValueSet(const Recipe& recipe, const std::string& pointer, const std::string& text)
{
    Json json = toJson(recipe);
    try {
        const Json::json_pointer at(pointer);
        addUnwritten(json, at);
        if (pointer.empty() || !json.contains(at)) {
            std::vector<std::string> known;
            collectPointers(json, "", known);
            const std::string near = nearest(pointer, known);
            return invalid("The recipe has no setting “" + pointer + "”.",
                           near.empty() ? "`describe` lists a recipe's settings." : "Did you mean “" + near + "”?");
        }
        Json& target = json[at];
        Result<Json> value = parseJson(text, "The value");
        // Text stays text, also where it looks like a number; a choice among entries may be named by its type alone.
        Json wanted = value.ok() && !target.is_string() ? std::move(value).value() : Json(text);
        if (value.ok() && value.value().is_string() && target.is_string()) wanted = value.value();
        if (target.is_object() && wanted.is_string() && target.contains("type")) {
            clearForType(target);
            target["type"] = std::move(wanted);
        } else if (at.back() == "type" && target != wanted) {
            Json& holder = json[at.parent_pointer()];
            clearForType(holder);
            holder["type"] = std::move(wanted);
        } else {
            target = std::move(wanted);
        }
    } catch (const std::exception& error) {
        return invalid("“" + pointer + "” is not a path to a setting.", "A path looks like /training/epochs.", error.what());
    }
    Result<ParsedRecipe> parsed = recipeFromJson(json);
    if (!parsed.ok()) return parsed.error();
    for (const Problem& problem : parsed.value().problems) {
        const std::string& path = problem.path;
        const bool ours = path.compare(0, pointer.size(), pointer) == 0 || pointer.compare(0, path.size(), path) == 0;
        if (ours) return invalid(path + ": " + problem.sentence);
    }
    return std::move(parsed.value().recipe);
}

} // namespace sconce

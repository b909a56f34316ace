// SPDX-License-Identifier: GPL-3.0-or-later
// JSON and recipes: reading, validation, every fix, and the way back. What reads without a problem must write and read the same.
#include "core/recipe/estimate.h"
#include "core/recipe/recipe.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    const auto json = parseJson({reinterpret_cast<const char*>(data), size}, "The recipe");
    fuzz::requireSentence(json);
    if (!json) return 0;
    const auto parsed = recipeFromJson(*json);
    fuzz::requireSentence(parsed);
    if (!parsed) return 0;
    const Recipe& recipe = parsed->recipe;
    if (parsed->problems.empty()) {
        const auto again = recipeFromJson(toJson(recipe));
        REQUIRE(again.ok());
        REQUIRE(again->problems.empty());
        REQUIRE(again->recipe == recipe);
    }
    for (const auto& problem : parsed->problems) REQUIRE(!problem.sentence.empty());
    const auto facts = assumedFacts("mnist");
    const auto problems = validate(recipe, facts);
    int tried = 0;
    for (const auto& problem : problems) {
        REQUIRE(!problem.sentence.empty() && problem.sentence.back() == '.');
        for (const auto& fix : problem.fixes) {
            if (++tried > 4) break;
            fuzz::requireSentence(applyFix(recipe, fix));
        }
    }
    (void)validate(recipe, std::nullopt);
    const auto report = analyse(recipe.stack, facts->input);
    if (!blocksStart(problems)) {
        REQUIRE(report.output.has_value());
        fuzz::requireSentence(lower(recipe.stack, facts->input));
    }
    (void)estimate(recipe, report, *facts);
    const Recipe pair[2] = {recipe, Recipe{}};
    (void)differences(pair);
    return 0;
}

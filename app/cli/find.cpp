// SPDX-License-Identifier: GPL-3.0-or-later
// find: what a recipe should be trained with, tried out before it is.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/training/batch_test.h"
#include "core/training/rate_test.h"

#include <cmath>
#include <csignal>

namespace sconce::cli {

namespace {

volatile std::sig_atomic_t wantsToEnd = 0;
void onInterrupt(int) { wantsToEnd = 1; }

} // namespace

Interruptible::Interruptible()
{
    wantsToEnd = 0;
    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
}

Interruptible::~Interruptible()
{
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

bool Interruptible::wanted() { return wantsToEnd != 0; }

TrialRecipe recipeForTrial(Context& context, const std::string& nameOrFile, const std::vector<std::string>& settings)
{
    auto parsed = loadRecipe(nameOrFile);
    if (!parsed) return {{}, context.failUsage(parsed.error())};
    if (const int code = context.problems(parsed->problems); code != Done) return {{}, code};
    auto recipe = withSettings(std::move(parsed->recipe), settings);
    if (!recipe) return {{}, context.failUsage(recipe.error())};
    return {std::move(*recipe), Done};
}

int findRate(Context& context, const RateTestArguments& arguments)
{
    TrialRecipe trial = recipeForTrial(context, arguments.recipe, arguments.set);
    if (trial.code != Done) return trial.code;
    auto store = context.store();
    if (!store) return context.fail(store.error());

    const Interruptible interruptible;
    auto test = testRates(**store, std::move(trial.recipe), arguments.data, {arguments.lowest, arguments.highest, arguments.steps}, [](const RateTestPoint&, int) { return !Interruptible::wanted(); });
    if (!test) return test.error().code == ErrorCode::Cancelled ? Interrupted : context.fail(test.error());

    std::vector<std::vector<std::string>> lines;
    for (const RateTestPoint& point : test->points) {
        context.emit({{"rate", number(point.rate)}, {"loss", number(point.loss)}, {"smoothed", number(point.smoothed)}});
        lines.push_back({realText(point.rate, 3), realText(point.loss), realText(point.smoothed)});
    }
    context.emit({{"suggestion", test->suggestion ? Json(*test->suggestion) : Json()}, {"limit", test->limit ? Json(*test->limit) : Json()}, {"text", test->text}});
    context.print(table({"rate", "loss", "smoothed"}, lines, {true, true, true}));
    context.print(test->text);
    return Done;
}

int findBatch(Context& context, const BatchTestArguments& arguments)
{
    TrialRecipe trial = recipeForTrial(context, arguments.recipe, arguments.set);
    if (trial.code != Done) return trial.code;
    auto store = context.store();
    if (!store) return context.fail(store.error());

    const Interruptible interruptible;
    std::vector<std::vector<std::string>> lines;
    auto test = testBatches(**store, std::move(trial.recipe), arguments.data, {}, [&](const BatchTrial& each) {
        context.emit({{"batch", each.batch}, {"fits", each.fits}, {"made", each.made}, {"bytes", each.bytes}, {"seconds", each.made ? Json(each.seconds) : Json()}});
        lines.push_back({groupedInt(each.batch), each.fits ? "fits" : "does not fit", each.bytes ? bytesText(each.bytes) : "–", each.made && each.fits ? (each.seconds < 1 ? std::to_string(std::lround(each.seconds * 1000)) + " ms" : durationText(each.seconds)) : each.made ? "refused" : "not made"});
        return !Interruptible::wanted();
    });
    if (!test) return test.error().code == ErrorCode::Cancelled ? Interrupted : context.fail(test.error());
    context.emit({{"largest", test->largest}, {"suggestion", test->suggestion}, {"all_of_the_data", test->allOfTheData}, {"memory", test->memory ? Json(test->memory) : Json()},
                  {"how", test->how}, {"text", test->text}});
    context.print(table({"batch", "", "memory", "step"}, lines, {true, false, true, true}));
    context.print(test->text);
    context.print(test->how);
    return Done;
}

} // namespace sconce::cli

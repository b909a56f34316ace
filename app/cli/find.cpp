// SPDX-License-Identifier: GPL-3.0-or-later
// find: what a recipe should be trained with, tried out before it is.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/training/rate_test.h"

#include <csignal>

namespace sconce::cli {

namespace {

volatile std::sig_atomic_t wantsToEnd = 0;
void onInterrupt(int) { wantsToEnd = 1; }

} // namespace

int findRate(Context& context, const RateTestArguments& arguments)
{
    auto parsed = loadRecipe(arguments.recipe);
    if (!parsed) return context.failUsage(parsed.error());
    if (const int code = context.problems(parsed->problems); code != Done) return code;
    auto recipe = withSettings(std::move(parsed->recipe), arguments.set);
    if (!recipe) return context.failUsage(recipe.error());
    auto store = context.store();
    if (!store) return context.fail(store.error());

    wantsToEnd = 0;
    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
    auto test = testRates(**store, std::move(*recipe), arguments.data, {arguments.lowest, arguments.highest, arguments.steps}, [](const RateTestPoint&, int) { return wantsToEnd == 0; });
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
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

} // namespace sconce::cli

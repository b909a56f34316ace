// SPDX-License-Identifier: GPL-3.0-or-later
// profile: where the time of a training step goes.
#include "app/cli/cli.h"

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/training/profile.h"

#include <cstdio>

namespace sconce::cli {

namespace {

std::string milliseconds(double seconds)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", seconds * 1000);
    return text;
}

void emitRows(const Context& context, const char* kind, const Profile& profile, const std::vector<ProfileRow>& rows)
{
    for (const ProfileRow& row : rows)
        context.emit({{kind, row.title}, {"id", row.id}, {"forward", row.forward}, {"backward", row.backward}, {"seconds", row.seconds()}, {"count", row.count},
                      {"share", row.seconds() / profile.together(rows)}});
}

std::string tableOf(const char* title, const Profile& profile, const std::vector<ProfileRow>& rows)
{
    std::vector<std::vector<std::string>> lines;
    const double together = profile.together(rows);
    const auto line = [&](const std::string& name, double forward, double backward) {
        const double seconds = forward + backward;
        lines.push_back({name, milliseconds(forward), milliseconds(backward), milliseconds(seconds), percentText(seconds / together, 1)});
    };
    for (const ProfileRow& row : rows) line(row.title, row.forward, row.backward);
    lines.push_back({"rest", "", "", milliseconds(profile.rest), percentText(profile.rest / together, 1)});
    lines.push_back({"together", "", "", milliseconds(together), ""});
    return table({title, "forward, ms", "backward, ms", "ms", "share"}, lines, {false, true, true, true, true});
}

} // namespace

int profile(Context& context, const ProfileArguments& arguments)
{
    TrialRecipe trial = recipeForTrial(context, arguments.recipe, arguments.set);
    if (trial.code != Done) return trial.code;
    auto store = context.store();
    if (!store) return context.fail(store.error());

    ProfileOptions options;
    options.steps = arguments.steps;
    const Interruptible interruptible;
    auto profile = profileSteps(**store, std::move(trial.recipe), arguments.data, options, [](int, int) { return !Interruptible::wanted(); });
    if (!profile) return profile.error().code == ErrorCode::Cancelled ? Interrupted : context.fail(profile.error());
    if (!arguments.trace.empty())
        if (auto written = writeFileDurably(arguments.trace, profile->trace); !written) return context.fail(written.error());

    emitRows(context, "layer", *profile, profile->layers);
    emitRows(context, "operation", *profile, profile->operations);
    Json whole{{"steps", profile->steps}, {"batch", profile->batch}, {"step_seconds", profile->stepSeconds}, {"fastest", profile->fastest}, {"slowest", profile->slowest},
               {"rest", profile->rest}, {"together", profile->together(profile->layers)}, {"memory", profile->peakBytes}, {"clock", profile->clock}, {"device", profile->device}};
    if (!profile->notice.empty()) whole["notice"] = profile->notice;
    if (!arguments.trace.empty()) whole["trace"] = arguments.trace;
    context.emit(whole);
    context.print(tableOf("layer", *profile, profile->layers));
    context.print("");
    context.print(tableOf("operation", *profile, profile->operations));
    context.print("");
    context.print("Medians over " + plural(profile->steps, "step", "steps") + " of " + groupedInt(profile->batch) + " samples on " + profile->device + ", timed by " + profile->clock +
                  ". A whole step takes " + milliseconds(profile->stepSeconds) + " ms, between " + milliseconds(profile->fastest) + " and " + milliseconds(profile->slowest) + " ms. Memory at its fullest: " + bytesText(profile->peakBytes) + ".");
    if (!profile->notice.empty()) context.print(profile->notice);
    if (!arguments.trace.empty()) context.print("The trace is in " + arguments.trace + "; chrome://tracing, ui.perfetto.dev and Speedscope open it.");
    return Done;
}

} // namespace sconce::cli

// SPDX-License-Identifier: GPL-3.0-or-later
// Schedules with their descriptors, and the learning rate of a step. Formulas as PyTorch's lr_scheduler has them, over the share
// of the run that is done, so that a longer run stretches the curve.
#include "core/recipe/recipe.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sconce {

namespace {

ParamDescriptor finalShare(const char* what)
{
    return realParam("final", "Final share", 0.0, 0.0, 1.0, std::string("What is left of the learning rate at the end: 0.1 is a tenth.") + what);
}

ParamDescriptor warmUp()
{
    return realParam("warm_up", "Warm-up share", 0.0, 0.0, 0.5,
                     "Part of the training in which the rate first climbs from zero: 0.05 is the first twentieth. Keeps large batches and transformers from going astray early; costs those steps most of their progress.");
}

std::vector<OptionEntry> makeEntries()
{
    std::vector<OptionEntry> entries;
    entries.push_back({"constant", "Constant", "The same learning rate from beginning to end. Nothing to choose, and a run may be made longer at any time; one that falls often ends a little better.", {warmUp()}});
    entries.push_back({"step", "Steps", "The learning rate drops at once every few epochs. Often ends more accurate than a constant rate; when it drops is for you to find.",
                       {intParam("every", "Every", 10, 1, 100'000, "Epochs from one drop to the next. Few settle sooner; too few, and training stands still before it is done."),
                        realParam("factor", "Factor", 0.1, 0.0001, 1.0, "What is left of the rate after each drop. Small ones settle at once, and leave little to learn with."), warmUp()}});
    entries.back().params[0].unit = "epochs";
    entries.push_back({"exponential", "Exponential", "The learning rate shrinks by the same factor in each epoch. Smoother than steps, and quickly spent: in a long run little is left of it.",
                       {realParam("factor", "Factor", 0.95, 0.0001, 1.0, "What is left of the rate after each epoch. 0.95 halves it in about fourteen; nearer to 1 learns longer and settles later."), warmUp()}});
    entries.push_back({"cosine", "Cosine", "The learning rate falls along half a cosine wave: large steps first, small ones at the end. Often ends more accurate than a constant rate with nothing to tune; a run that is stopped early misses the gain.", {finalShare(""), warmUp()}});
    entries.push_back({"one_cycle", "One cycle",
                       "The rate climbs to the learning rate and falls to nearly nothing in one arc. Often reaches the same accuracy in fewer epochs, with a learning rate several times larger; a run that is stopped early misses the gain.",
                       {realParam("climb", "Climb share", 0.3, 0.01, 0.9, "Part of the training in which the rate climbs. Longer starts more gently and leaves less time to settle."),
                        advanced(realParam("start_divisor", "Starts at 1 /", 25.0, 1.0, 1e6, "The first rate is the learning rate divided by this. Larger starts more gently, and slower.")),
                        advanced(realParam("end_divisor", "Ends at 1 /", 10000.0, 1.0, 1e9, "The last rate is the first divided by this. Larger settles further; the last steps hardly move."))}});
    entries.push_back({"polynomial", "Polynomial", "The learning rate falls to its end along a straight line, or along a curve with a higher power. Often ends more accurate than a constant rate; a run that is stopped early misses the gain.",
                       {realParam("power", "Power", 1.0, 0.1, 10.0, "1 is a straight line; 2 falls fast first and slowly at the end, which settles sooner and learns less in between."), finalShare(""), warmUp()}});
    entries.push_back({"plateau", "On plateau", "The learning rate drops whenever the validation loss has stopped falling. No need to know when; each drop costs the epochs that are waited first, and validation samples must be held back.",
                       {realParam("factor", "Factor", 0.1, 0.0001, 0.99, "What is left of the rate after each drop. Small ones settle at once, and leave little to learn with."),
                        intParam("patience", "Patience", 5, 0, 1000, "Epochs without a gain that are waited for. More are not fooled by chance, and cost their time."),
                        advanced(realParam("smallest_gain", "Smallest gain", 0.0001, 0.0, 1.0, "The loss must fall by at least this share of itself to count as a gain. Larger drops the rate sooner.")),
                        advanced(realParam("least", "Least share", 0.0, 0.0, 1.0, "The rate never falls below this share of where it began. Above 0 a long run goes on learning.")), warmUp()}});
    entries.back().params[1].unit = "epochs";
    return entries;
}

/// From `from` to `to` along half a cosine wave.
double arc(double from, double to, double share)
{
    return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(share, 0.0, 1.0)));
}

double setting(const OptionEntry& entry, const TrainingSettings& settings, const char* id)
{
    if (!findParam(entry.params, id)) return 0;
    const ParamValue& value = valueOf(entry.params, settings.schedule.params, id);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    const double* number = std::get_if<double>(&value);
    return number ? *number : 0;
}

/// OneCycleLR with two phases and cosine arcs: the peak is at step climb × total - 1, the end at the last step.
double oneCycle(double total, double now, double climb, double startDivisor, double endDivisor)
{
    const double start = 1 / startDivisor, end = start / endDivisor;
    const double peak = climb * total - 1, last = total - 1;
    if (now <= peak) return arc(start, 1, peak > 0 ? now / peak : 1);
    return arc(1, end, last > peak ? (now - peak) / (last - peak) : 1);
}

} // namespace

std::span<const OptionEntry> scheduleEntries()
{
    static const std::vector<OptionEntry> entries = makeEntries();
    return entries;
}

double learningRateAt(const TrainingSettings& settings, const RatePlace& place)
{
    const double rate = settings.learningRate;
    const OptionEntry* entry = findOption(scheduleEntries(), settings.schedule.type);
    if (!entry) return rate;
    const auto value = [&](const char* id) { return setting(*entry, settings, id); };
    const double total = static_cast<double>(std::max<std::int64_t>(1, place.totalSteps)), now = static_cast<double>(std::max<std::int64_t>(0, place.step));
    if (entry->id == "one_cycle") return rate * oneCycle(total, std::min(now, total - 1), value("climb"), value("start_divisor"), value("end_divisor"));

    const double warm = std::floor(value("warm_up") * total);
    if (now < warm) return rate * (now + 1) / warm;
    const double done = std::min(1.0, (now - warm) / std::max(1.0, total - warm));
    const double epoch = std::floor((now - warm) / static_cast<double>(std::max<std::int64_t>(1, place.stepsPerEpoch)));
    if (entry->id == "cosine") return rate * arc(1, value("final"), done);
    if (entry->id == "step") return rate * std::pow(value("factor"), std::floor(epoch / std::max(1.0, value("every"))));
    if (entry->id == "exponential") return rate * std::pow(value("factor"), epoch);
    if (entry->id == "polynomial") return rate * (value("final") + (1 - value("final")) * std::pow(1 - done, value("power")));
    if (entry->id == "plateau") return rate * place.plateau;
    return rate;
}

PlateauState afterEpoch(const TrainingSettings& settings, PlateauState state, double loss)
{
    const OptionEntry* entry = findOption(scheduleEntries(), settings.schedule.type);
    if (!entry || entry->id != "plateau" || !std::isfinite(loss)) return state;
    const auto value = [&](const char* id) { return setting(*entry, settings, id); };
    if (!state.best || loss < *state.best * (1 - value("smallest_gain"))) {
        state.best = loss;
        state.waited = 0;
        return state;
    }
    if (static_cast<double>(++state.waited) <= value("patience")) return state;
    state.factor = std::max(value("least"), state.factor * value("factor"));
    state.waited = 0;
    return state;
}

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of pictures while training, as entries; and what they come to.
#include "core/base/text.h"
#include "core/recipe/limits.h"
#include "core/recipe/validate.h"

#include <algorithm>

namespace sconce {

namespace {

const char* const whenOn = "on=true";
/// What every change says last: moves are made together, in one pass.
const char* const cost = " All moves together cost one pass over the batch, colours and cut-out a little more: a few percent of a small network's step on the processor, nothing to be measured on a large one.";

/// A step with its switch and how far it goes.
OptionEntry step(const char* id, const char* title, std::string help, std::vector<ParamDescriptor> params)
{
    for (ParamDescriptor& param : params) param.onlyWhen = whenOn;
    help += cost;
    params.insert(params.begin(), boolParam("on", title, false, help));
    return {id, title, help, std::move(params)};
}

ParamDescriptor percent(double value, double most, const char* help)
{
    ParamDescriptor descriptor = realParam("percent", "At most", value, 0.1, most, help);
    descriptor.unit = "%";
    return descriptor;
}

ParamDescriptor degrees(double value, double most, const char* help)
{
    ParamDescriptor descriptor = realParam("degrees", "At most", value, 0.1, most, help);
    descriptor.unit = "°";
    return descriptor;
}

ParamDescriptor pixels(const char* title, std::int64_t value, const char* help)
{
    ParamDescriptor descriptor = intParam("pixels", title, value, 1, limits::side, help);
    descriptor.unit = "px";
    return descriptor;
}

OptionEntry flip()
{
    return step("flip", "Flip", "Mirrors half of the pictures, so that few count for more; usually wants more epochs. For things that look alike from both sides; not for digits, letters or what stands on a certain side.",
                {choiceParam("direction", "Direction", "left_right",
                             {{"left_right", "left to right", "As in a mirror"}, {"upside_down", "upside down", "For what has no top, as seen from above"}, {"both", "both", "Each by itself"}},
                             "Which way pictures are mirrored. Take only ways that real pictures have: the others teach what is never met."),
                 choiceParam("turns", "Chosen", "random",
                             {{"random", "at random", "Anew in each epoch"}, {"alternating", "in turns", "Mirrored in every other epoch, so that each pair of epochs has both sides of every picture"}},
                             "When a picture is mirrored. In turns often reaches the same accuracy in fewer epochs.")});
}

OptionEntry edges()
{
    return {"edges", "Beyond the edge", "What comes in where a picture was moved away from. What looks most like the real thing serves best; one costs what the other does.",
            {choiceParam("fill", "Beyond the edge", "black",
                         {{"black", "black", "As most digits have it anyway"}, {"edge", "the edge goes on", "The outermost pixels are repeated"}, {"mirror", "mirrored", "The picture goes on as in a mirror"}},
                         "What comes in where a picture was shifted, rotated, zoomed or slanted away from. What looks most like the real thing serves best; one costs what the other does.")}};
}

Augmentation::Outside outside(const std::string& fill)
{
    return fill == "edge" ? Augmentation::Outside::Edge : fill == "mirror" ? Augmentation::Outside::Mirror : Augmentation::Outside::Black;
}

/// The settings of one recipe, by group and id.
class Settings
{
  public:
    explicit Settings(const DataSettings& data) : m_groups(data.augmentation) {}
    bool on(std::string_view group) const { return std::get<bool>(valueIn(augmentationEntries(), m_groups, group, "on")); }
    double real(std::string_view group, std::string_view id) const { return on(group) ? std::get<double>(valueIn(augmentationEntries(), m_groups, group, id)) : 0; }
    double share(std::string_view group) const { return real(group, "percent") / 100; }
    int pixels(std::string_view group) const { return on(group) ? static_cast<int>(std::get<std::int64_t>(valueIn(augmentationEntries(), m_groups, group, "pixels"))) : 0; }
    const std::string& word(std::string_view group, std::string_view id) const { return std::get<std::string>(valueIn(augmentationEntries(), m_groups, group, id)); }

  private:
    const OptionGroups& m_groups;
};

} // namespace

std::span<const OptionEntry> augmentationEntries()
{
    static const std::vector<OptionEntry> entries{
        step("shift", "Shift", "Moves each picture by some whole pixels, to any side. The network cares less where things are and does better on pictures it has not seen; it usually wants more epochs.",
             {pixels("At most", 2, "Pixels to the left or right, and up or down. Further helps more where things lie anywhere, and pushes them out of the picture where it is too far.")}),
        step("rotate", "Rotate", "Turns each picture a little, either way. Helps where things may lie askew and where pictures are few; usually wants more epochs.", {degrees(8, 180, "Degrees, clockwise or against the clock. More than real pictures have makes learning harder for nothing: a 6 is soon a 9.")}),
        step("zoom", "Zoom", "Shows each picture a little larger or smaller. Helps where things are near or far and where pictures are few; usually wants more epochs.", {percent(10, 90, "20 % is from 0.8 to 1.2 times the size. More helps with greater differences, and makes learning harder.")}),
        step("slant", "Slant", "Leans each picture to one side, as italic letters are. Helps with handwriting and where pictures are few; usually wants more epochs.", {degrees(5, 60, "Degrees, to the left or to the right. More than real pictures have makes learning harder for nothing.")}),
        flip(),
        step("brightness", "Brightness", "Makes each picture darker or brighter. Helps where the light is not always the same; usually wants more epochs.", {percent(20, 100, "20 % is from 0.8 to 1.2 times as bright. More helps with greater differences, and makes learning harder.")}),
        step("contrast", "Contrast", "Draws light and dark of each picture together or apart, around its mean. Helps where light or cameras differ; usually wants more epochs.", {percent(20, 100, "20 % is from 0.8 to 1.2 times the contrast. More helps with greater differences, and makes learning harder.")}),
        step("saturation", "Saturation", "Makes colours paler or stronger. Helps where light or cameras differ, does nothing to grey pictures; usually wants more epochs.", {percent(20, 100, "20 % is from 0.8 to 1.2 times as strong. More helps with greater differences, and makes learning harder.")}),
        step("cut_out", "Cut-out", "Makes a square of each picture black, anywhere, so that the network learns not to rely on one part. Helps where it learns its pictures by heart; usually wants more epochs.",
             {pixels("Side", 8, "Of the square. About a quarter to a half of the picture's side is usual; more hides what is to be learned.")}),
        edges()};
    return entries;
}

Augmentation augmentationOf(const DataSettings& data)
{
    const Settings settings(data);
    Augmentation result;
    result.shift = settings.pixels("shift");
    result.rotate = settings.real("rotate", "degrees");
    result.zoom = settings.share("zoom");
    result.slant = settings.real("slant", "degrees");
    if (settings.on("flip")) {
        const auto how = settings.word("flip", "turns") == "alternating" ? Augmentation::Flip::Alternating : Augmentation::Flip::Random;
        const std::string& direction = settings.word("flip", "direction");
        if (direction != "upside_down") result.leftRight = how;
        if (direction != "left_right") result.upsideDown = how;
    }
    result.brightness = settings.share("brightness");
    result.contrast = settings.share("contrast");
    result.saturation = settings.share("saturation");
    result.cutOut = settings.pixels("cut_out");
    result.outside = outside(settings.word("edges", "fill"));
    return result;
}

namespace {

std::string pathOf(const std::string& group, const char* id) { return "/data/augmentation/" + group + "/" + id; }

Problem& add(std::vector<Problem>& problems, Severity severity, std::string path, std::string sentence, std::string because, Fix fix)
{
    Problem problem;
    problem.severity = severity;
    problem.path = std::move(path);
    problem.brief = problem.sentence = std::move(sentence);
    problem.because = std::move(because);
    problem.fixes.push_back(std::move(fix));
    problems.push_back(std::move(problem));
    return problems.back();
}

Fix switchOff(const std::string& group) { return replaceFix("Switch " + std::string(findOption(augmentationEntries(), group)->title) + " off", pathOf(group, "on"), false); }

void withoutPictures(const Recipe& recipe, const DataFacts& data, std::vector<Problem>& problems)
{
    Fix fix{"Switch it off", Json::array()};
    std::string first;
    for (const OptionEntry& entry : augmentationEntries()) {
        if (!findParam(entry.params, "on") || !std::get<bool>(valueIn(augmentationEntries(), recipe.data.augmentation, entry.id, "on"))) continue;
        const Fix one = replaceFix("", pathOf(entry.id, "on"), false);
        fix.patch.insert(fix.patch.end(), one.patch.begin(), one.patch.end());
        if (first.empty()) first = entry.id;
    }
    const std::string title = findOption(augmentationEntries(), first)->title;
    add(problems, Severity::Problem, pathOf(first, "on"), title + " changes pictures, but the samples of " + data.title + " are none.", "", std::move(fix));
}

} // namespace

void augmentationProblems(const Recipe& recipe, const DataFacts& data, std::vector<Problem>& problems)
{
    const Augmentation how = augmentationOf(recipe.data);
    if (!how.any()) return;
    const auto size = pictureSize(data.input);
    if (!data.bytes || !size) return withoutPictures(recipe, data, problems);
    const std::int64_t side = std::min(size->height, size->width);
    const std::string picture = "a picture of " + std::to_string(size->width) + "×" + std::to_string(size->height);
    const auto set = [](const char* group, std::int64_t pixels) { return replaceFix("Set to " + groupedInt(pixels) + " px", pathOf(group, "pixels"), pixels); };
    if (how.shift >= side)
        add(problems, Severity::Problem, pathOf("shift", "pixels"), "A shift of " + plural(how.shift, "pixel", "pixels") + " moves " + picture + " out of sight.", "", set("shift", std::max<std::int64_t>(1, side / 14)));
    if (how.cutOut >= side)
        add(problems, Severity::Problem, pathOf("cut_out", "pixels"), "A cut-out of " + plural(how.cutOut, "pixel", "pixels") + " can cover the whole of " + picture + ".", "", set("cut_out", std::max<std::int64_t>(1, side / 3)));
    if (how.saturation > 0 && size->channels != 3)
        add(problems, Severity::Hint, pathOf("saturation", "on"), "Saturation does nothing to grey pictures.", "", switchOff("saturation"));
    if (data.written && (how.leftRight != Augmentation::Flip::Never || how.upsideDown != Augmentation::Flip::Never))
        add(problems, Severity::Hint, pathOf("flip", "on"), "Mirrored digits and letters are other signs, or none.", "The network would learn from what it never meets.", switchOff("flip"));
}

} // namespace sconce

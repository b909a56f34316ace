// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/services/data_choices.h"

#include "core/recipe/task.h"
#include "ui/services/studio.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace sconce::ui {

namespace {

QString key(const DatasetId& id, const char* name) { return QStringLiteral("data/%1/%2").arg(QString::fromStdString(id), QString::fromLatin1(name)); }

/// As settings keep it: what was set, in the form of a recipe.
QString augmentationText(const OptionGroups& augmentation)
{
    if (augmentation.empty()) return {};
    Recipe recipe;
    recipe.data.augmentation = augmentation;
    return QString::fromStdString(toJson(recipe)["data"]["augmentation"].dump());
}

OptionGroups augmentationFrom(const QString& text)
{
    const Json json = Json::parse(text.toStdString(), nullptr, false);
    if (!json.is_object()) return {};
    const auto parsed = recipeFromJson(Json{{"data", Json{{"augmentation", json}}}}); // what a later version cannot read is left out
    return parsed ? parsed->recipe.data.augmentation : OptionGroups{};
}

/// A task that this data cannot have gives way to the one that it can.
Configured taskFor(const Configured& task, const DatasetInfo& info)
{
    const auto classes = info.classes.size();
    const Configured best{!info.symbols.empty() ? "language" : !info.labelNames.empty() ? "multilabel" : info.numbers && classes < 2 ? "regression" : "classification", {}};
    if (task.type == best.type) return task;
    if (!info.symbols.empty()) return best;
    const Target target = targetOf(task);
    if (target == Target::Input) return task; // it needs nothing but samples
    if (!info.labelNames.empty()) return best;
    const bool fits = (target == Target::Class && classes >= 2) || (target == Target::Flag && classes == 2) || (target == Target::Number && (info.numbers || classes < 2));
    return fits ? task : best;
}

} // namespace

DataChoices dataChoices(const Settings& settings, const DatasetInfo& info)
{
    DataChoices c;
    // Tables are often sorted, files of pictures are mixed.
    c.split.kind = settings.value(key(info.id, "split"), info.kind == "table" ? QStringLiteral("shuffled") : QStringLiteral("last")).toString() == QStringLiteral("shuffled") ? SplitSettings::Kind::Shuffled
                                                                                                                         : SplitSettings::Kind::Last;
    c.split.validation = std::clamp(settings.value(key(info.id, "validation"), 0.1).toDouble(), 0.0, 0.9);
    c.split.validationCount = std::max<std::int64_t>(0, settings.value(key(info.id, "validationCount"), 0).toLongLong());
    const double test = info.testCount > 0 ? 0.0 : 0.1; // without a test part of its own a share is held back
    c.split.test = info.testCount > 0 ? 0.0 : std::clamp(settings.value(key(info.id, "test"), test).toDouble(), 0.0, 0.5);
    c.input.scale = settings.value(key(info.id, "scale"), true).toBool();
    c.input.normalise = settings.value(key(info.id, "normalise"), false).toBool();
    c.input.mean = info.mean;
    c.input.deviation = info.deviation > 0 ? info.deviation : 1;
    c.augmentation = augmentationFrom(settings.value(key(info.id, "augmentation"), QString()).toString());
    c.shuffle = settings.value(key(info.id, "shuffle"), true).toBool();
    return c;
}

void setDataChoices(Settings& settings, const DatasetId& id, const DataChoices& c)
{
    settings.setValue(key(id, "split"), c.split.kind == SplitSettings::Kind::Shuffled ? QStringLiteral("shuffled") : QStringLiteral("last"));
    settings.setValue(key(id, "validation"), c.split.validation);
    settings.setValue(key(id, "validationCount"), static_cast<qlonglong>(c.split.validationCount));
    settings.setValue(key(id, "test"), c.split.test);
    settings.setValue(key(id, "scale"), c.input.scale);
    settings.setValue(key(id, "normalise"), c.input.normalise);
    settings.setValue(key(id, "augmentation"), augmentationText(c.augmentation));
    settings.setValue(key(id, "shuffle"), c.shuffle);
}

Recipe withData(Recipe recipe, const DatasetInfo& info, const ImportOptions& import, const DataChoices& choices)
{
    recipe.data.dataset = info.id;
    recipe.data.fingerprint.clear();
    recipe.data.import = import;
    recipe.data.split = choices.split;
    recipe.data.input = choices.input;
    if (!choices.input.normalise) { // what is not used stays at its default, so that recipes do not differ by it
        recipe.data.input.mean = 0;
        recipe.data.input.deviation = 1;
    }
    recipe.data.augmentation = changeableSize(info) ? choices.augmentation : OptionGroups{};
    recipe.data.shuffle = choices.shuffle;
    recipe.task = taskFor(recipe.task, info);
    return recipe;
}

std::uint64_t startSeed()
{
    static const std::uint64_t seed = Recipe().seed;
    return seed;
}

Augmentation augmentationOf(const DataChoices& choices)
{
    DataSettings data;
    data.augmentation = choices.augmentation;
    return augmentationOf(data);
}

std::optional<PictureSize> changeableSize(const DatasetInfo& info) { return info.sample.dtype == DType::U8 ? pictureSize(info.sample) : std::nullopt; }

QString aboutAugmentation()
{
    return QCoreApplication::translate("sconce::ui", "Each picture is changed differently in each epoch; samples for validation and test never are. All moves of a picture are made in one go, so their order does not matter.");
}

QString truthText(const Dataset& data, Part part, std::int64_t row)
{
    const DatasetInfo& info = data.info();
    const auto at = static_cast<std::size_t>(row);
    if (const auto sets = data.labelSets(part); !sets.empty()) return QString::fromStdString(labelsText(info.labelNames, sets.subspan(at * info.labelNames.size(), info.labelNames.size())));
    const auto labels = data.labels(part);
    return labels.empty() ? QString() : QString::fromStdString(info.classes[static_cast<std::size_t>(labels[at])]);
}

QImage recordImage(std::span<const std::uint8_t> record, const ValueType& sample)
{
    if (sample.rank() != 3 || record.size() != static_cast<std::size_t>(sample.elements())) return {};
    const auto channels = static_cast<int>(sample.dims[0].size), height = static_cast<int>(sample.dims[1].size), width = static_cast<int>(sample.dims[2].size);
    if (channels != 1 && channels != 3) return {};
    const auto plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    QImage image(width, height, channels == 1 ? QImage::Format_Grayscale8 : QImage::Format_RGB888);
    for (int y = 0; y < height; ++y) {
        uchar* line = image.scanLine(y);
        const std::uint8_t* from = record.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) line[x * channels + c] = from[static_cast<std::size_t>(c) * plane + static_cast<std::size_t>(x)];
    }
    return image;
}

QImage sampleImage(const Dataset& data, Part part, std::int64_t row)
{
    std::vector<std::uint8_t> record(data.recordBytes());
    data.gather(part, std::span(&row, 1), record);
    return recordImage(record, data.info().sample);
}

QImage changedImage(const Dataset& data, std::int64_t row, const Augmentation& how, std::uint64_t seed, std::int64_t epoch)
{
    std::vector<std::uint8_t> record(data.recordBytes());
    data.gather(Part::Training, std::span(&row, 1), record);
    const auto size = changeableSize(data.info());
    if (size && how.any()) {
        std::vector<float> changed(record.size());
        PictureChanger(how, *size).apply(drawChange(how, *size, seed, epoch, row), record.data(), changed.data());
        std::transform(changed.begin(), changed.end(), record.begin(), [](float value) { return static_cast<std::uint8_t>(std::lround(value)); });
    }
    return recordImage(record, data.info().sample);
}

} // namespace sconce::ui

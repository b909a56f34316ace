// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a person chose for a data set on the Data page (split, steps before the network), remembered per set and taken into a
// recipe by *Train on this data*. And samples as pictures. The window's thread only.

#include "core/data/dataset.h"
#include "core/recipe/recipe.h"

#include <QImage>

namespace sconce::ui {

class Settings;

struct DataChoices
{
    SplitSettings split;
    InputSettings input;
    OptionGroups augmentation; ///< of augmentationEntries(); what is switched off keeps how far it goes
    bool shuffle = true;
    bool operator==(const DataChoices&) const = default;
};

DataChoices dataChoices(const Settings& settings, const DatasetInfo& info);
void setDataChoices(Settings& settings, const DatasetId& id, const DataChoices& choices);
/// The recipe with this data set in place of its own: id, import options and what was chosen for it.
Recipe withData(Recipe recipe, const DatasetInfo& info, const ImportOptions& import, const DataChoices& choices);

/// The seed that a recipe begins with: what pages show of splits and changes is what it gives.
std::uint64_t startSeed();
/// What these choices do to pictures of training, as the feed and drawChange take it.
Augmentation augmentationOf(const DataChoices& choices);
/// Pixels that the steps before the network may change: stored as bytes, with height and width. Nothing for tables and texts.
std::optional<PictureSize> changeableSize(const DatasetInfo& info);

/// What nobody sees in a list of augmentation's steps, for its tooltip.
QString aboutAugmentation();

/// What a sample is: its class, or those of its labels that are there ("dog, ball"); nothing where it has neither.
QString truthText(const Dataset& data, Part part, std::int64_t row);

/// A stored sample as a picture; a null image where a sample is no picture.
QImage sampleImage(const Dataset& data, Part part, std::int64_t row);
/// A sample of the training part as training shows it to the network in an epoch (0-based), its numbers rounded to whole ones.
QImage changedImage(const Dataset& data, std::int64_t row, const Augmentation& how, std::uint64_t seed, std::int64_t epoch);
/// A record (channels first) of that type as a picture.
QImage recordImage(std::span<const std::uint8_t> record, const ValueType& sample);

} // namespace sconce::ui

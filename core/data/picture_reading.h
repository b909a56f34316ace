// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Pictures of many files as records of one size, for folders of classes and folders with labels alike. Private to core/data; called by the
// thread that opens a data set.

#include "core/data/memory_dataset.h"

#include <array>
#include <filesystem>

namespace sconce {

struct PictureFile
{
    std::filesystem::path path;
    std::int32_t label = 0; ///< goes on into PartContent::labels: a class, or the place in a list of labels
};

/// Pictures that could not be read: how many, and the first by name.
struct Unreadable
{
    std::int64_t count = 0;
    std::vector<std::string> names;
};

/// Size and channels: as asked, else the commonest of the first pictures, at most 64 on the longer side.
void settle(ImportOptions& options, const std::vector<PictureFile>& files);

/// The files of a part in the order in which they become samples: mixed, always in the same way, so that the last tenth
/// (Keras' validation split) holds all kinds and not only the last one.
std::vector<PictureFile> mixed(std::vector<PictureFile> files);

/// Training with validation behind it, and test.
struct PictureParts
{
    PartContent training, test;
    std::int64_t validation = 0; ///< how many of training are validation
};
/// The pictures of training, validation and test in the order of their files, without those that cannot be read. Corrupt where none
/// for training can be; `folder` is what the sentence names.
Result<PictureParts> readParts(const std::array<std::vector<PictureFile>, 3>& files, const std::string& folder, const ImportOptions& options, const ProgressFn& progress, Unreadable& unreadable);

/// Says so among the problems, if there are any.
void addUnreadable(DatasetInfo& info, const Unreadable& unreadable);

} // namespace sconce

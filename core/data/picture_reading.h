// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Pictures of many files as records of one size, for folders of classes and folders with labels alike. Private to core/data.

#include "core/data/memory_dataset.h"

#include <filesystem>

namespace sconce {

struct PictureFile
{
    std::filesystem::path path;
    std::int32_t label = 0; ///< goes on into PartContent::labels
};

/// Pictures that could not be read: how many, and the first by name.
struct Unreadable
{
    std::int64_t count = 0;
    std::vector<std::string> names;
};

/// Size and channels: as asked, else the commonest of the first pictures, at most 64 on the longer side.
void settle(ImportOptions& options, const std::vector<PictureFile>& files);

/// The pictures in the order of the files, without those that cannot be read. Progress goes from `from` to `to`.
Result<PartContent> readPictures(const std::vector<PictureFile>& files, const ImportOptions& options, const ProgressFn& progress, double from, double to, Unreadable& unreadable);

/// Says so among the problems, if there are any.
void addUnreadable(DatasetInfo& info, const Unreadable& unreadable);

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A data set whose records lie one after the other in memory: all kinds end up here. Private to core/data.

#include "core/data/dataset.h"

#include <optional>

namespace sconce {

struct PartContent
{
    std::vector<std::uint8_t> samples; ///< count × record bytes, channels first
    std::vector<std::int32_t> labels;  ///< class index per record; empty where they have labels
    std::vector<std::uint8_t> labelSets = {}; ///< count × labels, 1 where a record has one
};

class MemoryDataset final : public Dataset
{
  public:
    /// `info` holds id, title, kind, location, sample, classes, validationCount and problems; the rest is worked out here. Labels must be
    /// valid class indices.
    MemoryDataset(DatasetInfo info, PartContent training, PartContent test);

    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override;
    std::span<const std::int32_t> labels(Part part) const override { return content(part).labels; }
    std::span<const std::uint8_t> labelSets(Part part) const override { return content(part).labelSets; }
    std::span<const std::uint8_t> contiguous(Part part) const override { return content(part).samples; }

    /// Renames the set once its fingerprint is known.
    void setIdentity(DatasetId id, std::string title);

  private:
    const PartContent& content(Part part) const { return part == Part::Training ? m_training : m_test; }
    PartContent m_training;
    PartContent m_test;
};

/// "CIFAR 10 (small)" → "cifar-10-small"; the ids of the known sets are not given away.
DatasetId slugFor(const std::string& name, const std::string& fingerprint);
/// The last part of a path, also of one that ends in a slash or in a dot.
std::string folderName(const std::string& path);

Result<DatasetPtr> openIdx(const std::string& path, const ProgressFn& progress);
/// True if the folder holds training images of IDX.
bool holdsIdx(const std::string& folder);
/// Is a label there? "1", "yes", "true", "y" and their opposites, however written; nothing for other text.
std::optional<bool> yesOrNo(std::string_view text);
/// True if the folder holds a labels.csv, which says of each picture what is on it.
bool holdsLabels(const std::string& folder);
Result<DatasetPtr> openLabelledPictures(const std::string& path, const ImportOptions& options, const ProgressFn& progress);
/// By its name: .csv, .tsv.
bool looksLikeTable(const std::string& path);
Result<DatasetPtr> openTable(const std::string& path, const ImportOptions& options, const ProgressFn& progress);
/// By its name: .txt.
bool looksLikeText(const std::string& path);
/// True if the folder holds texts and no folders, which would be classes.
bool holdsTexts(const std::string& folder);
/// A .txt file, or a folder of them, joined in the order of their names.
Result<DatasetPtr> openText(const std::string& path, const ImportOptions& options, const ProgressFn& progress);
Result<DatasetPtr> openPictureFolder(const std::string& path, const ImportOptions& options, const ProgressFn& progress);

} // namespace sconce

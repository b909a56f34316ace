// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Data for a bench whose person has none at hand, as files in a folder that is gone afterwards, so that a peer reads the same. Always the
// same bytes; any thread.

#include "core/base/result.h"

#include <string>

namespace sconce::bench {

/// A folder below the one for temporary files that survive a restart (fsyncs are to be real ones), removed with this.
class ScratchFolder
{
  public:
    /// Io with a sentence where none can be made.
    static Result<ScratchFolder> create();
    ScratchFolder(ScratchFolder&& other) noexcept : m_path(std::move(other.m_path)) { other.m_path.clear(); }
    ScratchFolder& operator=(ScratchFolder&&) = delete;
    ~ScratchFolder();
    const std::string& path() const { return m_path; }

  private:
    explicit ScratchFolder(std::string path) : m_path(std::move(path)) {}
    std::string m_path;
};

/// What a bench reads where it is given nothing.
enum class Made { Digits, ColourPictures, Text };

struct MadeData
{
    std::string path; ///< as openDataset() takes it
    std::string what; ///< for the person: "10,000 digits that Sconce drew"
};

/// Digits as MNIST's files, 2,048 pictures of 3×32×32 random bytes, or a million random characters out of 65.
Result<MadeData> makeData(Made kind, const std::string& folder);

} // namespace sconce::bench

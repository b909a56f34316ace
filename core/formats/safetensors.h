// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The safetensors format (huggingface/safetensors): our weights and checkpoints. A strict reader: header at most 16 MB,
// checked multiplication, ranges sorted and contiguous to the file's end, no duplicate names. Never executes anything.

#include "core/base/result.h"
#include "core/base/tensor_view.h"

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sconce {

class StagedFolder;

/// Writes durably (core/base/files.h), in the format's canonical order (alignment descending, then name).
/// Gives the SHA-256 of the file.
Result<std::string> writeSafetensors(const std::string& path, std::vector<TensorView> tensors,
                                     const std::map<std::string, std::string>& metadata);

struct SafetensorsWritten { std::string sha256; std::uint64_t bytes = 0; };
/// The same as a file of a folder that is being staged: durable when that is committed.
Result<SafetensorsWritten> writeSafetensors(StagedFolder& folder, const std::string& name, std::vector<TensorView> tensors,
                                            const std::map<std::string, std::string>& metadata);

/// A file read into memory-mapped, checked views. Movable.
class SafetensorsFile
{
  public:
    static Result<SafetensorsFile> open(const std::string& path);
    SafetensorsFile(SafetensorsFile&&) noexcept;
    SafetensorsFile& operator=(SafetensorsFile&&) noexcept;
    ~SafetensorsFile();

    const std::vector<TensorView>& tensors() const;
    const TensorView* find(std::string_view name) const;
    const std::map<std::string, std::string>& metadata() const;
    std::span<const std::byte> file() const; ///< the whole file, for checksums

  private:
    struct Data;
    explicit SafetensorsFile(std::unique_ptr<Data> data);
    std::unique_ptr<Data> m_data;
};

} // namespace sconce

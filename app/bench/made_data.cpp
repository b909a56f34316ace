// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/made_data.h"

#include "core/base/files.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/data/dataset.h"

#include <cerrno>
#include <cstdlib>
#include <numeric>

namespace sconce::bench {

namespace {

/// An IDX file of bytes: its magic number says the type and the rank, then each size, big-endian.
Result<void> writeIdx(const std::string& path, const std::vector<std::int64_t>& shape, std::span<const std::uint8_t> bytes)
{
    std::string text{'\0', '\0', '\x08', static_cast<char>(shape.size())};
    for (const std::int64_t size : shape)
        for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xFF);
    text.append(bytes.begin(), bytes.end());
    return writeFileDurably(path, text);
}

Result<MadeData> makeDigits(const std::string& folder)
{
    const DatasetPtr digits = builtinDigits();
    const std::int64_t count = digits->count(Part::Training);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<std::uint8_t> pictures(rows.size() * digits->recordBytes());
    digits->gather(Part::Training, rows, pictures);
    const auto classes = digits->labels(Part::Training);
    const std::vector<std::uint8_t> labels(classes.begin(), classes.end());
    SCONCE_TRY(writeIdx(folder + "/train-images-idx3-ubyte", {count, 28, 28}, pictures));
    SCONCE_TRY(writeIdx(folder + "/train-labels-idx1-ubyte", {count}, labels));
    return MadeData{folder, groupedInt(count) + " digits that Sconce drew"};
}

/// Bytes from a seed of their own.
std::vector<std::uint8_t> randomBytes(std::size_t count, unsigned below)
{
    std::vector<std::uint8_t> bytes(count);
    const Philox random(1, Purpose::Test);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(random.below(i, below));
    return bytes;
}

Result<MadeData> makePictures(const std::string& folder)
{
    constexpr std::int64_t count = 2048;
    SCONCE_TRY(writeIdx(folder + "/train-images-idx4-ubyte", {count, 3, 32, 32}, randomBytes(count * 3 * 32 * 32, 256)));
    SCONCE_TRY(writeIdx(folder + "/train-labels-idx1-ubyte", {count}, randomBytes(count, 10)));
    return MadeData{folder, groupedInt(count) + " pictures of random bytes"};
}

Result<MadeData> makeText(const std::string& folder)
{
    static constexpr std::string_view symbols = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static_assert(symbols.size() == 65);
    std::string text;
    for (const std::uint8_t index : randomBytes(1'000'000, symbols.size())) text += symbols[index];
    SCONCE_TRY(writeFileDurably(folder + "/random.txt", text));
    return MadeData{folder + "/random.txt", "a million random characters"};
}

} // namespace

Result<ScratchFolder> ScratchFolder::create()
{
    const char* wanted = std::getenv("TMPDIR");
    const std::string parent = wanted && *wanted ? wanted : "/var/tmp";
    std::string folder = parent + "/sconce-bench-XXXXXX";
    if (!::mkdtemp(folder.data())) return ioError("make a folder in", parent, errno);
    return ScratchFolder(folder);
}

ScratchFolder::~ScratchFolder()
{
    if (!m_path.empty()) (void)removeTree(m_path); // what cannot be removed is left to who clears temporary files
}

Result<MadeData> makeData(Made kind, const std::string& folder)
{
    switch (kind) {
    case Made::Digits: return makeDigits(folder);
    case Made::ColourPictures: return makePictures(folder);
    case Made::Text: return makeText(folder);
    }
    return Error{ErrorCode::Internal, "There is no such data.", "", ""};
}

} // namespace sconce::bench

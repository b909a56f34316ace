// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/safetensors.h"

#include "core/base/fd.h"
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sconce {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors and TensorView are little-endian");

constexpr std::uint64_t maxHeader = 16u << 20;
constexpr const char* metadataKey = "__metadata__";

/// Bytes of a tensor, or false where the product does not fit.
bool tensorBytes(DType dtype, const std::vector<std::int64_t>& shape, std::uint64_t& bytes)
{
    std::uint64_t product = sizeOf(dtype);
    bool zero = false;
    for (const std::int64_t dim : shape) {
        if (dim < 0) return false;
        if (dim == 0) zero = true;
        else if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(dim), &product)) return false;
    }
    bytes = zero ? 0 : product;
    return true;
}

Error broken(const std::string& path, const std::string& why)
{
    return {ErrorCode::Corrupt, "The weights file " + path + " is damaged: " + why, "Take another copy of the file, or an older checkpoint.", ""};
}

/// A foreign name as it may stand in a sentence.
std::string shown(const std::string& name)
{
    return "“" + name.substr(0, 80) + (name.size() > 80 ? "…" : "") + "”";
}

Result<void> checkForWriting(const std::string& path, const std::vector<TensorView>& tensors)
{
    std::unordered_set<std::string_view> names;
    const auto wrong = [&](const TensorView& t, const std::string& why) {
        return Error{ErrorCode::Internal, "Could not write " + path + ": the tensor " + shown(t.name) + " " + why + ".", "", ""};
    };
    for (const TensorView& t : tensors) {
        std::uint64_t bytes = 0;
        if (t.name == metadataKey) return wrong(t, "has a name that the format keeps for itself");
        if (!names.insert(t.name).second) return wrong(t, "is there twice");
        if (!tensorBytes(t.dtype, t.shape, bytes) || bytes != t.bytes.size()) return wrong(t, "has a shape that does not fit its bytes");
    }
    return {};
}

Result<std::string> headerText(const std::string& path, const std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata)
{
    Json header = Json::object();
    auto& entries = header.get_ref<Json::object_t&>(); // appended: the object's own search would be quadratic
    if (!metadata.empty()) entries.emplace_back(metadataKey, Json(metadata));
    std::uint64_t at = 0;
    for (const TensorView& t : tensors) {
        entries.emplace_back(t.name, Json{{"dtype", name(t.dtype)}, {"shape", t.shape}, {"data_offsets", {at, at + t.bytes.size()}}});
        at += t.bytes.size();
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const std::exception& failure) { // a name or value that is not UTF-8
        return Error{ErrorCode::Internal, "Could not write " + path + ": a name is not valid text.", "", failure.what()};
    }
    text.append((8 - text.size() % 8) % 8, ' '); // so that the data is aligned, as the format asks
    if (text.size() > maxHeader) return Error{ErrorCode::Unsupported, "Could not write " + path + ": too many tensors for one file.", "", ""};
    return text;
}

struct Range
{
    std::uint64_t begin = 0, end = 0;
};

/// One entry of the header; an empty text, or what is wrong with it.
std::string readEntry(const std::string& name, const Json& entry, TensorView& tensor, Range& range)
{
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets")) {
        return "the entry of " + shown(name) + " is not made of dtype, shape and data_offsets.";
    }
    const Json& dtype = entry["dtype"];
    const Json& shape = entry["shape"];
    const Json& offsets = entry["data_offsets"];
    if (!dtype.is_string() || !shape.is_array() || shape.size() > 64 || !offsets.is_array() || offsets.size() != 2) {
        return "the entry of " + shown(name) + " has values of the wrong kind.";
    }
    const auto known = dtypeFromName(dtype.get_ref<const std::string&>());
    if (!known) return "the element type " + shown(dtype.get_ref<const std::string&>()) + " of " + shown(name) + " is not supported.";
    for (const Json& dim : shape) {
        if (!dim.is_number_unsigned() || dim.get<std::uint64_t>() > INT64_MAX) return "the shape of " + shown(name) + " is not made of whole numbers.";
        tensor.shape.push_back(dim.get<std::int64_t>());
    }
    if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) return "the place of " + shown(name) + " is not given in whole numbers.";
    range = {offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>()};
    tensor.name = name;
    tensor.dtype = *known;
    std::uint64_t bytes = 0;
    if (!tensorBytes(*known, tensor.shape, bytes)) return "the shape of " + shown(name) + " is too large.";
    if (range.end < range.begin || range.end - range.begin != bytes) return "the shape of " + shown(name) + " does not fit its place in the file.";
    return {};
}

std::string readMetadata(const Json& entry, std::map<std::string, std::string>& metadata)
{
    if (!entry.is_object()) return "its notes are of the wrong kind.";
    for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) return "its note " + shown(key) + " is not a text.";
        metadata[key] = value.get<std::string>();
    }
    return {};
}

/// A file as it is to be written. The chunks look into this, and into the tensors' own bytes.
struct Layout
{
    std::uint64_t length = 0;
    std::string header;
    std::vector<std::span<const std::byte>> chunks;
};

Result<std::unique_ptr<const Layout>> layOut(const std::string& path, std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata)
{
    SCONCE_TRY(checkForWriting(path, tensors));
    std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
        return sizeOf(a.dtype) != sizeOf(b.dtype) ? sizeOf(a.dtype) > sizeOf(b.dtype) : a.name < b.name;
    });
    auto header = headerText(path, tensors, metadata);
    if (!header) return header.error();
    auto layout = std::make_unique<Layout>();
    layout->header = std::move(*header);
    layout->length = layout->header.size();
    layout->chunks = {std::as_bytes(std::span(&layout->length, 1)), std::as_bytes(std::span(layout->header.data(), layout->header.size()))};
    for (const TensorView& t : tensors) layout->chunks.push_back(t.bytes);
    return std::unique_ptr<const Layout>(std::move(layout));
}

SafetensorsWritten summaryOf(const Layout& layout)
{
    Sha256 hash;
    std::uint64_t bytes = 0;
    for (const auto& chunk : layout.chunks) {
        hash.add(chunk);
        bytes += chunk.size();
    }
    return {hash.hex(), bytes};
}

} // namespace

Result<std::string> writeSafetensors(const std::string& path, std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata)
{
    const auto layout = layOut(path, std::move(tensors), metadata);
    if (!layout) return layout.error();
    SCONCE_TRY(writeFileDurably(path, (*layout)->chunks));
    return summaryOf(**layout).sha256;
}

Result<SafetensorsWritten> writeSafetensors(StagedFolder& folder, const std::string& name, std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata)
{
    const auto layout = layOut(folder.path() + "/" + name, std::move(tensors), metadata);
    if (!layout) return layout.error();
    SCONCE_TRY(folder.write(name, (*layout)->chunks));
    return summaryOf(**layout);
}

struct SafetensorsFile::Data
{
    std::span<const std::byte> file;
    std::vector<TensorView> tensors;
    std::unordered_map<std::string_view, std::size_t> byName; ///< names live in tensors
    std::map<std::string, std::string> metadata;

    ~Data()
    {
        if (!file.empty()) ::munmap(const_cast<std::byte*>(file.data()), file.size());
    }

    Result<void> map(const std::string& path);
    Result<void> read(const std::string& path);
};

Result<void> SafetensorsFile::Data::map(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe in its place must not hang
    if (fd < 0) return ioError("read", path, errno);
    const Fd closer(fd);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return ioError("read", path, errno);
    if (!S_ISREG(status.st_mode)) return Error{ErrorCode::Invalid, "Could not read " + path + ": it is not a file.", "Choose a weights file.", ""};
    if (status.st_size < 10) return broken(path, "it is too short.");
    void* memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) return ioError("read", path, errno);
    file = {static_cast<const std::byte*>(memory), static_cast<std::size_t>(status.st_size)};
    return {};
}

Result<void> SafetensorsFile::Data::read(const std::string& path)
{
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    if (length > maxHeader) return broken(path, "it is not a safetensors file, or its header is larger than 16 MiB.");
    if (length > file.size() - 8) return broken(path, "it ends within its header.");
    const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, length);
    if (!text.starts_with('{')) return broken(path, "it is not a safetensors file.");
    auto header = parseJson(text, "The header of " + path, {maxHeader, 4});
    if (!header) return broken(path, header.error().message);

    const auto body = file.subspan(8 + length);
    std::vector<std::pair<Range, TensorView>> entries;
    for (const auto& [name, entry] : header->items()) {
        if (name == metadataKey) {
            if (const std::string why = readMetadata(entry, metadata); !why.empty()) return broken(path, why);
            continue;
        }
        auto& [range, tensor] = entries.emplace_back();
        if (const std::string why = readEntry(name, entry, tensor, range); !why.empty()) return broken(path, why);
        if (range.end > body.size()) return broken(path, shown(name) + " lies beyond its end.");
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.first.begin != b.first.begin ? a.first.begin < b.first.begin : a.first.end < b.first.end;
    });
    std::uint64_t at = 0;
    tensors.reserve(entries.size());
    for (auto& [range, tensor] : entries) {
        if (range.begin != at) return broken(path, range.begin < at ? "two tensors overlap." : "there is a hole between its tensors.");
        at = range.end;
        tensor.bytes = body.subspan(range.begin, range.end - range.begin);
        tensors.push_back(std::move(tensor));
    }
    if (at != body.size()) return broken(path, "there is more in it than its header says.");
    for (std::size_t i = 0; i < tensors.size(); ++i) byName.emplace(tensors[i].name, i);
    return {};
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path)
{
    auto data = std::make_unique<Data>();
    try {
        SCONCE_TRY(data->map(path));
        SCONCE_TRY(data->read(path));
    } catch (const std::exception& failure) {
        return Error{ErrorCode::OutOfMemory, "There is not enough memory to read " + path + ".", "Close other programs and try again.", failure.what()};
    }
    return SafetensorsFile(std::move(data));
}

SafetensorsFile::SafetensorsFile(std::unique_ptr<Data> data) : m_data(std::move(data)) {}
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

const std::vector<TensorView>& SafetensorsFile::tensors() const
{
    return m_data->tensors;
}

const TensorView* SafetensorsFile::find(std::string_view name) const
{
    const auto found = m_data->byName.find(name);
    return found == m_data->byName.end() ? nullptr : &m_data->tensors[found->second];
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const
{
    return m_data->metadata;
}

std::span<const std::byte> SafetensorsFile::file() const
{
    return m_data->file;
}

} // namespace sconce

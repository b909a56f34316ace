// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/idx.h"

#include "core/base/files.h"
#include "core/base/text.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace sconce {
namespace {

/// Deflate cannot pack more tightly than this; a header that promises more than that lies.
constexpr std::uint64_t mostPerPackedByte = 1032;
constexpr std::uint64_t firstStep = 64u << 20;

Error broken(const std::string& path, const std::string& why)
{
    return {ErrorCode::Corrupt, "The IDX file " + path + " is damaged: " + why, "Download or copy it again.", ""};
}

/// A plain or gzip file read from its front; zlib tells them apart.
class Source
{
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source()
    {
        if (m_file) gzclose(m_file);
    }

    Result<void> open(const std::string& path)
    {
        m_path = path;
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe in its place must not hang
        if (fd < 0) return ioError("read", path, errno);
        struct stat status{};
        const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
        if (regular) m_file = gzdopen(fd, "rb");
        if (!m_file) {
            ::close(fd);
            return regular ? ioError("read", path, ENOMEM) : Error{ErrorCode::Invalid, "Could not read " + path + ": it is not a file.", "Choose an IDX file.", ""};
        }
        gzbuffer(m_file, 256 << 10);
        m_size = static_cast<std::uint64_t>(status.st_size);
        return {};
    }

    /// Fills `out` as far as the file goes; the number of bytes got.
    Result<std::size_t> read(std::uint8_t* out, std::size_t wanted)
    {
        std::size_t got = 0;
        while (got < wanted) {
            const int n = gzread(m_file, out + got, static_cast<unsigned>(std::min<std::size_t>(wanted - got, 1u << 30)));
            if (n < 0) return broken(m_path, "its compressed data cannot be unpacked.");
            if (n == 0) break;
            got += static_cast<std::size_t>(n);
        }
        int code = Z_OK;
        if (got < wanted && (gzerror(m_file, &code), code == Z_BUF_ERROR)) return broken(m_path, "its compressed data ends too early.");
        return got;
    }

    /// The most that may come out of the file.
    std::uint64_t mostBytes() const { return gzdirect(m_file) ? m_size : m_size * mostPerPackedByte; }

  private:
    gzFile m_file = nullptr;
    std::string m_path;
    std::uint64_t m_size = 0;
};

bool dtypeOf(std::uint8_t code, DType& dtype)
{
    switch (code) {
    case 0x08: dtype = DType::U8; return true;
    case 0x09: dtype = DType::I8; return true;
    case 0x0B: dtype = DType::I16; return true;
    case 0x0C: dtype = DType::I32; return true;
    case 0x0D: dtype = DType::F32; return true;
    case 0x0E: dtype = DType::F64; return true;
    default: return false;
    }
}

/// Reads the header and checks what it promises against the file's size; gives the bytes that follow.
Result<std::uint64_t> readHeader(Source& source, const std::string& path, IdxHeader& header)
{
    std::uint8_t front[4];
    auto got = source.read(front, sizeof front);
    if (!got) return got.error();
    const auto notIdx = [&] {
        return Error{ErrorCode::Invalid, "The file " + path + " is not an IDX file.", "IDX files are those of MNIST: train-images-idx3-ubyte and its like, plain or .gz.", ""};
    };
    if (*got < sizeof front || front[0] != 0 || front[1] != 0 || !dtypeOf(front[2], header.dtype)) return notIdx();
    const int rank = front[3];
    if (rank < 1 || rank > 4) return notIdx();

    std::uint64_t bytes = sizeOf(header.dtype);
    std::uint64_t headerBytes = sizeof front;
    for (int i = 0; i < rank; ++i, headerBytes += 4) {
        std::uint8_t be[4];
        got = source.read(be, sizeof be);
        if (!got) return got.error();
        if (*got < sizeof be) return broken(path, "it ends within its header.");
        const std::uint32_t dim = std::uint32_t{be[0]} << 24 | std::uint32_t{be[1]} << 16 | std::uint32_t{be[2]} << 8 | be[3];
        if (dim == 0) return broken(path, "its header says that a side has length 0.");
        if (__builtin_mul_overflow(bytes, std::uint64_t{dim}, &bytes)) return broken(path, "its header promises more than any disk holds.");
        header.shape.push_back(dim);
    }
    if (source.mostBytes() < headerBytes || bytes > source.mostBytes() - headerBytes) {
        return broken(path, "its header promises " + bytesText(bytes) + ", and the file is too short for that.");
    }
    return bytes;
}

Result<void> readBody(Source& source, const std::string& path, std::uint64_t bytes, std::vector<std::uint8_t>& out)
{
    // In growing steps: memory is taken for what has come out so far, not for what the header promises.
    for (std::uint64_t fill = 0; fill < bytes;) {
        const std::uint64_t step = std::min(bytes - fill, std::max(firstStep, fill));
        out.resize(fill + step);
        auto got = source.read(out.data() + fill, step);
        if (!got) return got.error();
        if (*got < step) return broken(path, "it holds " + bytesText(fill + *got) + " instead of the " + bytesText(bytes) + " that its header promises.");
        fill += step;
    }
    // One byte more tells whether the file goes on, and makes zlib check the sum of what came before.
    std::uint8_t beyond = 0;
    auto got = source.read(&beyond, 1);
    if (!got) return got.error();
    if (*got != 0) return broken(path, "there is more in it than its header says.");
    return {};
}

} // namespace

Result<IdxHeader> readIdxHeader(const std::string& path)
{
    Source source;
    SCONCE_TRY(source.open(path));
    IdxHeader header;
    SCONCE_TRY(readHeader(source, path, header));
    return header;
}

Result<IdxArray> readIdx(const std::string& path, std::uint64_t maxBytes)
{
    Source source;
    SCONCE_TRY(source.open(path));
    IdxArray array;
    auto bytes = readHeader(source, path, array.header);
    if (!bytes) return bytes.error();
    if (*bytes > maxBytes) {
        return Error{ErrorCode::Unsupported, "The file " + path + " holds " + bytesText(*bytes) + "; at most " + bytesText(maxBytes) + " are read into memory.", "Use a smaller file.", ""};
    }
    try {
        SCONCE_TRY(readBody(source, path, *bytes, array.bytes));
    } catch (const std::exception&) {
        return Error{ErrorCode::OutOfMemory, "There is not enough memory for the " + bytesText(*bytes) + " of " + path + ".", "Close other programs, or use a smaller file.", ""};
    }
    return array;
}

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
// libpng and libjpeg report errors by longjmp: whatever owns memory lives outside the functions that call setjmp, so no
// destructor is jumped over.
#include "core/formats/picture.h"

#include "core/base/fd.h"
#include "core/base/files.h"
#include "core/base/text.h"

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

namespace sconce {
namespace {

constexpr std::size_t maxFileBytes = 512u << 20;
constexpr int maxSide = 65500; ///< libjpeg's own
constexpr int maxScans = 200;  ///< a progressive picture has about ten; thousands of empty ones are an attack

Error broken(const std::string& path, const std::string& why)
{
    return {ErrorCode::Corrupt, "The picture " + path + " cannot be read: " + why, "Replace or remove it.", ""};
}

std::string checkSize(std::int64_t width, std::int64_t height)
{
    if (width < 1 || height < 1) return "it has no pixels.";
    if (width > maxSide || height > maxSide || width * height > maxPicturePixels) {
        return "with " + std::to_string(width) + "×" + std::to_string(height) + " pixels it is larger than the 64 megapixels that are read.";
    }
    return {};
}

bool isPng(const std::uint8_t* data, std::size_t size)
{
    static constexpr std::uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return size >= 8 && std::memcmp(data, signature, 8) == 0;
}

bool isJpeg(const std::uint8_t* data, std::size_t size)
{
    return size >= 3 && data[0] == 0xFF && data[1] == 0xD8 && data[2] == 0xFF;
}

/// The first bytes of a regular file.
std::size_t readFront(const std::string& path, std::uint8_t* out, std::size_t wanted, int& failure)
{
    failure = 0;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        failure = errno;
        return 0;
    }
    struct stat status{};
    ssize_t got = 0;
    if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) got = ::read(file.get(), out, wanted);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

// ------------------------------------------------------------------------------------------------------------- PNG

struct PngJob
{
    const std::uint8_t* data = nullptr;
    std::size_t size = 0, at = 0;
    std::string written; ///< when writing
    char message[200] = "it is damaged.";
    png_structp png = nullptr;
    png_infop info = nullptr;
    int samples = 0; ///< per pixel as decoded: 1 to 4
    std::vector<std::uint8_t> pixels;
    std::vector<png_bytep> rows;
    Picture picture;
};

[[noreturn]] void pngFailed(png_structp png, png_const_charp what)
{
    auto* job = static_cast<PngJob*>(png_get_error_ptr(png));
    std::snprintf(job->message, sizeof job->message, "its PNG data is damaged (%s).", what);
    png_longjmp(png, 1);
}

void pngWarned(png_structp, png_const_charp) {}

void pngRead(png_structp png, png_bytep out, std::size_t wanted)
{
    auto* job = static_cast<PngJob*>(png_get_io_ptr(png));
    if (wanted > job->size - job->at) png_error(png, "the file ends too early");
    std::memcpy(out, job->data + job->at, wanted);
    job->at += wanted;
}

/// Down to 8 bits; palette and fewer bits spread; transparency as an alpha channel. False: see message.
bool pngDecode(PngJob& job)
{
    if (setjmp(png_jmpbuf(job.png))) return false;
    png_set_read_fn(job.png, &job, pngRead);
    png_set_user_limits(job.png, maxSide, maxSide);
    png_set_chunk_cache_max(job.png, 128);
    png_set_chunk_malloc_max(job.png, 8u << 20);
    png_read_info(job.png, job.info);
    const auto width = static_cast<int>(png_get_image_width(job.png, job.info));
    const auto height = static_cast<int>(png_get_image_height(job.png, job.info));
    if (std::int64_t{width} * height > maxPicturePixels) png_error(job.png, "more than 64 megapixels");
    png_set_expand(job.png);
    png_set_scale_16(job.png);
    png_set_interlace_handling(job.png);
    png_read_update_info(job.png, job.info);
    job.samples = png_get_channels(job.png, job.info);
    const std::size_t stride = static_cast<std::size_t>(width) * static_cast<std::size_t>(job.samples);
    if (png_get_rowbytes(job.png, job.info) != stride) png_error(job.png, "unexpected row size");
    job.picture.width = width;
    job.picture.height = height;
    job.pixels.resize(stride * static_cast<std::size_t>(height));
    job.rows.resize(static_cast<std::size_t>(height));
    for (std::size_t y = 0; y < job.rows.size(); ++y) job.rows[y] = job.pixels.data() + y * stride;
    png_read_image(job.png, job.rows.data());
    png_read_end(job.png, nullptr);
    return true;
}

Result<Picture> readPng(const std::string& path, const std::string& content)
{
    PngJob job;
    job.data = reinterpret_cast<const std::uint8_t*>(content.data());
    job.size = content.size();
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, pngFailed, pngWarned);
    if (job.png) job.info = png_create_info_struct(job.png);
    struct Cleaner
    {
        PngJob& job;
        ~Cleaner() { png_destroy_read_struct(&job.png, &job.info, nullptr); }
    } cleaner{job};
    if (!job.info || !pngDecode(job)) return broken(path, job.message);

    const int samples = job.samples;
    job.picture.channels = samples <= 2 ? 1 : 3;
    if (samples == 1 || samples == 3) {
        job.picture.pixels = std::move(job.pixels);
        return std::move(job.picture);
    }
    const std::size_t count = job.pixels.size() / static_cast<std::size_t>(samples);
    const auto channels = static_cast<std::size_t>(samples - 1);
    job.picture.pixels.resize(count * channels);
    for (std::size_t i = 0; i < count; ++i) { // over black: the colour times its cover
        const std::uint8_t* from = job.pixels.data() + i * static_cast<std::size_t>(samples);
        for (std::size_t c = 0; c < channels; ++c) {
            job.picture.pixels[i * channels + c] = static_cast<std::uint8_t>((from[c] * from[channels] + 127) / 255);
        }
    }
    return std::move(job.picture);
}

void pngAppend(png_structp png, png_bytep data, std::size_t size)
{
    auto* job = static_cast<PngJob*>(png_get_io_ptr(png));
    job->written.append(reinterpret_cast<const char*>(data), size);
}

void pngFlushed(png_structp) {}

bool pngEncode(PngJob& job, const Picture& picture)
{
    if (setjmp(png_jmpbuf(job.png))) return false;
    png_set_write_fn(job.png, &job, pngAppend, pngFlushed);
    png_set_IHDR(job.png, job.info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height), 8,
                 picture.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(job.png, job.info);
    png_write_image(job.png, job.rows.data());
    png_write_end(job.png, nullptr);
    return true;
}

// ------------------------------------------------------------------------------------------------------------ JPEG

struct JpegJob
{
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    jpeg_progress_mgr progress{};
    std::jmp_buf back{};
    char message[JMSG_LENGTH_MAX + 40] = "it is damaged.";
    bool made = false;
    Picture picture;
    std::vector<std::uint8_t> cmyk;

    ~JpegJob()
    {
        if (made) jpeg_destroy_decompress(&info);
    }
};

JpegJob& jobOf(j_common_ptr info)
{
    return *static_cast<JpegJob*>(info->client_data);
}

[[noreturn]] void jpegFailed(j_common_ptr info)
{
    JpegJob& job = jobOf(info);
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    std::snprintf(job.message, sizeof job.message, "its JPEG data is damaged (%s).", text);
    std::longjmp(job.back, 1);
}

void jpegWarned(j_common_ptr info, int level)
{
    // libjpeg paints what is missing grey and goes on; half a picture is not one. Other oddities are left to it.
    if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER)) jpegFailed(info);
}

void jpegSilent(j_common_ptr) {}

void jpegProgress(j_common_ptr info)
{
    if (!info->is_decompressor) return;
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > maxScans) {
        std::snprintf(jobOf(info).message, sizeof jobOf(info).message, "it has more scans than any real JPEG.");
        std::longjmp(jobOf(info).back, 1);
    }
}

void jpegPrepare(JpegJob& job)
{
    job.info.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = jpegFailed;
    job.errors.emit_message = jpegWarned;
    job.errors.output_message = jpegSilent;
    job.info.client_data = &job;
}

int channelsOf(const jpeg_decompress_struct& info)
{
    return info.num_components == 1 ? 1 : 3;
}

bool jpegHeader(JpegJob& job, std::FILE* file)
{
    if (setjmp(job.back)) return false;
    jpeg_create_decompress(&job.info);
    job.made = true;
    jpeg_stdio_src(&job.info, file);
    jpeg_read_header(&job.info, TRUE);
    return true;
}

bool jpegDecode(JpegJob& job, const std::string& content, int channels)
{
    if (setjmp(job.back)) return false;
    jpeg_create_decompress(&job.info);
    job.made = true;
    job.progress.progress_monitor = jpegProgress;
    job.info.progress = &job.progress;
    jpeg_mem_src(&job.info, reinterpret_cast<const unsigned char*>(content.data()), content.size());
    jpeg_read_header(&job.info, TRUE);
    const auto width = static_cast<std::int64_t>(job.info.image_width), height = static_cast<std::int64_t>(job.info.image_height);
    if (width < 1 || height < 1 || width * height > maxPicturePixels) {
        std::snprintf(job.message, sizeof job.message, "it is larger than the 64 megapixels that are read.");
        return false;
    }
    const bool cmyk = job.info.num_components == 4;
    const bool grey = !cmyk && (job.info.num_components == 1 || channels == 1);
    // From YCbCr, libjpeg's grey is the Y of Rec. 601 as it was stored; from RGB and CMYK we mix it ourselves.
    const bool mixesGrey = grey && job.info.jpeg_color_space != JCS_YCbCr && job.info.jpeg_color_space != JCS_GRAYSCALE;
    job.info.out_color_space = cmyk ? JCS_CMYK : grey && !mixesGrey ? JCS_GRAYSCALE : JCS_RGB;
    job.info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&job.info);
    const std::size_t stride = static_cast<std::size_t>(width) * static_cast<std::size_t>(job.info.output_components);
    std::vector<std::uint8_t>& into = cmyk ? job.cmyk : job.picture.pixels;
    into.resize(stride * static_cast<std::size_t>(height));
    job.picture.width = static_cast<int>(width);
    job.picture.height = static_cast<int>(height);
    job.picture.channels = cmyk ? 3 : job.info.output_components;
    while (job.info.output_scanline < job.info.output_height) {
        JSAMPROW row = into.data() + job.info.output_scanline * stride;
        jpeg_read_scanlines(&job.info, &row, 1);
    }
    jpeg_finish_decompress(&job.info);
    return true;
}

Result<Picture> readJpeg(const std::string& path, const std::string& content, int channels)
{
    JpegJob job;
    jpegPrepare(job);
    if (!jpegDecode(job, content, channels)) return broken(path, job.message);
    if (!job.cmyk.empty()) {
        // Adobe writes CMYK inverted, and nobody else writes it: ink 255 is no ink.
        const bool inverted = job.info.saw_Adobe_marker;
        job.picture.pixels.resize(job.cmyk.size() / 4 * 3);
        for (std::size_t i = 0; i < job.cmyk.size() / 4; ++i) {
            const std::uint8_t* ink = job.cmyk.data() + 4 * i;
            const auto light = [&](int c) { return inverted ? ink[c] : 255 - ink[c]; };
            for (int c = 0; c < 3; ++c) job.picture.pixels[3 * i + static_cast<std::size_t>(c)] = static_cast<std::uint8_t>((light(c) * light(3) + 127) / 255);
        }
    }
    return std::move(job.picture);
}

// --------------------------------------------------------------------------------------------------------- pixels

/// Which source pixels make up a pixel of the result, and with which weights (of 2^14 in all). Whole numbers throughout:
/// the same picture gives the same bytes, and so the same fingerprint, on every machine.
struct Taps
{
    int first = 0;
    std::vector<std::int32_t> weights;
};

constexpr std::int32_t fullWeight = 1 << 14;

std::vector<Taps> tapsFor(std::int64_t from, std::int64_t to)
{
    std::vector<Taps> all(static_cast<std::size_t>(to));
    for (std::int64_t j = 0; j < to; ++j) {
        Taps& taps = all[static_cast<std::size_t>(j)];
        if (to > from) { // bilinear between the two nearest centres, in units of 1 / (2·to)
            const std::int64_t centre = std::clamp<std::int64_t>((2 * j + 1) * from - to, 0, 2 * to * (from - 1));
            taps.first = static_cast<int>(centre / (2 * to));
            const auto right = static_cast<std::int32_t>((centre % (2 * to)) * fullWeight / (2 * to));
            taps.weights = {fullWeight - right};
            if (right > 0) taps.weights.push_back(right);
            continue;
        }
        const std::int64_t begin = j * from, end = (j + 1) * from; // in units of 1 / to of a source pixel
        taps.first = static_cast<int>(begin / to);
        std::int32_t sum = 0;
        for (std::int64_t i = begin / to; i * to < end; ++i) {
            const std::int64_t overlap = std::min(end, (i + 1) * to) - std::max(begin, i * to);
            taps.weights.push_back(static_cast<std::int32_t>(overlap * fullWeight / from));
            sum += taps.weights.back();
        }
        // What rounding left over is spread from the front, so that white stays white.
        for (std::size_t i = 0; sum < fullWeight; i = (i + 1) % taps.weights.size(), ++sum) ++taps.weights[i];
    }
    return all;
}

} // namespace

bool looksLikePicture(const std::string& path)
{
    std::uint8_t front[8];
    int failure = 0;
    const std::size_t got = readFront(path, front, sizeof front, failure);
    return isPng(front, got) || isJpeg(front, got);
}

Result<PictureHeader> readPictureHeader(const std::string& path)
{
    std::uint8_t front[26];
    int failure = 0;
    const std::size_t got = readFront(path, front, sizeof front, failure);
    if (failure) return ioError("read", path, failure);
    PictureHeader header;
    if (isPng(front, got)) {
        if (got < sizeof front || std::memcmp(front + 12, "IHDR", 4) != 0) return broken(path, "it ends within its header.");
        const auto number = [&](int at) { return std::int64_t{front[at]} << 24 | front[at + 1] << 16 | front[at + 2] << 8 | front[at + 3]; };
        if (const std::string why = checkSize(number(16), number(20)); !why.empty()) return broken(path, why);
        header = {static_cast<int>(number(16)), static_cast<int>(number(20)), (front[25] & 2) ? 3 : 1}; // bit 1 of the colour type: colour
        return header;
    }
    if (!isJpeg(front, got)) return Error{ErrorCode::Invalid, "The file " + path + " is not a picture that can be read.", "PNG and JPEG are.", ""};
    std::FILE* file = std::fopen(path.c_str(), "rbe");
    if (!file) return ioError("read", path, errno);
    JpegJob job;
    jpegPrepare(job);
    const bool read = jpegHeader(job, file);
    std::fclose(file);
    if (!read) return broken(path, job.message);
    if (const std::string why = checkSize(job.info.image_width, job.info.image_height); !why.empty()) return broken(path, why);
    header = {static_cast<int>(job.info.image_width), static_cast<int>(job.info.image_height), channelsOf(job.info)};
    return header;
}

void setChannels(Picture& picture, int channels)
{
    if (channels == 0 || channels == picture.channels) return;
    const std::size_t count = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
    std::vector<std::uint8_t> pixels(count * static_cast<std::size_t>(channels));
    for (std::size_t i = 0; i < count; ++i) {
        if (channels == 3) {
            std::memset(pixels.data() + 3 * i, picture.pixels[i], 3);
        } else {
            const std::uint8_t* rgb = picture.pixels.data() + 3 * i;
            pixels[i] = static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16); // Rec. 601
        }
    }
    picture.channels = channels;
    picture.pixels = std::move(pixels);
}

Result<Picture> readPicture(const std::string& path, int channels)
{
    try {
        auto content = readTextFile(path, maxFileBytes);
        if (!content) return content.error();
        const auto* data = reinterpret_cast<const std::uint8_t*>(content->data());
        const bool png = isPng(data, content->size());
        if (!png && !isJpeg(data, content->size())) {
            return Error{ErrorCode::Invalid, "The file " + path + " is not a picture that can be read.", "PNG and JPEG are.", ""};
        }
        auto picture = png ? readPng(path, *content) : readJpeg(path, *content, channels);
        if (picture) setChannels(*picture, channels);
        return picture;
    } catch (const std::exception& failure) {
        return Error{ErrorCode::OutOfMemory, "There is not enough memory to read the picture " + path + ".", "Make it smaller.", failure.what()};
    }
}

Picture scaled(const Picture& picture, int width, int height)
{
    if (width == picture.width && height == picture.height) return picture;
    Picture result{width, height, picture.channels, {}};
    if (width < 1 || height < 1 || picture.width < 1 || picture.height < 1) return result;
    const auto channels = static_cast<std::size_t>(picture.channels);
    const std::size_t inStride = static_cast<std::size_t>(picture.width) * channels, outStride = static_cast<std::size_t>(width) * channels;
    const auto across = tapsFor(picture.width, width), down = tapsFor(picture.height, height);

    // Rows first, to 14 bits behind the 8 of a pixel less 6: they fit 16 bits, and the second pass fits 32.
    std::vector<std::uint16_t> rows(outStride * static_cast<std::size_t>(picture.height));
    for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height); ++y) {
        const std::uint8_t* from = picture.pixels.data() + y * inStride;
        std::uint16_t* to = rows.data() + y * outStride;
        for (const Taps& taps : across) {
            for (std::size_t c = 0; c < channels; ++c) {
                const std::uint8_t* pixel = from + static_cast<std::size_t>(taps.first) * channels + c;
                std::int32_t sum = 1 << 5;
                for (const std::int32_t weight : taps.weights) sum += weight * *pixel, pixel += channels;
                *to++ = static_cast<std::uint16_t>(sum >> 6);
            }
        }
    }
    result.pixels.resize(outStride * static_cast<std::size_t>(height));
    std::vector<std::int32_t> sums(outStride);
    for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
        const Taps& taps = down[y];
        std::fill(sums.begin(), sums.end(), 1 << 21);
        for (std::size_t k = 0; k < taps.weights.size(); ++k) {
            const std::uint16_t* row = rows.data() + (static_cast<std::size_t>(taps.first) + k) * outStride;
            for (std::size_t x = 0; x < outStride; ++x) sums[x] += taps.weights[k] * row[x];
        }
        for (std::size_t x = 0; x < outStride; ++x) result.pixels[y * outStride + x] = static_cast<std::uint8_t>(std::min(sums[x] >> 22, 255));
    }
    return result;
}

Result<void> writePng(const std::string& path, const Picture& picture)
{
    const std::size_t stride = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
    if (picture.width < 1 || picture.height < 1 || (picture.channels != 1 && picture.channels != 3) ||
        picture.pixels.size() != stride * static_cast<std::size_t>(picture.height)) {
        return Error{ErrorCode::Internal, "Could not write " + path + ": the picture is not whole.", "", ""};
    }
    PngJob job;
    for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height); ++y) {
        job.rows.push_back(const_cast<png_bytep>(picture.pixels.data() + y * stride)); // libpng only reads them
    }
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, pngFailed, pngWarned);
    if (job.png) job.info = png_create_info_struct(job.png);
    struct Cleaner
    {
        PngJob& job;
        ~Cleaner() { png_destroy_write_struct(&job.png, &job.info); }
    } cleaner{job};
    if (!job.info || !pngEncode(job, picture)) return Error{ErrorCode::Internal, "Could not write " + path + ": the picture could not be packed.", "", job.message};
    return writeFileDurably(path, job.written);
}

} // namespace sconce

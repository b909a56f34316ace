// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/picture_reading.h"

#include "core/base/text.h"
#include "core/data/order.h"
#include "core/formats/picture.h"

#include <algorithm>
#include <map>
#include <thread>

namespace sconce {
namespace {

constexpr std::uint64_t maxBytes = std::uint64_t{16} << 30;
constexpr std::size_t looksAt = 200; ///< pictures whose headers decide on the size
constexpr int largestDefaultSide = 64;
constexpr std::size_t namedProblems = 5;

/// Decodes pictures into fixed places; two threads, one of them the caller's, which alone reports progress.
class Decoder
{
  public:
    Decoder(const std::vector<PictureFile>& files, const ImportOptions& options, std::uint8_t* out) : m_files(files), m_options(options), m_out(out), m_failed(files.size(), 0) {}

    /// False if cancelled.
    bool run(const ProgressFn& progress, double from, double to)
    {
        std::jthread helper([this] { work([] { return true; }); });
        std::size_t calls = 0;
        work([&] {
            if (!progress || calls++ % 16 != 0) return true;
            const double share = static_cast<double>(m_next.load()) / static_cast<double>(m_files.size());
            return progress(from + (to - from) * std::min(1.0, share), "Reading pictures");
        });
        helper.join();
        return !m_cancelled;
    }
    const std::vector<std::uint8_t>& failed() const { return m_failed; }
    bool outOfMemory() const { return m_outOfMemory; }

  private:
    template <class GoOn> void work(GoOn goOn)
    {
        try {
            for (std::size_t i = m_next++; i < m_files.size() && !m_cancelled; i = m_next++) {
                if (!goOn()) m_cancelled = true;
                else m_failed[i] = !decode(i);
            }
        } catch (const std::exception&) { // no exception may leave a thread
            m_outOfMemory = true;
        }
    }
    bool decode(std::size_t i)
    {
        auto picture = readPicture(m_files[i].path.string(), m_options.channels);
        if (!picture) return false;
        const Picture fitted = scaled(*picture, m_options.width, m_options.height);
        const auto channels = static_cast<std::size_t>(fitted.channels);
        const std::size_t plane = static_cast<std::size_t>(fitted.width) * static_cast<std::size_t>(fitted.height);
        std::uint8_t* to = m_out + i * plane * channels;
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t k = 0; k < plane; ++k) *to++ = fitted.pixels[k * channels + c];
        }
        return true;
    }

    const std::vector<PictureFile>& m_files;
    const ImportOptions& m_options;
    std::uint8_t* m_out;
    std::vector<std::uint8_t> m_failed; ///< bytes, not bits: two threads write them
    std::atomic<std::size_t> m_next{0};
    std::atomic<bool> m_cancelled{false}, m_outOfMemory{false};
};

/// Progress goes from `from` to `to`.
Result<PartContent> readPictures(const std::vector<PictureFile>& files, const ImportOptions& options, const ProgressFn& progress, double from, double to, Unreadable& unreadable)
{
    PartContent part;
    const std::size_t record = static_cast<std::size_t>(options.width) * static_cast<std::size_t>(options.height) * static_cast<std::size_t>(options.channels);
    if (files.empty()) return part;
    if (files.size() > maxBytes / record) {
        return Error{ErrorCode::Unsupported, "The pictures would need " + bytesText(files.size() * record) + " of memory; at most " + bytesText(maxBytes) + " are read.", "Choose a smaller size for them.", ""};
    }
    part.samples.resize(files.size() * record);
    Decoder decoder(files, options, part.samples.data());
    if (!decoder.run(progress, from, to)) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    if (decoder.outOfMemory()) return Error{ErrorCode::OutOfMemory, "There is not enough memory to read the pictures.", "Close other programs, or choose a smaller size.", ""};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (decoder.failed()[i]) {
            if (++unreadable.count <= static_cast<std::int64_t>(namedProblems)) unreadable.names.push_back(files[i].path.string());
            continue;
        }
        if (kept != i) std::copy_n(part.samples.data() + i * record, record, part.samples.data() + kept * record);
        part.labels.push_back(files[i].label);
        ++kept;
    }
    part.samples.resize(kept * record);
    return part;
}

} // namespace

void settle(ImportOptions& options, const std::vector<PictureFile>& files)
{
    options.width = std::clamp(options.width, 0, 4096);
    options.height = std::clamp(options.height, 0, 4096);
    if (options.channels != 1 && options.channels != 3) options.channels = 0;
    if (options.width > 0 && options.height > 0 && options.channels > 0) return;
    std::map<std::pair<int, int>, int> sizes;
    bool colour = false;
    for (std::size_t i = 0; i < std::min(files.size(), looksAt); ++i) {
        const auto header = readPictureHeader(files[i].path.string());
        if (!header) continue;
        ++sizes[{header->width, header->height}];
        colour = colour || header->channels == 3;
    }
    if (options.channels == 0) options.channels = colour ? 3 : 1;
    if (options.width > 0 && options.height > 0) return;
    std::pair<int, int> common{32, 32};
    int most = 0;
    for (const auto& [size, count] : sizes) {
        if (count > most) most = count, common = size;
    }
    if (const int longer = std::max(common.first, common.second); longer > largestDefaultSide) {
        common.first = std::max(1, (common.first * largestDefaultSide + longer / 2) / longer);
        common.second = std::max(1, (common.second * largestDefaultSide + longer / 2) / longer);
    }
    if (options.width == 0) options.width = options.height > 0 ? options.height : common.first;
    if (options.height == 0) options.height = common.second;
}

std::vector<PictureFile> mixed(std::vector<PictureFile> files)
{
    std::vector<PictureFile> result;
    if (files.empty()) return result;
    result.reserve(files.size());
    const SampleOrder order(static_cast<std::int64_t>(files.size()), 0, 0, true);
    for (std::size_t i = 0; i < files.size(); ++i) result.push_back(std::move(files[static_cast<std::size_t>(order.at(static_cast<std::int64_t>(i)))]));
    return result;
}

Result<PictureParts> readParts(const std::array<std::vector<PictureFile>, 3>& files, const std::string& folder, const ImportOptions& options, const ProgressFn& progress, Unreadable& unreadable)
{
    const auto all = static_cast<double>(files[0].size() + files[1].size() + files[2].size());
    const double first = static_cast<double>(files[0].size()) / all, second = first + static_cast<double>(files[1].size()) / all;
    auto training = readPictures(files[0], options, progress, 0, first, unreadable);
    if (!training) return training.error();
    auto validation = readPictures(files[1], options, progress, first, second, unreadable);
    if (!validation) return validation.error();
    auto test = readPictures(files[2], options, progress, second, 1, unreadable);
    if (!test) return test.error();
    if (training->labels.empty()) {
        return Error{ErrorCode::Corrupt, "None of the pictures in " + folder + " can be read.", "Check the files; PNG and JPEG are read.", unreadable.names.front()};
    }
    PictureParts parts{std::move(*training), std::move(*test), static_cast<std::int64_t>(validation->labels.size())};
    parts.training.samples.insert(parts.training.samples.end(), validation->samples.begin(), validation->samples.end());
    parts.training.labels.insert(parts.training.labels.end(), validation->labels.begin(), validation->labels.end());
    return parts;
}

void addUnreadable(DatasetInfo& info, const Unreadable& unreadable)
{
    if (unreadable.count == 0) return;
    std::string text = plural(unreadable.count, "picture", "pictures") + " could not be read and " + (unreadable.count == 1 ? "is" : "are") + " left out: ";
    for (std::size_t i = 0; i < unreadable.names.size(); ++i) text += (i > 0 ? ", " : "") + unreadable.names[i];
    info.problems.push_back(text + (unreadable.count > static_cast<std::int64_t>(namedProblems) ? ", …" : "."));
}

} // namespace sconce

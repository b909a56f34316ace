// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/memory_dataset.h"
#include "core/data/order.h"
#include "core/formats/picture.h"

#include "core/base/text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace sconce {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t maxPictures = 20'000'000;
constexpr std::uint64_t maxBytes = std::uint64_t{16} << 30;
constexpr std::size_t looksAt = 200; ///< pictures whose headers decide on the size
constexpr int largestDefaultSide = 64;
constexpr std::size_t namedProblems = 5;

struct File
{
    fs::path path;
    std::int32_t label = 0;
};

struct Found
{
    std::map<std::string, std::vector<fs::path>> training, validation, test; ///< by class name, files sorted
    std::map<std::string, std::int64_t> foreign;                 ///< endings of pictures that are not read
};

std::string lowered(std::string text)
{
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

bool isOneOf(const std::string& word, std::initializer_list<const char*> words)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Folders directly below, sorted by name; hidden ones left out.
std::vector<fs::path> foldersIn(const fs::path& folder)
{
    std::vector<fs::path> folders;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
        std::error_code ignored;
        if (it->is_directory(ignored) && !it->path().filename().string().starts_with('.')) folders.push_back(it->path());
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

/// Pictures of a class, also in folders below it; links to folders are not followed, so that there is no circle.
void collectClass(const fs::path& folder, std::vector<fs::path>& files, Found& found)
{
    std::error_code failure;
    for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, failure), end; !failure && it != end; it.increment(failure)) {
        std::error_code ignored;
        if (it->path().filename().string().starts_with('.') || !it->is_regular_file(ignored)) continue;
        const std::string ending = lowered(it->path().extension().string());
        if (isOneOf(ending, {".png", ".jpg", ".jpeg", ".jpe"})) files.push_back(it->path());
        else if (isOneOf(ending, {".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".ppm", ".pgm"})) ++found.foreign[ending];
        if (files.size() > maxPictures) return;
    }
    std::sort(files.begin(), files.end());
}

void collectPart(const fs::path& folder, std::map<std::string, std::vector<fs::path>>& classes, Found& found)
{
    for (const fs::path& below : foldersIn(folder)) {
        std::vector<fs::path> files;
        collectClass(below, files, found);
        if (!files.empty()) classes[below.filename().string()] = std::move(files);
    }
}

Found collect(const std::string& path)
{
    Found found;
    fs::path training, validation, test;
    for (const fs::path& folder : foldersIn(path)) {
        const std::string name = lowered(folder.filename().string());
        if (isOneOf(name, {"train", "training"})) training = folder;
        if (isOneOf(name, {"test", "testing"})) test = folder;
        if (isOneOf(name, {"val", "valid", "validation"})) validation = folder;
    }
    // A folder "train" of pictures without classes below may be a class of its own (cars, planes, train).
    if (!training.empty()) collectPart(training, found.training, found);
    if (found.training.empty()) {
        found = {};
        collectPart(path, found.training, found);
        return found;
    }
    if (!validation.empty()) collectPart(validation, found.validation, found);
    if (!test.empty()) collectPart(test, found.test, found);
    return found;
}

/// Size and channels: as asked, else the commonest of the first pictures, at most 64 on the longer side.
void settle(ImportOptions& options, const std::vector<File>& files)
{
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

/// Decodes pictures into fixed places; two threads, one of them the caller's, which alone reports progress.
class Decoder
{
  public:
    Decoder(const std::vector<File>& files, const ImportOptions& options, std::uint8_t* out) : m_files(files), m_options(options), m_out(out), m_failed(files.size(), 0) {}

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

    const std::vector<File>& m_files;
    const ImportOptions& m_options;
    std::uint8_t* m_out;
    std::vector<std::uint8_t> m_failed; ///< bytes, not bits: two threads write them
    std::atomic<std::size_t> m_next{0};
    std::atomic<bool> m_cancelled{false}, m_outOfMemory{false};
};

/// The files of a part in the order in which they become samples: mixed, always in the same way, so that the last tenth
/// (Keras' validation split) holds all classes and not only the last one.
std::vector<File> mixed(const std::map<std::string, std::vector<fs::path>>& classes, const std::vector<std::string>& names)
{
    std::vector<File> sorted;
    for (const auto& [name, files] : classes) {
        const auto label = static_cast<std::int32_t>(std::lower_bound(names.begin(), names.end(), name) - names.begin());
        for (const fs::path& file : files) sorted.push_back({file, label});
    }
    std::vector<File> result;
    if (sorted.empty()) return result;
    result.reserve(sorted.size());
    const SampleOrder order(static_cast<std::int64_t>(sorted.size()), 0, 0, true);
    for (std::size_t i = 0; i < sorted.size(); ++i) result.push_back(std::move(sorted[static_cast<std::size_t>(order.at(static_cast<std::int64_t>(i)))]));
    return result;
}

struct Unreadable
{
    std::int64_t count = 0;
    std::vector<std::string> names;
};

Result<PartContent> readPart(const std::vector<File>& files, const ImportOptions& options, const ProgressFn& progress, double from, double to, Unreadable& unreadable)
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

void addProblems(DatasetInfo& info, const Found& found, const Unreadable& unreadable)
{
    if (unreadable.count > 0) {
        std::string text = plural(unreadable.count, "picture", "pictures") + " could not be read and " + (unreadable.count == 1 ? "is" : "are") + " left out: ";
        for (std::size_t i = 0; i < unreadable.names.size(); ++i) text += (i > 0 ? ", " : "") + unreadable.names[i];
        info.problems.push_back(text + (unreadable.count > static_cast<std::int64_t>(namedProblems) ? ", …" : "."));
    }
    for (const auto& [ending, count] : found.foreign) {
        info.problems.push_back(plural(count, "file", "files") + " of the kind " + ending + " " + (count == 1 ? "is" : "are") + " left out; PNG and JPEG are read.");
    }
    for (const auto& [part, what] : {std::pair(&found.test, "test"), std::pair(&found.validation, "validation")})
        for (const auto& [name, files] : *part)
            if (!found.training.contains(name)) info.problems.push_back("The class “" + name + "” is in the " + what + " pictures only; nothing can be learned about it.");
    if (info.classes.size() == 1) info.problems.push_back("There is only one class, so there is nothing to tell apart.");
}

} // namespace

Result<DatasetPtr> openPictureFolder(const std::string& path, const ImportOptions& asked, const ProgressFn& progress)
{
    if (progress && !progress(0, "Looking for pictures")) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    const Found found = collect(path);
    if (found.training.empty()) {
        return Error{ErrorCode::Invalid, "The folder " + path + " holds neither IDX files nor folders of PNG or JPEG pictures.",
                     "Put the pictures of each class into a folder of its own, or choose a folder with train-images-idx3-ubyte and its like.", ""};
    }
    std::set<std::string> names;
    for (const auto* part : {&found.training, &found.validation, &found.test}) {
        for (const auto& [name, files] : *part) names.insert(name);
    }
    DatasetInfo info;
    info.kind = "picture-folder";
    info.location = path;
    info.classes.assign(names.begin(), names.end());

    const std::vector<File> trainingFiles = mixed(found.training, info.classes), validationFiles = mixed(found.validation, info.classes), testFiles = mixed(found.test, info.classes);
    ImportOptions options = asked;
    options.width = std::clamp(options.width, 0, 4096);
    options.height = std::clamp(options.height, 0, 4096);
    if (options.channels != 1 && options.channels != 3) options.channels = 0;
    settle(options, trainingFiles);
    info.sample = imageType(options.channels, options.height, options.width);

    Unreadable unreadable;
    const auto all = static_cast<double>(trainingFiles.size() + validationFiles.size() + testFiles.size());
    const double first = static_cast<double>(trainingFiles.size()) / all, second = first + static_cast<double>(validationFiles.size()) / all;
    auto training = readPart(trainingFiles, options, progress, 0, first, unreadable);
    if (!training) return training.error();
    auto validation = readPart(validationFiles, options, progress, first, second, unreadable);
    if (!validation) return validation.error();
    auto test = readPart(testFiles, options, progress, second, 1, unreadable);
    if (!test) return test.error();
    if (training->labels.empty()) {
        return Error{ErrorCode::Corrupt, "None of the pictures in " + path + " can be read.", "Check the files; PNG and JPEG are read.", unreadable.names.front()};
    }
    addProblems(info, found, unreadable);
    info.title = folderName(path);
    info.validationCount = static_cast<std::int64_t>(validation->labels.size());
    training->samples.insert(training->samples.end(), validation->samples.begin(), validation->samples.end());
    training->labels.insert(training->labels.end(), validation->labels.begin(), validation->labels.end());
    *validation = {}; // its memory
    auto data = std::make_shared<MemoryDataset>(std::move(info), std::move(*training), std::move(*test));
    data->setIdentity(slugFor(data->info().title, data->info().fingerprint), data->info().title);
    if (progress && !progress(1, "Reading pictures")) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    return DatasetPtr(std::move(data));
}

} // namespace sconce

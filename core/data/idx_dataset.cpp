// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/memory_dataset.h"
#include "core/formats/idx.h"

#include "core/base/text.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <optional>

namespace sconce {
namespace {

namespace fs = std::filesystem;

/// Of the 70,000 pictures as LeCun published them. Fashion-MNIST has the same file names and counts, so only this tells.
constexpr const char* mnistFingerprint = "77e6b4224f886c390c1a9d6d6794193c6c79268856f66da8df0f4dc53026cde0";
constexpr std::int32_t maxClasses = 65536;

bool endsWithGz(const std::string& name)
{
    return name.ends_with(".gz") || name.ends_with(".GZ");
}

std::string lowered(std::string text)
{
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

bool replace(std::string& text, std::string_view from, std::string_view to)
{
    const auto at = text.find(from);
    if (at == std::string::npos) return false;
    text.replace(at, from.size(), to);
    return true;
}

/// The file of that name in the folder, plain or packed.
std::optional<fs::path> existing(const fs::path& folder, const std::string& plainName)
{
    std::error_code ignored;
    for (const char* ending : {"", ".gz"}) {
        const fs::path file = folder / (plainName + ending);
        if (fs::is_regular_file(file, ignored)) return file;
    }
    return std::nullopt;
}

struct Files
{
    fs::path trainingImages, trainingLabels;
    std::optional<fs::path> testImages, testLabels;
};

/// Names of training images in a folder, without .gz, each once.
std::vector<std::string> trainingImagesIn(const fs::path& folder)
{
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
        std::string name = it->path().filename().string();
        if (endsWithGz(name)) name.resize(name.size() - 3);
        const std::string lower = lowered(name);
        std::error_code ignored;
        const bool match = lower.find("train") != std::string::npos && lower.find("images") != std::string::npos && lower.find("idx") != std::string::npos;
        if (match && it->is_regular_file(ignored)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

/// The name of the labels that go with images: "train-images-idx3-ubyte" → "train-labels-idx1-ubyte".
std::string labelsNameFor(std::string name)
{
    replace(name, "images", "labels");
    for (const char* rank : {"idx2", "idx3", "idx4"}) replace(name, rank, "idx1");
    return name;
}

Result<Files> findFiles(const std::string& path)
{
    std::error_code ignored;
    fs::path folder = path;
    std::string name;
    if (fs::is_directory(folder, ignored)) {
        const auto names = trainingImagesIn(folder);
        if (names.size() > 1) {
            return Error{ErrorCode::Invalid, "The folder " + path + " holds several data sets: " + names[0] + " and " + names[1] + ".", "Choose the file with the training images of one of them.", ""};
        }
        if (names.empty()) return Error{ErrorCode::Invalid, "The folder " + path + " holds no training images.", "They are called train-images-idx3-ubyte, plain or .gz.", ""};
        name = names.front();
    } else {
        folder = fs::path(path).parent_path();
        name = fs::path(path).filename().string();
        if (endsWithGz(name)) name.resize(name.size() - 3);
        // Labels or test images were chosen: their training images, if they lie beside them.
        std::string images = name;
        replace(images, "labels", "images") && replace(images, "idx1", "idx3");
        if (images.find("train") == std::string::npos) replace(images, "t10k", "train") || replace(images, "test", "train");
        if (existing(folder, images)) name = images;
    }
    Files files;
    const auto images = existing(folder, name);
    const auto labels = existing(folder, labelsNameFor(name));
    if (!images) return Error{ErrorCode::NotFound, "There are no training images at " + path + ".", "Check the path.", ""};
    if (!labels || *labels == *images) {
        // Say first if it is not an IDX file at all.
        if (auto header = readIdxHeader(images->string()); !header) return header.error();
        return Error{ErrorCode::NotFound, "The labels of " + images->string() + " are missing.", "Put " + labelsNameFor(name) + " (plain or .gz) beside it.", ""};
    }
    files.trainingImages = *images;
    files.trainingLabels = *labels;
    for (const char* word : {"t10k", "test"}) {
        std::string test = name;
        if (!replace(test, "train", word)) break;
        files.testImages = existing(folder, test);
        files.testLabels = existing(folder, labelsNameFor(test));
        if (files.testImages) break;
    }
    return files;
}

Result<std::vector<std::int32_t>> readLabels(const std::string& path)
{
    auto array = readIdx(path);
    if (!array) return array.error();
    const auto wrong = [&](const std::string& why) { return Error{ErrorCode::Invalid, "The labels in " + path + " cannot be used: " + why, "Choose files that belong together.", ""}; };
    const DType dtype = array->header.dtype;
    if (array->header.shape.size() != 1) return wrong("they must be one row of numbers.");
    if (dtype == DType::F32 || dtype == DType::F64) return wrong("they must be whole numbers.");
    const std::size_t width = sizeOf(dtype);
    std::vector<std::int32_t> labels(array->bytes.size() / width);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::uint8_t* be = array->bytes.data() + i * width;
        std::int64_t value = be[0];
        if (dtype != DType::U8 && value >= 128) value -= 256; // the sign is in the first byte
        for (std::size_t k = 1; k < width; ++k) value = value * 256 + be[k];
        if (value < 0 || value >= maxClasses) return wrong("number " + std::to_string(i) + " is " + groupedInt(value) + "; classes are counted from 0.");
        labels[i] = static_cast<std::int32_t>(value);
    }
    return labels;
}

struct ReadPart
{
    PartContent content;
    std::vector<std::int64_t> sides; ///< of one sample
};

Result<ReadPart> readPart(const fs::path& images, const fs::path& labels)
{
    auto array = readIdx(images.string());
    if (!array) return array.error();
    const auto& shape = array->header.shape;
    if (array->header.dtype != DType::U8 || shape.size() < 2) {
        return Error{ErrorCode::Unsupported, "The file " + images.string() + " does not hold pictures of 8 bits.", "Pictures in IDX files must be unsigned bytes, as in MNIST.", ""};
    }
    auto classes = readLabels(labels.string());
    if (!classes) return classes.error();
    if (static_cast<std::int64_t>(classes->size()) != shape[0]) {
        return Error{ErrorCode::Invalid, "The file " + images.string() + " holds " + groupedInt(shape[0]) + " pictures, but " + labels.filename().string() + " " + plural(static_cast<std::int64_t>(classes->size()), "label", "labels") + ".",
                     "Choose files that belong together.", ""};
    }
    return ReadPart{{std::move(array->bytes), std::move(*classes)}, {shape.begin() + 1, shape.end()}};
}

ValueType sampleType(const std::vector<std::int64_t>& sides)
{
    if (sides.size() == 1) return featuresType(sides[0]);
    return sides.size() == 2 ? imageType(1, sides[0], sides[1]) : imageType(sides[0], sides[1], sides[2]);
}

bool tell(const ProgressFn& progress, double share, const fs::path& file)
{
    return !progress || progress(share, "Reading " + file.filename().string());
}

const Error cancelled{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};

} // namespace

bool holdsIdx(const std::string& folder)
{
    return !trainingImagesIn(folder).empty();
}

Result<DatasetPtr> openIdx(const std::string& path, const ProgressFn& progress)
{
    auto files = findFiles(path);
    if (!files) return files.error();
    if (!tell(progress, 0, files->trainingImages)) return cancelled;

    DatasetInfo info;
    info.kind = "idx";
    info.location = path;
    const bool hasTest = files->testImages && files->testLabels;
    if (files->testImages && !files->testLabels) info.problems.push_back("The test images " + files->testImages->filename().string() + " have no labels and are left out.");

    // Unpacking takes most of the time: both parts side by side.
    std::future<Result<ReadPart>> testReading;
    if (hasTest) testReading = std::async(std::launch::async, [&] { return readPart(*files->testImages, *files->testLabels); });
    auto training = readPart(files->trainingImages, files->trainingLabels);
    std::optional<Result<ReadPart>> test;
    if (hasTest) test = testReading.get();
    if (!training) return training.error();
    if (test && !*test) return test->error();
    if (test && (**test).sides != training->sides) {
        return Error{ErrorCode::Invalid, "The test pictures in " + path + " have another size (" + shapeText((**test).sides) + ") than the training pictures (" + shapeText(training->sides) + ").",
                     "Choose files that belong together.", ""};
    }
    if (!tell(progress, 0.8, files->trainingImages)) return cancelled;

    PartContent testContent;
    if (test) testContent = std::move((**test).content);
    std::int32_t highest = 0;
    for (const auto* labels : {&training->content.labels, &testContent.labels}) {
        for (const std::int32_t label : *labels) highest = std::max(highest, label);
    }
    for (std::int32_t i = 0; i <= highest; ++i) info.classes.push_back(std::to_string(i));
    info.sample = sampleType(training->sides);
    auto data = std::make_shared<MemoryDataset>(std::move(info), std::move(training->content), std::move(testContent));

    if (data->info().fingerprint == mnistFingerprint) {
        data->setIdentity("mnist", "MNIST");
    } else {
        std::error_code ignored;
        const std::string title = folderName(fs::is_directory(path, ignored) ? path : fs::absolute(path, ignored).parent_path().string());
        data->setIdentity(slugFor(title, data->info().fingerprint), title);
    }
    if (!tell(progress, 1, files->trainingImages)) return cancelled;
    return DatasetPtr(std::move(data));
}

} // namespace sconce

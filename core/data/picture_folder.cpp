// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/picture_reading.h"

#include "core/base/text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace sconce {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t maxPictures = 20'000'000;

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

std::vector<PictureFile> filesOf(const std::map<std::string, std::vector<fs::path>>& classes, const std::vector<std::string>& names)
{
    std::vector<PictureFile> sorted;
    for (const auto& [name, files] : classes) {
        const auto label = static_cast<std::int32_t>(std::lower_bound(names.begin(), names.end(), name) - names.begin());
        for (const fs::path& file : files) sorted.push_back({file, label});
    }
    return mixed(std::move(sorted));
}

void addProblems(DatasetInfo& info, const Found& found, const Unreadable& unreadable)
{
    addUnreadable(info, unreadable);
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

    const std::array<std::vector<PictureFile>, 3> files{filesOf(found.training, info.classes), filesOf(found.validation, info.classes), filesOf(found.test, info.classes)};
    ImportOptions options = asked;
    settle(options, files[0]);
    info.sample = imageType(options.channels, options.height, options.width);
    Unreadable unreadable;
    auto parts = readParts(files, path, options, progress, unreadable);
    if (!parts) return parts.error();
    addProblems(info, found, unreadable);
    info.title = folderName(path);
    info.validationCount = parts->validation;
    auto data = std::make_shared<MemoryDataset>(std::move(info), std::move(parts->training), std::move(parts->test));
    data->setIdentity(slugFor(data->info().title, data->info().fingerprint), data->info().title);
    if (progress && !progress(1, "Reading pictures")) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    return DatasetPtr(std::move(data));
}

} // namespace sconce

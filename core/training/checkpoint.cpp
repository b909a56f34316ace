// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/checkpoint.h"

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json_text.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <tuple>
#include <unistd.h>

// renameat2() is Linux's; its flag stands in linux/fs.h, which clashes with other headers.
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

namespace sconce {

namespace fs = std::filesystem;

namespace {

constexpr const char* format = "sconce-checkpoint";
constexpr int version = 1;
constexpr const char* weightsFile = "weights.safetensors";
constexpr const char* optimiserFile = "optimiser.safetensors";
constexpr const char* manifestFile = "manifest.json";
constexpr JsonLimits manifestLimits{16u << 20, 256}; // a recipe may nest 16 blocks, each a few levels of JSON

struct FileEntry { std::string name; std::uint64_t bytes = 0; std::string sha256; };

struct Manifest { Checkpoint checkpoint; std::vector<FileEntry> files; };

/// A folder of checkpoints/ by its name: step-000000422, step-000000422-2 (the same step, saved again in another state), best.
struct Name { std::string folder; std::int64_t step = 0, serial = 0; bool best = false; };

std::string checkpointsFolder(const std::string& runFolder) { return runFolder + "/checkpoints"; }

std::string baseName(std::int64_t step, bool best)
{
    char text[40];
    std::snprintf(text, sizeof text, "%s-%09lld", best ? "best" : "step", static_cast<long long>(step));
    return text;
}

std::optional<Name> parseName(const std::string& folder)
{
    if (folder == "best") return Name{folder, -1, 0, true};
    Name name{folder, 0, 1, folder.starts_with("best-")};
    if (!name.best && !folder.starts_with("step-")) return std::nullopt;
    const std::string_view rest = std::string_view(folder).substr(5);
    const auto dash = rest.find('-');
    if (!parseInt(rest.substr(0, dash), name.step) || name.step < 0) return std::nullopt;
    if (dash != std::string_view::npos && (!parseInt(rest.substr(dash + 1), name.serial) || name.serial < 2)) return std::nullopt;
    return name;
}

/// Newest first.
std::vector<Name> namesIn(const std::string& runFolder, bool best)
{
    std::vector<Name> names;
    std::error_code error;
    for (fs::directory_iterator it(checkpointsFolder(runFolder), error), end; !error && it != end; it.increment(error)) {
        auto name = parseName(it->path().filename().string());
        std::error_code ignored;
        if (name && name->best == best && it->is_directory(ignored)) names.push_back(std::move(*name));
    }
    std::sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return std::tie(a.step, a.serial) > std::tie(b.step, b.serial); });
    return names;
}

Error corrupt(const std::string& folder, const std::string& why)
{
    return {ErrorCode::Corrupt, "The checkpoint " + fs::path(folder).filename().string() + " is damaged: " + why, "An older one is used where there is one.", folder};
}

/// A checkpoint that this version or this user cannot read may be as good as new: who took an older one in its place, or began
/// again, would throw it away.
bool isNoDamage(const Error& error)
{
    return error.code == ErrorCode::TooNew || error.code == ErrorCode::Permission || error.code == ErrorCode::OutOfMemory;
}

Result<Manifest> readManifest(const std::string& folder)
{
    const std::string path = folder + "/" + manifestFile;
    auto json = readJsonFile(path, manifestLimits);
    if (!json && isNoDamage(json.error())) return json.error();
    if (!json) return json.error().code == ErrorCode::NotFound ? corrupt(folder, "its manifest is missing.") : corrupt(folder, json.error().message);
    if (!json->is_object() || json->value("format", Json()) != format) return corrupt(folder, "its manifest is not one of Sconce's.");
    const Json number = json->value("version", Json());
    if (!number.is_number_integer()) return corrupt(folder, "its manifest has no version.");
    if (number.get<std::int64_t>() > version)
        return Error{ErrorCode::TooNew, "The checkpoint " + folder + " was written by a newer version of Sconce.", "Update Sconce to use it.", ""};
    const Json hash = json->value("sha256", Json());
    json->erase("sha256"); // it is over all the rest
    const Json& content = *json;
    if (hash != sha256(jsonText(content))) return corrupt(folder, "its manifest does not match its checksum.");

    Manifest manifest;
    manifest.checkpoint.path = folder;
    std::vector<JsonProblem> problems;
    JsonReader reader(content, "", problems);
    manifest.checkpoint.reason = reader.text("reason", "");
    manifest.checkpoint.time = reader.integer("time", 0, 0, INT64_MAX);
    manifest.checkpoint.best = reader.boolean("best", false);
    const Json* state = reader.raw("state");
    const Json* recipe = reader.raw("recipe");
    const Json* files = reader.raw("files");
    if (!state || !recipe || !files || !files->is_array()) return corrupt(folder, "its manifest is not complete.");
    auto parsedState = TrainerState::fromJson(*state);
    if (!parsedState) return corrupt(folder, parsedState.error().message);
    manifest.checkpoint.state = std::move(*parsedState);
    auto parsedRecipe = recipeFromJson(*recipe);
    if (!parsedRecipe) return parsedRecipe.error().code == ErrorCode::TooNew ? parsedRecipe.error() : corrupt(folder, parsedRecipe.error().message);
    if (!parsedRecipe->problems.empty()) return corrupt(folder, "its recipe cannot be read: " + parsedRecipe->problems.front().sentence);
    manifest.checkpoint.recipe = std::move(parsedRecipe->recipe);
    for (const Json& entry : *files) {
        if (!entry.is_object()) return corrupt(folder, "its list of files cannot be read.");
        JsonReader file(entry, "/files", problems);
        manifest.files.push_back({file.text("name", ""), static_cast<std::uint64_t>(file.integer("bytes", 0, 0, INT64_MAX)), file.text("sha256", "")});
    }
    if (!problems.empty()) return corrupt(folder, problems.front().message);
    return manifest;
}

Result<void> verifyFile(const std::string& folder, const FileEntry& entry)
{
    // Names come from a file: only our own two are ever opened.
    if (entry.name != weightsFile && entry.name != optimiserFile) return corrupt(folder, "it lists a file that is not ours.");
    const std::string path = folder + "/" + entry.name;
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) return corrupt(folder, entry.name + " is missing.");
    if (bytes != entry.bytes) return corrupt(folder, entry.name + " has " + groupedInt(static_cast<std::int64_t>(bytes)) + " bytes instead of " + groupedInt(static_cast<std::int64_t>(entry.bytes)) + ".");
    auto file = SafetensorsFile::open(path);
    if (!file) return isNoDamage(file.error()) ? file.error() : corrupt(folder, file.error().message);
    if (sha256(file->file()) != entry.sha256) return corrupt(folder, entry.name + " does not match its checksum.");
    return {};
}

Result<void> checkRoom(const std::string& runFolder, std::span<const HostTensor> weights, std::span<const HostTensor> optimiser)
{
    std::uint64_t needed = 256 << 10; // headers and manifest
    for (const auto& list : {weights, optimiser})
        for (const HostTensor& tensor : list) needed += tensor.bytes.size() + 256;
    auto free = freeBytes(runFolder);
    if (!free || *free >= needed) return {}; // where it cannot be known, the write itself will tell
    return Error{ErrorCode::DiskFull,
                 "There is no room for a checkpoint: it needs " + bytesText(needed) + ", and " + bytesText(*free) + " are free on the disk of " + runFolder + ".",
                 "Free some space on that disk, or delete runs that are no longer needed.", ""};
}

Result<FileEntry> writeTensors(StagedFolder& folder, const std::string& name, std::span<const HostTensor> tensors)
{
    std::vector<TensorView> views;
    views.reserve(tensors.size());
    for (const HostTensor& tensor : tensors) views.push_back(tensor.view());
    auto written = writeSafetensors(folder, name, std::move(views), {{"format", "pt"}});
    if (!written) return written.error();
    return FileEntry{name, written->bytes, std::move(written->sha256)};
}

Result<void> writeManifest(StagedFolder& folder, const TrainerState& state, const Recipe& recipe, const std::string& reason, bool best, const std::vector<FileEntry>& files)
{
    Json list = Json::array();
    for (const FileEntry& file : files) list.push_back(Json{{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    const Json content{{"format", format},         {"version", version},
                       {"reason", reason},         {"time", Clock::system().wallMs()}, {"best", best}, {"sconce", SCONCE_VERSION},
                       {"files", std::move(list)}, {"state", state.toJson()},          {"recipe", toJson(recipe)}};
    // The checksum is over the parsed text, as a reader will see it: writing and reading once more settles -0, NaN and the like.
    auto seen = parseJson(jsonText(content), "The manifest", manifestLimits);
    if (!seen) return seen.error();
    Json manifest = *seen;
    manifest["sha256"] = sha256(jsonText(*seen));
    return folder.write(manifestFile, manifest.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

/// Renamed first, so that nobody meets a checkpoint with half its files.
void removeCheckpoint(const std::string& folder)
{
    const std::string doomed = folder + ".incomplete";
    (void)removeTree(doomed);
    std::error_code error;
    fs::rename(folder, doomed, error);
    if (auto removed = removeTree(error ? folder : doomed); !removed) log(LogLevel::Warning, removed.error().text());
}

/// Keeps the `keepLast` newest. Those of later steps are left from a future that a resume has given up (they were damaged).
void prune(const std::string& runFolder, const Name& written, int keepLast)
{
    int kept = 0;
    for (const Name& name : namesIn(runFolder, false)) {
        const bool later = std::tie(name.step, name.serial) > std::tie(written.step, written.serial);
        if (!later && kept < std::max(1, keepLast)) {
            ++kept;
            continue;
        }
        removeCheckpoint(checkpointsFolder(runFolder) + "/" + name.folder);
    }
}

/// best-N is complete; makes it "best" in one step where the file system can exchange names, and removes what it replaces.
/// Killed in between, bestCheckpoint() still finds the better one: it has the later step. Those of later steps than N are left from
/// a future that a resume has given up, and go first.
Result<std::string> installBest(const std::string& runFolder, const std::string& folder, std::int64_t step)
{
    const std::string best = checkpointsFolder(runFolder) + "/best";
    for (const Name& name : namesIn(runFolder, true)) {
        const std::string other = checkpointsFolder(runFolder) + "/" + name.folder;
        auto manifest = readManifest(other);
        if (other != folder && manifest && manifest->checkpoint.state.step > step) removeCheckpoint(other);
    }
    std::error_code error;
    if (!fs::exists(best, error)) {
        fs::rename(folder, best, error);
        if (error) return folder;
    } else if (::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, best.c_str(), RENAME_EXCHANGE) == 0) {
        removeCheckpoint(folder); // now the old one
    } else {
        removeCheckpoint(best);
        fs::rename(folder, best, error);
        if (error) return folder;
    }
    SCONCE_TRY(syncFolder(checkpointsFolder(runFolder)));
    for (const Name& name : namesIn(runFolder, true))
        if (name.folder != "best") removeCheckpoint(checkpointsFolder(runFolder) + "/" + name.folder);
    return best;
}

} // namespace

Result<std::string> saveCheckpoint(const std::string& runFolder, const TrainerState& state, const Recipe& recipe, std::span<const HostTensor> weights,
                                   std::span<const HostTensor> optimiser, const std::string& reason, bool best, int keepLast)
{
    const std::string parent = checkpointsFolder(runFolder);
    SCONCE_TRY(makeFolders(parent));
    SCONCE_TRY(checkRoom(runFolder, weights, optimiser));

    Name name{baseName(state.step, best), state.step, 1, best};
    std::error_code error;
    while (fs::exists(parent + "/" + name.folder, error)) name.folder = baseName(state.step, best) + "-" + std::to_string(++name.serial);

    auto staged = StagedFolder::create(parent + "/" + name.folder);
    if (!staged) return staged.error();
    std::vector<FileEntry> files;
    auto written = writeTensors(*staged, weightsFile, weights);
    if (!written) return written.error();
    files.push_back(std::move(*written));
    if (!optimiser.empty()) {
        written = writeTensors(*staged, optimiserFile, optimiser);
        if (!written) return written.error();
        files.push_back(std::move(*written));
    }
    SCONCE_TRY(writeManifest(*staged, state, recipe, reason, best, files));
    SCONCE_TRY(staged->commit());

    if (best) return installBest(runFolder, parent + "/" + name.folder, state.step);
    prune(runFolder, name, keepLast);
    return parent + "/" + name.folder;
}

std::vector<Checkpoint> listCheckpoints(const std::string& runFolder)
{
    std::vector<Checkpoint> list;
    for (const Name& name : namesIn(runFolder, false))
        if (auto manifest = readManifest(checkpointsFolder(runFolder) + "/" + name.folder)) list.push_back(std::move(manifest->checkpoint));
    return list;
}

void removeStaleStaging(const std::string& runFolder)
{
    std::vector<std::string> stale;
    std::error_code error;
    for (fs::directory_iterator it(checkpointsFolder(runFolder), error), end; !error && it != end; it.increment(error))
        if (it->path().filename().string().ends_with(".incomplete")) stale.push_back(it->path().string());
    for (const std::string& path : stale)
        if (auto removed = removeTree(path); !removed) log(LogLevel::Warning, removed.error().text());
}

Result<Checkpoint> readCheckpoint(const std::string& folder)
{
    auto manifest = readManifest(folder);
    if (!manifest) return manifest.error();
    if (std::none_of(manifest->files.begin(), manifest->files.end(), [](const FileEntry& file) { return file.name == weightsFile; }))
        return corrupt(folder, "it lists no weights.");
    for (const FileEntry& file : manifest->files) SCONCE_TRY(verifyFile(folder, file));
    return std::move(manifest->checkpoint);
}

Result<Checkpoint> newestValidCheckpoint(const std::string& runFolder, std::vector<std::string>* skipped)
{
    std::error_code error;
    const fs::directory_iterator look(checkpointsFolder(runFolder), error);
    if (error == std::errc::permission_denied) return ioError("read", checkpointsFolder(runFolder), error.value());
    for (const Name& name : namesIn(runFolder, false)) {
        auto checkpoint = readCheckpoint(checkpointsFolder(runFolder) + "/" + name.folder);
        if (checkpoint || isNoDamage(checkpoint.error())) return checkpoint;
        if (skipped) skipped->push_back(checkpoint.error().message);
    }
    return Error{ErrorCode::NotFound, "This run has no checkpoint that can be used.", "", runFolder};
}

Result<Checkpoint> bestCheckpoint(const std::string& runFolder)
{
    std::optional<Checkpoint> found;
    for (const Name& name : namesIn(runFolder, true)) {
        auto checkpoint = readCheckpoint(checkpointsFolder(runFolder) + "/" + name.folder);
        if (checkpoint && (!found || checkpoint->state.step > found->state.step)) found = std::move(*checkpoint);
    }
    if (!found) return Error{ErrorCode::NotFound, "This run has kept no best weights.", "The newest checkpoint can be used instead.", runFolder};
    return std::move(*found);
}

Result<SafetensorsFile> openWeights(const Checkpoint& checkpoint) { return SafetensorsFile::open(checkpoint.path + "/" + weightsFile); }
Result<SafetensorsFile> openOptimiser(const Checkpoint& checkpoint) { return SafetensorsFile::open(checkpoint.path + "/" + optimiserFile); }

} // namespace sconce

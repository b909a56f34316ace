// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/start_weights.h"

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/training/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace sconce {

namespace fs = std::filesystem;

namespace {

constexpr const char* runsFile = "start.safetensors";
constexpr std::size_t mostNamed = 4; ///< tensors in a sentence

std::string storedFile(const std::string& storeFolder, const std::string& hash) { return storeFolder + "/weights/" + hash + ".safetensors"; }
std::string storedFile(Store& store, const std::string& hash) { return storedFile(store.folder(), hash); }

/// Hashes come from recipes, which come from anywhere: one is never more than a file's name.
bool isHash(const std::string& text)
{
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string listText(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), mostNamed); ++i) text += (i ? ", " : "") + names[i];
    if (names.size() > mostNamed) text += " and " + groupedInt(static_cast<std::int64_t>(names.size() - mostNamed)) + " more";
    return text;
}

Error notThere(const StartWeights& start)
{
    return {ErrorCode::NotFound, "The weights “" + start.title + "” that training is to start from are not in this store.",
            "Name them again: on the Compose page under Start, or with sconce train RECIPE --weights RUN or FILE. Or start from random numbers: --set /training/start/sha256=\"\".",
            "SHA-256 " + start.sha256};
}

Result<SafetensorsFile> openVerified(const std::string& path, const StartWeights& start)
{
    std::error_code error;
    if (!isHash(start.sha256) || !fs::exists(path, error)) return notThere(start);
    auto file = SafetensorsFile::open(path);
    if (!file) return file.error();
    if (sha256(file->file()) != start.sha256)
        return Error{ErrorCode::Corrupt, "The weights “" + start.title + "” that training is to start from have changed on the disk.", "Name them again.", path};
    return file;
}

Result<void> copyDurably(const SafetensorsFile& file, const std::string& to)
{
    SCONCE_TRY(makeFolders(fs::path(to).parent_path().string()));
    const std::span<const std::byte> bytes = file.file();
    return writeFileDurably(to, std::span(&bytes, 1));
}

/// A checkpoint's file and what to call it.
struct Named { std::string path, title; };

Result<Named> findWeights(Store& store, const std::string& runOrFile)
{
    std::error_code error;
    if (fs::is_regular_file(runOrFile, error)) return Named{runOrFile, fs::path(runOrFile).filename().string()};
    if (runOrFile.find('/') != std::string::npos || runOrFile.ends_with(".safetensors"))
        return Error{ErrorCode::NotFound, "There is no file " + runOrFile + ".", "Name a .safetensors file, or a run of this store.", ""};
    auto id = store.findRun(runOrFile);
    if (!id) return id.error();
    auto row = store.run(*id);
    if (!row) return row.error();
    auto checkpoint = newestValidCheckpoint(row->folder);
    if (!checkpoint) return checkpoint.error();
    return Named{checkpoint->path + "/weights.safetensors",
                 "#" + std::to_string(row->number) + " " + row->name + ", step " + groupedInt(checkpoint->state.step)};
}

} // namespace

StartWeights startWeightsOf(const TrainingSettings& training)
{
    return {wordOf(training, "start", "weights"), wordOf(training, "start", "sha256"), flagOf(training, "start", "only_what_fits")};
}

void setStartWeights(TrainingSettings& training, const StartWeights& start)
{
    setOption(training, "start", "weights", start.any() ? start.title : std::string());
    setOption(training, "start", "sha256", start.sha256);
    setOption(training, "start", "only_what_fits", start.any() && start.onlyWhatFits);
}

Result<StartWeights> takeStartWeights(Store& store, const std::string& runOrFile)
{
    auto named = findWeights(store, runOrFile);
    if (!named) return named.error();
    auto file = SafetensorsFile::open(named->path);
    if (!file) return file.error();
    StartWeights start{named->title.substr(0, 200), sha256(file->file()), false};
    const std::string path = storedFile(store, start.sha256);
    if (openVerified(path, start)) { // there already; used again, so that the store's doctor lets them be while a recipe is composed
        std::error_code ignored;
        fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
        return start;
    }
    SCONCE_TRY(copyDurably(*file, path));
    return start;
}

namespace {

using Shapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

WeightsFit fitOf(const Shapes& network, const SafetensorsFile& weights)
{
    WeightsFit fit;
    std::set<std::string, std::less<>> known;
    for (const auto& [own, shape] : network) {
        known.insert(own);
        const TensorView* tensor = weights.find(own);
        if (!tensor) fit.missing.push_back(own);
        else if (tensor->shape != shape) fit.missing.push_back(own + " (" + shapeText(shape) + " here, " + shapeText(tensor->shape) + " there)");
        else if (tensor->dtype != DType::F32) fit.missing.push_back(own + " (of type " + std::string(name(tensor->dtype)) + " there)");
        else fit.taken.push_back(own);
    }
    for (const TensorView& tensor : weights.tensors())
        if (!known.contains(tensor.name)) fit.unused.push_back(tensor.name);
    return fit;
}

} // namespace

WeightsFit fitOf(const Plan& plan, const SafetensorsFile& weights)
{
    Shapes network;
    for (const ParameterSpec& each : plan.parameters) network.emplace_back(each.name, each.shape);
    for (const BufferSpec& each : plan.buffers) network.emplace_back(each.name, each.shape);
    return fitOf(network, weights);
}

WeightsFit fitOf(std::span<const HostTensor> model, const SafetensorsFile& weights)
{
    Shapes network;
    for (const HostTensor& each : model) network.emplace_back(each.name, each.shape);
    return fitOf(network, weights);
}

std::string fitText(const WeightsFit& fit)
{
    std::string text;
    if (!fit.missing.empty()) text += " Not in the weights: " + listText(fit.missing) + ".";
    if (!fit.unused.empty()) text += " Not in the network: " + listText(fit.unused) + ".";
    return text;
}

Result<void> checkStartWeights(Store& store, const TrainingSettings& training, const Plan& plan)
{
    const StartWeights start = startWeightsOf(training);
    if (!start.any()) return {};
    auto file = openVerified(storedFile(store, start.sha256), start);
    if (!file) return file.error();
    const WeightsFit fit = fitOf(plan, *file);
    if (fit.whole()) return {};
    if (fit.taken.empty())
        return Error{ErrorCode::Invalid, "Nothing of the weights “" + start.title + "” fits this network." + fitText(fit),
                     "Choose the weights of a network with layers of the same names and sizes, or start from random numbers.", ""};
    if (start.onlyWhatFits) return {};
    return Error{ErrorCode::Invalid, "The weights “" + start.title + "” do not fit this network." + fitText(fit),
                 "Take only what fits, and leave the rest random: “Only what fits” on the Compose page, or --set /training/start/only_what_fits=true.", ""};
}

Result<void> keepStartWeights(Store& store, const TrainingSettings& training, const std::string& runFolder)
{
    const StartWeights start = startWeightsOf(training);
    if (!start.any()) return {};
    auto file = openVerified(storedFile(store, start.sha256), start);
    if (!file) return file.error();
    return copyDurably(*file, runFolder + "/" + runsFile);
}

Result<SafetensorsFile> openStartWeights(const TrainingSettings& training, const std::string& runFolder)
{
    return openVerified(runFolder + "/" + runsFile, startWeightsOf(training));
}

Result<SafetensorsFile> openStoredWeights(const std::string& storeFolder, const TrainingSettings& training)
{
    const StartWeights start = startWeightsOf(training);
    return openVerified(storedFile(storeFolder, start.sha256), start);
}

Result<std::string> adoptStartWeights(Session& session, const TrainingSettings& training, const SafetensorsFile& weights)
{
    const StartWeights start = startWeightsOf(training);
    auto own = session.weights();
    if (!own) return own.error();
    const WeightsFit fit = fitOf(*own, weights);
    if (!fit.whole() && !start.onlyWhatFits) return Error{ErrorCode::Invalid, "The weights “" + start.title + "” do not fit this network." + fitText(fit), "", ""};
    std::vector<TensorView> all;
    for (const HostTensor& each : *own) all.push_back(std::find(fit.taken.begin(), fit.taken.end(), each.name) == fit.taken.end() ? each.view() : *weights.find(each.name));
    SCONCE_TRY(session.setWeights(all));
    return fitText(fit);
}

} // namespace sconce

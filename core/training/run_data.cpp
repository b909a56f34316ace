// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/run_data.h"

#include <filesystem>
#include <mutex>
#include <utility>

namespace sconce {

namespace fs = std::filesystem;

namespace {

constexpr const char* addIt = "Add it on the Data page, or name its folder: sconce train RECIPE --data PATH.";

bool isBuiltin(const DatasetId& id, const std::string& location) { return location == builtinDigitsPath || (location.empty() && id == "digits"); }

std::string quoted(const std::string& title) { return title.empty() ? std::string("its data set") : title; }

bool exists(const std::string& path)
{
    std::error_code error;
    return fs::exists(path, error);
}

std::mutex lentMutex;
std::pair<RunId, DatasetPtr> lent;

Result<DatasetPtr> openAt(const DatasetId& id, const std::string& location, const ImportOptions& options, const ProgressFn& progress)
{
    return openDataset(isBuiltin(id, location) ? builtinDigitsPath : location, options, progress);
}

} // namespace

Result<FoundData> findData(Store& store, const Recipe& recipe, const std::string& path, const ProgressFn& progress)
{
    if (!path.empty()) {
        std::error_code error;
        const fs::path whole = path == builtinDigitsPath ? fs::path(path) : fs::weakly_canonical(fs::absolute(path, error), error);
        const std::string location = error ? path : whole.string();
        auto opened = openDataset(location, recipe.data.import, progress);
        if (!opened) return opened.error();
        DatasetInfo info = (*opened)->info();
        if (location != builtinDigitsPath) {
            auto known = store.datasets();
            if (!known) return known.error();
            info.id = libraryId(info, *known);
            SCONCE_TRY(store.putDataset(info, recipe.data.import));
        }
        return FoundData{std::move(*opened), recipe.data.import, std::move(info)};
    }

    auto known = store.dataset(recipe.data.dataset);
    if (!known) return known.error();
    if (*known) {
        const auto& [info, options] = **known;
        // The recipe's own wish for sizes and colours counts; one without any takes the library's.
        const ImportOptions wanted = recipe.data.import == ImportOptions{} ? options : recipe.data.import;
        if (!isBuiltin(info.id, info.location) && !exists(info.location))
            return Error{ErrorCode::NotFound, "The data set " + quoted(info.title) + " is no longer at " + info.location + ".",
                         "Put it back there, or name where it is now: sconce train RECIPE --data PATH.", ""};
        auto opened = openAt(info.id, info.location, wanted, progress);
        if (!opened) return opened.error();
        DatasetInfo found = (*opened)->info();
        found.id = info.id;
        return FoundData{std::move(*opened), wanted, std::move(found)};
    }
    if (recipe.data.dataset == "digits") {
        auto opened = openDataset(builtinDigitsPath, {}, progress);
        if (!opened) return opened.error();
        DatasetInfo found = (*opened)->info();
        return FoundData{std::move(*opened), {}, std::move(found)};
    }
    return Error{ErrorCode::NotFound, "The recipe asks for the data set “" + recipe.data.dataset + "”, which is not known here.", addIt, ""};
}

Result<DatasetPtr> reopenData(Store& store, const RunRow& row, const Recipe& recipe, const ProgressFn& progress)
{
    const std::string& wanted = recipe.data.fingerprint.empty() ? row.fingerprint : recipe.data.fingerprint;
    auto matches = [&](const DatasetPtr& data) { return wanted.empty() || data->info().fingerprint == wanted; };
    if (DatasetPtr data = borrowData(row.id); data && matches(data)) return data;

    const std::string title = quoted(row.datasetTitle);
    Error missing{ErrorCode::NotFound, "The data of this run, " + title + ", is no longer at " + row.datasetLocation + ".",
                  "Put it back there, or add it on the Data page from where it is now, then resume.", ""};
    std::optional<Error> changed;
    if (isBuiltin(row.dataset, row.datasetLocation) || exists(row.datasetLocation)) {
        auto opened = openAt(row.dataset, row.datasetLocation, recipe.data.import, progress);
        if (opened && matches(*opened)) return opened;
        if (!opened && opened.error().code == ErrorCode::Cancelled) return opened.error();
        if (opened)
            changed = Error{ErrorCode::Invalid, "The data of this run, " + title + ", has changed since the run began.",
                            "Restore the data at " + row.datasetLocation + ", or start a new run with the data as it is now.",
                            "fingerprint " + (*opened)->info().fingerprint + " instead of " + wanted};
        else
            missing = opened.error();
    }
    // Moved, perhaps: the library may know the same samples elsewhere.
    auto sets = store.datasets();
    if (sets && !wanted.empty()) {
        for (const DatasetInfo& info : *sets) {
            if (info.fingerprint != wanted || info.location == row.datasetLocation || !exists(info.location)) continue;
            auto opened = openAt(info.id, info.location, recipe.data.import, progress);
            if (opened && matches(*opened)) return opened;
        }
    }
    return changed ? *changed : missing;
}

void lendData(const RunId& run, DatasetPtr data)
{
    std::lock_guard lock(lentMutex);
    lent = {run, std::move(data)};
}

DatasetPtr borrowData(const RunId& run)
{
    std::lock_guard lock(lentMutex);
    if (lent.first != run) return nullptr;
    return std::exchange(lent.second, nullptr);
}

} // namespace sconce

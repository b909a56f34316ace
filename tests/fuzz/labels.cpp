// SPDX-License-Identifier: GPL-3.0-or-later
// Folders of pictures with a labels.csv: whatever it names, nothing outside of the folder is opened, no picture is taken twice, and every
// sample has each label or has it not.
#include "core/data/memory_dataset.h"
#include "core/formats/picture.h"
#include "tests/fuzz/fuzz.h"

#include <filesystem>
#include <fstream>
#include <set>

namespace {

constexpr std::int64_t pictures = 5;

/// Removed when the fuzzer ends.
struct Folder
{
    std::string path;
    Folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "sconce-fuzz-labels-XXXXXX").string();
        if (!mkdtemp(name.data())) std::abort();
        path = name + "/set";
        for (const char* below : {"", "/test", "/val"}) std::filesystem::create_directories(path + below);
        std::uint8_t shade = 0;
        for (const char* each : {"/set/a.png", "/set/b c.png", "/set/test/d.png", "/set/val/e.png", "/outside.png", "/set/f.jpg"})
            if (!sconce::writePng(name + each, {2, 2, 1, {++shade, shade, shade, shade}})) std::abort();
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(std::filesystem::path(path).parent_path(), ignored);
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    static const Folder folder;
    {
        std::ofstream list(folder.path + "/labels.csv", std::ios::binary | std::ios::trunc);
        list.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
        if (!list.flush()) std::abort();
    }
    REQUIRE(holdsLabels(folder.path));
    const auto set = openLabelledPictures(folder.path, {}, {});
    fuzz::requireSentence(set);
    if (!set) return 0;
    const DatasetInfo& info = (*set)->info();
    const std::size_t labels = info.labelNames.size();
    REQUIRE(labels > 0 && labels <= mostLabels && info.classes.empty());
    for (const std::string& name : info.labelNames) REQUIRE(!name.empty());
    REQUIRE(info.trainingCount > 0 && info.validationCount >= 0 && info.validationCount < info.trainingCount && info.trainingCount + info.testCount <= pictures);
    std::set<std::uint8_t> shades; // of each picture its own
    for (const Part part : {Part::Training, Part::Test}) {
        const auto count = static_cast<std::size_t>((*set)->count(part));
        const auto sets = (*set)->labelSets(part);
        REQUIRE(sets.size() == count * labels && (*set)->labels(part).empty());
        REQUIRE((*set)->contiguous(part).size() == count * (*set)->recordBytes());
        const auto& counts = part == Part::Training ? info.trainingPerLabel : info.testPerLabel;
        REQUIRE(count == 0 || counts.size() == labels);
        for (std::size_t l = 0; l < labels && count > 0; ++l) {
            std::int64_t has = 0;
            for (std::size_t row = 0; row < count; ++row) {
                REQUIRE(sets[row * labels + l] <= 1);
                has += sets[row * labels + l];
            }
            REQUIRE(has == counts[l]);
        }
        for (std::size_t row = 0; row < count; ++row) {
            const std::uint8_t shade = (*set)->contiguous(part)[row * (*set)->recordBytes()];
            REQUIRE(shades.insert(shade).second);
            REQUIRE(shade != 5); // what lies outside
        }
    }
    return 0;
}

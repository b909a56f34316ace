// SPDX-License-Identifier: GPL-3.0-or-later
// Texts: broken characters, marks, few or many symbols. The first byte chooses the context.
#include "core/data/memory_dataset.h"
#include "core/data/text_dataset.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    if (size == 0) return 0;
    ImportOptions options;
    options.context = 1 + data[0] % 16;
    const fuzz::MemoryFile file(data + 1, size - 1);
    const auto set = openText(file.path(), options, {});
    fuzz::requireSentence(set);
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::vector<std::string> few{"\n", " ", "a", "<C3>"};
    fuzz::requireSentence(encodeText(few, text));
    if (!set) return 0;
    const DatasetInfo& info = (*set)->info();
    REQUIRE(info.trainingCount > 1 && info.symbols.size() <= 256);
    const auto all = (*set)->contiguous(Part::Training);
    REQUIRE(all.size() == static_cast<std::size_t>(info.trainingCount) * (*set)->recordBytes());
    for (const std::uint8_t index : all) REQUIRE(index < info.symbols.size());
    const auto indices = encodeText(info.symbols, text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
    REQUIRE(indices.ok());
    REQUIRE(decodeText(info.symbols, *indices).size() + 3 >= text.size());
    REQUIRE(DatasetInfo::fromJson(info.toJson()).ok());
    return 0;
}

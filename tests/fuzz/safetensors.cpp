// SPDX-License-Identifier: GPL-3.0-or-later
// Weights files: whatever opens must have views inside the file.
#include "core/formats/safetensors.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    const fuzz::MemoryFile memory(data, size);
    const auto file = SafetensorsFile::open(memory.path());
    fuzz::requireSentence(file);
    if (!file) return 0;
    const auto whole = file->file();
    unsigned sum = 0;
    for (const auto& tensor : file->tensors()) {
        REQUIRE(file->find(tensor.name) == &tensor);
        if (tensor.bytes.empty()) continue;
        REQUIRE(tensor.bytes.data() >= whole.data() && tensor.bytes.data() + tensor.bytes.size() <= whole.data() + whole.size());
        for (const auto byte : tensor.bytes) sum += static_cast<unsigned>(byte);
    }
    return sum == 0xFFFFFFFF ? -1 : 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// IDX files, plain and gzip: lying headers, bombs, cut streams.
#include "core/formats/idx.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    const fuzz::MemoryFile file(data, size);
    const auto header = readIdxHeader(file.path());
    fuzz::requireSentence(header);
    const auto array = readIdx(file.path(), 64u << 20);
    fuzz::requireSentence(array);
    if (!array) return 0;
    REQUIRE(header.ok());
    std::uint64_t bytes = sizeOf(array->header.dtype);
    for (const auto side : array->header.shape) bytes *= static_cast<std::uint64_t>(side);
    REQUIRE(bytes == array->bytes.size());
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// PNG and JPEG: limits before decoding, and pixels where the header says.
#include "core/formats/picture.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    const fuzz::MemoryFile file(data, size);
    (void)looksLikePicture(file.path());
    const auto header = readPictureHeader(file.path());
    fuzz::requireSentence(header);
    if (!header) return 0;
    REQUIRE(std::int64_t{header->width} * header->height <= maxPicturePixels);
    // The limit itself is tested elsewhere; a hundred mebibytes at each input would only be slow.
    if (std::int64_t{header->width} * header->height > 1 << 20) return 0;
    for (const int channels : {0, 1, 3}) {
        const auto picture = readPicture(file.path(), channels);
        fuzz::requireSentence(picture);
        if (!picture) continue;
        REQUIRE(picture->width == header->width && picture->height == header->height);
        REQUIRE(picture->pixels.size() == static_cast<std::size_t>(picture->width) * static_cast<std::size_t>(picture->height) * static_cast<std::size_t>(picture->channels));
        const auto small = scaled(*picture, 28, 28);
        REQUIRE(small.pixels.size() == 28u * 28u * static_cast<std::size_t>(picture->channels));
    }
    return 0;
}

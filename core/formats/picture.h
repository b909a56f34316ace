// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Pictures: PNG and JPEG to 8-bit pixels with limits set before decoding, and scaling. Never crashes on a broken file.

#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sconce {

struct Picture
{
    int width = 0;
    int height = 0;
    int channels = 0;                 ///< 1 grey or 3 RGB
    std::vector<std::uint8_t> pixels; ///< rows top to bottom, channels interleaved: [height][width][channels]
};

struct PictureHeader { int width = 0, height = 0, channels = 0; };

inline constexpr std::int64_t maxPicturePixels = 64ll << 20;

bool looksLikePicture(const std::string& path); ///< by its first bytes
Result<PictureHeader> readPictureHeader(const std::string& path);
/// Decodes to 1 or 3 channels (alpha is laid over black; grey is spread or colours are mixed by Rec. 601 as asked; 0 keeps the file's).
Result<Picture> readPicture(const std::string& path, int channels = 0);
/// Brings a picture to 1 or 3 channels (0: leaves it), as readPicture() does: whole numbers, the same bytes on every machine.
void setChannels(Picture& picture, int channels);
/// Area-averaging when it shrinks, bilinear when it grows; the aspect is not kept.
Picture scaled(const Picture& picture, int width, int height);
/// 8-bit PNG, durably written.
Result<void> writePng(const std::string& path, const Picture& picture);

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/picture.h"

#include "core/base/files.h"

#include "tests/support/paths.h"

#include <fstream>

#include <cstdio>
#include <cstring>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

using namespace sconce;

namespace {

void put(const std::string& path, const std::string& content) // not durably: hundreds of files
{
    std::ofstream(path, std::ios::binary) << content;
}

Picture gradient(int width, int height, int channels)
{
    Picture p{width, height, channels, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            for (int c = 0; c < channels; ++c) p.pixels.push_back(static_cast<std::uint8_t>((x * 5 + y * 3 + c * 60) % 256));
        }
    }
    return p;
}

void writeJpeg(const std::string& path, const Picture& picture, bool progressive)
{
    std::FILE* file = std::fopen(path.c_str(), "wb");
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = static_cast<JDIMENSION>(picture.width);
    info.image_height = static_cast<JDIMENSION>(picture.height);
    info.input_components = picture.channels;
    info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 100, TRUE);
    if (progressive) jpeg_simple_progression(&info);
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < picture.height; ++y) {
        auto* row = const_cast<JSAMPROW>(picture.pixels.data() + y * picture.width * picture.channels);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    std::fclose(file);
}

void writeRgba(const std::string& path)
{
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = 2, image.height = 1, image.format = PNG_FORMAT_RGBA;
    const std::uint8_t pixels[8] = {200, 100, 50, 255, 200, 100, 50, 128};
    png_image_write_to_file(&image, path.c_str(), 0, pixels, 0, nullptr);
}

} // namespace

class PictureTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void pngRoundTrip()
    {
        const sconce::test::TemporaryFolder folder;
        for (const int channels : {1, 3}) {
            const Picture made = gradient(37, 21, channels);
            SCONCE_VERIFY_OK(writePng(folder / "a.png", made));
            const auto read = readPicture(folder / "a.png");
            SCONCE_VERIFY_OK(read);
            QCOMPARE(read->channels, channels);
            QVERIFY(read->pixels == made.pixels);
            const auto header = readPictureHeader(folder / "a.png");
            QVERIFY(header && header->width == 37 && header->height == 21 && header->channels == channels);
            QVERIFY(looksLikePicture(folder / "a.png"));
        }
        QCOMPARE(readPicture(folder / "a.png", 1)->pixels.size(), std::size_t(37 * 21));
        QVERIFY(!writePng(folder / "b.png", {2, 2, 3, {1, 2}}).ok());
    }
    void coloursAndAlpha()
    {
        const sconce::test::TemporaryFolder folder;
        writeRgba(folder / "a.png");
        const auto read = readPicture(folder / "a.png");
        SCONCE_VERIFY_OK(read);
        QCOMPARE(read->channels, 3);
        QVERIFY((read->pixels == std::vector<std::uint8_t>{200, 100, 50, 100, 50, 25}));
        QCOMPARE(int(readPicture(folder / "a.png", 1)->pixels[0]), 124); // 0.299·200 + 0.587·100 + 0.114·50
    }
    void jpeg()
    {
        const sconce::test::TemporaryFolder folder;
        for (const bool progressive : {false, true}) {
            for (const int channels : {1, 3}) {
                Picture made = gradient(40, 24, channels);
                for (auto& v : made.pixels) v = static_cast<std::uint8_t>(v / 4 + 90); // smooth enough for JPEG
                writeJpeg(folder / "a.jpg", made, progressive);
                const auto read = readPicture(folder / "a.jpg");
                SCONCE_VERIFY_OK(read);
                QVERIFY(read->width == 40 && read->height == 24 && read->channels == channels);
                double difference = 0;
                for (std::size_t i = 0; i < made.pixels.size(); ++i) difference += std::abs(int(made.pixels[i]) - int(read->pixels[i]));
                QVERIFY2(difference / static_cast<double>(made.pixels.size()) < 8, std::to_string(difference / static_cast<double>(made.pixels.size())).c_str());
                QCOMPARE(readPictureHeader(folder / "a.jpg")->channels, channels);
                QCOMPARE(readPicture(folder / "a.jpg", 3)->pixels.size(), std::size_t(40 * 24 * 3));
                QCOMPARE(readPicture(folder / "a.jpg", 1)->pixels.size(), std::size_t(40 * 24));
            }
        }
    }
    void brokenFilesAreSentences()
    {
        const sconce::test::TemporaryFolder folder;
        SCONCE_VERIFY_OK(writePng(folder / "a.png", gradient(64, 64, 3)));
        writeJpeg(folder / "a.jpg", gradient(64, 64, 3), false);
        for (const char* name : {"a.png", "a.jpg"}) {
            const std::string whole = *readTextFile(folder / name, 1 << 20);
            for (std::size_t length = 0; length + 12 < whole.size(); length += 1 + whole.size() / 60) {
                put(folder / "cut", whole.substr(0, length));
                const auto read = readPicture(folder / "cut");
                QVERIFY2(!read.ok(), (std::string(name) + " " + std::to_string(length)).c_str());
                QVERIFY(read.error().message.ends_with('.'));
                (void)readPictureHeader(folder / "cut");
            }
            std::uint32_t random = 12345;
            for (int i = 0; i < 200; ++i) { // anything may come out, but nothing may crash
                std::string flipped = whole;
                for (int k = 0; k < 3; ++k) {
                    random = random * 1664525 + 1013904223;
                    flipped[random % flipped.size()] ^= static_cast<char>(random >> 24 | 1);
                }
                put(folder / "flip", flipped);
                const auto read = readPicture(folder / "flip");
                if (read) QCOMPARE(read->pixels.size(), std::size_t(read->width) * std::size_t(read->height) * std::size_t(read->channels));
            }
        }
        put(folder / "t.png", "not a picture");
        QVERIFY(!looksLikePicture(folder / "t.png"));
        QVERIFY(readPicture(folder / "t.png").error().code == ErrorCode::Invalid);
        QVERIFY(readPicture(folder / "none.png").error().code == ErrorCode::NotFound);
        QVERIFY(!readPicture(folder.path()).ok());
        QVERIFY(!readPictureHeader(folder.path()).ok());
    }
    void hugeHeadersAreRefusedBeforeMemoryIsTaken()
    {
        const sconce::test::TemporaryFolder folder;
        SCONCE_VERIFY_OK(writePng(folder / "a.png", gradient(8, 8, 1)));
        std::string png = *readTextFile(folder / "a.png", 1 << 20);
        const std::uint8_t huge[8] = {0, 0, 0xFF, 0, 0, 0, 0xFF, 0}; // 65280 × 65280
        std::memcpy(png.data() + 16, huge, 8);
        const auto crc = crc32(0, reinterpret_cast<const std::uint8_t*>(png.data()) + 12, 17);
        for (int i = 0; i < 4; ++i) png[29 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
        put(folder / "huge.png", png);
        QVERIFY(QString::fromStdString(readPicture(folder / "huge.png").error().message).contains("64 megapixels"));
        QVERIFY(!readPictureHeader(folder / "huge.png").ok());

        writeJpeg(folder / "a.jpg", gradient(16, 16, 1), false);
        std::string jpg = *readTextFile(folder / "a.jpg", 1 << 20);
        const auto frame = jpg.find("\xFF\xC0");
        std::memcpy(jpg.data() + frame + 5, "\xFF\x00\xFF\x00", 4);
        put(folder / "huge.jpg", jpg);
        QVERIFY(QString::fromStdString(readPicture(folder / "huge.jpg").error().message).contains("64 megapixels"));
    }
    void scaling()
    {
        Picture white{50, 30, 3, std::vector<std::uint8_t>(50 * 30 * 3, 255)};
        for (const auto& [w, h] : {std::pair{7, 7}, {1, 1}, {49, 29}, {100, 90}, {50, 3}, {333, 1}}) {
            const Picture s = scaled(white, w, h);
            QVERIFY(s.width == w && s.height == h && s.pixels == std::vector<std::uint8_t>(static_cast<std::size_t>(w * h * 3), 255));
        }
        const Picture two{2, 2, 1, {0, 100, 200, 100}};
        QCOMPARE(int(scaled(two, 1, 1).pixels[0]), 100);
        const Picture wide = scaled(two, 4, 2);
        QVERIFY((wide.pixels == std::vector<std::uint8_t>{0, 25, 75, 100, 200, 175, 125, 100})); // bilinear, by hand
        const Picture third = scaled({3, 1, 1, {0, 90, 180}}, 2, 1);
        QVERIFY((third.pixels == std::vector<std::uint8_t>{30, 150})); // (0 + 90/2) / 1.5
        QVERIFY(scaled(two, 2, 2).pixels == two.pixels);
    }
};

QTEST_GUILESS_MAIN(PictureTest)
#include "picture_test.moc"

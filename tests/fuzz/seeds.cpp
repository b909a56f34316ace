// SPDX-License-Identifier: GPL-3.0-or-later
// Writes good files for the fuzzer to start from, one folder a target, with Sconce's own writers: fuzz_seeds FOLDER.
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/formats/picture.h"
#include "core/formats/safetensors.h"
#include "core/history/blocks.h"
#include "core/recipe/recipe.h"
#include "core/run/protocol.h"
#include "core/training/checkpoint.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <numeric>

#include <jpeglib.h>
#include <zlib.h>

using namespace sconce;

namespace {

std::string root;

std::string place(const std::string& target, const std::string& name)
{
    std::filesystem::create_directories(root + "/" + target);
    return root + "/" + target + "/" + name;
}

void put(const std::string& target, const std::string& name, const std::string& bytes)
{
    if (!writeFileDurably(place(target, name), bytes)) std::exit(1);
}

void idxSeeds()
{
    const auto header = [](std::initializer_list<int> shape) {
        std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
        for (const int side : shape) bytes += {'\0', '\0', static_cast<char>(side >> 8), static_cast<char>(side)};
        return bytes;
    };
    put("idx", "images", header({2, 4, 4}) + std::string(32, '\x7f'));
    put("idx", "labels", header({5}) + std::string("\0\1\2\3\4", 5));
    const std::string packed = place("idx", "images.gz");
    gzFile file = gzopen(packed.c_str(), "wb");
    const std::string content = header({4, 8, 8}) + std::string(256, '\x11');
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
}

void pictureSeeds()
{
    for (const int channels : {1, 3}) {
        Picture picture{9, 7, channels, {}};
        for (int i = 0; i < 9 * 7 * channels; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 37));
        if (!writePng(place("picture", "png" + std::to_string(channels)), picture)) std::exit(1);
        for (const bool progressive : {false, true}) {
            jpeg_compress_struct jpeg{};
            jpeg_error_mgr errors{};
            jpeg.err = jpeg_std_error(&errors);
            jpeg_create_compress(&jpeg);
            unsigned char* out = nullptr;
            unsigned long size = 0;
            jpeg_mem_dest(&jpeg, &out, &size);
            jpeg.image_width = 9;
            jpeg.image_height = 7;
            jpeg.input_components = channels;
            jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
            jpeg_set_defaults(&jpeg);
            if (progressive) jpeg_simple_progression(&jpeg);
            jpeg_start_compress(&jpeg, TRUE);
            for (int y = 0; y < 7; ++y) {
                JSAMPROW row = picture.pixels.data() + y * 9 * channels;
                jpeg_write_scanlines(&jpeg, &row, 1);
            }
            jpeg_finish_compress(&jpeg);
            put("picture", "jpeg" + std::to_string(channels) + (progressive ? "p" : ""), std::string(reinterpret_cast<char*>(out), size));
            jpeg_destroy_compress(&jpeg);
            std::free(out);
        }
    }
}

void weightsSeed()
{
    const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
    std::vector<TensorView> tensors(2);
    tensors[0].name = "a.weight";
    tensors[0].dtype = DType::F32;
    tensors[0].shape = {2, 3};
    tensors[0].bytes = std::as_bytes(std::span(numbers));
    tensors[1].name = "a.bias";
    tensors[1].dtype = DType::U8;
    tensors[1].shape = {4};
    tensors[1].bytes = std::as_bytes(std::span(numbers)).subspan(0, 4);
    if (!writeSafetensors(place("safetensors", "two"), tensors, {{"format", "pt"}})) std::exit(1);
}

void protocolSeeds()
{
    RunSummary summary;
    const std::vector<EventBody> events{RunStarted{"r1", 1, 0, 45, 3, 64, "cpu", "CPU", 2, Json{{"layout", "contiguous"}}},
                                        StepsDone{0, {1.F, NAN}, {0.5F, 1.F}, {0.1F, 0.1F}, {0.01, 0.02}, 100},
                                        EpochDone{1, 45, 1, 0.5, NAN, INFINITY, 2, 100, true},
                                        EvaluationProgress{"test", 1, 2},
                                        TestDone{0.1, 0.9},
                                        CheckpointSaved{"/a/b", 3, "epoch", true, 0.1},
                                        StatusChanged{RunStatus::Paused, "asked"},
                                        LogLine{"info", 5, "Text."},
                                        CommandAnswered{1, 2, true, "Done."},
                                        Amended{{3, "/training/epochs", 3, 5}},
                                        HardwareRead{1, {{"cpu", 0.5}}},
                                        HistogramsTaken{7, {{TensorNumbers::Kind::Weight, "l1", "a.weight", {2}, histogramOf(std::vector<float>{1, NAN})}}},
                                        RunEnded{RunStatus::Finished, summary, "", "", "", ""}};
    int number = 0;
    for (const auto& body : events) put("protocol", "event" + std::to_string(++number), encode(Event{number, 1000, body}));
    const std::vector<CommandBody> commands{PauseCommand{}, ResumeCommand{}, StopCommand{true, "asked"}, CheckpointCommand{}, AmendCommand{"/training/epochs", 5}, HistogramsCommand{}};
    for (const auto& body : commands) put("protocol", "command" + std::to_string(++number), encode(Command{number, body}));
}

void recipeSeeds()
{
    for (const auto& starter : starterRecipes()) put("recipe", starter.id, toJson(starter.recipe).dump());
    // One layer of every type, so that each reader is a mutation away.
    for (const auto& entry : layerCatalogue()) {
        Recipe one;
        one.stack.layers.push_back(makeLayer(one.stack, entry.id));
        put("recipe", "layer-" + entry.id, toJson(one).dump());
    }
}

void tableSeeds()
{
    put("table", "commas", "0a,b,colour\n1,2,red\n,3,\"bl\"\"ue\"\n4,NA,red\n");
    put("table", "quotes", "@name;x\r\n\"two\nlines\";1,5\r\nb;2\r\n");
    put("table", "mark", "\1\xEF\xBB\xBF" "a\tb\n1\t2\n3\t4");
}

void labelSeeds()
{
    put("labels", "columns", "file,dog,ball\na.png,1,0\nb c.png,0,yes\ntest/d.png,1,\nval/e.png,no,1\n");
    put("labels", "lists", "image;tags\na;dog|ball\nb c;\ntest/d;ball|dog\na.png;cat\n../outside.png;dog\n");
    put("labels", "ragged", "a.png,dog,\"big ball\"\nb c.png\nval/e.png,cat,dog\n./f.jpg,cat\n");
}

void textSeeds()
{
    put("text", "lines", "\3to be or not\r\nto be\n");
    put("text", "mark", "\1\xEF\xBB\xBF" "ä€😀 äöü");
    std::string many = "\2";
    for (int i = 0; i < 300; ++i) many += {static_cast<char>(0xE4 + i / 64), static_cast<char>(0xB8 + i / 64 % 4), static_cast<char>(0x80 + i % 64)};
    put("text", "bytes", many);
}

void manifestSeed()
{
    const std::string run = root + "/run";
    TrainerState state;
    state.step = 7;
    state.choices = Json{{"threads", 1}};
    state.amendments.push_back({3, "/training/epochs", 3, 5});
    auto saved = saveCheckpoint(run, state, findStarter("digits-convnet")->recipe, {}, {}, "epoch", false, 2);
    if (!saved) {
        std::fprintf(stderr, "%s\n", saved.error().text().c_str());
        std::exit(1);
    }
    const auto text = readTextFile(*saved + "/manifest.json", 1 << 20);
    if (!text) std::exit(1);
    put("manifest", "one", *text);
    std::filesystem::remove_all(run);
}

void blockSeeds()
{
    std::vector<std::int64_t> steps(300);
    std::iota(steps.begin(), steps.end(), 0);
    std::vector<double> values(steps.begin(), steps.end());
    for (const int bits : {32, 64}) {
        for (const bool regular : {true, false}) {
            if (!regular) steps.back() += 5;
            const Block block = makeBlock(steps, values, bits);
            struct Head { std::int64_t first, last, points, notFinite, stride; std::uint16_t level2, level1; std::uint32_t wide; } head{
                block.sum.firstStep, block.sum.lastStep, block.sum.points, block.sum.notFinite, block.stride,
                static_cast<std::uint16_t>(block.level2.size()), static_cast<std::uint16_t>(block.level1.size()), bits == 64};
            put("blocks", std::to_string(bits) + (regular ? "r" : "i"),
                std::string(reinterpret_cast<const char*>(&head), sizeof head) + block.level2 + block.level1 + block.data);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "Usage: fuzz_seeds FOLDER\n");
        return 2;
    }
    root = argv[1];
    idxSeeds();
    pictureSeeds();
    weightsSeed();
    protocolSeeds();
    recipeSeeds();
    tableSeeds();
    labelSeeds();
    textSeeds();
    manifestSeed();
    blockSeeds();
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A store, real IDX files and a run that takes a second or two, for the tests of run hosts and the long kill test.

#include "core/training/run_host.h"
#include "tests/core/training/training_support.h"

#include <csignal>
#include <cstdio>
#include <fstream>

namespace sconce::test {

inline void writeBigEndian(std::ofstream& out, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out.put(static_cast<char>(value >> shift));
}

/// TinyData as a folder of IDX files with MNIST's names.
inline void writeIdxFolder(const std::string& folder, const TinyData& data)
{
    std::filesystem::create_directories(folder);
    const auto size = static_cast<std::uint32_t>(data.info().sample.dims.back().size);
    for (Part part : {Part::Training, Part::Test}) {
        const std::string stem = folder + (part == Part::Training ? "/train" : "/t10k");
        const auto labels = data.labels(part);
        const auto pixels = data.pixels(part);
        std::ofstream images(stem + "-images-idx3-ubyte", std::ios::binary);
        for (std::uint32_t word : {0x803u, static_cast<std::uint32_t>(labels.size()), size, size}) writeBigEndian(images, word);
        images.write(reinterpret_cast<const char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
        std::ofstream truths(stem + "-labels-idx1-ubyte", std::ios::binary);
        for (std::uint32_t word : {0x801u, static_cast<std::uint32_t>(labels.size())}) writeBigEndian(truths, word);
        for (std::int32_t label : labels) truths.put(static_cast<char>(label));
    }
}

/// A small convnet with running statistics and dropout: 45 steps an epoch, a checkpoint every few.
inline Recipe hostRecipe(int epochs)
{
    Recipe recipe;
    recipe.name = "host";
    recipe.data.split.validation = 0.1;
    addLayer(recipe, "conv2d", {{"filters", std::int64_t{8}}, {"activation", std::string("relu")}});
    addLayer(recipe, "batch_norm");
    addLayer(recipe, "flatten");
    addLayer(recipe, "dropout", {{"rate", 0.4}});
    addLayer(recipe, "dense", {{"units", std::int64_t{4}}});
    recipe.training.epochs = epochs;
    recipe.training.batchSize = 32;
    recipe.training.checkpoint.everyMinutes = 0.001; // 60 ms
    recipe.device = "cpu";
    recipe.threads = 1;
    return recipe;
}

/// What the real command line's `worker` does, for tests that run without it: PROGRAM worker RUN --store DIR [--epochs N].
inline int workerMain(int argc, char** argv)
{
    std::string run, folder;
    DriveOptions options;
    options.host = "process";
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--store" && i + 1 < argc) folder = argv[++i];
        else if (word == "--epochs" && i + 1 < argc) options.epochs = std::atoi(argv[++i]);
        else run = word;
    }
    static CommandQueue commands;
    std::signal(SIGTERM, [](int) { commands.requestStopFromSignal(); });
    auto store = Store::open(folder);
    if (!store) return std::fprintf(stderr, "%s\n", store.error().text().c_str()), 2;
    auto ended = driveRun(*store, run, options, commands, {});
    if (!ended) return std::fprintf(stderr, "%s\n", ended.error().text().c_str()), 2;
    return ended->status == RunStatus::Failed ? 1 : 0;
}

/// Empty if the series is whole (every step from 0 on, once) and equal to the other, bit for bit; else what is wrong.
inline std::string seriesDifference(const SeriesPoints& points, const SeriesPoints& wanted)
{
    for (std::size_t i = 0; i < points.step.size(); ++i)
        if (points.step[i] != static_cast<std::int64_t>(i)) return "step " + std::to_string(i) + " is missing or told twice (there stands " + std::to_string(points.step[i]) + ")";
    if (points.step.size() != wanted.step.size()) return std::to_string(points.step.size()) + " points instead of " + std::to_string(wanted.step.size());
    for (std::size_t i = 0; i < points.value.size(); ++i)
        if (std::memcmp(&points.value[i], &wanted.value[i], sizeof(points.value[i])) != 0) return "step " + std::to_string(i) + " has another value";
    return {};
}

} // namespace sconce::test

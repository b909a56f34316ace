// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the training tests share: small data whose classes can be learned, small recipes with every kind of state (dropout,
// running statistics, momentum), and a collector of events.

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/model/catalogue.h"
#include "core/training/trainer.h"

#include <QString>
#include <QTemporaryDir>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>

namespace sconce::test {

/// Pictures 1×size×size: a bright bar whose place is the class, and noise.
class TinyData final : public Dataset
{
  public:
    TinyData(std::int64_t training, std::int64_t test, std::int64_t size = 8, std::uint64_t seed = 1)
    {
        m_info.id = "tiny";
        m_info.title = "Tiny";
        m_info.kind = "idx";
        m_info.sample = imageType(1, size, size);
        m_info.sample.dtype = DType::U8;
        m_info.trainingCount = training;
        m_info.testCount = test;
        for (int c = 0; c < 4; ++c) m_info.classes.push_back(std::to_string(c));
        make(m_training, m_trainingLabels, training, size, seed);
        make(m_test, m_testLabels, test, size, seed + 1);
        m_info.fingerprint = sha256(std::as_bytes(std::span(m_training)));
    }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        const auto& all = part == Part::Training ? m_training : m_test;
        const std::size_t bytes = recordBytes();
        for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(out.data() + i * bytes, all.data() + static_cast<std::size_t>(rows[i]) * bytes, bytes);
    }
    std::span<const std::int32_t> labels(Part part) const override { return part == Part::Training ? m_trainingLabels : m_testLabels; }
    std::span<const std::uint8_t> pixels(Part part) const { return part == Part::Training ? m_training : m_test; }

  private:
    static void make(std::vector<std::uint8_t>& pixels, std::vector<std::int32_t>& labels, std::int64_t count, std::int64_t size, std::uint64_t seed)
    {
        const Philox random(seed, Purpose::Test);
        const auto n = static_cast<std::uint64_t>(size * size);
        pixels.resize(static_cast<std::size_t>(count) * n);
        labels.resize(static_cast<std::size_t>(count));
        for (std::uint64_t row = 0; row < static_cast<std::uint64_t>(count); ++row) {
            const auto label = static_cast<std::int32_t>(random.below(row, 4));
            labels[row] = label;
            for (std::uint64_t i = 0; i < n; ++i) {
                const bool bar = i / static_cast<std::uint64_t>(size) * 4 / static_cast<std::uint64_t>(size) == static_cast<std::uint64_t>(label);
                pixels[row * n + i] = static_cast<std::uint8_t>(random.below(1'000'000 + row * n + i, 160) + (bar ? 60 : 0));
            }
        }
    }
    std::vector<std::uint8_t> m_training, m_test;
    std::vector<std::int32_t> m_trainingLabels, m_testLabels;
};

inline void addLayer(Recipe& recipe, const std::string& type, ParamValues params = {})
{
    Layer layer = makeLayer(recipe.stack, type);
    layer.params = std::move(params);
    recipe.stack.layers.push_back(std::move(layer));
}

/// Flatten, dense, batch norm, dropout, dense: parameters, buffers and random numbers.
inline Recipe tinyRecipe(int epochs = 2, std::int64_t batch = 16)
{
    Recipe recipe;
    recipe.name = "tiny";
    recipe.data.dataset = "tiny";
    recipe.data.split.validation = 0.2;
    addLayer(recipe, "flatten");
    addLayer(recipe, "dense", {{"units", std::int64_t{12}}, {"activation", std::string("relu")}});
    addLayer(recipe, "batch_norm");
    addLayer(recipe, "dropout", {{"rate", 0.3}});
    addLayer(recipe, "dense", {{"units", std::int64_t{4}}});
    recipe.training.epochs = epochs;
    recipe.training.batchSize = batch;
    recipe.training.learningRate = 0.01;
    recipe.device = "cpu";
    recipe.seed = 7;
    return recipe;
}

/// No running statistics, no random numbers: a batch may be cut without changing its result but for rounding.
inline Recipe cuttable(int epochs)
{
    Recipe recipe = tinyRecipe(epochs);
    recipe.stack.layers.erase(recipe.stack.layers.begin() + 2, recipe.stack.layers.begin() + 4);
    return recipe;
}

/// Collects what a run says. Thread-safe.
class Events
{
  public:
    Result<void> operator()(const EventBody& body)
    {
        std::lock_guard lock(m_mutex);
        m_all.push_back(body);
        return {};
    }
    template <class T> std::vector<T> of() const
    {
        std::lock_guard lock(m_mutex);
        std::vector<T> found;
        for (const EventBody& body : m_all)
            if (const T* event = std::get_if<T>(&body)) found.push_back(*event);
        return found;
    }
    std::vector<EventBody> all() const
    {
        std::lock_guard lock(m_mutex);
        return m_all;
    }
    /// Loss by step; fails the caller's comparison when a step is told twice.
    std::map<std::int64_t, float> losses() const
    {
        std::map<std::int64_t, float> losses;
        for (const StepsDone& group : of<StepsDone>())
            for (std::size_t i = 0; i < group.loss.size(); ++i)
                if (!losses.emplace(group.firstStep + static_cast<std::int64_t>(i), group.loss[i]).second) losses[-1] = static_cast<float>(group.firstStep);
        return losses;
    }

  private:
    mutable std::mutex m_mutex;
    std::vector<EventBody> m_all;
};

/// Does the log have a line with this in it?
inline bool told(const Events& events, const std::string& part)
{
    for (const LogLine& line : events.of<LogLine>())
        if (line.text.find(part) != std::string::npos) return true;
    return false;
}

/// One hash over everything in a checkpoint's weights (names, shapes, bytes).
inline std::string weightsHash(const Checkpoint& checkpoint)
{
    auto file = openWeights(checkpoint);
    return file ? sha256(file->file()) : "no weights: " + file.error().text();
}

/// CPU time of this process, all threads.
inline double processSeconds()
{
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// For QTemporaryDir: in memory where there is such a place, since what is proven here does not need the disk's fsync.
inline QString scratch()
{
    std::error_code error;
    const bool memory = std::filesystem::is_directory("/dev/shm", error) && freeBytes("/dev/shm").valueOr(0) > (std::uint64_t{256} << 20);
    return QString(memory ? "/dev/shm" : "/tmp") + "/sconce-test-XXXXXX";
}

constexpr std::int64_t trainingRows = 120, testRows = 40; // 96 to train on: 6 steps of 16 an epoch, 24 for validation

/// One run in a folder of its own.
struct Bench
{
    QTemporaryDir dir{scratch()};
    CommandQueue commands;
    Events events;
    TrainerInput input;

    explicit Bench(const Recipe& recipe, DatasetPtr data = std::make_shared<TinyData>(trainingRows, testRows))
    {
        input.recipe = recipe;
        input.data = std::move(data);
        input.runFolder = dir.path().toStdString();
        input.run = "r";
        input.threads = 1;
    }
    RunEnded run()
    {
        return trainRun(input, commands, [this](const EventBody& body) { return hook ? hook(body) : events(body); });
    }
    std::function<Result<void>(const EventBody&)> hook;
    TrainerState lastState() const
    {
        auto newest = newestValidCheckpoint(input.runFolder);
        return newest ? newest->state : TrainerState();
    }
    std::string finalHash() const
    {
        auto newest = newestValidCheckpoint(input.runFolder);
        return newest ? weightsHash(*newest) : "none: " + newest.error().text();
    }
};

inline Recipe withCheckpoints(Recipe recipe, int everyEpochs, double everyMinutes, int keep)
{
    recipe.training.checkpoint.everyEpochs = everyEpochs;
    recipe.training.checkpoint.everyMinutes = everyMinutes;
    recipe.training.checkpoint.keepLast = keep;
    return recipe;
}

inline QString text(const Error& error) { return QString::fromStdString(error.text() + " [" + error.detail + "]"); }

} // namespace sconce::test

/// Fails the test with the error's sentence.
#define SCONCE_VERIFY(result)                                                                                \
    do {                                                                                                     \
        const auto& sconceChecked = (result);                                                                \
        QVERIFY2(sconceChecked.ok(), qPrintable(sconceChecked.ok() ? QString() : sconce::test::text(sconceChecked.error()))); \
    } while (false)

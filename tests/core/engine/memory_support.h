// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A recipe trained for a few steps, validated and read out as a checkpoint does, with every byte of its tensors counted.

#include "counting_allocator.h"

#include "core/engine/backend/engine_table.h"
#include "core/recipe/estimate.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace sconce::test {

/// Rows of noise in the shape that a recipe expects.
class Noise final : public Dataset
{
  public:
    Noise(const DataFacts& facts, std::int64_t rows)
    {
        m_info.id = m_info.title = "noise";
        m_info.sample = facts.input;
        m_info.sample.dtype = DType::U8;
        m_info.trainingCount = rows;
        for (int c = 0; c < facts.classes; ++c) m_info.classes.push_back(std::to_string(c));
        for (int s = 0; s < facts.symbols; ++s) m_info.symbols.push_back(std::to_string(s));
        m_bytes.resize(static_cast<std::size_t>(rows) * recordBytes());
        const std::size_t most = facts.symbols > 0 ? static_cast<std::size_t>(facts.symbols) : 256;
        for (std::size_t i = 0; i < m_bytes.size(); ++i) m_bytes[i] = static_cast<std::uint8_t>((i * 2654435761u >> 13) % most);
        for (std::int64_t i = 0; i < rows && facts.classes > 0; ++i) m_labels.push_back(static_cast<std::int32_t>(i % facts.classes));
    }
    void gather(Part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        const std::size_t size = recordBytes();
        for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(out.data() + i * size, m_bytes.data() + static_cast<std::size_t>(rows[i]) * size, size);
    }
    std::span<const std::int32_t> labels(Part) const override { return m_labels; }

  private:
    std::vector<std::uint8_t> m_bytes;
    std::vector<std::int32_t> m_labels;
};

struct Peak
{
    double bytes = 0;          ///< of tensors alive at the fullest moment, from opening on
    std::vector<float> losses; ///< of the steps
};

template <class T> T orGiveUp(Result<T> result)
{
    if (!result) {
        std::fprintf(stderr, "%s %s\n", result.error().text().c_str(), result.error().detail.c_str());
        std::abort();
    }
    return std::move(result).value();
}
inline void orGiveUp(Result<void> result)
{
    if (!result) std::fprintf(stderr, "%s %s\n", result.error().text().c_str(), result.error().detail.c_str()), std::abort();
}

inline Peak trainedPeak(const Recipe& recipe, const DataFacts& facts, int steps = 3)
{
    CountingAllocator& counter = CountingAllocator::install();
    const std::int64_t batch = recipe.training.batchSize, evaluated = std::max<std::int64_t>(batch, 256 / answersPerSample(recipe.task, facts.input)); // as the trainer
    const DatasetPtr data = std::make_shared<Noise>(facts, 2 * evaluated);
    SessionSpec spec;
    spec.plan = orGiveUp(lower(recipe.stack, facts.input));
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.optimiser = recipe.training.optimiser;
    spec.step = stepSettings(recipe.training);
    spec.threads = 2;
    spec.seed = recipe.seed;
    counter.restart();
    const auto before = static_cast<double>(counter.now());
    auto session = orGiveUp(engine::openSession(std::move(spec)));
    orGiveUp(session->useData(data));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    for (int step = 0; step < steps; ++step) {
        std::iota(rows.begin(), rows.end(), step);
        orGiveUp(session->forward(step, rows));
        orGiveUp(session->backward());
        orGiveUp(session->commit(recipe.training.learningRate));
    }
    rows.resize(static_cast<std::size_t>(2 * evaluated));
    std::iota(rows.begin(), rows.end(), 0);
    (void)orGiveUp(session->evaluate(Part::Training, rows, evaluated, {}));
    (void)orGiveUp(session->weights());
    (void)orGiveUp(session->optimiserState());
    Peak result;
    result.bytes = static_cast<double>(counter.peak()) - before;
    for (const StepMetrics& step : orGiveUp(session->takeMetrics())) result.losses.push_back(static_cast<float>(step.loss));
    return result;
}

inline Estimate forecastOf(const Recipe& recipe, const DataFacts& facts)
{
    const auto found = estimate(recipe, analyse(recipe.stack, facts.input), facts);
    if (!found) std::fprintf(stderr, "%s has problems.\n", recipe.name.c_str()), std::abort();
    return *found;
}

} // namespace sconce::test

// SPDX-License-Identifier: GPL-3.0-or-later
// B1, B4 and B5, our side: a recipe's training steps through the session, in the trainer's order (shuffled rows, forward, backward,
// commit, metrics every few steps). Prints one JSON line. `peak` measures what the machine can do instead. The benches' scripts run
// it beside PyTorch.

#include "core/base/text.h"
#include "core/data/order.h"
#include "core/engine/devices.h"
#include "core/engine/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace sconce;

namespace {

using Seconds = std::chrono::duration<double>;

double now()
{
    return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ---- peak ----
// Twelve independent chains of fused multiply-adds: enough to fill both ports whatever the latency. They run to a fixed
// point, so that no number becomes denormal or infinite.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) float fma512(std::int64_t rounds)
{
    __m512 sum[12];
    for (int c = 0; c < 12; ++c) sum[c] = _mm512_set1_ps(1.0f + static_cast<float>(c));
    const __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
        for (__m512& each : sum) each = _mm512_fmadd_ps(each, a, b);
    float total = 0;
    for (const __m512& each : sum) total += _mm512_cvtss_f32(each);
    return total;
}

__attribute__((target("avx2,fma"))) float fma256(std::int64_t rounds)
{
    __m256 sum[12];
    for (int c = 0; c < 12; ++c) sum[c] = _mm256_set1_ps(1.0f + static_cast<float>(c));
    const __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 12
        for (__m256& each : sum) each = _mm256_fmadd_ps(each, a, b);
    float total = 0;
    for (const __m256& each : sum) total += _mm256_cvtss_f32(each);
    return total;
}
#endif

float fmaAny(std::int64_t rounds)
{
    float sum[48];
    std::fill(std::begin(sum), std::end(sum), 2.0f);
    for (std::int64_t r = 0; r < rounds; ++r)
        for (float& s : sum) s = s * 0.5f + 0.5f;
    return std::accumulate(std::begin(sum), std::end(sum), 0.0f);
}

/// FLOP per second of all threads together.
double measurePeak(int threads)
{
    constexpr std::int64_t rounds = 8'000'000;
    float (*loop)(std::int64_t) = fmaAny;
    double perRound = 48 * 2;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) loop = fma512, perRound = 12 * 16 * 2;
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) loop = fma256, perRound = 12 * 8 * 2;
#endif
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<float> results(static_cast<std::size_t>(threads));
        std::vector<std::thread> pool;
        const double start = now();
        for (float& result : results) pool.emplace_back([loop, &result] { result = loop(rounds); });
        for (std::thread& thread : pool) thread.join();
        const double seconds = now() - start;
        if (results[0] > 0) best = std::max(best, static_cast<double>(rounds) * perRound * threads / seconds); // the sum is used
    }
    return best;
}

/// Bytes per second of a large copy, read and written.
double measureBandwidth(int threads)
{
    constexpr std::size_t size = 128u << 20;
    std::vector<char> from(size, 1), to(size, 2);
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<std::thread> pool;
        const double start = now();
        for (int t = 0; t < threads; ++t)
            pool.emplace_back([&, t] {
                const std::size_t piece = size / static_cast<std::size_t>(threads);
                std::memcpy(to.data() + static_cast<std::size_t>(t) * piece, from.data() + static_cast<std::size_t>(t) * piece, piece);
            });
        for (std::thread& thread : pool) thread.join();
        best = std::max(best, 2.0 * static_cast<double>(size) / (now() - start));
    }
    return best;
}

int fail(const Error& error)
{
    std::fprintf(stderr, "%s\n%s\n", error.text().c_str(), error.detail.c_str());
    return 1;
}

constexpr std::int64_t reportEvery = 20; ///< steps

/// The loop of core/training without its policies and events.
int train(const Recipe& recipe, const std::string& path, const std::string& where, int threads, std::int64_t warm, std::int64_t steps)
{
    prepareEngineProcess();
    auto data = openDataset(path, recipe.data.import);
    if (!data) return fail(data.error());
    auto plan = lower(recipe.stack, factsOf((*data)->info()).input);
    if (!plan) return fail(plan.error());
    SessionSpec spec;
    spec.plan = std::move(*plan);
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.step = stepSettings(recipe.training);
    spec.optimiser = recipe.training.optimiser;
    auto device = resolveDevice(where);
    if (!device) return fail(device.error());
    spec.device = *device;
    spec.threads = threads;
    spec.seed = recipe.seed;
    auto session = Session::open(std::move(spec));
    if (!session) return fail(session.error());
    if (auto used = (*session)->useData(*data); !used) return fail(used.error());

    const SplitRows split = splitRows((*data)->info().trainingCount, (*data)->info().testCount, recipe.data.split, recipe.seed);
    const std::int64_t batch = recipe.training.batchSize, perEpoch = static_cast<std::int64_t>(split.training.size()) / batch;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::vector<double> times;
    double loss = 0, start = 0;
    // A GPU is only waited for when metrics are asked for: a step's time is there a share of those since the last time.
    const std::int64_t group = *device == "cpu" ? 1 : reportEvery;
    for (std::int64_t step = 0; step < warm + steps; ++step) {
        if (step % group == 0) start = now();
        const SampleOrder order(static_cast<std::int64_t>(split.training.size()), recipe.seed, static_cast<std::uint64_t>(step / perEpoch), true);
        order.fill(step % perEpoch * batch, rows);
        for (std::int64_t& row : rows) row = split.training[static_cast<std::size_t>(row)];
        if (auto done = (*session)->forward(step, rows); !done) return fail(done.error());
        if (auto done = (*session)->backward(); !done) return fail(done.error());
        if (auto done = (*session)->commit(recipe.training.learningRate); !done) return fail(done.error());
        if (step % reportEvery == reportEvery - 1) {
            auto metrics = (*session)->takeMetrics();
            if (!metrics) return fail(metrics.error());
            loss = metrics->back().loss;
        }
        if (step >= warm && step % group == group - 1) times.push_back((now() - start) / static_cast<double>(group));
    }
    if (times.empty()) return fail({ErrorCode::Invalid, "On a GPU at least " + std::to_string(2 * reportEvery) + " steps are needed.", "", {}});
    double total = 0;
    for (double time : times) total += time;
    std::sort(times.begin(), times.end());
    const auto at = [&](double share) { return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))] * 1e3; };
    std::printf("{\"who\":\"sconce\",\"median_ms\":%.4f,\"mean_ms\":%.4f,\"p10_ms\":%.4f,\"p90_ms\":%.4f,\"steps\":%lld,\"loss\":%.4f,\"choices\":%s}\n", at(0.5),
                total / static_cast<double>(times.size()) * 1e3, at(0.1), at(0.9), static_cast<long long>(steps), loss, (*session)->choices().dump().c_str());
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    std::map<std::string, std::string> options{{"threads", "2"}, {"warm", "40"}, {"steps", "200"}, {"data", ""}, {"mode", "train"}, {"recipe", "mnist-convnet"}, {"set", ""}, {"device", "cpu"}};
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || !options.contains(word.substr(0, equals))) {
            std::fprintf(stderr, "Usage: sconce_bench_step data=FOLDER [recipe=STARTER|FILE] [mode=train|peak] [set=/json/path=value] [device=cpu|cuda:N] [threads=N] [warm=N] [steps=N]\n");
            return 2;
        }
        options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    std::int64_t threads = 2, warm = 40, steps = 200;
    if (!parseInt(options["threads"], threads) || !parseInt(options["warm"], warm) || !parseInt(options["steps"], steps) || threads < 1 || warm < 0 || steps < 1) {
        std::fprintf(stderr, "threads, warm and steps are whole numbers, at least 1, 0 and 1.\n");
        return 2;
    }
    if (options["mode"] == "peak") {
        const double peak = measurePeak(static_cast<int>(threads)), bandwidth = measureBandwidth(static_cast<int>(threads));
        std::printf("{\"who\":\"peak\",\"gflops\":%.1f,\"gbytes_per_second\":%.1f}\n", peak * 1e-9, bandwidth * 1e-9);
        return 0;
    }
    Recipe recipe;
    if (const StarterRecipe* starter = findStarter(options["recipe"])) recipe = starter->recipe;
    else if (auto read = readRecipeFile(options["recipe"]); !read) return fail(read.error());
    else if (blocksStart(read->problems)) return fail({ErrorCode::Invalid, read->problems.front().sentence, "", read->problems.front().path});
    else recipe = std::move(read->recipe);
    if (const std::string& set = options["set"]; !set.empty()) {
        const std::size_t equals = set.find('=');
        auto changed = withValueSet(recipe, set.substr(0, equals), equals == std::string::npos ? "" : set.substr(equals + 1));
        if (!changed) return fail(changed.error());
        recipe = std::move(*changed);
    }
    int result = 0; // as in the program: training has a thread of its own
    std::thread([&] { result = train(recipe, options["data"], options["device"], static_cast<int>(threads), warm, steps); }).join();
    return result;
}

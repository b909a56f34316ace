// SPDX-License-Identifier: GPL-3.0-or-later
// B1, our side: the reference recipe's training steps through the session, in the trainer's order (shuffled rows, forward,
// backward, commit, metrics every few steps). Prints one JSON line. `peak` measures what the machine can do instead.
// b1.sh runs it beside PyTorch.

#include "core/base/text.h"
#include "core/data/order.h"
#include "core/engine/devices.h"
#include "core/engine/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <thread>

using namespace sconce;

namespace {

using Seconds = std::chrono::duration<double>;

double now()
{
    return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ---- peak ----
using Lanes = float __attribute__((vector_size(64)));

/// Twelve independent chains of fused multiply-adds: enough to fill both ports whatever the latency. The compiler turns the
/// vectors into the widest registers of each clone.
template <int chains> __attribute__((always_inline)) inline float fmaLoop(std::int64_t rounds)
{
    Lanes sum[chains];
    for (int c = 0; c < chains; ++c)
        for (int i = 0; i < 16; ++i) sum[c][i] = 1.0f + static_cast<float>(c + i) * 1e-3f;
    Lanes a = sum[0] * 0 + 0.999999f, b = sum[0] * 0 + 1e-6f;
    for (std::int64_t r = 0; r < rounds; ++r) {
        asm volatile("" : "+v"(a), "+v"(b)); // neither constant nor hoistable
        for (int c = 0; c < chains; ++c) sum[c] = sum[c] * a + b;
    }
    float total = 0;
    for (int c = 0; c < chains; ++c)
        for (int i = 0; i < 16; ++i) total += sum[c][i];
    return total;
}
#if defined(__x86_64__)
__attribute__((target("avx512f,fma"), optimize("O3", "fast-math"))) float fma512(std::int64_t rounds) { return fmaLoop<12>(rounds); }
#endif

float fmaAny(std::int64_t rounds)
{
    float sum[16] = {};
    for (std::int64_t r = 0; r < rounds; ++r)
        for (float& s : sum) s = s * 0.999999f + 1e-6f;
    float total = 0;
    for (float s : sum) total += s;
    return total;
}

/// FLOP per second of all threads together.
double measurePeak(int threads)
{
    const std::int64_t rounds = 4'000'000;
    bool wide = false;
#if defined(__x86_64__)
    wide = __builtin_cpu_supports("avx512f");
#endif
    const double flop = static_cast<double>(rounds) * 16 * 2 * (wide ? 12 : 1) * threads;
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::vector<std::thread> pool;
        const double start = now();
        for (int t = 0; t < threads; ++t)
            pool.emplace_back([wide] {
                volatile float sink = 0;
#if defined(__x86_64__)
                sink = wide ? fma512(rounds) : fmaAny(rounds);
#else
                (void)wide;
                sink = fmaAny(rounds);
#endif
                (void)sink;
            });
        for (std::thread& thread : pool) thread.join();
        best = std::max(best, flop / (now() - start));
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

/// The loop of core/training without its policies and events.
int train(const std::string& path, int threads, std::int64_t warm, std::int64_t steps)
{
    prepareEngineProcess();
    auto data = openDataset(path);
    if (!data) return fail(data.error());
    const Recipe& recipe = findStarter("mnist-convnet")->recipe;
    auto plan = lower(recipe.stack, factsOf((*data)->info()).input);
    if (!plan) return fail(plan.error());
    SessionSpec spec;
    spec.plan = std::move(*plan);
    spec.task = recipe.task;
    spec.input = recipe.data.input;
    spec.optimiser = recipe.training.optimiser;
    spec.threads = threads;
    spec.seed = recipe.seed;
    auto session = Session::open(std::move(spec));
    if (!session) return fail(session.error());
    if (auto used = (*session)->useData(*data); !used) return fail(used.error());

    const SplitRows split = splitRows((*data)->info().trainingCount, (*data)->info().testCount, recipe.data.split, recipe.seed);
    const std::int64_t batch = recipe.training.batchSize, perEpoch = static_cast<std::int64_t>(split.training.size()) / batch;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::vector<double> times;
    double loss = 0;
    for (std::int64_t step = 0; step < warm + steps; ++step) {
        const double start = now();
        const SampleOrder order(static_cast<std::int64_t>(split.training.size()), recipe.seed, static_cast<std::uint64_t>(step / perEpoch), true);
        order.fill(step % perEpoch * batch, rows);
        for (std::int64_t& row : rows) row = split.training[static_cast<std::size_t>(row)];
        if (auto done = (*session)->forward(step, rows); !done) return fail(done.error());
        if (auto done = (*session)->backward(); !done) return fail(done.error());
        if (auto done = (*session)->commit(recipe.training.learningRate); !done) return fail(done.error());
        if (step % 20 == 19) loss = (*session)->takeMetrics()->back().loss;
        if (step >= warm) times.push_back(now() - start);
    }
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
    std::map<std::string, std::string> options{{"threads", "2"}, {"warm", "40"}, {"steps", "200"}, {"data", ""}, {"mode", "train"}};
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || !options.contains(word.substr(0, equals))) {
            std::fprintf(stderr, "Usage: sconce_bench_b1 data=FOLDER [mode=train|peak] [threads=N] [warm=N] [steps=N]\n");
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
    int result = 0; // as in the program: training has a thread of its own
    std::thread([&] { result = train(options["data"], static_cast<int>(threads), warm, steps); }).join();
    return result;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// B6, our side: what a batch of training costs before the first layer sees it: its place in the epoch's order, the rows gathered,
// scaled to floats in the layout of the network, and the targets. Prints one JSON line. b6.sh runs it beside PyTorch.

#include "core/base/text.h"
#include "core/data/order.h"
#include "core/data/split.h"
#include "core/engine/backend/feed.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

using namespace sconce;

int main(int argc, char** argv)
{
    std::int64_t threads = 2, batches = 4000, batch = 128;
    if (argc < 2 || (argc > 2 && !parseInt(argv[2], threads)) || (argc > 3 && !parseInt(argv[3], batches)) || threads < 1 || batches < 1) {
        std::fprintf(stderr, "Usage: sconce_bench_feed FOLDER [THREADS] [BATCHES]\n");
        return 2;
    }
    at::set_num_threads(static_cast<int>(threads));
    auto data = openDataset(argv[1]);
    if (!data) {
        std::fprintf(stderr, "%s\n", data.error().text().c_str());
        return 1;
    }
    const SplitRows split = splitRows((*data)->info().trainingCount, (*data)->info().testCount, {}, 42);
    const auto count = static_cast<std::int64_t>(split.training.size());
    engine::Feed feed(*data, factsOf((*data)->info()).input, {}, {}, at::kCPU, true);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::vector<double> times;
    double seen = 0;
    std::optional<SampleOrder> order; // an epoch's, as the trainer keeps it
    for (std::int64_t i = 0; i < batches; ++i) {
        const auto start = std::chrono::steady_clock::now();
        if (i % (count / batch) == 0) order.emplace(count, 42, static_cast<std::uint64_t>(i / (count / batch)), true);
        order->fill(i % (count / batch) * batch, rows);
        for (std::int64_t& row : rows) row = split.training[static_cast<std::size_t>(row)];
        const at::Tensor inputs = feed.inputs(Part::Training, rows, true), targets = feed.targets(Part::Training, rows, true);
        times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        seen += *inputs.const_data_ptr<float>() + static_cast<double>(*targets.const_data_ptr<std::int64_t>()); // the work is used
    }
    std::sort(times.begin(), times.end());
    const auto at = [&](double share) { return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))] * 1e6; };
    std::printf("{\"who\":\"sconce\",\"median_us\":%.2f,\"p10_us\":%.2f,\"p90_us\":%.2f,\"batches\":%lld,\"seen\":%.3f}\n", at(0.5), at(0.1), at(0.9), static_cast<long long>(batches), seen);
    return 0;
}

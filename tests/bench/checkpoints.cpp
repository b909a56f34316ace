// SPDX-License-Identifier: GPL-3.0-or-later
// What checkpoints cost a run: the reference recipe trained for so many steps through the whole trainer and its history, with a
// checkpoint every N steps and with none, turn about. Prints the time of a step, training's own clock, and the ratio.
#include "core/base/text.h"
#include "core/engine/devices.h"
#include "core/training/run_host.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>

using namespace sconce;

namespace {

struct Measured { double stepMs = 0; std::int64_t checkpoints = 0; double writingMs = 0; };

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Seconds of the run between the first and the last of the steps that count, by the run's own clock: what waits is in it.
Result<Measured> train(const std::shared_ptr<Store>& store, const std::string& data, std::int64_t every, std::int64_t warm, std::int64_t steps, int threads)
{
    Recipe recipe = findStarter("mnist-convnet")->recipe;
    recipe.training.epochs = 1000;
    recipe.training.checkpoint = {0, every, 0, 2, false};
    recipe.threads = threads;
    recipe.device = "cpu";
    PrepareOptions options;
    options.dataPath = data;
    auto run = prepareRun(*store, recipe, options);
    if (!run) return run.error();
    CommandQueue commands;
    std::vector<double> at;
    Measured measured;
    DriveOptions how;
    how.listen = false;
    auto ended = driveRun(store, *run, how, commands, [&](const Event& event) {
        if (const auto* done = std::get_if<StepsDone>(&event.body)) {
            at.insert(at.end(), done->seconds.begin(), done->seconds.end());
            if (static_cast<std::int64_t>(at.size()) > warm + steps) commands.requestStopFromSignal();
        }
        if (const auto* saved = std::get_if<CheckpointSaved>(&event.body); saved && saved->reason == "steps") {
            ++measured.checkpoints;
            measured.writingMs += saved->seconds * 1e3;
        }
    });
    if (!ended) return ended.error();
    if (ended->status == RunStatus::Failed || static_cast<std::int64_t>(at.size()) <= warm + steps) return Error{ErrorCode::Internal, "The run ended too soon: " + ended->message, "", ""};
    measured.stepMs = (at[static_cast<std::size_t>(warm + steps)] - at[static_cast<std::size_t>(warm)]) / static_cast<double>(steps) * 1e3;
    if (measured.checkpoints > 0) measured.writingMs /= static_cast<double>(measured.checkpoints);
    (void)store->deleteRun(*run);
    return measured;
}

int fail(const Error& error)
{
    std::fprintf(stderr, "%s\n%s\n", error.text().c_str(), error.detail.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    std::map<std::string, std::string> options{{"data", ""}, {"store", "/tmp"}, {"every", "50"}, {"warm", "50"}, {"steps", "300"}, {"rounds", "5"}, {"threads", "2"}};
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || !options.contains(word.substr(0, equals))) {
            std::fprintf(stderr, "Usage: sconce_bench_checkpoints data=FOLDER [store=FOLDER] [every=STEPS] [warm=N] [steps=N] [rounds=N] [threads=N]\n");
            return 2;
        }
        options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    std::map<std::string, std::int64_t> number;
    for (const char* key : {"every", "warm", "steps", "rounds", "threads"})
        if (!parseInt(options[key], number[key]) || number[key] < 1) return std::fprintf(stderr, "%s must be a whole number, at least 1.\n", key), 2;

    prepareEngineProcess();
    std::string folder = options["store"] + "/sconce-bench-XXXXXX"; // on a disk: fsyncs are to be real
    if (!::mkdtemp(folder.data())) return std::fprintf(stderr, "No folder could be made in %s.\n", options["store"].c_str()), 1;
    int result = 0;
    std::thread([&] {
        auto store = Store::open(folder + "/store");
        if (!store) { result = fail(store.error()); return; }
        std::vector<double> with, without, ratios, writing;
        for (std::int64_t round = 0; round < number["rounds"]; ++round) {
            // Turn about, and the one that begins changes: what the machine does meanwhile meets both.
            Measured pair[2];
            for (int turn = 0; turn < 2; ++turn) {
                const bool saves = (turn + round) % 2 == 0;
                auto one = train(*store, options["data"], saves ? number["every"] : 0, number["warm"], number["steps"], static_cast<int>(number["threads"]));
                if (!one) { result = fail(one.error()); return; }
                pair[saves] = *one;
            }
            with.push_back(pair[1].stepMs);
            without.push_back(pair[0].stepMs);
            writing.push_back(pair[1].writingMs);
            ratios.push_back(pair[1].stepMs / pair[0].stepMs);
            std::printf("round %lld: %.3f ms a step with %lld checkpoints (%.1f ms each to write), %.3f without: %+.2f %%\n", static_cast<long long>(round + 1), pair[1].stepMs,
                        static_cast<long long>(pair[1].checkpoints), pair[1].writingMs, pair[0].stepMs, (ratios.back() - 1) * 100);
            std::fflush(stdout);
        }
        const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
        std::printf("a checkpoint every %lld steps: median %.3f ms a step against %.3f, %+.2f %% (%+.2f … %+.2f %%), %.1f ms each to write\n", static_cast<long long>(number["every"]),
                    median(with), median(without), (median(ratios) - 1) * 100, (*least - 1) * 100, (*most - 1) * 100, median(writing));
    }).join();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return result;
}

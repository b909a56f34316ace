// SPDX-License-Identifier: GPL-3.0-or-later
// The forecast of a run's memory beside what it really takes: `sconce_bench_memory [RECIPE.json…]`, by default every starter recipe
// as it is, in bfloat16, computed again, and in pieces. Each runs in a process of its own. Tensors: bytes of tensors alive at the
// fullest moment, counted in the allocator. Process: how much the process itself grew, with what its heap leaves unused.
#include "tests/core/engine/memory_support.h"

#include "core/base/text.h"
#include "core/engine/devices.h"

#include <chrono>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;

namespace {

struct Variant { const char* name; const char* group; const char* id; ParamValue value; };
const std::vector<Variant>& variants()
{
    static const std::vector<Variant> all{{"", "", "", false},
                                          {"bf16", "precision", "compute", std::string("bf16")},
                                          {"computed again", "memory", "recompute", std::string("blocks")},
                                          {"32 at once", "gradients", "micro_batch", std::int64_t{32}},
                                          {"not fused", "speed", "fused_blocks", false}};
    return all;
}

double statusBytes(const std::string& key)
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key + ":")) return 1024 * std::strtod(line.c_str() + key.size() + 1, nullptr);
    return 0;
}

Recipe named(const std::string& argument, std::size_t variant)
{
    Recipe recipe;
    if (const StarterRecipe* starter = findStarter(argument)) recipe = starter->recipe;
    else recipe = orGiveUp(readRecipeFile(argument)).recipe;
    if (const Variant& chosen = variants()[variant]; *chosen.group) setOption(recipe.training, chosen.group, chosen.id, chosen.value);
    return recipe;
}

int child(const std::string& argument, std::size_t variant)
{
    prepareEngineProcess();
    const Recipe recipe = named(argument, variant);
    const DataFacts facts = *assumedFacts(recipe.data.dataset);
    Recipe small = recipe; // loads the kernels, so that the growth is the network's alone
    small.training.batchSize = 1;
    (void)trainedPeak(small, facts, 1);
    std::ofstream("/proc/self/clear_refs") << "5"; // the peak begins here
    const double before = statusBytes("VmRSS");
    const auto start = std::chrono::steady_clock::now();
    const Peak peak = trainedPeak(recipe, facts, 8);
    std::printf("%.0f %.0f %.1f\n", peak.bytes, statusBytes("VmHWM") - before, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    return 0;
}

int compare(const std::string& argument, std::size_t variant, const char* self)
{
    const Recipe recipe = named(argument, variant);
    const auto facts = assumedFacts(recipe.data.dataset);
    if (!facts) return std::fprintf(stderr, "%s: its data are not known.\n", argument.c_str()), 1;
    const MemoryForecast m = forecastOf(recipe, *facts).memory;
    const std::string command = std::string("'") + self + "' --child " + std::to_string(variant) + " '" + argument + "'";
    FILE* pipe = ::popen(command.c_str(), "r");
    double tensors = 0, process = 0, time = 0;
    const bool read = pipe && std::fscanf(pipe, "%lf %lf %lf", &tensors, &process, &time) == 3;
    if (!pipe || ::pclose(pipe) != 0 || !read) return std::fprintf(stderr, "%s could not be measured.\n", argument.c_str()), 1;
    const auto mb = [](double bytes) { return bytes / 1e6; };
    const double forecast = static_cast<double>(m.total());
    std::printf("| %s | %s | %.1f | %.1f | %.1f | %.1f | %.1f | **%.1f** | **%.1f** | %+.0f %% | %.1f |\n", argument.c_str(), variants()[variant].name, mb(static_cast<double>(m.parameters)),
                mb(static_cast<double>(m.gradients)), mb(static_cast<double>(m.optimiser + m.average)), mb(static_cast<double>(m.activations)), mb(static_cast<double>(m.workspace)), mb(forecast),
                mb(tensors), 100 * (forecast / tensors - 1), mb(process));
    std::fflush(stdout);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc == 4 && std::string(argv[1]) == "--child") return child(argv[3], static_cast<std::size_t>(std::atoi(argv[2])) % variants().size());
    std::printf("| Recipe | | parameters | gradients | optimiser | activations | workspace | forecast, MB | tensors, MB | off by | process, MB |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    std::fflush(stdout);
    int failed = 0;
    std::vector<std::string> recipes(argv + 1, argv + argc);
    if (recipes.empty())
        for (const StarterRecipe& starter : starterRecipes()) recipes.push_back(starter.id);
    for (const std::string& recipe : recipes)
        for (std::size_t variant = 0; variant < variants().size(); ++variant) failed |= compare(recipe, variant, argv[0]);
    return failed;
}

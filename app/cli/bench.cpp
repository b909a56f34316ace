// SPDX-License-Identifier: GPL-3.0-or-later
// bench: the built-in measurements, alone or in turns with a peer.
#include "app/cli/cli.h"

#include "app/bench/benches.h"
#include "app/bench/commit.h"
#include "app/bench/machine_floor.h"
#include "app/bench/peer.h"
#include "core/base/text.h"
#include "core/engine/devices.h"
#include "core/hardware/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <optional>

namespace sconce::cli {

namespace {

using namespace sconce::bench;

std::string fixed(double value, int digits)
{
    char text[48];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string figure(double value) { return fixed(value, value < 10 ? 3 : value < 1000 ? 2 : 0); }

double medianOf(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// What one contestant gave in all rounds.
struct Row
{
    Contestant who;
    std::vector<double> values, accuracies, cold; ///< the last two of whole trainings
    std::vector<Json> more; ///< what each round told besides
    double median() const { return medianOf(values); }
    double accuracy() const { return std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / static_cast<double>(accuracies.size()); }
    double least() const { return *std::min_element(values.begin(), values.end()); }
    double most() const { return *std::max_element(values.begin(), values.end()); }
};

int list(Context& context)
{
    std::vector<std::vector<std::string>> lines;
    for (const BenchEntry& entry : benchEntries()) {
        context.emit({{"bench", entry.id}, {"title", entry.title}, {"help", entry.help}, {"unit", entry.unit}, {"rounds", entry.rounds}, {"warm", entry.warm}, {"steps", entry.steps}, {"modes", entry.modes}});
        lines.push_back({entry.id, entry.title, entry.help});
    }
    context.print(table({"bench", "", ""}, lines, {false, false, false}));
    context.print("Run one: sconce bench b1. Beside PyTorch, in turns: sconce bench b1 --peer /path/to/python3.");
    return Done;
}

/// Empty if the words fit the bench; else a sentence.
std::string misfit(const BenchEntry& entry, const BenchArguments& arguments)
{
    if (!arguments.recipe.empty() && entry.id != "step") return "The bench “" + entry.id + "” has a recipe of its own; --recipe is for “step”.";
    if (arguments.every && entry.id != "checkpoints") return "The option --every is for the bench “checkpoints”.";
    if ((arguments.epochs || arguments.accuracy != BenchArguments{}.accuracy) && !entry.wholeRuns) return "The options --epochs and --accuracy are for the bench “b2”.";
    if ((arguments.steps || arguments.warm) && (entry.wholeRuns || entry.id == "floor")) return "The bench “" + entry.id + "” has no steps to count.";
    if (!arguments.peer.empty() && !arguments.device.empty() && arguments.device != entry.device) return "The peer of “" + entry.id + "” runs on " + entry.device + ", so Sconce must, too.";
    if (!arguments.peer.empty() && arguments.modes.empty() && arguments.precision == "bf16" && std::find(entry.modes.begin(), entry.modes.end(), "bf16") == entry.modes.end())
        return "The peer of “" + entry.id + "” does not compute in bfloat16.";
    if (!arguments.device.empty() && !entry.trains) return "The bench “" + entry.id + "” runs on the CPU.";
    if (arguments.precision != "float32" && !entry.trains) return "The bench “" + entry.id + "” has no precision to choose.";
    if (!arguments.set.empty() && !entry.trains && !entry.wholeRuns && entry.id != "checkpoints") return "The bench “" + entry.id + "” has no recipe that --set could change.";
    if ((arguments.batch || !arguments.data.empty()) && entry.id == "floor") return "The bench “floor” reads no data.";
    if (!arguments.peer.empty() && entry.peer.empty()) return "The bench “" + entry.id + "” has no peer.";
    if (!arguments.modes.empty() && arguments.peer.empty()) return "The option --modes needs a peer: --peer /path/to/python3.";
    for (const std::string& mode : arguments.modes)
        if (std::find(entry.modes.begin(), entry.modes.end(), mode) == entry.modes.end()) {
            std::string known;
            for (const std::string& each : entry.modes) known += (known.empty() ? "" : ", ") + each;
            return "The peer of “" + entry.id + "” has no mode “" + mode + "”; it knows " + known + ".";
        }
    if (arguments.atLeast > 0 && arguments.peer.empty()) return "The option --at-least needs a peer: --peer /path/to/python3.";
    return {};
}

BenchSettings settingsOf(const BenchEntry& entry, const BenchArguments& arguments)
{
    BenchSettings settings;
    settings.data = arguments.data;
    settings.recipe = arguments.recipe;
    settings.set = arguments.set;
    settings.precision = arguments.precision;
    settings.device = arguments.device.empty() ? entry.device : arguments.device;
    settings.threads = arguments.threads.value_or(usableThreads());
    settings.batch = arguments.batch.value_or(0);
    settings.warm = arguments.warm.value_or(entry.warm);
    settings.steps = arguments.steps.value_or(entry.steps);
    settings.every = arguments.every.value_or(50);
    settings.epochs = arguments.epochs.value_or(1);
    return settings;
}

/// The peers asked for; Sconce is measured in the precision of each.
std::vector<std::string> modesOf(const BenchEntry& entry, const BenchArguments& arguments)
{
    if (arguments.peer.empty()) return {};
    if (!arguments.modes.empty()) return arguments.modes;
    return arguments.precision == "bf16" ? std::vector<std::string>{"bf16"} : entry.usualModes;
}

std::vector<std::string> groupsOf(const BenchArguments& arguments, const std::vector<std::string>& modes)
{
    std::vector<std::string> groups{arguments.precision};
    if (arguments.precision == "float32" && std::find(modes.begin(), modes.end(), "bf16") != modes.end()) groups.push_back("bf16");
    return groups;
}

Result<std::vector<Contestant>> peersOf(const BenchEntry& entry, const BenchArguments& arguments, const BenchSettings& settings, const Bench& bench, const std::vector<std::string>& modes)
{
    std::vector<Contestant> peers;
    for (const std::string& mode : modes) {
        auto script = findPeerScript(entry.peer);
        if (!script) return script.error();
        auto python = pythonFor(mode, arguments.peer);
        if (!python) return python.error();
        // A DataLoader takes ten times as long as what it is compared with, and is measured over as many batches less.
        const std::int64_t steps = entry.id == "b6" || entry.id == "augment" ? std::max<std::int64_t>(1, settings.steps / 10) : settings.steps;
        peers.push_back(peerContestant({*python, *script, mode, entry.unit, bench.dataPath, settings.threads, settings.warm, steps, bench.batch, entry.wholeRuns ? settings.epochs : 0}));
    }
    return peers;
}

/// Everyone once a round, so that what the machine does meanwhile meets all; the one that begins changes.
Result<std::vector<Row>> takeTurns(const Context& context, std::vector<Contestant> contestants, int rounds)
{
    std::vector<Row> rows;
    for (Contestant& each : contestants) rows.push_back({std::move(each), {}, {}, {}, {}});
    for (int round = 0; round < rounds; ++round)
        for (std::size_t turn = 0; turn < rows.size(); ++turn) {
            Row& row = rows[(turn + static_cast<std::size_t>(round)) % rows.size()];
            auto measured = row.who.measure(round + 1, [] { return !Interruptible::wanted(); });
            if (!measured) return measured.error();
            row.values.push_back(measured->median);
            if (measured->more.contains("accuracy") && measured->more["accuracy"].is_number()) row.accuracies.push_back(measured->more["accuracy"].get<double>());
            if (measured->more.contains("process_seconds")) row.cold.push_back(measured->more["process_seconds"].get<double>());
            Json line{{"round", round + 1}, {"who", row.who.name}, {"unit", row.who.unit}, {"median", measured->median}, {"mean", measured->mean}, {"p10", measured->p10}, {"p90", measured->p90}};
            for (const auto& [key, value] : measured->more.items())
                if (!line.contains(key)) line[key] = value;
            context.emit(line);
            row.more.push_back(std::move(measured->more));
            context.note("round " + std::to_string(round + 1) + ": " + row.who.name + " " + figure(measured->median) + " " + row.who.unit + (row.accuracies.empty() ? "" : ", " + percentText(row.accuracies.back())));
            if (round == 0 && measured->more.contains("choices"))
                if (const std::string how = measured->more["choices"].value("step_because", std::string()); !how.empty()) context.note("  " + how);
            if (Interruptible::wanted()) return Error{ErrorCode::Cancelled, "The measurement was stopped.", "", ""};
        }
    return rows;
}

/// Ours of the same precision.
const Row* reference(const std::vector<Row>& rows, const Row& row)
{
    for (const Row& each : rows)
        if (each.who.ours && each.who.group == row.who.group) return &each;
    return nullptr;
}

/// The middle of what each round's pair says: what came between rounds meets both of a pair.
double medianRatio(const Row& row, const Row& to)
{
    std::vector<double> ratios;
    for (std::size_t i = 0; i < row.values.size(); ++i) ratios.push_back(row.values[i] / to.values[i]);
    return medianOf(std::move(ratios));
}

/// The middle of a figure that rounds told; NaN where one lacks it.
double medianTold(const Row& row, const char* key)
{
    std::vector<double> values;
    for (const Json& each : row.more) {
        if (!each.contains(key) || !each[key].is_number()) return std::numeric_limits<double>::quiet_NaN();
        values.push_back(each[key].get<double>());
    }
    return medianOf(std::move(values));
}

/// What a checkpoint costs in processor time, which is the same beside busy neighbours, as its wall time is not.
struct CheckpointCpu
{
    double trainerMs = 0, writerMs = 0;
    double historyMs = 0; ///< more than without checkpoints
    double share = 0;     ///< of the steps from one to the next: training's own thread holds all up, the others take their part of the cores
};

std::optional<CheckpointCpu> checkpointCpu(const std::vector<Row>& rows, std::int64_t every, int cores)
{
    if (rows.size() != 2) return std::nullopt;
    const auto steps = static_cast<double>(every);
    CheckpointCpu cpu{medianTold(rows[1], "trainer_cpu_ms"), medianTold(rows[1], "writer_cpu_ms"), 0, 0};
    if (!std::isfinite(cpu.trainerMs + cpu.writerMs)) return std::nullopt;
    const double history = (medianTold(rows[1], "history_cpu_ms_per_step") - medianTold(rows[0], "history_cpu_ms_per_step")) * steps;
    if (std::isfinite(history)) cpu.historyMs = std::max(0.0, history);
    cpu.share = (cpu.trainerMs + (cpu.writerMs + cpu.historyMs) / std::max(1, cores)) / (steps * rows[0].median());
    return cpu;
}

struct Frame
{
    const BenchEntry& entry;
    const BenchSettings& settings;
    const Bench& bench;
    int rounds = 0;
    MachineFloor machine;
    double floor = 0; ///< in the bench's unit; 0: none
};

void printFrame(const Context& context, const Frame& frame)
{
    const bool reads = frame.entry.id != "floor";
    std::string what = frame.entry.title;
    if (frame.entry.wholeRuns) what += ", " + plural(frame.settings.epochs, "epoch", "epochs");
    if (frame.bench.batch > 0) what += ", batch " + groupedInt(frame.bench.batch);
    if (frame.entry.trains) what += ", " + frame.settings.precision;
    if (frame.settings.device != "cpu") what += ", on " + frame.settings.device;
    what += ", " + plural(frame.settings.threads, "thread", "threads") + ", " + plural(frame.rounds, "round", "rounds");
    if (frame.settings.steps > 0 && reads) what += " of " + plural(frame.settings.steps, "step", "steps");
    context.print(what);
    if (reads) context.print("data: " + frame.bench.data);
    const CpuFacts cpu = Machine({}, {}).facts().cpu;
    std::string machine = "machine: " + cpu.model + ", " + plural(cpu.usable, "core", "cores") + " to use";
    if (frame.machine.flops > 0) machine += "; " + fixed(frame.machine.flops * 1e-9, 0) + " GFLOP/s multiply-add, " + fixed(frame.machine.bytesPerSecond * 1e-9, 0) + " GB/s copy";
    if (frame.floor > 0) machine += "; floor of a step " + figure(frame.floor) + " " + frame.entry.unit.substr(0, frame.entry.unit.find('/')) + " (arithmetic in float32, convolutions as they are written)";
    context.print(machine);
    const EngineVersions versions = engineVersions();
    context.print(std::string("Sconce " SCONCE_VERSION) + (*builtFrom ? std::string(" (") + builtFrom + ")" : "") + (versions.torch.empty() ? "" : ", LibTorch " + versions.torch + ", " + versions.cpuCapability));
}

void printRows(const Context& context, const Frame& frame, const std::vector<Row>& rows)
{
    const bool peers = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return !row.who.ours; });
    const bool costs = frame.entry.id == "checkpoints";
    std::vector<std::string> header{"", frame.entry.unit.empty() ? "" : frame.entry.unit, "spread"};
    if (frame.floor > 0) header.push_back("of the floor");
    if (peers) header.push_back("Sconce is");
    if (costs) header.push_back("costs");
    if (frame.entry.wholeRuns) header.insert(header.end(), {"test accuracy", "from a cold start"});
    std::vector<std::vector<std::string>> lines;
    for (const Row& row : rows) {
        lines.push_back({row.who.name, figure(row.median()) + (frame.entry.unit.empty() ? " " + row.who.unit : ""), figure(row.least()) + "–" + figure(row.most())});
        if (frame.floor > 0) lines.back().push_back(percentText(frame.floor / row.median(), 0));
        const Row* to = reference(rows, row);
        if (peers) lines.back().push_back(row.who.ours || !to ? "" : fixed(row.median() / to->median(), 2) + " × as fast");
        if (costs) lines.back().push_back(&row == to ? "" : percentText(medianRatio(row, *to) - 1));
        if (frame.entry.wholeRuns) lines.back().insert(lines.back().end(), {percentText(row.accuracy(), 3), figure(medianOf(row.cold)) + " s"});
    }
    std::vector<bool> right(header.size(), true);
    right[0] = false;
    context.print(table(header, lines, right));
    const int cores = Machine({}, {}).facts().cpu.usable;
    if (const auto cpu = costs ? checkpointCpu(rows, frame.settings.every, cores) : std::nullopt)
        context.print("by processor time a checkpoint takes " + fixed(cpu->trainerMs, 2) + " ms of training's own thread and " + fixed(cpu->writerMs + cpu->historyMs, 2) + " ms beside it (writing " +
                      fixed(cpu->writerMs, 2) + ", history " + fixed(cpu->historyMs, 2) + "): " + percentText(cpu->share) + " of its " + plural(frame.settings.every, "step", "steps") + " on " + plural(cores, "core", "cores"));
}

Json summary(const Frame& frame, const std::vector<Row>& rows)
{
    const CpuFacts cpu = Machine({}, {}).facts().cpu;
    const EngineVersions versions = engineVersions();
    Json results = Json::array();
    for (const Row& row : rows) {
        Json each{{"who", row.who.name}, {"ours", row.who.ours}, {"unit", row.who.unit}, {"median", row.median()}, {"least", row.least()}, {"most", row.most()}};
        if (frame.floor > 0) each["of_floor"] = frame.floor / row.median();
        const Row* to = reference(rows, row);
        if (to && to != &row) each["ratio"] = row.median() / to->median(), each["median_ratio"] = medianRatio(row, *to);
        if (!row.accuracies.empty()) each["accuracy"] = row.accuracy(), each["accuracies"] = row.accuracies, each["cold_seconds"] = medianOf(row.cold);
        results.push_back(std::move(each));
    }
    Json json{{"bench", frame.entry.id}, {"version", SCONCE_VERSION}, {"commit", builtFrom}, {"torch", versions.torch}, {"cpu_capability", versions.cpuCapability},
              {"machine", {{"cpu", cpu.model}, {"cores", cpu.usable}, {"features", cpu.features}}},
              {"device", frame.settings.device}, {"threads", frame.settings.threads}, {"rounds", frame.rounds}, {"results", std::move(results)}};
    if (frame.machine.flops > 0) json["machine"]["gflops"] = frame.machine.flops * 1e-9, json["machine"]["gbytes_per_second"] = frame.machine.bytesPerSecond * 1e-9;
    if (frame.entry.id == "floor") return json;
    if (const auto cost = frame.entry.id == "checkpoints" ? checkpointCpu(rows, frame.settings.every, cpu.usable) : std::nullopt)
        json["every"] = frame.settings.every, json["checkpoint_cpu"] = {{"trainer_ms", cost->trainerMs}, {"writer_ms", cost->writerMs}, {"history_ms", cost->historyMs}, {"share", cost->share}};
    if (frame.entry.wholeRuns) json["epochs"] = frame.settings.epochs;
    else json["steps"] = frame.settings.steps, json["warm"] = frame.settings.warm;
    json["batch"] = frame.bench.batch;
    json["data"] = frame.bench.data;
    json["made_data"] = frame.settings.data.empty();
    if (frame.entry.trains) json["precision"] = frame.settings.precision, json["flop"] = frame.bench.flopPerStep, json["floor"] = frame.floor;
    return json;
}

/// What --accuracy, --at-least and --at-most demand; a sentence for what is not met.
std::string unmet(const BenchArguments& arguments, const std::vector<Row>& rows)
{
    bool compared = false;
    for (const Row& row : rows) {
        const Row* to = reference(rows, row);
        compared = compared || (!row.who.ours && to);
        if (row.who.ours && !row.accuracies.empty() && row.accuracy() < arguments.accuracy)
            return row.who.name + " reaches " + percentText(row.accuracy(), 3) + " in the mean, not " + percentText(arguments.accuracy) + ".";
        if (!row.who.ours && to && arguments.atLeast > 0 && row.median() / to->median() < arguments.atLeast)
            return "Sconce is " + fixed(row.median() / to->median(), 2) + " × as fast as " + row.who.name + ", not " + realText(arguments.atLeast) + " ×.";
        if (row.who.ours && arguments.atMost > 0 && row.median() > arguments.atMost)
            return row.who.name + " takes " + figure(row.median()) + " " + row.who.unit + ", more than " + realText(arguments.atMost) + ".";
    }
    if (arguments.atLeast > 0 && !compared) return "No peer of this precision was measured, so there is nothing to compare Sconce with.";
    return {};
}

} // namespace

int bench(Context& context, const BenchArguments& arguments)
{
    if (arguments.name.empty()) return list(context);
    const BenchEntry* entry = findBench(arguments.name);
    if (!entry) {
        std::vector<std::string> names;
        for (const BenchEntry& each : benchEntries()) names.push_back(each.id);
        const std::string close = nearest(arguments.name, names);
        return context.failUsage(Error{ErrorCode::NotFound, "There is no bench “" + arguments.name + "”.", close.empty() ? "List them with: sconce bench" : "Did you mean " + close + "?", ""});
    }
    if (const std::string why = misfit(*entry, arguments); !why.empty()) return context.failUsage(why);
    const BenchSettings settings = settingsOf(*entry, arguments);
    const auto modes = modesOf(*entry, arguments);
    const Interruptible interruptible;
    auto bench = openBench(*entry, settings, groupsOf(arguments, modes));
    if (!bench) return context.fail(bench.error());
    auto peers = peersOf(*entry, arguments, settings, *bench, modes);
    if (!peers) return context.failUsage(peers.error());

    Frame frame{*entry, settings, *bench, arguments.rounds.value_or(entry->rounds), {}, 0};
    if (entry->id != "floor" && settings.device == "cpu")
        for (int i = 0; i < 3 && !Interruptible::wanted(); ++i) frame.machine = frame.machine.best(measureMachine(settings.threads));
    if (bench->flopPerStep > 0 && frame.machine.flops > 0) frame.floor = bench->flopPerStep / frame.machine.flops * bench->floorScale;
    std::vector<Contestant> contestants = bench->contestants;
    contestants.insert(contestants.end(), peers->begin(), peers->end());
    auto rows = takeTurns(context, std::move(contestants), frame.rounds);
    if (!rows) return rows.error().code == ErrorCode::Cancelled ? Interrupted : context.fail(rows.error());
    printFrame(context, frame);
    printRows(context, frame, *rows);
    context.emit(summary(frame, *rows));
    const std::string why = unmet(arguments, *rows);
    if (!why.empty()) context.say(why);
    return why.empty() ? Done : Failed;
}

} // namespace sconce::cli

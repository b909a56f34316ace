// SPDX-License-Identifier: GPL-3.0-or-later
// The words of the command line. CLI11 stays behind this file.
#include "app/cli/cli.h"

#include "core/base/log.h"
#include "core/engine/devices.h"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace sconce::cli {

namespace {

/// Everything that may be said; one value so that callbacks can bind to it.
struct Words
{
    Options options;
    TrainArguments train;
    UseArguments use;
    std::string run, path, out, data, recipe;
    std::vector<std::string> runs;
    std::optional<int> epochs;
    bool series = false, check = false;
    std::function<int(Context&)> action;
};

void addTraining(CLI::App& app, Words& w)
{
    auto* train = app.add_subcommand("train", "Train a recipe: a file, or a starter's name such as mnist-convnet");
    train->add_option("recipe", w.train.recipe, "Recipe file or starter")->required();
    train->add_option("--data", w.train.data, "Folder or file of the data set; without it the recipe's own is taken");
    train->add_option("--device", w.train.device, "cpu, cuda:N or auto");
    train->add_option("--epochs", w.train.epochs, "Passes over the training data");
    train->add_option("--seed", w.train.seed, "Same seed, same run");
    train->add_option("--threads", w.train.threads, "CPU threads; 0 = as many as the machine allows");
    train->add_option("--name", w.train.name, "Name of the run");
    train->add_option("--set", w.train.set, "Change a value of the recipe: /json/path=value")->take_all();
    train->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::train(c, w.train); }; });

    auto* resume = app.add_subcommand("resume", "Go on from a run's newest valid checkpoint");
    resume->add_option("run", w.run, "Run id, number, name or last")->required();
    resume->add_option("--epochs", w.epochs, "Epochs in all");
    resume->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::resume(c, w.run, w.epochs); }; });

    auto* worker = app.add_subcommand("worker", "Train a run of the store for another window");
    worker->add_option("run", w.run)->required();
    worker->add_option("--epochs", w.epochs);
    worker->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::worker(c, w.run, w.epochs); }; });
}

void addRuns(CLI::App& app, Words& w)
{
    auto* runs = app.add_subcommand("runs", "The history");
    runs->require_subcommand(1);
    runs->add_subcommand("list", "Every run, newest first")->callback([&w] { w.action = runsList; });
    auto* show = runs->add_subcommand("show", "One run with recipe, attempts, checkpoints and log");
    show->add_option("run", w.run)->required();
    show->callback([&w] { w.action = [&w](Context& c) { return runsShow(c, w.run); }; });
    for (const char* verb : {"pause", "continue", "stop", "checkpoint"}) {
        auto* steer = runs->add_subcommand(verb, std::string("Tell a live run to ") + verb);
        steer->add_option("run", w.run)->required();
        steer->callback([&w, verb] { w.action = [&w, verb](Context& c) { return runsSteer(c, verb, w.run); }; });
    }
    auto* remove = runs->add_subcommand("delete", "Delete a run with its files");
    remove->add_option("run", w.run)->required();
    remove->callback([&w] { w.action = [&w](Context& c) { return runsDelete(c, w.run); }; });
    auto* exported = runs->add_subcommand("export", "Take a run's facts or points out");
    exported->add_option("run", w.run)->required();
    exported->add_flag("--series", w.series, "Every point of every series");
    exported->add_option("--out", w.out, "CSV file instead of standard output");
    exported->callback([&w] { w.action = [&w](Context& c) { return runsExport(c, w.run, w.series, w.out); }; });
    auto* compare = runs->add_subcommand("compare", "What differs between runs");
    compare->add_option("runs", w.runs)->required()->expected(1, 100);
    compare->callback([&w] { w.action = [&w](Context& c) { return runsCompare(c, w.runs); }; });
}

void addLooking(CLI::App& app, Words& w)
{
    auto* describe = app.add_subcommand("describe", "Shapes, parameters and cost of a recipe, and its problems with fixes");
    describe->add_option("recipe", w.recipe)->required();
    describe->add_option("--data", w.data, "Folder or file of the data set");
    describe->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::describe(c, w.recipe, w.data); }; });
    app.add_subcommand("recipes", "The starter recipes")->callback([&w] { w.action = recipes; });
    app.add_subcommand("layers", "The layer catalogue with parameters and ranges")->callback([&w] { w.action = layers; });
    auto* data = app.add_subcommand("data", "Data sets");
    data->require_subcommand(1);
    auto* inspect = data->add_subcommand("inspect", "Kind, samples, classes, balance, fingerprint, problems");
    inspect->add_option("path", w.path, "Folder or file, or builtin:digits")->required();
    inspect->callback([&w] { w.action = [&w](Context& c) { return dataInspect(c, w.path); }; });
    app.add_subcommand("devices", "What can be computed on, and versions")->callback([&w] { w.action = devices; });
    auto* doctor = app.add_subcommand("doctor", "Check the store and mend it");
    doctor->add_flag("--check", w.check, "Only look");
    doctor->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::doctor(c, !w.check); }; });
}

void addUsing(CLI::App& app, Words& w)
{
    const auto common = [&w](CLI::App* command) {
        command->add_option("run", w.use.run, "Run id, number, name or last")->required();
        command->add_option("--data", w.use.data, "Folder or file of the data set; without it the run's own");
        command->add_option("--device", w.use.device, "cpu (the default) or cuda:N");
        command->add_option("--weights", w.use.weights, "last or best")->check(CLI::IsMember({"last", "best"}));
    };
    auto* evaluate = app.add_subcommand("evaluate", "Metrics, confusion matrix, per class");
    common(evaluate);
    evaluate->add_option("--split", w.use.split)->check(CLI::IsMember({"train", "validation", "test"}));
    evaluate->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::evaluate(c, w.use); }; });
    auto* predict = app.add_subcommand("predict", "Probabilities for pictures or IDX files");
    common(predict);
    predict->add_option("files", w.use.files)->required();
    predict->add_option("--out", w.use.out, "F.csv, F.json or F.npy");
    predict->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::predict(c, w.use); }; });
    auto* out = app.add_subcommand("export", "Take a trained model out");
    common(out);
    out->add_option("--format", w.use.format, "safetensors");
    out->add_option("--out", w.use.out, "File to write")->required();
    out->callback([&w] { w.action = [&w](Context& c) { return exportModel(c, w.use); }; });
}

} // namespace

int run(int argc, char** argv)
{
    CLI::App app("Sconce trains neural networks on your own hardware.", "sconce");
    Words words;
    app.set_version_flag("--version", SCONCE_VERSION);
    app.require_subcommand(1);
    app.fallthrough(); // --json, --store and --quiet may stand before or after the command
    app.add_flag("--json", words.options.json, "One JSON object per line on standard output");
    app.add_flag("--quiet", words.options.quiet, "No progress and no messages");
    app.add_option("--store", words.options.store, "Folder of the history");
    addTraining(app, words);
    addRuns(app, words);
    addLooking(app, words);
    addUsing(app, words);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, std::cout, std::cerr) == 0 ? Done : Usage;
    }
    openLog({}, LogLevel::Error);
    prepareEngineProcess();
    Context context(words.options);
    try {
        return words.action(context);
    } catch (const std::exception& error) { // the last seam: a bug of ours ends as a sentence, not as a crash
        return context.fail(Error{ErrorCode::Internal, std::string("Sconce met an error of its own: ") + error.what(), "", ""});
    }
}

} // namespace sconce::cli

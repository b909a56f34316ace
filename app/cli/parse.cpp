// SPDX-License-Identifier: GPL-3.0-or-later
// The words of the command line. CLI11 stays behind this file.
#include "app/cli/cli.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/devices.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <iostream>

namespace sconce::cli {

namespace {

/// Everything that may be said; one value so that callbacks can bind to it.
struct Words
{
    ImportOptions import;
    Options options;
    TrainArguments train;
    UseArguments use;
    RateTestArguments rates;
    BatchTestArguments batches;
    ProfileArguments profile;
    BenchArguments bench;
    std::string run, path, out, data, recipe;
    std::vector<std::string> runs, set;
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
    // CLI11 would wrap -1 round to the largest number.
    train->add_option("--seed", w.train.seed, "Same seed, same run")->check([](const std::string& text) {
        return text.find_first_not_of("0123456789") == std::string::npos ? std::string() : "a whole number from 0";
    });
    train->add_option("--threads", w.train.threads, "CPU threads; 0 = as many as the machine allows");
    train->add_option("--name", w.train.name, "Name of the run");
    train->add_option("--weights", w.train.weights, "Start from the weights of a run, or of a .safetensors file");
    train->add_option("--set", w.train.set, "Change a value of the recipe: /json/path=value")->take_all();
    train->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::train(c, w.train); }; });

    auto* resume = app.add_subcommand("resume", "Go on from a run's newest valid checkpoint");
    resume->add_option("run", w.run, "Run id, number, name or last")->required();
    resume->add_option("--epochs", w.epochs, "Epochs in all");
    resume->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::resume(c, w.run, w.epochs); }; });

    auto* find = app.add_subcommand("find", "Find good settings of a recipe before it is trained");
    find->require_subcommand(1);
    auto* rate = find->add_subcommand("rate", "Learning-rate range test: the loss at rates from small to large, and a suggestion");
    rate->add_option("recipe", w.rates.recipe, "Recipe file or starter")->required();
    rate->add_option("--data", w.rates.data, "Folder or file of the data set; without it the recipe's own is taken");
    rate->add_option("--set", w.rates.set, "Change a value of the recipe: /json/path=value")->take_all();
    rate->add_option("--from", w.rates.lowest, "Smallest rate");
    rate->add_option("--to", w.rates.highest, "Largest rate");
    rate->add_option("--steps", w.rates.steps, "How many steps")->check(CLI::Range(10, 100000));
    rate->callback([&w] { w.action = [&w](Context& c) { return findRate(c, w.rates); }; });

    auto* batch = find->add_subcommand("batch", "The largest batch that fits into the device's memory, and a suggestion");
    batch->add_option("recipe", w.batches.recipe, "Recipe file or starter")->required();
    batch->add_option("--data", w.batches.data, "Folder or file of the data set; without it the recipe's own is taken");
    batch->add_option("--set", w.batches.set, "Change a value of the recipe: /json/path=value")->take_all();
    batch->callback([&w] { w.action = [&w](Context& c) { return findBatch(c, w.batches); }; });

    auto* profile = app.add_subcommand("profile", "Where the time of a training step goes: by layer, by operation, and as a trace");
    profile->add_option("recipe", w.profile.recipe, "Recipe file or starter")->required();
    profile->add_option("--data", w.profile.data, "Folder or file of the data set; without it the recipe's own is taken");
    profile->add_option("--set", w.profile.set, "Change a value of the recipe: /json/path=value")->take_all();
    profile->add_option("--steps", w.profile.steps, "How many steps are measured")->check(CLI::Range(1, 1000));
    profile->add_option("--trace", w.profile.trace, "File for the trace (JSON), as chrome://tracing and Perfetto open it");
    profile->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::profile(c, w.profile); }; });

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
    auto* histograms = runs->add_subcommand("histograms", "How a run's weights, gradients and outputs are spread; of a run that has ended, its weights");
    histograms->add_option("run", w.run)->required();
    histograms->add_option("--weights", w.use.weights, "Of a run that has ended: last or best")->check(CLI::IsMember({"last", "best"}));
    histograms->callback([&w] { w.action = [&w](Context& c) { return runsHistograms(c, w.run, w.use.weights); }; });
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
    describe->add_option("--set", w.set, "Change a value of the recipe: /json/path=value")->take_all();
    describe->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::describe(c, w.recipe, w.data, w.set); }; });
    app.add_subcommand("recipes", "The starter recipes")->callback([&w] { w.action = recipes; });
    app.add_subcommand("layers", "The layer catalogue with parameters and ranges")->callback([&w] { w.action = layers; });
    auto* data = app.add_subcommand("data", "Data sets");
    data->require_subcommand(1);
    auto* inspect = data->add_subcommand("inspect", "Kind, samples, classes, balance, fingerprint, problems");
    inspect->add_option("path", w.path, "Folder or file, a table (.csv), a text (.txt), or builtin:digits")->required();
    inspect->add_option("--target", w.import.target, "A table's column to predict, by name or by place from 1; the last without it");
    inspect->add_option("--labels", w.import.labels, "A table's columns of yes and no to predict at once, with commas between them")->delimiter(',')->allow_extra_args(false);
    inspect->add_option("--header", w.import.header, "Does a table's first line name its columns?")->check(CLI::IsMember({"auto", "yes", "no"}));
    inspect->add_option("--context", w.import.context, "Of a text: how many symbols the network sees at once")->check(CLI::Range(1, 4096));
    inspect->callback([&w] { w.action = [&w](Context& c) { return dataInspect(c, w.path, w.import); }; });
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
    auto* predict = app.add_subcommand("predict", "Answers for pictures, IDX files or tables; or a text written on");
    common(predict);
    predict->add_option("files", w.use.files);
    predict->add_option("--out", w.use.out, "F.csv, F.json or F.npy; F.txt for a text");
    predict->add_option("--prompt", w.use.prompt, "The beginning of a text, for a model of texts to write on");
    predict->add_option("--length", w.use.writing.length, "How many symbols to write");
    predict->add_option("--temperature", w.use.writing.temperature, "0: always the likeliest symbol; 1: as likely as the model says; more: bolder");
    predict->add_option("--seed", w.use.writing.seed, "The same seed writes the same text");
    predict->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::predict(c, w.use); }; });
    auto* out = app.add_subcommand("export", "Take a trained model out");
    common(out);
    out->add_option("--format", w.use.format, "safetensors");
    out->add_option("--out", w.use.out, "File to write")->required();
    out->callback([&w] { w.action = [&w](Context& c) { return exportModel(c, w.use); }; });
}

void addBench(CLI::App& app, Words& w)
{
    auto* bench = app.add_subcommand("bench", "The built-in measurements: how fast this machine trains; without a name, the list of them");
    bench->add_option("name", w.bench.name, "b1, b4, …: sconce bench lists them");
    bench->add_option("--data", w.bench.data, "Folder or file of the data set; without it data is made");
    bench->add_option("--recipe", w.bench.recipe, "For “step”: a recipe file or a starter");
    bench->add_option("--set", w.bench.set, "Change a value of the recipe: /json/path=value")->take_all();
    bench->add_option("--precision", w.bench.precision, "What products are computed in")->check(CLI::IsMember({"float32", "bf16", "fp16", "auto"}));
    bench->add_option("--device", w.bench.device, "Where training steps run: cpu or cuda:N");
    bench->add_option("--threads", w.bench.threads, "CPU threads; as many as the machine allows without it")->check(CLI::Range(1, 1024));
    bench->add_option("--batch", w.bench.batch, "Samples of a step")->check(CLI::Range(1, 1 << 20));
    bench->add_option("--rounds", w.bench.rounds, "Measurements of each, in turns")->check(CLI::Range(1, 1000));
    bench->add_option("--steps", w.bench.steps, "Steps of a measurement")->check(CLI::Range(1, 1'000'000));
    bench->add_option("--warm", w.bench.warm, "Steps before them that do not count")->check(CLI::Range(0, 1'000'000));
    bench->add_option("--every", w.bench.every, "For “checkpoints”: steps from one to the next")->check(CLI::Range(1, 1'000'000));
    bench->add_option("--epochs", w.bench.epochs, "For “b2”: passes over the training data, on both sides")->check(CLI::Range(1, 1000));
    bench->add_option("--accuracy", w.bench.accuracy, "For “b2”: what must be reached in the mean; 0.99 is 99 %")->check(CLI::Range(0.0, 1.0));
    bench->add_option("--peer", w.bench.peer, "A Python that has PyTorch: runs the same there, in turns");
    bench->add_option("--modes", w.bench.modes, "Of the peer: how it is set up")->expected(1, 20);
    bench->add_option("--at-least", w.bench.atLeast, "Ends with 1 if Sconce is not so many times as fast as every peer of its precision");
    bench->add_option("--at-most", w.bench.atMost, "Ends with 1 if Sconce takes longer than this, in the bench's unit");
    bench->callback([&w] { w.action = [&w](Context& c) { return sconce::cli::bench(c, w.bench); }; });
}

/// CLI11 would take "--store --json" for a folder of that name.
void refuseOptionsAsValues(CLI::App& app)
{
    for (CLI::Option* option : app.get_options([](const CLI::Option* each) { return each->get_items_expected_max() > 0; }))
        option->check([](const std::string& text) { return text.starts_with("--") ? "a value, not the option " + text : std::string(); });
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) refuseOptionsAsValues(*command);
}

/// The command that was understood so far: "runs show".
const CLI::App* deepest(const CLI::App* app, std::string& name)
{
    while (!app->get_subcommands().empty()) {
        app = app->get_subcommands().front();
        name += (name.empty() ? "" : " ") + app->get_name();
    }
    return app;
}

std::vector<std::string> commandsOf(const CLI::App& app)
{
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
    return names;
}

std::string joined(const std::vector<std::string>& words, const char* last)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : i + 1 < words.size() ? ", " : last) + words[i];
    return text;
}

/// A word that stands where a command should, or "".
std::string wordInPlaceOfCommand(const std::vector<std::string>& arguments, const std::vector<std::string>& understood)
{
    std::size_t next = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--store") ++i;
        if (word.starts_with("-")) continue;
        if (next == understood.size()) return word;
        if (word == understood[next]) ++next;
    }
    return "";
}

/// CLI11's message says what is wrong for programmers; this says it for people.
Error wrongWords(const CLI::App& app, const CLI::ParseError& failure, const std::vector<std::string>& arguments)
{
    std::string name;
    const CLI::App* command = deepest(&app, name);
    const std::string what = failure.what();
    const std::string see = "See: sconce" + (name.empty() ? "" : " " + name) + " --help";
    const auto error = [&](std::string sentence, std::string remedy = "") { return Error{ErrorCode::Invalid, std::move(sentence), remedy.empty() ? see : remedy, what}; };
    const auto commands = commandsOf(*command);
    const bool lacksCommand = !commands.empty() && (what == "A subcommand is required" || what == command->get_name() + " is required");
    if (lacksCommand) {
        std::vector<std::string> understood;
        for (const CLI::App* at = &app; !at->get_subcommands().empty();) understood.push_back((at = at->get_subcommands().front())->get_name());
        const std::string word = wordInPlaceOfCommand(arguments, understood);
        const std::string whole = (name.empty() ? "" : name + " ") + word;
        if (!word.empty()) {
            const std::string near = nearest(word, commands);
            return error("There is no command “" + whole + "”.", near.empty() ? "" : "Did you mean “" + (name.empty() ? "" : name + " ") + near + "”?");
        }
        for (const auto& option : arguments)
            if (option.starts_with("-") && !app.get_option_no_throw(option.substr(0, option.find('=')))) return error("There is no option “" + option + "”.");
        return error(name.empty() ? "Sconce needs a command: " + joined(commands, " or ") + "." : "The command “" + name + "” needs one of " + joined(commands, " or ") + " after it.");
    }
    if (dynamic_cast<const CLI::ExtrasError*>(&failure)) {
        std::vector<std::string> options;
        for (const CLI::App* at : {&app, command})
            for (const CLI::Option* option : at->get_options()) options.push_back(option->get_name());
        // Those left over stand behind the colon; an option among them explains the words that follow it.
        std::string word, rest = what.substr(std::min(what.size(), what.find(": ") + 2));
        while (!rest.empty() && !word.starts_with("-")) {
            const auto end = std::min(rest.find(' '), rest.size());
            word = rest.substr(0, end);
            rest.erase(0, std::min(end + 1, rest.size()));
        }
        if (!word.starts_with("-")) return error("The command “" + name + "” does not know what to do with “" + word + "”.");
        const std::string near = nearest(word, options);
        return error("The command “" + name + "” has no option “" + word + "”.", near.empty() ? "" : "Did you mean " + near + "?");
    }
    if (dynamic_cast<const CLI::RequiredError*>(&failure)) {
        const std::string needed = what.substr(0, what.find(" is required"));
        const bool many = needed.ends_with("s");
        return error("The command “" + name + "” needs " + (needed.starts_with("-") ? "the option " + needed + "." : (many ? "" : "a ") + needed + " after it."));
    }
    const auto colon = what.find(": ");
    const std::string option = colon == std::string::npos ? name : what.substr(0, colon);
    const std::string rest = colon == std::string::npos ? what : what.substr(colon + 2);
    if (dynamic_cast<const CLI::ConversionError*>(&failure)) {
        const auto equals = rest.find(" = ");
        return equals == std::string::npos ? error("A value does not fit: " + rest + ".")
                                           : error("The value “" + rest.substr(equals + 3) + "” does not fit the option " + rest.substr(0, equals) + ".");
    }
    if (dynamic_cast<const CLI::ValidationError*>(&failure)) {
        const auto braces = rest.find(" not in {");
        if (braces == std::string::npos) return error("The option " + option + " takes " + rest + ".");
        std::string choices = rest.substr(braces + 9);
        if (!choices.empty()) choices.pop_back();
        for (std::size_t comma = choices.find(','); comma != std::string::npos; comma = choices.find(',', comma + 2)) choices.insert(comma + 1, " ");
        return error("The option " + option + " takes one of " + choices + ", not “" + rest.substr(0, braces) + "”.");
    }
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&failure))
        return rest.find("received") != std::string::npos ? error("The option " + option + " may stand only once.") : error("The option " + option + " needs a value.");
    return error("These words cannot be understood: " + what + ".");
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
    addBench(app, words);
    refuseOptionsAsValues(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr) == 0 ? Done : Usage; // --help, --version
        const std::vector<std::string> arguments(argv + std::min(1, argc), argv + argc);
        words.options.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end(); // not read yet
        return Context(words.options).fail(wrongWords(app, error, arguments));
    }
    openLog({}, LogLevel::Off); // what a person should know is printed in sentences
    prepareEngineProcess();
    Context context(words.options);
    try {
        const int code = words.action(context);
        // What did not arrive (a full disk behind a redirection) must not seem done.
        const auto written = context.outputWritten();
        if (!written) context.say(written.error().text());
        return written || code != Done ? code : static_cast<int>(Failed);
    } catch (const std::exception& error) { // the last seam: a bug of ours ends as a sentence, not as a crash
        return context.fail(Error{ErrorCode::Internal, std::string("Sconce met an error of its own: ") + error.what(), "", ""});
    }
}

} // namespace sconce::cli

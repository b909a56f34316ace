// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A recipe is a value (rule 5): everything that a training run is made of, and nothing of the machine's paths. Equality,
// JSON with a format version that writes every parameter, validation that returns problems with a path, a sentence and,
// where possible, a fix. Any thread.

#include "core/data/augment.h"
#include "core/data/split.h"
#include "core/model/catalogue.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sconce {

/// A choice among entries (optimiser, schedule, task) with its settings.
struct Configured
{
    std::string type;
    ParamValues params;
    bool operator==(const Configured&) const = default;
};

/// What was set of a list of entries, by the entry's id; what is not there has its default. Equal settings are equal values.
using OptionGroups = std::map<std::string, ParamValues>;

/// What the network is fed: pixels scaled to 0…1, then optionally (x - mean) / deviation.
struct InputSettings
{
    bool scale = true;        ///< 0…255 to 0…1
    bool normalise = false;
    double mean = 0;
    double deviation = 1;     ///< > 0
    bool operator==(const InputSettings&) const = default;
};

struct DataSettings
{
    DatasetId dataset = "digits";
    std::string fingerprint;  ///< empty: any data of that id; set when a run starts
    ImportOptions import;
    InputSettings input;
    OptionGroups augmentation; ///< of augmentationEntries()
    SplitSettings split;
    bool shuffle = true;      ///< new order of samples in each epoch
    bool operator==(const DataSettings&) const = default;
};

struct CheckpointSettings
{
    int everyEpochs = 1;        ///< 0: never by epochs
    std::int64_t everySteps = 0; ///< 0: never by steps
    double everyMinutes = 5;    ///< 0: never by time
    int keepLast = 2;           ///< at least 1
    bool keepBest = true;
    bool operator==(const CheckpointSettings&) const = default;
};

struct TrainingSettings
{
    int epochs = 10;            ///< 1…100,000 (live: may be amended while the run goes on)
    std::int64_t batchSize = 128;
    Configured optimiser{"adam", {}};
    double learningRate = 0.001;
    Configured schedule{"constant", {}};
    CheckpointSettings checkpoint;
    OptionGroups options; ///< of trainingOptions()
    bool operator==(const TrainingSettings&) const = default;
};

struct Recipe
{
    static constexpr int currentVersion = 1;
    std::string name = "untitled";
    std::string notes;
    DataSettings data;
    Stack stack;
    Configured task{"classification", {}};
    TrainingSettings training;
    std::string device = "auto"; ///< "auto", "cpu", "cuda:N"
    int threads = 0;             ///< 0: as many as the machine's limits allow
    std::uint64_t seed = 42;
    bool operator==(const Recipe&) const = default;
};

/// Keys in a fixed order, every parameter written, "format": "sconce-recipe", "version": 1.
Json toJson(const Recipe& recipe);
std::string recipeText(const Recipe& recipe); ///< indented JSON, as files hold it

/// A way out of a problem: a JSON patch (RFC 6902) on the recipe's JSON.
struct Fix
{
    std::string title; ///< "Insert Flatten", "Set units to 10": a button's label
    Json patch;        ///< array of operations
};

enum class Severity { Hint, Problem };

struct Problem
{
    Severity severity = Severity::Problem;
    std::string path;      ///< JSON pointer: "/layers/3/units"
    LayerId layer;         ///< empty if it is not about a layer
    std::string sentence;  ///< "Dense (layer 6) expects one row of numbers, but Dropout (layer 5) gives 64×5×5."
    std::string brief;     ///< for the layer's card: "expects one row of numbers, gets 64×5×5"
    std::string because;   ///< second line, may be empty
    std::vector<Fix> fixes;
};

struct ParsedRecipe
{
    Recipe recipe;                  ///< what could be read
    std::vector<Problem> problems;  ///< empty: all was well
};

/// Reads a recipe: unknown keys, wrong types, out-of-range numbers are problems with their paths. TooNew for a later version.
Result<ParsedRecipe> recipeFromJson(const Json& json);
/// A .sconce or .json file (at most 1 MB, 64 deep).
Result<ParsedRecipe> readRecipeFile(const std::string& path);
Result<Recipe> applyFix(const Recipe& recipe, const Fix& fix);
/// `--set /training/epochs=3`: sets one value by JSON pointer; the text is JSON or, failing that, a string.
Result<Recipe> withValueSet(const Recipe& recipe, const std::string& pointer, const std::string& text);

/// What validation needs to know of the data; made from a DatasetInfo, or unknown.
struct DataFacts
{
    ValueType input;            ///< of one sample as the network gets it: float32, or int64 symbols of a text
    std::int64_t trainingCount = 0, testCount = 0;
    int classes = 0;
    std::string title;
    std::int64_t validationCount = 0; ///< of the training samples, the data's own validation part
    bool numbers = false;       ///< each sample has a number to be predicted
    std::string target = {};    ///< what that number or class is called, where it has a name
    bool bytes = true;          ///< stored as 0…255; else as numbers of any size (a table), or symbols
    int symbols = 0;            ///< of a text: how many different ones it has
    int labels = 0;             ///< that a sample may have, any number of them at once
    bool written = false;       ///< classes are digits or letters
};
DataFacts factsOf(const DatasetInfo& info);
/// The facts that a starter recipe assumes when its data set is not at hand (mnist 1×28×28, 10 classes).
std::optional<DataFacts> assumedFacts(const DatasetId& id);

/// All problems and hints, in the order of the recipe: shapes, ranges, the task's demands on the output, sizes beyond reason.
std::vector<Problem> validate(const Recipe& recipe, const std::optional<DataFacts>& data);
bool blocksStart(const std::vector<Problem>& problems); ///< any of severity Problem

// ---- entries with the same descriptors as layers ----
struct OptionEntry
{
    std::string id, title, help;
    std::vector<ParamDescriptor> params;
};
std::span<const OptionEntry> optimiserEntries(); ///< adam, adamw, sgd, rmsprop, adagrad, lion, muon
std::span<const OptionEntry> scheduleEntries();  ///< constant, step, exponential, cosine, one_cycle, polynomial, plateau
std::span<const OptionEntry> taskEntries();      ///< classification, binary, multilabel, regression, autoencoder, language; more in task.h
const OptionEntry* findOption(std::span<const OptionEntry> entries, std::string_view id);

/// Everything else that a run may be told, in groups, each a section of the form and an object of the JSON below "training":
/// "early_stopping", "gradients", ….
std::span<const OptionEntry> trainingOptions();
const ParamValue& optionOf(const TrainingSettings& settings, std::string_view group, std::string_view id);
bool flagOf(const TrainingSettings& settings, std::string_view group, std::string_view id);
std::int64_t wholeOf(const TrainingSettings& settings, std::string_view group, std::string_view id);
double realOf(const TrainingSettings& settings, std::string_view group, std::string_view id);
const std::string& wordOf(const TrainingSettings& settings, std::string_view group, std::string_view id);
void setOption(TrainingSettings& settings, const std::string& group, const std::string& id, ParamValue value);

/// Changes that pictures are given while training, differently in each epoch: "shift", "rotate", …, each with a switch "on"; and "edges",
/// what comes in beyond the edge of a picture that was moved.
std::span<const OptionEntry> augmentationEntries();
/// The same as the engine and the preview take it; what is switched off is left out.
Augmentation augmentationOf(const DataSettings& data);

/// Of any such list: the value set, else the default; and setting one, which forgets what equals its default.
const ParamValue& valueIn(std::span<const OptionEntry> entries, const OptionGroups& groups, std::string_view group, std::string_view id);
void setIn(std::span<const OptionEntry> entries, OptionGroups& groups, const std::string& group, const std::string& id, ParamValue value);

/// Where a run stands, for the learning rate.
struct RatePlace
{
    std::int64_t step = 0;          ///< 0-based
    std::int64_t totalSteps = 1;    ///< of the whole run as planned
    std::int64_t stepsPerEpoch = 1;
    double plateau = 1;             ///< what the plateau schedule has left of the rate (PlateauState)
};
/// The learning rate of a step, a pure function.
double learningRateAt(const TrainingSettings& settings, const RatePlace& place);

/// The memory of the plateau schedule; in the checkpoint.
struct PlateauState
{
    double factor = 1;
    std::optional<double> best;      ///< lowest loss so far
    std::int64_t waited = 0;         ///< epochs without a gain
};
/// After an epoch with this validation loss (training loss where there is no validation). Other schedules leave it alone.
PlateauState afterEpoch(const TrainingSettings& settings, PlateauState state, double loss);

// ---- starter recipes (resources/recipes, compiled in) ----
struct StarterRecipe { std::string id, title, help; Recipe recipe; };
std::span<const StarterRecipe> starterRecipes(); ///< digits-convnet, mnist-convnet, mnist-fast, mnist-mlp, small-resnet, char-gpt
const StarterRecipe* findStarter(std::string_view id);

/// Fields that differ between recipes, for "What differs": one row per JSON pointer, one text per recipe ("–" where absent).
struct RecipeDifference { std::string path, title; std::vector<std::string> values; };
std::vector<RecipeDifference> differences(std::span<const Recipe> recipes);

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The command line `sconce`: one function per command over core's public headers. Results go to standard output (with --json one
// object per line and nothing else), progress and messages to standard error. Used by main() alone, on its thread.

#include "core/base/json.h"
#include "core/evaluate/generate.h"
#include "core/history/store.h"
#include "core/recipe/task.h"

#include <memory>
#include <string>
#include <vector>

namespace sconce::cli {

/// Exit codes of the contract.
enum Exit { Done = 0, Failed = 1, Usage = 2, Interrupted = 130, Terminated = 143 };

struct Options
{
    bool json = false;
    bool quiet = false;
    std::string store; ///< folder; empty: the default one
};

/// Where a command writes, and the store when it needs one.
class Context
{
  public:
    explicit Context(Options options) : m_options(std::move(options)) {}

    bool json() const { return m_options.json; }
    bool quiet() const { return m_options.quiet; }
    /// One object on standard output, in --json mode only.
    void emit(const Json& object) const;
    /// A line on standard output, otherwise.
    void print(const std::string& text) const;
    /// A piece of a line on standard output, otherwise.
    void printPiece(std::string_view text) const;
    /// A line on standard error, unless --quiet.
    void note(const std::string& text) const;
    /// An error on standard error (and as {"error": …} with --json); returns the exit code for it.
    int fail(const Error& error) const;
    int failUsage(const std::string& sentence) const;
    int failUsage(const Error& error) const;
    /// The error of the first line that standard output did not take. A reader that has seen enough (`| head`) is none.
    Result<void> outputWritten() const;
    /// A line on standard error, also with --quiet: what ended a command.
    void say(const std::string& text) const;
    /// Every problem, with its path (with --json as {"problem": …} too); returns Usage if any blocks, else Done.
    int problems(const std::vector<Problem>& problems, bool withJson = true) const;

    /// Opens the store on first use; says on standard error what it had to mend.
    Result<std::shared_ptr<Store>> store();

  private:
    Options m_options;
    std::shared_ptr<Store> m_store;
};

/// Columns padded to their widest text; numbers right.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right);
/// NaN → null.
Json number(double value);

/// ", accuracy 99.15 %": every metric that a task has, of a part of a run ("train", "val", "test").
std::string metricsText(const std::string& task, const RunSummary& summary, const std::string& part);
/// Adds a run's metrics besides accuracy: "test_mae" and its like.
void addMetrics(Json& object, const MetricMap& metrics);

/// A starter's name or a file; problems of reading are printed by the caller.
Result<ParsedRecipe> loadRecipe(const std::string& nameOrFile);
/// What --set asks for: "/json/path=value".
Result<Recipe> withSettings(Recipe recipe, const std::vector<std::string>& settings);
/// The number of threads that this process may use.
int usableThreads();

struct TrainArguments
{
    std::string recipe, data, device, name, weights;
    std::optional<int> epochs, threads;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> set;
};
int train(Context& context, const TrainArguments& arguments);
int resume(Context& context, const std::string& run, std::optional<int> epochs);
int worker(Context& context, const std::string& run, std::optional<int> epochs);

int runsList(Context& context);
int runsShow(Context& context, const std::string& run);
int runsSteer(Context& context, const std::string& verb, const std::string& run);
int runsDelete(Context& context, const std::string& run);
int runsHistograms(Context& context, const std::string& run, const std::string& weights);
int runsExport(Context& context, const std::string& run, bool series, const std::string& out);
int runsCompare(Context& context, const std::vector<std::string>& runs);

struct RateTestArguments { std::string recipe, data; std::vector<std::string> set; double lowest = 1e-6, highest = 10; int steps = 120; };
int findRate(Context& context, const RateTestArguments& arguments);
struct BatchTestArguments { std::string recipe, data; std::vector<std::string> set; };
int findBatch(Context& context, const BatchTestArguments& arguments);
struct ProfileArguments { std::string recipe, data, trace; std::vector<std::string> set; int steps = 20; };
int profile(Context& context, const ProfileArguments& arguments);

/// A recipe with the changes of --set, its problems printed; or the exit code.
struct TrialRecipe { Recipe recipe; int code = Done; };
TrialRecipe recipeForTrial(Context& context, const std::string& nameOrFile, const std::vector<std::string>& settings);
/// While it is there, SIGINT and SIGTERM only say that the command is to end.
class Interruptible
{
  public:
    Interruptible();
    ~Interruptible();
    static bool wanted();
};

int describe(Context& context, const std::string& recipe, const std::string& data, const std::vector<std::string>& settings);
int recipes(Context& context);
int layers(Context& context);
int dataInspect(Context& context, const std::string& path, const ImportOptions& import = {});
int devices(Context& context);

struct UseArguments
{
    std::string run, data, split = "test", device, out, format = "safetensors", weights = "last";
    std::vector<std::string> files;
    std::optional<std::string> prompt;
    GenerateSettings writing;
};
int evaluate(Context& context, const UseArguments& arguments);
int predict(Context& context, const UseArguments& arguments);
int exportModel(Context& context, const UseArguments& arguments);
int doctor(Context& context, bool mend);

struct BenchArguments
{
    std::string name;    ///< empty: the list
    std::string peer;    ///< a Python that has PyTorch; empty: none
    std::vector<std::string> modes; ///< of the peer; empty: the usual ones
    std::string data, recipe, precision = "float32", device; ///< device empty: the bench's own
    std::vector<std::string> set;
    std::optional<int> rounds, threads, every, epochs;
    std::optional<std::int64_t> warm, steps, batch;
    double atLeast = 0, atMost = 0; ///< 0: no demand
    double accuracy = 0.99;         ///< of “b2”, to be reached in the mean
};
int bench(Context& context, const BenchArguments& arguments);

/// Parses and executes; never throws.
int run(int argc, char** argv);

} // namespace sconce::cli

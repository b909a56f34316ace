// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/peer.h"

#include "app/bench/program.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

namespace sconce::bench {

namespace {

namespace fs = std::filesystem;

/// Peers that are not PyTorch, and so live in environments of their own.
struct Framework
{
    const char* mode;
    const char* title;
    const char* variable; ///< names its Python
};
constexpr std::array frameworks{Framework{"keras", "Keras", "SCONCE_BENCH_KERAS"}, Framework{"jax", "JAX", "SCONCE_BENCH_JAX"}};

const Framework* frameworkOf(const std::string& mode)
{
    const auto found = std::find_if(frameworks.begin(), frameworks.end(), [&](const Framework& each) { return mode == each.mode; });
    return found == frameworks.end() ? nullptr : &*found;
}

Result<Measured> figuresOf(const Said& said, const std::string& who)
{
    if (said.status != 0) {
        const std::string words = lastLine(said.err);
        return Error{ErrorCode::Internal, "The peer “" + who + "” ended without figures" + (words.empty() ? "." : ": “" + words + "”."), "Check that this Python has PyTorch and NumPy.", said.err};
    }
    const auto json = parseJson(lastLine(said.out), who);
    Measured measured;
    bool whole = json.ok() && json->is_object();
    for (auto [key, value] : {std::pair{"median", &measured.median}, {"mean", &measured.mean}, {"p10", &measured.p10}, {"p90", &measured.p90}}) {
        whole = whole && json->contains(key) && (*json)[key].is_number();
        if (whole) *value = (*json)[key].get<double>();
    }
    if (!whole || !(measured.median > 0)) return Error{ErrorCode::Corrupt, "The peer “" + who + "” gave no figures.", "", said.out};
    measured.more = *json;
    measured.more["process_seconds"] = said.seconds;
    return measured;
}

} // namespace

Result<std::string> findPeerScript(const std::string& name)
{
    std::error_code ignored;
    return findPeerScript(name, fs::read_symlink("/proc/self/exe", ignored).parent_path().string());
}

Result<std::string> findPeerScript(const std::string& name, const std::string& programFolder)
{
    std::error_code ignored;
    const fs::path program = programFolder;
    const fs::path packaged = (program / ".." / "share" / "sconce" / "bench" / name).lexically_normal();
    if (fs::exists(packaged, ignored)) return packaged.string();
    // build/bin or build/PRESET/bin of a checkout
    fs::path above = program;
    for (int i = 0; i < 3; ++i) {
        above = above.parent_path();
        const fs::path script = above / "tests" / "bench" / name;
        if (fs::exists(script, ignored)) return script.string();
    }
    return Error{ErrorCode::NotFound, "The peer's script " + name + " was not found, neither at " + packaged.string() + " nor in a checkout's tests/bench.",
                 "Run sconce from the checkout that it was built in, or put the scripts there.", ""};
}

Result<std::string> pythonFor(const std::string& mode, const std::string& torchPython)
{
    const Framework* framework = frameworkOf(mode);
    if (!framework) return torchPython;
    const char* python = std::getenv(framework->variable);
    if (python && *python) return std::string(python);
    return Error{ErrorCode::NotFound, std::string(framework->title) + " needs a Python of its own.", std::string("Name it in ") + framework->variable + "; tests/bench/setup.sh " + framework->mode + " makes one.", ""};
}

Contestant peerContestant(const PeerSpec& spec)
{
    const std::string name = frameworkOf(spec.mode) ? spec.mode : "torch " + spec.mode;
    return {name, spec.unit, spec.mode == "bf16" ? "bf16" : "float32", false, [spec, name](int round, const KeepGoing& keepGoing) -> Result<Measured> {
                std::vector<std::string> words{spec.python, spec.script, spec.mode, "--data", spec.data, "--threads", std::to_string(spec.threads)};
                const auto add = [&](const char* option, std::int64_t value) { words.insert(words.end(), {option, std::to_string(value)}); };
                if (spec.epochs > 0) add("--epochs", spec.epochs), add("--seed", round);
                else add("--warm", spec.warm), add("--steps", spec.steps), add("--batch", spec.batch);
                auto said = runProgram(words, keepGoing);
                if (!said) return said.error();
                return figuresOf(*said, name);
            }};
}

} // namespace sconce::bench

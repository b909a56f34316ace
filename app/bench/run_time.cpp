// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/run_time.h"

#include "app/bench/program.h"

#include <filesystem>

namespace sconce::bench {

Result<Measured> measureRun(const std::string& recipeFile, const std::string& data, const std::string& storeFolder, int seed, std::int64_t samples, const KeepGoing& keepGoing)
{
    std::error_code ignored;
    const std::string program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    auto said = runProgram({program, "train", recipeFile, "--data", data, "--seed", std::to_string(seed), "--store", storeFolder, "--json", "--quiet"}, keepGoing);
    if (!said) return said.error();
    const auto last = parseJson(lastLine(said->out), "the run's last line");
    const auto real = [&](const char* key) { return last.ok() && last->contains(key) && (*last)[key].is_number() ? (*last)[key].get<double>() : 0; };
    const double perSecond = real("samples_per_second");
    if (said->status != 0 || perSecond <= 0)
        return Error{ErrorCode::Internal, "The run did not come to its end: “" + lastLine(said->err) + "”.", "", said->err};
    Measured measured;
    measured.median = measured.mean = measured.p10 = measured.p90 = static_cast<double>(samples) / perSecond;
    measured.more = {{"accuracy", real("test_accuracy")}, {"process_seconds", said->seconds}, {"seed", seed}, {"steps_done", real("steps")}};
    return measured;
}

} // namespace sconce::bench

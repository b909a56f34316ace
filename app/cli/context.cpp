// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/cli.h"

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/hardware/machine.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>

namespace sconce::cli {

namespace {

/// Columns that a terminal gives to UTF-8 text: the characters, not the bytes.
std::size_t columns(const std::string& text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

int outputFailure = 0; ///< errno of the first line that standard output did not take

void write(std::FILE* file, std::string_view text)
{
    errno = 0;
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (std::fflush(file) == 0 && written) return;
    if (file == stdout && errno != EPIPE && outputFailure == 0) outputFailure = errno != 0 ? errno : EIO;
}

void writeLine(std::FILE* file, const std::string& text) { write(file, text + "\n"); }

} // namespace

void Context::emit(const Json& object) const
{
    if (m_options.json) writeLine(stdout, object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Context::print(const std::string& text) const
{
    if (!m_options.json) writeLine(stdout, text);
}

void Context::printPiece(std::string_view text) const
{
    if (!m_options.json) write(stdout, text);
}

void Context::note(const std::string& text) const
{
    if (!m_options.quiet) writeLine(stderr, text);
}

int Context::fail(const Error& error) const
{
    writeLine(stderr, error.text());
    emit({{"error", error.message}, {"remedy", error.remedy}, {"code", errorCodeName(error.code)}});
    switch (error.code) {
    case ErrorCode::Invalid:
    case ErrorCode::NotFound:
    case ErrorCode::TooNew:
    case ErrorCode::Unsupported:
    case ErrorCode::Busy: // a run that is alive cannot be resumed or deleted
    case ErrorCode::Corrupt: return Usage;
    case ErrorCode::Cancelled: return Interrupted;
    default: return Failed;
    }
}

int Context::failUsage(const std::string& sentence) const { return fail(Error{ErrorCode::Invalid, sentence, "", ""}); }

int Context::failUsage(const Error& error) const
{
    fail(error);
    return Usage;
}

Result<void> Context::outputWritten() const
{
    if (outputFailure == 0) return {};
    return ioError("write", "standard output", outputFailure);
}

void Context::say(const std::string& text) const { writeLine(stderr, text); }

int Context::problems(const std::vector<Problem>& problems, bool withJson) const
{
    for (const auto& problem : problems) {
        const bool blocks = problem.severity == Severity::Problem;
        std::string text = (blocks ? "Problem" : "Hint") + std::string(" at ") + (problem.path.empty() ? "/" : problem.path) + ": " + problem.sentence;
        for (const auto& fix : problem.fixes) text += " [" + fix.title + "]";
        if (blocks || !m_options.quiet) writeLine(stderr, text);
        if (withJson) emit({{blocks ? "problem" : "hint", problem.sentence}, {"path", problem.path}});
    }
    return blocksStart(problems) ? Usage : Done;
}

Result<std::shared_ptr<Store>> Context::store()
{
    if (m_store) return m_store;
    auto opened = Store::open(m_options.store.empty() ? Store::defaultFolder() : m_options.store);
    if (!opened) return opened.error();
    m_store = *opened;
    if (!m_store->opened().message.empty()) note(m_store->opened().message);
    return m_store;
}

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right)
{
    std::vector<std::size_t> width;
    for (const auto& title : header) width.push_back(columns(title));
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], columns(row[i]));
    std::string text;
    const auto line = [&](const std::vector<std::string>& cells) {
        std::string built;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string pad(width[i] - columns(cells[i]), ' ');
            built += (i ? "  " : "") + (right[i] ? pad + cells[i] : cells[i] + pad);
        }
        while (!built.empty() && built.back() == ' ') built.pop_back();
        text += built + "\n";
    };
    line(header);
    for (const auto& row : rows) line(row);
    text.pop_back();
    return text;
}

std::string metricsText(const std::string& task, const RunSummary& summary, const std::string& part)
{
    std::string text;
    for (const MetricEntry& metric : metricsOf(task)) text += ", " + metric.brief + " " + metricText(metric, summary.metric(part, metric.id));
    return text;
}

void addMetrics(Json& object, const MetricMap& metrics)
{
    for (const auto& [key, value] : metrics) object[key] = number(value);
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Result<ParsedRecipe> loadRecipe(const std::string& nameOrFile)
{
    if (const auto* starter = findStarter(nameOrFile)) return ParsedRecipe{starter->recipe, {}};
    std::error_code ignored;
    if (std::filesystem::exists(nameOrFile, ignored)) return readRecipeFile(nameOrFile);
    std::vector<std::string> names;
    for (const auto& starter : starterRecipes()) names.push_back(starter.id);
    const std::string close = nearest(nameOrFile, names);
    return Error{ErrorCode::NotFound, "There is no recipe file and no starter recipe called “" + nameOrFile + "”.",
                 close.empty() ? "List the starter recipes with: sconce recipes" : "Did you mean " + close + "?", ""};
}

int usableThreads()
{
    static const int threads = Machine({}, {}).facts().cpu.usable;
    return threads;
}

} // namespace sconce::cli

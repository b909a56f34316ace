// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

namespace sconce {
namespace {

std::mutex guard; // protects current
std::shared_ptr<spdlog::logger> current;

spdlog::level::level_enum spdlogLevel(LogLevel level)
{
    switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warning: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
    case LogLevel::Off: return spdlog::level::off;
    }
    return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> make(const std::string& file, LogLevel toStderr)
{
    auto screen = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    screen->set_level(spdlogLevel(toStderr));
    screen->set_pattern("%v");
    std::vector<spdlog::sink_ptr> sinks{screen};
    std::string trouble;
    if (!file.empty()) {
        try {
            auto disk = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, 4u << 20, 3);
            disk->set_pattern("%Y-%m-%dT%H:%M:%S.%e %P %l %v");
            sinks.push_back(std::move(disk));
        } catch (const std::exception& failure) { // a log that cannot be written stops nothing
            trouble = failure.what();
        }
    }
    auto logger = std::make_shared<spdlog::logger>("sconce", sinks.begin(), sinks.end());
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::info);
    logger->set_error_handler([](const std::string&) {}); // a full disk must not print for every line
    if (!trouble.empty()) logger->warn("The log file {} could not be opened: {}", file, trouble);
    return logger;
}

} // namespace

void openLog(const std::string& file, LogLevel toStderr)
{
    auto logger = make(file, toStderr);
    const std::scoped_lock lock(guard);
    current = std::move(logger);
}

void log(LogLevel level, const std::string& message)
{
    std::shared_ptr<spdlog::logger> logger;
    {
        const std::scoped_lock lock(guard);
        if (!current) current = make({}, LogLevel::Warning);
        logger = current;
    }
    logger->log(spdlogLevel(level), "{}", message);
}

} // namespace sconce

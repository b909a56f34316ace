// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoint manifests. The checksum over the content is put right, or nothing behind it would ever be reached.
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/training/checkpoint.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <filesystem>

namespace {

/// A folder in memory where there is one.
std::string scratch()
{
    std::string name = std::filesystem::is_directory("/dev/shm") ? "/dev/shm/sconce-fuzz-XXXXXX" : "/tmp/sconce-fuzz-XXXXXX";
    if (!mkdtemp(name.data())) std::abort();
    std::filesystem::create_directories(name + "/checkpoints/step-000000001");
    static std::string toRemove;
    toRemove = name;
    std::atexit([] { std::filesystem::remove_all(toRemove); });
    return name;
}

void writePlain(const std::string& path, const std::string& text)
{
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    close(fd);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    static const std::string folder = scratch();
    std::string text(reinterpret_cast<const char*>(data), size);
    if (auto json = parseJson(text, "The manifest", {16u << 20, 256}); json && json->is_object()) {
        json->erase("sha256");
        (*json)["sha256"] = sha256(json->dump(-1, ' ', false, Json::error_handler_t::replace));
        text = json->dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const std::string checkpoint = folder + "/checkpoints/step-000000001";
    writePlain(checkpoint + "/manifest.json", text);
    for (const auto& listed : listCheckpoints(folder)) {
        const auto again = TrainerState::fromJson(listed.state.toJson());
        REQUIRE(again.ok());
        REQUIRE(again->toJson() == listed.state.toJson());
    }
    fuzz::requireSentence(readCheckpoint(checkpoint));
    return 0;
}

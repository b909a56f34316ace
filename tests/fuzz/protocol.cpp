// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of a run's socket: what decodes must encode, and decode to the same line again.
#include "core/run/protocol.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    const auto event = decodeEvent(line);
    fuzz::requireSentence(event);
    if (event && *event) {
        const std::string once = encode(**event);
        REQUIRE(once.find('\n') == std::string::npos);
        const auto again = decodeEvent(once);
        REQUIRE(again.ok() && again->has_value());
        REQUIRE(encode(**again) == once);
    }
    const auto command = decodeCommand(line);
    fuzz::requireSentence(command);
    if (command && *command) {
        const std::string once = encode(**command);
        const auto again = decodeCommand(once);
        REQUIRE(again.ok() && again->has_value());
        REQUIRE(encode(**again) == once);
    }
    return 0;
}

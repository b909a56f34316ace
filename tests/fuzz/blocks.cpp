// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks of series as a damaged store may hold them.
#include "core/history/blocks.h"
#include "tests/fuzz/fuzz.h"

#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sconce;
    struct Head { std::int64_t first, last, points, notFinite, stride; std::uint16_t level2, level1; std::uint32_t wide; } head;
    if (size < sizeof head) return 0;
    std::memcpy(&head, data, sizeof head);
    std::string_view rest(reinterpret_cast<const char*>(data) + sizeof head, size - sizeof head);
    BlockView block;
    block.sum.firstStep = head.first;
    block.sum.lastStep = head.last;
    block.sum.points = head.points;
    block.sum.notFinite = head.notFinite;
    block.stride = head.stride;
    block.level2 = rest.substr(0, head.level2);
    rest.remove_prefix(block.level2.size());
    block.level1 = rest.substr(0, head.level1);
    rest.remove_prefix(block.level1.size());
    block.data = rest;
    const int bits = head.wide & 1 ? 64 : 32;
    std::vector<std::int64_t> steps;
    std::vector<double> values;
    if (readPoints(block, bits, steps, values)) {
        REQUIRE(steps.size() == values.size() && static_cast<std::int64_t>(steps.size()) == head.points);
        bool rising = std::abs(head.first) < 1ll << 53 && std::abs(steps.back()) < 1ll << 53; // what is written are counts of steps
        for (std::size_t i = 1; i < steps.size(); ++i) rising &= steps[i] > steps[i - 1];
        if (rising && steps.size() <= static_cast<std::size_t>(fullBlockPoints)) {
            const Block made = makeBlock(steps, values, bits);
            std::vector<std::int64_t> again;
            std::vector<double> sameValues;
            REQUIRE(readPoints({made.sum, made.stride, made.level2, made.level1, made.data}, bits, again, sameValues));
            REQUIRE(again == steps);
            REQUIRE(std::memcmp(sameValues.data(), values.data(), values.size() * sizeof(double)) == 0);
        }
    }
    std::vector<PointsSum> entries;
    (void)readLevel(block, 1, entries);
    (void)readLevel(block, 2, entries);
    return 0;
}

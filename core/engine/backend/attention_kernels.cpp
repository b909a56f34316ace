// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/attention_kernels.h"

#include <algorithm>
#include <cmath>

// GCC compiles the same text for each instruction set; elsewhere there is the plain one alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SCONCE_INSTRUCTION_SETS 1
#endif

namespace sconce::engine::shortattention {

// Vectors are passed between functions of one file only, so nobody can disagree on how.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace plain {
namespace {
constexpr int width = 4;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/attention_kernels.inc"
}
}

#ifdef SCONCE_INSTRUCTION_SETS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
constexpr int width = 8;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/attention_kernels.inc"
}
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
namespace avx512 {
namespace {
constexpr int width = 16;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/attention_kernels.inc"
}
}
#pragma GCC pop_options
#endif

int kernelSets(const Kernels** sets, int room)
{
    static const Kernels plainSet{"plain", false, plain::forwardRoom, plain::backwardRoom, plain::forward, plain::backward};
    int count = 0;
    const auto add = [&](const Kernels& set) {
        if (count < room) sets[count++] = &set;
    };
#ifdef SCONCE_INSTRUCTION_SETS
    static const Kernels avx512Set{"AVX-512", true, avx512::forwardRoom, avx512::backwardRoom, avx512::forward, avx512::backward};
    static const Kernels avx2Set{"AVX2", true, avx2::forwardRoom, avx2::backwardRoom, avx2::forward, avx2::backward};
    if (__builtin_cpu_supports("x86-64-v4")) add(avx512Set);
    if (__builtin_cpu_supports("x86-64-v3")) add(avx2Set);
#endif
    add(plainSet);
    return count;
}

const Kernels& kernels()
{
    static const Kernels& best = []() -> const Kernels& {
        const Kernels* sets[1] = {};
        kernelSets(sets, 1);
        return *sets[0];
    }();
    return best;
}

} // namespace sconce::engine::shortattention

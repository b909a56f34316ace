// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/conv_pool_kernels.h"

#include <algorithm>
#include <cstring>

// GCC compiles the same text for each instruction set; elsewhere there is the plain one alone.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SCONCE_INSTRUCTION_SETS 1
#endif

namespace sconce::engine::convpool {

// Vectors are passed between functions of one file only, so nobody can disagree on how.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace plain {
namespace {
constexpr int width = 4;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/conv_pool_kernels.inc"
#include "core/engine/backend/deep_conv_pool_kernels.inc"
#include "core/engine/backend/winograd_kernels.inc"
}
}

#ifdef SCONCE_INSTRUCTION_SETS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
constexpr int width = 8;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/conv_pool_kernels.inc"
#include "core/engine/backend/deep_conv_pool_kernels.inc"
#include "core/engine/backend/winograd_kernels.inc"
}
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
namespace avx512 {
namespace {
constexpr int width = 16;
#include "core/engine/backend/vectors.inc"
#include "core/engine/backend/conv_pool_kernels.inc"
#include "core/engine/backend/deep_conv_pool_kernels.inc"
#include "core/engine/backend/winograd_kernels.inc"
}
}
#pragma GCC pop_options
#endif

int kernelSets(const Kernels** sets, int room)
{
    static const Kernels plainSet{"plain", false, plain::convForward, plain::convBackward, plain::poolForward, plain::poolBackward,
        plain::deepWeights, plain::deepForwardRoom, plain::deepForward, plain::deepBackwardRoom, plain::deepBackward,
        plain::windowWeightsBack, plain::windowForward, plain::windowSpread, plain::windowGradient, plain::windowGather};
    int count = 0;
    const auto add = [&](const Kernels& set) {
        if (count < room) sets[count++] = &set;
    };
#ifdef SCONCE_INSTRUCTION_SETS
    static const Kernels avx512Set{"AVX-512", true, avx512::convForward, avx512::convBackward, avx512::poolForward, avx512::poolBackward,
        avx512::deepWeights, avx512::deepForwardRoom, avx512::deepForward, avx512::deepBackwardRoom, avx512::deepBackward,
        avx512::windowWeightsBack, avx512::windowForward, avx512::windowSpread, avx512::windowGradient, avx512::windowGather};
    static const Kernels avx2Set{"AVX2", true, avx2::convForward, avx2::convBackward, avx2::poolForward, avx2::poolBackward,
        avx2::deepWeights, avx2::deepForwardRoom, avx2::deepForward, avx2::deepBackwardRoom, avx2::deepBackward,
        avx2::windowWeightsBack, avx2::windowForward, avx2::windowSpread, avx2::windowGradient, avx2::windowGather};
    if (__builtin_cpu_supports("x86-64-v4")) add(avx512Set);
    if (__builtin_cpu_supports("x86-64-v3")) add(avx2Set);
#endif
    add(plainSet);
    return count;
}

const Kernels& kernels()
{
    static const Kernels& best = [] () -> const Kernels& {
        const Kernels* sets[1] = {};
        kernelSets(sets, 1);
        return *sets[0];
    }();
    return best;
}

} // namespace sconce::engine::convpool

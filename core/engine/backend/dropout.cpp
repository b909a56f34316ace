// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/executor.h"

#include "core/base/random.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>

#include <array>
#include <mutex>

namespace sconce::engine {
namespace {

constexpr std::int64_t chunk = 16384; // elements a thread takes at a time

void fillMask(const Philox& random, double rate, float* out, std::int64_t count, std::int64_t first)
{
    const float scale = static_cast<float>(1.0 / (1.0 - rate));
    at::parallel_for(0, (count + chunk - 1) / chunk, 1, [&](std::int64_t begin, std::int64_t end) {
        std::array<std::uint8_t, 4096> keep;
        const std::int64_t last = std::min(count, end * chunk);
        for (std::int64_t at = begin * chunk; at < last;) {
            const std::int64_t n = std::min<std::int64_t>(static_cast<std::int64_t>(keep.size()), last - at);
            random.keepMask(rate, static_cast<std::uint64_t>(first + at), std::span(keep.data(), static_cast<std::size_t>(n)));
            for (std::int64_t i = 0; i < n; ++i) out[at + i] = static_cast<float>(keep[static_cast<std::size_t>(i)]) * scale;
            at += n;
        }
    });
}

at::Tensor maskOnDevice(const std::vector<std::int64_t>& sizes, const at::Tensor& x, double rate, const Philox& random)
{
    at::Generator generator = at::globalContext().defaultGenerator(x.device());
    {
        // The device's generator is Philox too: its seed is taken from our key, its offset starts at 0.
        const std::scoped_lock lock(generator.mutex());
        generator.set_current_seed((static_cast<std::uint64_t>(random.bits(0)) << 32) | random.bits(1));
    }
    const at::Tensor uniform = at::rand(sizes, generator, x.options());
    return uniform.ge(rate).to(at::kFloat).mul_(1.0 / (1.0 - rate));
}

} // namespace

at::Tensor dropoutMask(const at::Tensor& x, const DropoutOp& op, std::uint64_t seed, std::int64_t step, std::int64_t firstRow)
{
    const at::NoGradGuard noGrad;
    const Philox random(seed, Purpose::Dropout, textKey(op.key), static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> sizes(x.sizes().begin(), x.sizes().end());
    if (op.wholeChannels)
        for (std::size_t i = 2; i < sizes.size(); ++i) sizes[i] = 1;
    if (!x.is_cpu()) {
        // The device's generator begins at 0 only: a piece draws the rows before it as well, and leaves them.
        if (firstRow == 0) return maskOnDevice(sizes, x, op.rate, random);
        sizes[0] += firstRow;
        return maskOnDevice(sizes, x, op.rate, random).narrow(0, firstRow, x.size(0));
    }

    at::Tensor mask = at::empty(sizes, at::TensorOptions().dtype(at::kFloat));
    fillMask(random, op.rate, mask.data_ptr<float>(), mask.numel(), firstRow * (mask.numel() / std::max<std::int64_t>(1, mask.size(0))));
    // Same order in memory as x, so that the product runs straight through both.
    const bool lastChannels = !op.wholeChannels && x.dim() == 4 && !x.is_contiguous() && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    return lastChannels ? mask.contiguous(at::MemoryFormat::ChannelsLast) : mask;
}

} // namespace sconce::engine

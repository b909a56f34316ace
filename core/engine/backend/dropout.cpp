// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/executor.h"

#include "core/base/random.h"
#include "core/engine/backend/cuda_part.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
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

/// As torch's own dropout draws its mask. A generator of its own: nobody else's numbers come between seeding and drawing.
at::Tensor drawnMask(const std::vector<std::int64_t>& sizes, at::Device device, double rate, const Philox& random)
{
    at::Generator usual = at::globalContext().defaultGenerator(device);
    at::Generator generator = [&] {
        const std::scoped_lock lock(usual.mutex());
        return usual.clone();
    }();
    // Of the kinds that torch has, the processor's begins anew with its seed, the GPU's with its offset at 0, too.
    generator.set_current_seed((static_cast<std::uint64_t>(random.bits(0)) << 32) | random.bits(1));
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat).device(device)).bernoulli_(1.0 - rate, generator).mul_(1.0 / (1.0 - rate));
}

/// As the session's seed and layer travel through an operator, whose numbers are signed.
std::int64_t asSigned(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }
std::uint64_t asBits(std::int64_t number) { return std::bit_cast<std::uint64_t>(number); }

at::Tensor maskOfStep(const at::Tensor& step, at::IntArrayRef sizes, double rate, std::int64_t seed, std::int64_t layer, std::int64_t first)
{
    at::Tensor mask = at::empty(sizes, at::TensorOptions().dtype(at::kFloat).device(step.device()));
    if (step.is_cpu()) {
        const Philox random(asBits(seed), Purpose::Dropout, asBits(layer), asBits(*step.const_data_ptr<std::int64_t>()));
        fillMask(random, rate, mask.data_ptr<float>(), mask.numel(), first);
    } else {
        TORCH_CHECK(cudaPart().table, cudaPart().whyNot);
        cudaPart().table->fillMask(mask, step, maskKey(asBits(seed), asBits(layer), rate, asBits(first)));
    }
    return mask;
}

/// An operator of torch's, so that whoever looks on or records sees that it reads the step.
auto& maskOperator()
{
    constexpr const char* name = "sconce::dropout_mask";
    // Two copies of this code may be in one process (a test that looks inside of the engine, and loads it): the first one registers.
    static const auto library = [] {
        auto made = std::make_unique<torch::Library>(torch::Library::FRAGMENT, "sconce", std::nullopt, __FILE__, __LINE__);
        if (!c10::Dispatcher::singleton().findSchema({name, ""})) {
            made->def("dropout_mask(Tensor step, int[] sizes, float rate, int seed, int layer, int first) -> Tensor");
            // A kernel, not a name for what it is made of: that is work which a dispatcher does not see.
            made->impl("dropout_mask", torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd, &maskOfStep));
        }
        return made;
    }();
    static const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<at::Tensor(const at::Tensor&, at::IntArrayRef, double, std::int64_t, std::int64_t, std::int64_t)>();
    return handle;
}

at::Tensor mask(const at::Tensor& x, const std::vector<std::int64_t>& sizes, const DropoutOp& op, const RunContext& context)
{
    const std::uint64_t layer = textKey(op.key);
    std::int64_t first = context.firstRow;
    for (std::size_t i = 1; i < sizes.size(); ++i) first *= sizes[i];
    const bool counted = context.counted && masksOnDevice(x.device()).empty();
    if (counted && (context.stepOnDevice.defined() || !x.is_cpu())) {
        const at::Tensor step = context.stepOnDevice.defined() ? context.stepOnDevice : at::full({}, context.step, at::TensorOptions().dtype(at::kLong).device(x.device()));
        return maskOperator().call(step, sizes, op.rate, asSigned(context.seed), asSigned(layer), first);
    }
    const Philox random(context.seed, Purpose::Dropout, layer, static_cast<std::uint64_t>(context.step));
    if (counted) {
        at::Tensor result = at::empty(sizes, at::TensorOptions().dtype(at::kFloat));
        fillMask(random, op.rate, result.data_ptr<float>(), result.numel(), first);
        return result;
    }
    // That generator begins at 0 only: a piece draws the rows before it as well, and leaves them.
    std::vector<std::int64_t> drawn = sizes;
    drawn[0] += context.firstRow;
    const at::Tensor all = drawnMask(drawn, x.device(), op.rate, random);
    return context.firstRow > 0 ? all.narrow(0, context.firstRow, x.size(0)).clone() : all; // what lies before would be kept with it
}

} // namespace

MaskKey maskKey(std::uint64_t seed, std::uint64_t layer, double rate, std::uint64_t first)
{
    const auto word = [](std::uint64_t value, int which) { return static_cast<std::uint32_t>(value >> (32 * which)); };
    MaskKey key;
    // As the constructor of Philox mixes all but its last part, and keepMask() decides.
    key.mixed = philox({word(seed, 0), word(seed, 1), static_cast<std::uint32_t>(Purpose::Dropout), 0x53434e43}, {word(layer, 0), word(layer, 1)});
    const double threshold = std::ceil(std::max(rate, 0.0) * 0x1p32);
    key.all = !(threshold < 0x1p32);
    key.threshold = key.all ? 0 : static_cast<std::uint32_t>(threshold);
    key.scale = static_cast<float>(1.0 / (1.0 - rate));
    key.first = first;
    return key;
}

std::string masksOnDevice(at::Device device)
{
    if (device.is_cpu()) return {};
    if (!cudaPart().table) return cudaPart().whyNot;
    return cudaPart().table->prepareMasks(device.index());
}

at::Tensor dropoutMask(const at::Tensor& x, const DropoutOp& op, const RunContext& context)
{
    const at::NoGradGuard noGrad;
    std::vector<std::int64_t> sizes(x.sizes().begin(), x.sizes().end());
    if (op.wholeChannels)
        for (std::size_t i = 2; i < sizes.size(); ++i) sizes[i] = 1;
    const at::Tensor result = mask(x, sizes, op, context);
    // Same order in memory as x, so that the product runs straight through both.
    const bool lastChannels = x.is_cpu() && !op.wholeChannels && x.dim() == 4 && !x.is_contiguous() && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    return lastChannels ? result.contiguous(at::MemoryFormat::ChannelsLast) : result;
}

} // namespace sconce::engine

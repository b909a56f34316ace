// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/memory.h"

#include <algorithm>
#include <cmath>

namespace sconce {

namespace {

constexpr double floatBytes = 4, indexBytes = 8, targetBytes = 8;

/// One thing that the engine does: an operator of torch or a fused kernel. Slots are tensors on their way, each with a size.
struct Work
{
    std::vector<int> in;
    int out = -1;
    bool shares = false;           ///< the result lies in the memory of the first input
    bool gradientPasses = false;   ///< the gradient of the result is handed on as that of the inputs
    bool keepsInputs = false, keepsResult = false; ///< for the backward pass
    double extra = 0;              ///< bytes of its own kept for the backward pass: masks, indices, copies
    double scratch = 0, backwardScratch = 0;
    double unkept = 0;             ///< made on the way also where nothing is kept
    int alive = -1;                ///< a slot that is held until this is done
    /// A row made of a channels-last map hands its gradient back in another order than the map's. Most operators put it right on the
    /// way; some hand it on; and those that cannot work so make a copy first.
    enum class Order { PutsRight, HandsOn, Upsets, Copies } order = Order::PutsRight;
    double weightGradients = 0;    ///< bytes that appear in the backward pass and stay
    bool learns = false;
};

/// The plan written out as such works.
class Writer
{
  public:
    Writer(const ExecutionPlan& execution, double rows) : m_execution(execution), m_plan(execution.plan), m_rows(rows), m_slots(m_plan.values.size(), -1), m_casts(m_plan.values.size(), -1), m_needs(m_plan.values.size(), 0)
    {
        input = slot(m_plan.input, m_execution.types[static_cast<std::size_t>(m_plan.input)]);
        for (std::size_t i = 0; i < m_plan.steps.size();) {
            stepBegins.push_back(static_cast<int>(works.size()));
            const std::size_t steps = step(i);
            for (std::size_t k = 1; k < steps; ++k) stepBegins.push_back(static_cast<int>(works.size()));
            i += steps;
        }
        stepBegins.push_back(static_cast<int>(works.size()));
        Work loss; // log-softmax keeps its result; going back there is one gradient more
        loss.in = {as(m_plan.output, DType::F32)};
        loss.out = newSlot(0);
        loss.extra = loss.backwardScratch = bytes[static_cast<std::size_t>(loss.in[0])];
        works.push_back(loss);
    }

    std::vector<Work> works;
    std::vector<double> bytes;   ///< by slot
    std::vector<int> stepBegins; ///< by step: its first work; one more at the end
    int input = -1;

  private:
    const ValueType& type(ValueIndex value) const { return m_plan.values[static_cast<std::size_t>(value)].type; }
    double elements(ValueIndex value) const { return m_rows * static_cast<double>(type(value).elements()); }
    int newSlot(double size)
    {
        bytes.push_back(size);
        return static_cast<int>(bytes.size()) - 1;
    }
    int slot(ValueIndex value, DType type)
    {
        int& index = m_slots[static_cast<std::size_t>(value)];
        if (index < 0) index = newSlot(elements(value) * static_cast<double>(sizeOf(type)));
        return index;
    }
    /// The value in the type that its reader computes in.
    int as(ValueIndex value, DType wanted)
    {
        const auto at = static_cast<std::size_t>(value);
        const DType kept = m_execution.types[at];
        if (kept == wanted || kept == DType::I64) return slot(value, kept); // symbols are never cast
        if (m_casts[at] < 0) m_casts[at] = castOf(slot(value, kept), elements(value) * static_cast<double>(sizeOf(wanted)));
        return m_casts[at];
    }
    int castOf(int from, double size)
    {
        Work cast;
        cast.order = Work::Order::HandsOn;
        cast.in = {from};
        cast.out = newSlot(size);
        works.push_back(cast);
        return works.back().out;
    }
    double weightBytes(const Operation& op, bool trainableOnly) const
    {
        double sum = 0;
        const auto add = [&](ParamIndex index) {
            const ParameterSpec& spec = m_plan.parameters[static_cast<std::size_t>(index)];
            if (spec.trainable || !trainableOnly) sum += floatBytes * static_cast<double>(spec.elements());
        };
        visitParameters(op, add);
        return sum;
    }
    void product(Work& work, const Step& step, DType computes)
    {
        const double all = weightBytes(step.op, false), share = static_cast<double>(sizeOf(computes)) / floatBytes;
        work.learns = learns(step.op, m_plan);
        work.keepsInputs = true;
        work.weightGradients = weightBytes(step.op, true);
        const bool linear = std::holds_alternative<LinearOp>(step.op);
        if (computes != DType::F32) { // the weights cast, and their gradient before it is cast back
            (linear && !m_needs[static_cast<std::size_t>(step.inputs[0])] ? work.scratch : work.extra) += all * share;
            work.backwardScratch += all * share;
        }
        if (!linear) { // oneDNN lays weights out anew
            work.scratch += all * share;
            work.backwardScratch += 2 * all * share;
            work.order = Work::Order::Copies;
        }
    }

    /// How many steps of the plan were written.
    std::size_t step(std::size_t i)
    {
        const Step& step = m_plan.steps[i];
        const DType computes = m_execution.computes[i];
        char needs = learns(step.op, m_plan);
        for (ValueIndex value : step.inputs) needs = needs || m_needs[static_cast<std::size_t>(value)];
        m_needs[static_cast<std::size_t>(step.output)] = needs;
        if (m_execution.fusions[i] && m_execution.fusions[i]->kind != Fusion::Kind::Attention) return fused(i, *m_execution.fusions[i], needs);
        Work work;
        for (ValueIndex value : step.inputs) work.in.push_back(as(value, computes));
        const double result = elements(step.output) * static_cast<double>(sizeOf(computes));
        std::visit([&](const auto& op) { describe(work, op, step, computes, result); }, step.op);
        if (m_execution.inPlace[i]) work.shares = true, work.keepsInputs = false, work.keepsResult = true;
        work.out = slot(step.output, computes);
        works.push_back(std::move(work));
        return 1;
    }

    std::size_t fused(std::size_t i, const Fusion& fusion, char needs)
    {
        for (std::size_t k = i; k < i + static_cast<std::size_t>(fusion.steps); ++k) m_needs[static_cast<std::size_t>(m_plan.steps[k].output)] = needs;
        const Step& first = m_plan.steps[i];
        const std::size_t last = i + static_cast<std::size_t>(fusion.steps) - 1;
        const double pooled = elements(m_plan.steps[last].output);
        Work work;
        work.in = {as(first.inputs[0], m_execution.computes[i])};
        if (fusion.kind == Fusion::Kind::BiasPool) {
            const DType computes = m_execution.computes[i];
            product(work, first, computes);
            work.out = newSlot(elements(first.output) * static_cast<double>(sizeOf(computes)));
            const int from = work.in[0];
            works.push_back(work);
            int map = works.back().out;
            if (computes != DType::F32) map = castOf(map, elements(first.output) * floatBytes);
            work = Work{};
            work.in = {map};
            work.alive = from; // what a step reads is let go behind all of it
        } else if (runsWhole(fusion)) {
            work.learns = learns(first.op, m_plan);
            work.keepsInputs = true;
            work.weightGradients = weightBytes(first.op, true);
            work.backwardScratch = work.weightGradients;
            if (fusion.kind == Fusion::Kind::DeepConvPool) deep(work, weightBytes(first.op, false));
            if (fusion.kind == Fusion::Kind::WindowConv) {
                window(work, first);
                work.order = Work::Order::Copies;
                work.out = slot(first.output, DType::F32);
                works.push_back(std::move(work));
                return 1;
            }
        }
        work.extra += pooled; // which of the four: a byte each
        work.order = Work::Order::Copies;
        work.out = slot(m_plan.steps[last].output, DType::F32);
        works.push_back(std::move(work));
        return static_cast<std::size_t>(fusion.steps);
    }

    /// Going forward the weights of the 3×3 window are spread to 4×4; going back every group of images has sums of its own.
    void deep(Work& work, double weights)
    {
        constexpr double most = (8 << 20) * floatBytes; // deep_conv_pool.cpp
        work.scratch = weights * 16 / 9;
        const double groups = std::min(std::clamp(std::floor(most / weights), 2.0, 16.0), std::ceil(m_rows / 4));
        work.backwardScratch = weights * (groups + 1);
    }

    /// The weights spread, and going back what some tiles spread to, and its sums.
    void window(Work& work, const Step& conv)
    {
        const std::vector<std::int64_t> in = type(conv.inputs[0]).sizes(), out = type(conv.output).sizes();
        const double tiles = m_rows * static_cast<double>((out[1] + 1) / 2 * ((out[2] + 1) / 2));
        work.scratch = weightBytes(conv.op, false) * 16 / 9;
        work.backwardScratch = work.scratch + weightBytes(conv.op, true) + 16 * std::min(in[0] + out[0] <= 256 ? 128.0 : 512.0, tiles) * static_cast<double>(in[0] + out[0]) * floatBytes; // window_conv.cpp
    }

    // ---- what torch keeps, primitive by primitive ----
    void describe(Work& work, const ConvOp& op, const Step& step, DType computes, double)
    {
        if (op.padBefore != op.padAfter) { // padded by itself first, and that is what the convolution keeps
            double size = m_rows * static_cast<double>(type(step.inputs[0]).dims[0].size) * static_cast<double>(sizeOf(computes));
            for (std::size_t axis = 0; axis < op.padBefore.size(); ++axis)
                size *= static_cast<double>(type(step.inputs[0]).dims[axis + 1].size + op.padBefore[axis] + op.padAfter[axis]);
            work.in = {castOf(work.in[0], size)};
        }
        product(work, step, computes);
    }
    void describe(Work& work, const ConvTransposeOp&, const Step& step, DType computes, double) { product(work, step, computes); }
    void describe(Work& work, const LinearOp&, const Step& step, DType computes, double) { product(work, step, computes); }
    void describe(Work& work, const PoolOp& op, const Step& step, DType, double)
    {
        work.keepsInputs = true;
        if (op.kind == PoolOp::Kind::Max) work.extra = work.unkept = indexBytes * elements(step.output);
        else work.order = Work::Order::HandsOn, work.backwardScratch = elements(step.inputs[0]) * floatBytes;
    }
    void describe(Work& work, const GlobalPoolOp& op, const Step&, DType, double)
    {
        work.keepsInputs = work.keepsResult = op.kind == PoolOp::Kind::Max;
    }
    void describe(Work& work, const ActivationOp& op, const Step&, DType, double)
    {
        const Function f = op.function;
        work.keepsResult = f == Function::Relu || f == Function::Sigmoid || f == Function::Tanh;
        work.keepsInputs = !work.keepsResult;
    }
    void describe(Work& work, const SoftmaxOp&, const Step&, DType, double) { work.keepsResult = true; }
    void describe(Work& work, const DropoutOp& op, const Step& step, DType, double result)
    {
        if (op.rate <= 0) {
            work.shares = work.gradientPasses = true;
            return;
        }
        const ValueType& map = type(step.output);
        work.extra = op.wholeChannels && map.rank() > 1 ? floatBytes * m_rows * static_cast<double>(map.dims[0].size) : result; // the mask
    }
    void describe(Work& work, const BatchNormOp& op, const Step& step, DType, double) { norm(work, step, op.weight == none ? 0 : 16.0 * static_cast<double>(type(step.output).dims[0].size)); }
    void describe(Work& work, const LayerNormOp& op, const Step& step, DType, double result)
    {
        double width = 1;
        const ValueType& map = type(step.output);
        for (int axis = map.rank() - op.axes; axis < map.rank(); ++axis) width *= static_cast<double>(map.dims[static_cast<std::size_t>(axis)].size);
        norm(work, step, 2 * result / width);
    }
    void describe(Work& work, const GroupNormOp& op, const Step& step, DType, double) 
    {
        norm(work, step, 2 * floatBytes * m_rows * static_cast<double>(op.groups));
        work.order = Work::Order::Copies;
    }
    void norm(Work& work, const Step& step, double statistics)
    {
        learnt(work, step);
        work.keepsInputs = true;
        work.extra = statistics;
    }
    void describe(Work& work, const ReshapeOp&, const Step& step, DType, double)
    {
        // A map that lies channels-last becomes a row by copying, unless one of the two orders is trivial.
        const ValueType& from = type(step.inputs[0]);
        const bool copies = m_execution.channelsLast && from.rank() == 3 && from.dims[0].size > 1 && from.dims[1].size * from.dims[2].size > 1;
        work.shares = !copies;
        work.gradientPasses = true;
        if (copies) work.order = Work::Order::Upsets;
    }
    void describe(Work& work, const AddOp&, const Step& step, DType, double result)
    {
        work.gradientPasses = true;
        work.order = Work::Order::HandsOn;
        if (step.inputs.size() > 2) work.scratch = result; // one sum after the other
        if (step.inputs.size() < 2) work.shares = true;
    }
    void describe(Work& work, const MultiplyOp&, const Step&, DType, double) { work.keepsInputs = true; }
    void describe(Work&, const ConcatOp&, const Step&, DType, double) {}
    void describe(Work& work, const PadOp& op, const Step&, DType, double)
    {
        const auto zero = [](std::int64_t value) { return value == 0; };
        if (std::all_of(op.before.begin(), op.before.end(), zero) && std::all_of(op.after.begin(), op.after.end(), zero)) work.shares = work.gradientPasses = true;
    }

    void describe(Work& work, const EmbeddingOp&, const Step& step, DType, double)
    {
        work.keepsInputs = true; // which rows
        learnt(work, step);
    }
    void describe(Work& work, const OffsetOp&, const Step& step, DType, double)
    {
        work.gradientPasses = true;
        learnt(work, step);
    }
    void describe(Work& work, const AttentionOp& op, const Step& step, DType computes, double)
    {
        const double length = static_cast<double>(type(step.output).dims[0].size), perPosition = floatBytes * m_rows * static_cast<double>(op.heads) * length;
        if (op.dropout > 0) { // softmax, mask and their product; Q, K and V head by head
            work.extra = 3 * perPosition * length + elements(step.inputs[0]) * static_cast<double>(sizeOf(computes));
            work.backwardScratch = perPosition * length; // one gradient of theirs: what the next is made of is let go by then
            return;
        }
        work.keepsInputs = work.keepsResult = true;
        work.extra = perPosition; // the logarithm of each softmax's sum
        // Gradients of Q, K and V come one by one before they lie side by side, but by then Q, K and V are let go.
    }
    void learnt(Work& work, const Step& step)
    {
        work.learns = learns(step.op, m_plan);
        work.weightGradients = weightBytes(step.op, true);
    }

    const ExecutionPlan& m_execution;
    const Plan& m_plan;
    double m_rows;
    std::vector<int> m_slots, m_casts;
    std::vector<char> m_needs; ///< by value: a gradient
};

/// Runs the works over memory that is only counted.
class Walk
{
  public:
    Walk(const ExecutionPlan& execution, double rows) : m_execution(execution), m_program(execution, rows), m_lastUse(m_program.bytes.size(), -1), m_needs(m_program.bytes.size(), 0), m_upset(m_program.bytes.size(), 0)
    {
        const std::vector<Work>& works = m_program.works;
        for (int i = 0; i < static_cast<int>(works.size()); ++i) {
            const Work& work = works[static_cast<std::size_t>(i)];
            for (int in : work.in) m_lastUse[static_cast<std::size_t>(in)] = i;
            m_lastUse[static_cast<std::size_t>(work.out)] = i;
            if (work.alive >= 0) m_lastUse[static_cast<std::size_t>(work.alive)] = i;
        }
        for (const Work& work : works) {
            char needs = work.learns;
            for (int in : work.in) needs = needs || m_needs[static_cast<std::size_t>(in)];
            m_needs[static_cast<std::size_t>(work.out)] = needs;
        }
    }

    StepMemory run(bool training, double rows)
    {
        StepMemory result;
        Room room(m_program.bytes.size(), -1);
        const ValueType& output = m_execution.plan.values[static_cast<std::size_t>(m_execution.plan.output)].type;
        const double targets = targetBytes * rows * (hasPositions(output) ? static_cast<double>(output.dims[0].size) : 1); // one at each position
        result.batch = m_program.bytes[static_cast<std::size_t>(m_program.input)] + targets;
        take(targets);
        room[static_cast<std::size_t>(m_program.input)] = take(m_program.bytes[static_cast<std::size_t>(m_program.input)]); // the feed's, for good
        ++m_blocks[static_cast<std::size_t>(room[static_cast<std::size_t>(m_program.input)])].holders;
        std::vector<Done> tape;
        int next = 0;
        for (const Segment& segment : training ? m_execution.segments : std::vector<Segment>{}) {
            const int first = m_program.stepBegins[static_cast<std::size_t>(segment.first)], last = m_program.stepBegins[static_cast<std::size_t>(segment.last)];
            forward(next, first, room, &tape);
            forgetful(first, last, room, tape);
            next = last;
        }
        forward(next, static_cast<int>(m_program.works.size()), room, training ? &tape : nullptr);
        result.kept = m_now;
        if (training) {
            Room gradients(m_program.bytes.size(), -1);
            gradients[static_cast<std::size_t>(m_program.works.back().out)] = take(floatBytes);
            backward(tape, gradients);
        }
        result.peak = m_peak;
        return result;
    }

  private:
    using Room = std::vector<int>; ///< by slot: its block, -1: none
    struct Block { double bytes = 0; int holders = 0; };
    /// A work that the backward pass will come back to, and the blocks that it holds until then. With `last`: a segment that is computed
    /// again, which holds only what it came from.
    struct Done { int work = -1; std::vector<int> held; int last = -1; };

    int take(double bytes)
    {
        m_blocks.push_back({bytes, 1});
        m_now += bytes;
        m_peak = std::max(m_peak, m_now);
        return static_cast<int>(m_blocks.size()) - 1;
    }
    void hold(int block) { ++m_blocks[static_cast<std::size_t>(block)].holders; }
    void drop(int block)
    {
        Block& it = m_blocks[static_cast<std::size_t>(block)];
        if (--it.holders == 0) m_now -= it.bytes;
    }
    void touch(double scratch) { m_peak = std::max(m_peak, m_now + scratch); }

    void forward(int first, int last, Room& room, std::vector<Done>* tape)
    {
        for (int i = first; i < last; ++i) {
            const Work& work = m_program.works[static_cast<std::size_t>(i)];
            const auto blockOf = [&](int slot) -> int& { return room[static_cast<std::size_t>(slot)]; };
            if (work.shares) hold(blockOf(work.out) = blockOf(work.in[0]));
            else blockOf(work.out) = take(m_program.bytes[static_cast<std::size_t>(work.out)]);
            if (tape && m_needs[static_cast<std::size_t>(work.out)]) {
                Done done{i, {take(work.extra)}};
                if (work.keepsInputs)
                    for (int in : work.in) done.held.push_back(blockOf(in));
                if (work.keepsResult) done.held.push_back(blockOf(work.out));
                for (std::size_t k = 1; k < done.held.size(); ++k) hold(done.held[k]);
                tape->push_back(std::move(done));
                touch(work.scratch);
            } else {
                touch(work.scratch + work.unkept);
            }
            release(i, work, room);
        }
    }
    /// A segment whose inside is not kept.
    void forgetful(int first, int last, Room& room, std::vector<Done>& tape)
    {
        const int from = room[static_cast<std::size_t>(m_program.works[static_cast<std::size_t>(first)].in[0])];
        hold(from);
        forward(first, last, room, nullptr);
        if (m_needs[static_cast<std::size_t>(m_program.works[static_cast<std::size_t>(last) - 1].out)]) tape.push_back({first, {from}, last});
        else drop(from);
    }
    /// The same again, this time to go back through it.
    void again(const Done& segment, Room& gradients)
    {
        Room room(m_program.bytes.size(), -1);
        const int in = m_program.works[static_cast<std::size_t>(segment.work)].in[0], out = m_program.works[static_cast<std::size_t>(segment.last) - 1].out;
        hold(room[static_cast<std::size_t>(in)] = segment.held[0]);
        const int arrived = gradients[static_cast<std::size_t>(out)];
        if (arrived >= 0) hold(arrived); // by autograd, until all of it is done
        std::vector<Done> tape;
        forward(segment.work, segment.last, room, &tape);
        backward(tape, gradients);
        if (arrived >= 0) drop(arrived);
        for (int slot : {in, out})
            if (room[static_cast<std::size_t>(slot)] >= 0) drop(room[static_cast<std::size_t>(slot)]);
        drop(segment.held[0]);
    }
    /// What nobody reads any more.
    void release(int i, const Work& work, Room& room)
    {
        std::vector<int> slots = work.in;
        slots.push_back(work.out);
        if (work.alive >= 0) slots.push_back(work.alive);
        for (std::size_t k = 0; k < slots.size(); ++k) {
            int& block = room[static_cast<std::size_t>(slots[k])];
            if (m_lastUse[static_cast<std::size_t>(slots[k])] != i || block < 0) continue;
            drop(block);
            block = -1;
        }
    }

    void backward(const std::vector<Done>& tape, Room& gradients)
    {
        for (std::size_t i = tape.size(); i-- > 0;) {
            if (tape[i].last >= 0) {
                again(tape[i], gradients);
                continue;
            }
            const Work& work = m_program.works[static_cast<std::size_t>(tape[i].work)];
            int& arrived = gradients[static_cast<std::size_t>(work.out)];
            if (arrived < 0) continue;
            const bool upset = m_upset[static_cast<std::size_t>(work.out)];
            const int copy = upset && work.order == Work::Order::Copies ? take(m_program.bytes[static_cast<std::size_t>(work.out)]) : -1;
            std::vector<int> made;
            for (int in : work.in) {
                m_upset[static_cast<std::size_t>(in)] = work.order == Work::Order::Upsets || (upset && work.order == Work::Order::HandsOn);
                if (!m_needs[static_cast<std::size_t>(in)]) continue;
                const int block = work.gradientPasses ? arrived : take(m_program.bytes[static_cast<std::size_t>(in)]);
                if (work.gradientPasses) hold(block);
                made.push_back(block);
            }
            if (work.weightGradients > 0) take(work.weightGradients);
            touch(work.backwardScratch);
            if (copy >= 0) drop(copy);
            for (int block : tape[i].held) drop(block);
            drop(arrived);
            arrived = -1;
            std::size_t next = 0;
            for (int in : work.in)
                if (m_needs[static_cast<std::size_t>(in)]) add(gradients[static_cast<std::size_t>(in)], made[next++]);
        }
    }
    /// Gradients of several readers are summed, in the memory of one that nobody else holds.
    void add(int& sum, int block)
    {
        if (sum < 0) {
            sum = block;
            return;
        }
        const auto alone = [&](int which) { return m_blocks[static_cast<std::size_t>(which)].holders == 1; };
        if (alone(sum)) {
            drop(block);
        } else if (alone(block)) {
            drop(sum);
            sum = block;
        } else {
            const int both = take(m_blocks[static_cast<std::size_t>(sum)].bytes);
            drop(sum);
            drop(block);
            sum = both;
        }
    }

    const ExecutionPlan& m_execution;
    Writer m_program;
    std::vector<int> m_lastUse; ///< by slot: the work behind which nobody reads it
    std::vector<char> m_needs;  ///< by slot: a gradient
    std::vector<char> m_upset;  ///< by slot: its gradient lies in another order
    std::vector<Block> m_blocks;
    double m_now = 0, m_peak = 0;
};

} // namespace

StepMemory stepMemory(const ExecutionPlan& execution, std::int64_t rows, bool training)
{
    const double count = static_cast<double>(rows);
    return Walk(execution, count).run(training, count);
}

} // namespace sconce

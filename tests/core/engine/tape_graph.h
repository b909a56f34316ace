// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a CUDA graph is to a GPU, a tape of operators is to the processor: every kernel that the recorded work calls through torch's
// dispatcher, below autograd, with the very tensors and numbers it was called with. A replay calls them again and puts what comes out
// where it lay. So, as with a graph, what the host knew while recording (a rate, a step, an address) is part of the tape for good, what
// writes memory behind the dispatcher's back is missed; waiting for a result is refused, and so is memory that the host fills meanwhile.

#include "core/engine/backend/step_graph.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <string>
#include <vector>

namespace sconce::test {

inline constexpr auto tapeKey = c10::DispatchKey::Fake; // below autograd, above every kernel; nobody else's here

struct TapeEntry
{
    c10::OperatorHandle op;
    torch::jit::Stack inputs, outputs;
};

/// What a tape is told, and what it tells.
struct TapeDesk
{
    // wishes
    /// Invented seconds, so that what is chosen does not depend on the machine: of a stretch without replays (a trial's six eager steps), of
    /// a replay of the first piece, and of a later one, of several steps.
    double eagerly = 0.06, alone = 0.0002, inOne = 0.001;
    int piecesAtMost = 2;     ///< that can be recorded
    bool broken = false;      ///< the device fails when it is told to replay
    std::string refused;      ///< an operator that cannot be recorded, besides those that wait
    std::string frozen;       ///< an operator that a replay leaves out: a fault
    // counts
    int made = 0, warmUps = 0, records = 0, replays = 0;
    int together = 0; ///< replays that were of a later piece
    std::vector<std::string> operators; ///< of the last recording
};

inline thread_local std::vector<TapeEntry>* recordingTape = nullptr;
inline thread_local const TapeDesk* recordingDesk = nullptr;

/// Operators that give the host a number, or a tensor whose size hangs on numbers.
inline bool waitsForTheDevice(const std::string& name)
{
    static const std::set<std::string> waits{"aten::item", "aten::_local_scalar_dense", "aten::is_nonzero", "aten::nonzero", "aten::equal", "aten::masked_select",
                                             "aten::_unique2", "aten::unique_dim", "aten::allclose", "aten::repeat_interleave"};
    return waits.contains(name);
}

inline std::vector<at::Tensor> tensorsOf(const torch::jit::Stack& values)
{
    std::vector<at::Tensor> result;
    for (const c10::IValue& value : values) {
        if (value.isTensor()) result.push_back(value.toTensor());
        else if (value.isTensorList()) for (const at::Tensor& tensor : value.toTensorVector()) result.push_back(tensor);
        else if (value.isList())
            for (const c10::IValue& each : value.toListRef())
                if (each.isTensor()) result.push_back(each.toTensor());
    }
    std::erase_if(result, [](const at::Tensor& tensor) { return !tensor.defined(); });
    return result;
}

inline void noteAndCall(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack)
{
    // What a kernel calls in its turn is its own affair, as it is on a GPU.
    const c10::impl::ExcludeDispatchKeyGuard quiet(tapeKey);
    const auto below = keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, tapeKey);
    if (!recordingTape) return op.redispatchBoxed(below, stack);
    const std::string& name = op.schema().name();
    TORCH_CHECK(!waitsForTheDevice(name), name, " waits for the device");
    TORCH_CHECK(name != recordingDesk->refused, name, " cannot be recorded");
    const std::size_t inputs = op.schema().arguments().size(), outputs = op.schema().returns().size();
    TapeEntry entry{op, torch::jit::Stack(stack->end() - static_cast<std::ptrdiff_t>(inputs), stack->end()), {}};
    op.redispatchBoxed(below, stack);
    entry.outputs.assign(stack->end() - static_cast<std::ptrdiff_t>(outputs), stack->end());
    recordingTape->push_back(std::move(entry));
}

class TapeGraph final : public engine::StepGraph
{
  public:
    explicit TapeGraph(TapeDesk& desk) : m_desk(desk) { ++desk.made; }
    void warmUp(const std::function<void()>& work) override
    {
        ++m_desk.warmUps;
        work();
    }
    std::size_t record(const std::function<void()>& work) override
    {
        ++m_desk.records;
        TORCH_CHECK(static_cast<int>(m_pieces.size()) < m_desk.piecesAtMost, "there is no room for another piece");
        note(work); // once to see what it reads, and once for good
        const auto read = whatWasThere();
        m_tape.clear();
        for (const auto& [name, memory] : read) TORCH_CHECK(!memory.expired(), name, " reads memory that the host made while recording");
        note(work);
        m_desk.operators.clear();
        for (const TapeEntry& entry : m_tape) m_desk.operators.push_back(entry.op.schema().name());
        m_pieces.push_back(std::move(m_tape));
        return m_pieces.size() - 1;
    }
    void replay(std::size_t piece) override
    {
        TORCH_CHECK(!m_desk.broken, "the device has failed");
        ++m_desk.replays;
        if (piece > 0) ++m_desk.together;
        m_replayed = true;
        m_now += piece > 0 ? m_desk.inOne : m_desk.alone;
        const at::NoGradGuard noGrad;
        const at::AutoDispatchBelowADInplaceOrView kernels;
        for (const TapeEntry& entry : m_pieces[piece]) {
            if (entry.op.schema().name() == m_desk.frozen) continue;
            torch::jit::Stack stack = entry.inputs;
            entry.op.callBoxed(&stack);
            putBack(entry, stack);
        }
    }
    void forget(std::size_t piece) override { m_pieces[piece].clear(); }
    double finished() override
    {
        if (!std::exchange(m_replayed, false)) m_now += m_desk.eagerly;
        return m_now;
    }

  private:
    void note(const std::function<void()>& work)
    {
        struct Recording
        {
            ~Recording() { recordingTape = nullptr; }
        } const recording;
        m_tape.clear();
        recordingTape = &m_tape;
        recordingDesk = &m_desk;
        const c10::impl::IncludeDispatchKeyGuard seen(tapeKey);
        work();
    }
    /// Memory that recorded kernels read and none of them made. Somebody besides the tape must keep it: else the host made it just now,
    /// and would have to make it again for a replay. Numbers travel with the kernel.
    std::vector<std::pair<std::string, c10::weak_intrusive_ptr<c10::StorageImpl>>> whatWasThere() const
    {
        std::set<const c10::StorageImpl*> made;
        std::vector<std::pair<std::string, c10::weak_intrusive_ptr<c10::StorageImpl>>> result;
        for (const TapeEntry& entry : m_tape) {
            for (const at::Tensor& tensor : tensorsOf(entry.inputs)) {
                const bool number = tensor.dim() == 0 && tensor.unsafeGetTensorImpl()->is_wrapped_number();
                if (!number && !made.contains(tensor.storage().unsafeGetStorageImpl())) result.emplace_back(entry.op.schema().name(), tensor.storage().getWeakStorageImpl());
            }
            for (const at::Tensor& tensor : tensorsOf(entry.outputs)) made.insert(tensor.storage().unsafeGetStorageImpl());
        }
        return result;
    }
    /// To where the result lay when it was recorded; what is a view of an operand, or the operand itself, is there already.
    static void putBack(const TapeEntry& entry, const torch::jit::Stack& results)
    {
        std::set<const void*> operands;
        for (const at::Tensor& tensor : tensorsOf(entry.inputs)) operands.insert(tensor.storage().data());
        const std::vector<at::Tensor> before = tensorsOf(entry.outputs), now = tensorsOf(results);
        TORCH_CHECK(before.size() == now.size());
        for (std::size_t i = 0; i < before.size(); ++i)
            if (before[i].numel() > 0 && !operands.contains(before[i].storage().data())) before[i].copy_(now[i]);
    }

    TapeDesk& m_desk;
    std::vector<TapeEntry> m_tape; ///< being recorded
    std::vector<std::vector<TapeEntry>> m_pieces;
    double m_now = 0;
    bool m_replayed = false;
};

/// While it lives, sessions on the processor may capture their steps, on tapes.
class Tapes
{
  public:
    TapeDesk desk;
    Tapes() { engine::setStepGraphMaker([this](at::Device) -> Result<std::unique_ptr<engine::StepGraph>> { return std::unique_ptr<engine::StepGraph>(std::make_unique<TapeGraph>(desk)); }); }
    ~Tapes() { engine::setStepGraphMaker(nullptr); }
};

} // namespace sconce::test

TORCH_LIBRARY_IMPL(_, Fake, m) // a header for tests, which are a file each
{
    m.fallback(torch::CppFunction::makeFromBoxedFunction<&sconce::test::noteAndCall>());
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/training/checkpoint_writer.h"

#include "core/base/clock.h"
#include "core/training/priority.h"

#include <new>
#include <system_error>

namespace sconce {

namespace {

Result<void> writeOne(CheckpointCopy& copy, bool best)
{
    const double began = Clock::system().monotonicSeconds(), cpuBefore = threadCpuSeconds();
    const auto optimiser = best ? std::span<const HostTensor>() : std::span<const HostTensor>(copy.optimiser); // the best are for use, not for going on from
    auto path = saveCheckpoint(copy.runFolder, copy.state, copy.recipe, copy.weights, optimiser, copy.reason, best, copy.keepLast);
    if (!path) return path.error();
    (best ? copy.bestPath : copy.path) = std::move(*path);
    (best ? copy.bestSeconds : copy.seconds) = Clock::system().monotonicSeconds() - began;
    (best ? copy.bestCpuSeconds : copy.cpuSeconds) = threadCpuSeconds() - cpuBefore;
    return {};
}

Result<void> writeAll(CheckpointCopy& copy, const std::function<Result<void>()>& settle)
{
    // The history first: a checkpoint that knows more steps than the history would leave a gap after a kill.
    if (settle) SCONCE_TRY(settle());
    if (copy.best && copy.bestPath.empty()) SCONCE_TRY(writeOne(copy, true));
    if (copy.plain && copy.path.empty()) SCONCE_TRY(writeOne(copy, false));
    return {};
}

} // namespace

void CheckpointCopy::write(const std::function<Result<void>()>& settle)
{
    try {
        done = writeAll(*this, settle);
    } catch (const std::bad_alloc&) {
        done = Error{ErrorCode::OutOfMemory, "The computer's memory ran out while a checkpoint was written.", "", "std::bad_alloc"};
    } catch (const std::exception& exception) {
        done = Error{ErrorCode::Internal, "Writing a checkpoint ran into a fault of Sconce's own.", "The checkpoint before is safe; please report this.", exception.what()};
    } catch (...) {
        done = Error{ErrorCode::Internal, "Writing a checkpoint ran into a fault of Sconce's own.", "The checkpoint before is safe; please report this.", "unknown exception"};
    }
}

void CheckpointWriter::start(std::unique_ptr<CheckpointCopy> copy)
{
    // Shared, not moved into the thread: where there is none, it is still here.
    const auto shared = std::make_shared<std::unique_ptr<CheckpointCopy>>(std::move(copy));
    try {
        m_writing = std::async(std::launch::async, [shared, settle = m_settle] {
            lowerThisThread(behindTraining);
            (*shared)->write(settle);
            return std::move(*shared);
        });
    } catch (const std::system_error&) {
        (*shared)->write(m_settle);
        std::promise<std::unique_ptr<CheckpointCopy>> written;
        m_writing = written.get_future();
        written.set_value(std::move(*shared));
    }
}

} // namespace sconce

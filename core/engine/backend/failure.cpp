// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/backend/failure.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

namespace sconce::engine {
namespace {

Error outOfMemory(const char* doing, std::string detail)
{
    return {ErrorCode::OutOfMemory, std::string("There was not enough memory while ") + doing + ".",
            "Choose a smaller batch, smaller layers or smaller pictures.", std::move(detail)};
}

/// The CPU allocator throws a plain error; only its text says what it is.
bool speaksOfMemory(const std::string& text)
{
    return text.find("not enough memory") != std::string::npos || text.find("can't allocate memory") != std::string::npos ||
           text.find("out of memory") != std::string::npos;
}

/// A recipe that wants the same numbers every time has met an operation that has no such form.
bool speaksOfOrder(const std::string& text) { return text.find("does not have a deterministic implementation") != std::string::npos; }

Error notRepeatable(const char* doing, std::string detail)
{
    return {ErrorCode::Unsupported, std::string("An operation of this network has no form that gives the same numbers every time on this device (while ") + doing + ").",
            "Switch off “Same every time” under Speed, or train on the processor.", std::move(detail)};
}

Error broken(const char* doing, std::string detail)
{
    if (speaksOfOrder(detail)) return notRepeatable(doing, std::move(detail));
    return {ErrorCode::Internal, std::string("The engine failed while ") + doing + ".",
            "This is a fault of the program; please report it with the log.", std::move(detail)};
}

} // namespace

Error currentFailure(const char* doing) noexcept
{
    try {
        throw;
    } catch (const c10::OutOfMemoryError& e) {
        return outOfMemory(doing, e.what());
    } catch (const c10::AcceleratorError& e) {
        return {ErrorCode::Internal, std::string("The GPU reported an error while ") + doing + ".",
                "Start the program again; if it comes back, check the GPU and its driver.", e.what()};
    } catch (const c10::Error& e) {
        return speaksOfMemory(e.what()) ? outOfMemory(doing, e.what()) : broken(doing, e.what());
    } catch (const std::bad_alloc& e) {
        return outOfMemory(doing, e.what());
    } catch (const std::exception& e) {
        return speaksOfMemory(e.what()) ? outOfMemory(doing, e.what()) : broken(doing, e.what());
    } catch (...) {
        return broken(doing, "unknown exception");
    }
}

} // namespace sconce::engine

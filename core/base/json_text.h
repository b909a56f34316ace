// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// JSON as text that goes to a file, a database or a socket.

#include "core/base/json.h"

namespace sconce {

/// On one line, without blanks. Bytes that are no UTF-8 (a file's name, a driver's message) become “�”, so that this never throws.
inline std::string jsonText(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace sconce

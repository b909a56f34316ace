// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The text of a starter recipe's file; the .cpp is written by the build from resources/recipes. Private to core/recipe.

#include <string_view>

namespace sconce {

/// Empty if there is none of that name.
std::string_view starterText(std::string_view id);

} // namespace sconce

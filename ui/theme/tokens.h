// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The table behind Token: name and the two colours, in the order of the enum.

#include "ui/theme/theme.h"

#include <array>

namespace sconce::ui {

struct TokenRow { const char* name; QRgb dark, light; };

inline constexpr std::array<TokenRow, 38> tokenTable{{
    {"win", 0xFF0E1014, 0xFFF3F4F6},        {"panel", 0xFF14171C, 0xFFFFFFFF},     {"card", 0xFF191D23, 0xFFFFFFFF},
    {"raised", 0xFF232830, 0xFFF0F2F5},     {"hover", 0xFF2A303A, 0xFFE7EAEF},     {"input", 0xFF0F1216, 0xFFFFFFFF},
    {"line", 0xFF2A3039, 0xFFDFE3E8},       {"lineStrong", 0xFF444D5B, 0xFFB9C0CB}, {"tick", 0xFF6E7888, 0xFF858E9C},
    {"grid", 0xFF242A32, 0xFFE8EBEF},       {"text", 0xFFE9ECF1, 0xFF171A20},      {"text2", 0xFFB4BCC8, 0xFF434B58},
    {"text3", 0xFF98A1AF, 0xFF5A6372},      {"accent", 0xFFFFB02E, 0xFFF7A823},    {"accentHover", 0xFFFFC25C, 0xFFEB9A0E},
    {"onAccent", 0xFF1C1403, 0xFF1C1403},   {"accentText", 0xFFFFBE52, 0xFF855000}, {"accentSoft", 0xFF2B2417, 0xFFFFF4DF},
    {"focus", 0xFFFFB02E, 0xFFB26A00},      {"ok", 0xFF6FCF9B, 0xFF1B7446},        {"okSoft", 0xFF16271E, 0xFFE4F4EB},
    {"warn", 0xFFFF9C66, 0xFFAD4210},       {"warnSoft", 0xFF2E2018, 0xFFFDEDE3},  {"error", 0xFFFF8087, 0xFFBB2634},
    {"errorSoft", 0xFF331C1F, 0xFFFCEAEC},  {"info", 0xFF86B4FF, 0xFF1D5CC4},      {"infoSoft", 0xFF1A2436, 0xFFE8F0FD},
    {"train", 0xFF4F93FF, 0xFF2A6FE0},      {"val", 0xFFF8ABDF, 0xFF970F72},       {"test", 0xFF98A1AF, 0xFF5A6372},
    {"gpu", 0xFF35C7B5, 0xFF0A8175},        {"cpu", 0xFFA99BFF, 0xFF6B4FD8},       {"hit", 0xFF35C7B5, 0xFF0A8175},
    {"runA", 0xFF35C7B5, 0xFF0A8175},       {"runB", 0xFFA99BFF, 0xFF6B4FD8},      {"runC", 0xFFB9D65A, 0xFF587000},
    {"runD", 0xFFFF8F70, 0xFFBF4119},       {"runE", 0xFF7CC8FF, 0xFF1B73AD},
}};
static_assert(tokenTable.size() == static_cast<std::size_t>(Token::RunE) + 1);

} // namespace sconce::ui

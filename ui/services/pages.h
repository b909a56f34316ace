// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How the shell gets its pages: one maker per page folder, each defined there (ui/<page>/), so that the shell needs none of
// their headers.

#include "ui/services/studio.h"
#include "ui/widgets/page.h"

namespace sconce::ui {

Page* makeWelcomePage(Studio& studio, QWidget* parent);
Page* makeDataPage(Studio& studio, QWidget* parent);
Page* makeComposePage(Studio& studio, QWidget* parent);
Page* makeLivePage(Studio& studio, QWidget* parent);
Page* makeRunsPage(Studio& studio, QWidget* parent);
Page* makeHardwarePage(Studio& studio, QWidget* parent);
Page* makeTryItPage(Studio& studio, QWidget* parent);
Page* makeSettingsPage(Studio& studio, QWidget* parent);

} // namespace sconce::ui

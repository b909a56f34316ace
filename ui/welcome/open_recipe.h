// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Opening a recipe file from anywhere in the window: read in the background, shown on Compose; what could not be read is said.

#include "ui/services/studio.h"

namespace sconce::ui {

void openRecipeFile(Studio& studio, QWidget* window, const QString& path);
/// Asks for the file first.
void chooseRecipeFile(Studio& studio, QWidget* window);

/// "GPU 0, NVIDIA H200" or "CPU, 2 cores": how a device is named in choices.
QString deviceText(const ComputeDevice& device, const MachineFacts& facts);

} // namespace sconce::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The recipes of the benches that are no starters: networks as others publish them, so that their programs can stand beside.

#include "core/recipe/recipe.h"

namespace sconce::bench {

/// ResNet-18 as published for CIFAR-10: a 3×3 stem, stages of 64, 128, 256 and 512 channels with two basic blocks each, batch norm,
/// 1×1 projections; SGD with momentum.
Recipe resnet18();
/// nanoGPT's small setting for a CPU: four pre-norm blocks, width 128, 4 heads, 64 symbols at once; AdamW, no dropout.
Recipe smallGpt();

/// A deep network of `layers` layers, those inside of blocks counted; at least 5, and 5 more for each residual block. Three convolutions,
/// the first of which may have any number of filters, residual blocks of two convolutions and batch norms, a classifier for 10 classes.
Recipe deepNetwork(int layers);

} // namespace sconce::bench

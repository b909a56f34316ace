// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the library over CUDA is made of: CudaTable's members, under which cuda_table.h says what they do. Private to core/engine/cuda.

#include "core/engine/cuda/cuda_table.h"

namespace sconce::engine {

std::unique_ptr<StepGraph> makeCudaStepGraph(int device);
std::string prepareMasks(int device);
void fillMask(at::Tensor& mask, const at::Tensor& step, const MaskKey& key);

} // namespace sconce::engine

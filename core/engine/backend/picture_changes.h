// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Changes of pictures (core/data/augment.h) as work of a device: what is drawn comes from the host, a row of numbers for each picture, and
// the pictures are made where they are used. The same operations each time, so that they can be recorded. Private to the engine.

#include "core/data/augment.h"

#include <ATen/core/Tensor.h>

namespace sconce::engine {

class PictureChanges
{
  public:
    PictureChanges(const Augmentation& how, const PictureSize& size, at::Device device);
    /// Pictures [n, channels, height, width], floats from 0 to 255, contiguous, and what is done to each, [n, changeNumbers]; may
    /// overwrite the pictures.
    at::Tensor apply(at::Tensor pictures, const at::Tensor& changes) const;

  private:
    at::Tensor move(const at::Tensor& pictures, const at::Tensor& changes) const;
    at::Tensor colour(at::Tensor pictures, const at::Tensor& changes) const;
    at::Tensor cut(at::Tensor pictures, const at::Tensor& changes) const;

    Augmentation m_how;
    PictureSize m_size;
    at::Tensor m_columns, m_rows; ///< 0, 1, … as floats, [1, 1, width] and [1, height, 1]
    at::Tensor m_shares;          ///< of channels in grey, [1, channels, 1, 1]
};

} // namespace sconce::engine

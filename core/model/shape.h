// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What flows between layers: dtype and named axes, without the batch axis (which every value has in front, unnamed).
// Order in memory and in text is PyTorch's: channels first (1×28×28). Shape rules are pure functions of these values.

#include "core/base/dtype.h"
#include "core/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sconce {

enum class Axis { Feature, Channel, Length, Depth, Height, Width };

struct Dim
{
    Axis axis = Axis::Feature;
    std::int64_t size = 0; ///< >= 1
    bool operator==(const Dim&) const = default;
};

struct ValueType
{
    DType dtype = DType::F32;
    std::vector<Dim> dims; ///< rank 1: a row of features, or the symbols of a text; 2: channel×length, or length×feature; 3: channel×height×width
    bool masked = false;   ///< carries a mask along Length (sequences of different lengths)
    bool operator==(const ValueType&) const = default;

    std::vector<std::int64_t> sizes() const;
    std::int64_t elements() const; ///< checked product; saturates at INT64_MAX
    std::string text() const;      ///< 1×28×28
    int rank() const { return static_cast<int>(dims.size()); }
};

ValueType featuresType(std::int64_t features);
ValueType sequenceType(std::int64_t channels, std::int64_t length);
ValueType imageType(std::int64_t channels, std::int64_t height, std::int64_t width);
/// A text: the index of a symbol at each position, [length] of int64.
ValueType symbolsType(std::int64_t length);
/// A row of features at each position, [length, features]: what runs through a transformer.
ValueType positionsType(std::int64_t length, std::int64_t features);

/// Indices, with which nothing can be reckoned before they are embedded.
inline bool isSymbols(const ValueType& type) { return type.dtype == DType::I64; }
/// Length first, features last, as positionsType() makes it.
bool hasPositions(const ValueType& type);
/// The axis of channels or features, counted without batch: the last one where there are positions, else the first.
int channelAxis(const ValueType& type);

} // namespace sconce

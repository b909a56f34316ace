// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/shape.h"

#include "core/base/text.h"
#include "core/model/checked.h"

namespace sconce {

std::vector<std::int64_t> ValueType::sizes() const
{
    std::vector<std::int64_t> result;
    result.reserve(dims.size());
    for (const Dim& dim : dims) result.push_back(dim.size);
    return result;
}

std::int64_t ValueType::elements() const
{
    std::int64_t product = 1;
    for (const Dim& dim : dims) product = satMul(product, dim.size);
    return product;
}

std::string ValueType::text() const
{
    return shapeText(sizes());
}

ValueType featuresType(std::int64_t features)
{
    return {DType::F32, {{Axis::Feature, features}}, false};
}

ValueType sequenceType(std::int64_t channels, std::int64_t length)
{
    return {DType::F32, {{Axis::Channel, channels}, {Axis::Length, length}}, false};
}

ValueType imageType(std::int64_t channels, std::int64_t height, std::int64_t width)
{
    return {DType::F32, {{Axis::Channel, channels}, {Axis::Height, height}, {Axis::Width, width}}, false};
}

ValueType symbolsType(std::int64_t length)
{
    return {DType::I64, {{Axis::Length, length}}, false};
}

ValueType positionsType(std::int64_t length, std::int64_t features)
{
    return {DType::F32, {{Axis::Length, length}, {Axis::Feature, features}}, false};
}

bool hasPositions(const ValueType& type)
{
    return type.dims.size() == 2 && type.dims[0].axis == Axis::Length && type.dims[1].axis == Axis::Feature;
}

int channelAxis(const ValueType& type)
{
    return hasPositions(type) ? 1 : 0;
}

} // namespace sconce

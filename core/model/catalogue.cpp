// SPDX-License-Identifier: GPL-3.0-or-later
// The explicit list of layers, in palette order: linkers drop self-registering objects from static libraries.
#include "core/model/catalogue.h"

#include "core/model/layers/layers.h"

#include <cassert>

namespace sconce {

namespace {

const std::vector<LayerEntry>& entries()
{
    using namespace layers;
    static const std::vector<LayerEntry> all{
        dense(),
        conv1d(), conv2d(), depthwiseConv2d(), separableConv2d(), conv2dTranspose(),
        maxPool2d(), averagePool2d(), globalAveragePool(), globalMaxPool(),
        embedding(), positions(), selfAttention(),
        batchNorm(), layerNorm(), groupNorm(),
        dropout(), spatialDropout2d(),
        relu(), leakyRelu(), gelu(), silu(), sigmoid(), tanh(), elu(), softplus(), hardSwish(), softmax(), logSoftmax(),
        flatten(), reshape(), zeroPadding2d(),
        residual(), parallel(),
    };
    return all;
}

} // namespace

std::span<const LayerEntry> layerCatalogue()
{
    return entries();
}

const LayerEntry* findLayerEntry(std::string_view id)
{
    static const std::unordered_map<std::string_view, const LayerEntry*> byId = [] {
        std::unordered_map<std::string_view, const LayerEntry*> map;
        for (const LayerEntry& entry : entries()) map.emplace(entry.id, &entry);
        assert(map.size() == entries().size());
        return map;
    }();
    const auto found = byId.find(id);
    return found == byId.end() ? nullptr : found->second;
}

Layer makeLayer(const Stack& stack, const std::string& type)
{
    Layer layer;
    layer.id = freshLayerId(stack);
    layer.type = type;
    layer.name = freshLayerName(stack, type);
    if (const LayerEntry* entry = findLayerEntry(type)) layer.branches.resize(static_cast<std::size_t>(entry->minBranches));
    return layer;
}

const char* groupId(LayerGroup group)
{
    static constexpr const char* ids[] = {"dense", "convolution", "pooling", "sequence", "normalisation", "regularisation", "activation", "shape", "block"};
    return ids[static_cast<int>(group)];
}

const char* groupTitle(LayerGroup group)
{
    static constexpr const char* titles[] = {"Dense", "Convolution", "Pooling", "Sequence", "Normalisation", "Regularisation", "Activation", "Shape", "Blocks"};
    return titles[static_cast<int>(group)];
}

} // namespace sconce

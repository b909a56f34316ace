// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/bench/recipes.h"

#include <cassert>

namespace sconce::bench {

namespace {

/// Layers as a recipe's file has them, with ids in the order of their making.
class Layers
{
  public:
    Json make(const char* type, Json settings = Json::object())
    {
        settings["id"] = "l" + std::to_string(++m_last);
        settings["type"] = type;
        return settings;
    }
    Json conv(int filters, int kernel, int stride)
    {
        return make("conv2d", {{"filters", filters}, {"kernel", {kernel, kernel}}, {"stride", {stride, stride}}, {"padding", "same"}, {"bias", false}});
    }

  private:
    int m_last = 0;
};

Recipe read(const char* name, Json layers, const Json& rest)
{
    Json json{{"format", "sconce-recipe"}, {"version", 1}, {"name", name}, {"layers", std::move(layers)}};
    json.update(rest);
    auto parsed = recipeFromJson(json);
    assert(parsed.ok() && parsed->problems.empty());
    return parsed ? std::move(parsed->recipe) : Recipe{};
}

} // namespace

Recipe resnet18()
{
    Layers of;
    Json layers{of.conv(64, 3, 1), of.make("batch_norm"), of.make("relu")};
    int channels = 64;
    for (const auto& [width, first] : {std::pair{64, 1}, {128, 2}, {256, 2}, {512, 2}})
        for (const int stride : {first, 1}) {
            const Json body{of.conv(width, 3, stride), of.make("batch_norm"), of.make("relu"), of.conv(width, 3, 1), of.make("batch_norm")};
            if (stride != 1 || channels != width)
                layers.push_back(of.make("parallel", {{"join", "add"}, {"activation", "relu"}, {"branches", {body, {of.conv(width, 1, stride), of.make("batch_norm")}}}}));
            else
                layers.push_back(of.make("residual", {{"activation", "relu"}, {"branches", Json::array({body})}}));
            channels = width;
        }
    layers.push_back(of.make("global_average_pool"));
    layers.push_back(of.make("dense", {{"units", 10}}));
    return read("resnet-18", std::move(layers),
                {{"data", {{"dataset", "cifar10"}, {"input", {{"scale", true}, {"normalise", true}, {"mean", 0.4734}, {"deviation", 0.2516}}}}},
                 {"training", {{"epochs", 1}, {"batch_size", 128}, {"learning_rate", 0.05}, {"optimiser", {{"type", "sgd"}, {"momentum", 0.9}}}}}});
}

Recipe smallGpt()
{
    constexpr int blocks = 4, width = 128, heads = 4, length = 64, symbols = 65;
    Layers of;
    const auto norm = [&] { return of.make("layer_norm", {{"epsilon", 1e-5}}); };
    Json layers{of.make("embedding", {{"symbols", symbols}, {"width", width}}), of.make("positions")};
    for (int block = 0; block < blocks; ++block) {
        const Json attention{norm(), of.make("self_attention", {{"heads", heads}})};
        layers.push_back(of.make("residual", {{"branches", Json::array({attention})}}));
        const Json dense{norm(), of.make("dense", {{"units", 4 * width}, {"activation", "gelu"}}), of.make("dense", {{"units", width}})};
        layers.push_back(of.make("residual", {{"branches", Json::array({dense})}}));
    }
    layers.push_back(norm());
    layers.push_back(of.make("dense", {{"units", symbols}}));
    return read("char-gpt", std::move(layers),
                {{"task", {{"type", "language"}}}, {"data", {{"dataset", "tinyshakespeare"}, {"import", {{"context", length}}}}},
                 {"training", {{"epochs", 1}, {"batch_size", 12}, {"learning_rate", 1e-3}, {"optimiser", {{"type", "adamw"}, {"weight_decay", 0.1}}}}}});
}

Recipe deepNetwork(int count)
{
    constexpr int width = 8;
    Layers of;
    Json layers{of.conv(width, 3, 1), of.conv(width, 3, 1), of.conv(width, 3, 1)};
    for (int made = 5; made + 5 <= count; made += 5) {
        const Json body{of.conv(width, 3, 1), of.make("batch_norm"), of.conv(width, 3, 1), of.make("batch_norm")};
        layers.push_back(of.make("residual", {{"activation", "relu"}, {"branches", Json::array({body})}}));
    }
    layers.push_back(of.make("global_average_pool"));
    layers.push_back(of.make("dense", {{"units", 10}}));
    return read("deep", std::move(layers), {{"data", {{"dataset", "mnist"}}}, {"training", {{"batch_size", 128}}}});
}

} // namespace sconce::bench

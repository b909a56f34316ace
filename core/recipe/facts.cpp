// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recipe/recipe.h"

#include <algorithm>
#include <cctype>

namespace sconce {

DataFacts factsOf(const DatasetInfo& info)
{
    DataFacts facts;
    facts.input = info.sample;
    facts.symbols = static_cast<int>(info.symbols.size());
    facts.input.dtype = facts.symbols > 0 ? DType::I64 : DType::F32; // pixels are scaled on the way in
    facts.trainingCount = info.trainingCount;
    facts.testCount = info.testCount;
    facts.classes = static_cast<int>(info.classes.size());
    facts.labels = static_cast<int>(info.labelNames.size());
    facts.title = info.title;
    facts.validationCount = info.validationCount;
    facts.numbers = info.numbers;
    facts.target = info.target;
    // Ten digits or more signs: folders called a and b may hold anything, and so may IDX files, whose classes are numbers always.
    facts.written = (info.kind != "idx" || info.id == "mnist") && info.classes.size() >= 10 && std::all_of(info.classes.begin(), info.classes.end(), [](const std::string& name) { return name.size() == 1 && std::isalnum(static_cast<unsigned char>(name[0])); });
    facts.bytes = info.sample.dtype == DType::U8 && facts.symbols == 0;
    return facts;
}

std::optional<DataFacts> assumedFacts(const DatasetId& id)
{
    if (id == "digits") return DataFacts{imageType(1, 28, 28), 10'000, 2'000, 10, "Built-in digits"};
    if (id == "mnist") return DataFacts{imageType(1, 28, 28), 60'000, 10'000, 10, "MNIST"};
    if (id == "fashion-mnist" || id == "fashion_mnist") return DataFacts{imageType(1, 28, 28), 60'000, 10'000, 10, "Fashion-MNIST"};
    if (id == "cifar10") return DataFacts{imageType(3, 32, 32), 50'000, 10'000, 10, "CIFAR-10"};
    if (id == "tinyshakespeare") { // in windows of 64: 1,115,394 characters, 65 different ones
        DataFacts facts{ValueType{DType::I64, {{Axis::Length, 64}}}, 17'428, 0, 0, "Tinyshakespeare"};
        facts.symbols = 65;
        facts.bytes = false;
        return facts;
    }
    return std::nullopt;
}

} // namespace sconce

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Small tables and texts that can be learnt, always the same for a seed, and the way from what they say to a data set.

#include "core/base/random.h"
#include "core/data/dataset.h"

#include <QtGlobal>

#include <fstream>
#include <string>

namespace sconce::test {

/// The labels of labelsTable().
inline const std::vector<std::string> labelsOfTable{"up", "high", "large"};

/// Of each row any of three labels: a is above 0, the word is “high”, and, seldom, a is large.
inline std::string labelsTable(int rows, std::uint64_t seed)
{
    const Philox random(seed, Purpose::Test);
    std::string text = "a,up,word,high,large\n";
    for (int row = 0; row < rows; ++row) {
        const auto at = static_cast<std::uint64_t>(row) * 4;
        const double a = static_cast<double>(random.below(at, 2000)) / 1000 - 1;
        const bool high = random.below(at + 1, 2) == 1;
        text += std::to_string(a) + (a > 0 ? ",1," : ",0,") + (high ? "high,yes," : "low,no,") + (a > 0.8 ? "true\n" : "false\n");
    }
    return text;
}

/// The first eleven letters of the alphabet again and again, with a slip (“!”) here and there: twelve symbols.
inline std::string lettersText(int length)
{
    const Philox random(12, Purpose::Test);
    std::string text;
    for (int i = 0; i < length; ++i) text += random.below(static_cast<std::uint64_t>(i), 40) == 0 ? '!' : static_cast<char>('a' + i % 11);
    return text;
}

/// What was written to a file, as the data set that the file is. Ends the program, with the sentence, where it is none.
inline DatasetPtr openedFrom(const std::string& path, const std::string& text, const ImportOptions& options)
{
    std::ofstream(path) << text;
    auto data = openDataset(path, options);
    if (!data) qFatal("%s", data.error().text().c_str());
    return *data;
}

} // namespace sconce::test

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A small data set of real files for tests of the window: IDX, named as MNIST's.

#include <QDir>
#include <QFile>
#include <QtEndian>

#include <utility>
#include <vector>

namespace sconce::ui::test {

inline void writeIdx(const QString& path, const std::vector<std::uint32_t>& dims, const QByteArray& bytes)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly)) qFatal("cannot write %s", qPrintable(path));
    QByteArray head;
    const auto word = [&](std::uint32_t value) {
        const std::uint32_t big = qToBigEndian(value);
        head.append(reinterpret_cast<const char*>(&big), 4);
    };
    word(0x00000800 + static_cast<std::uint32_t>(dims.size()));
    for (std::uint32_t d : dims) word(d);
    file.write(head + bytes);
}

/// A folder of IDX files as MNIST has them: 12×12, ten classes, each a bar at its own height with noise.
inline void writeBars(const QString& folder, int training = 1000, int test = 200)
{
    if (!QDir().mkpath(folder)) qFatal("cannot make %s", qPrintable(folder));
    std::uint32_t state = 12345;
    for (const auto& [prefix, count] : {std::pair(QStringLiteral("train"), training), std::pair(QStringLiteral("t10k"), test)}) {
        QByteArray pictures, labels;
        for (int i = 0; i < count; ++i) {
            labels.append(static_cast<char>(i % 10));
            for (int y = 0; y < 12; ++y)
                for (int x = 0; x < 12; ++x) {
                    state = state * 1664525u + 1013904223u;
                    const int noise = static_cast<int>(state >> 26);
                    pictures.append(static_cast<char>(y == i % 10 + 1 ? 200 + noise / 2 : noise));
                }
        }
        const auto n = static_cast<std::uint32_t>(count);
        writeIdx(folder + QLatin1Char('/') + prefix + QStringLiteral("-images-idx3-ubyte"), {n, 12, 12}, pictures);
        writeIdx(folder + QLatin1Char('/') + prefix + QStringLiteral("-labels-idx1-ubyte"), {n}, labels);
    }
}

} // namespace sconce::ui::test

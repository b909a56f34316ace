// SPDX-License-Identifier: GPL-3.0-or-later
// The forecast of a run's memory against every byte that its tensors really take: within 20 % for the starter recipes and what
// changes them.

#include "memory_support.h"

#include <QtTest>

using namespace sconce;
using namespace sconce::test;

class MemoryTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void theCounterCounts();
    void forecastHolds_data();
    void forecastHolds();
};

void MemoryTest::theCounterCounts()
{
    CountingAllocator& counter = CountingAllocator::install();
    counter.restart();
    const std::size_t before = counter.now();
    {
        const c10::DataPtr block = c10::GetAllocator(c10::kCPU)->allocate(1000);
        QCOMPARE(counter.now(), before + 1000);
    }
    QCOMPARE(counter.now(), before);
    QCOMPARE(counter.peak(), before + 1000);
}

void MemoryTest::forecastHolds_data()
{
    QTest::addColumn<QString>("starter");
    QTest::addColumn<QString>("group");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("word");
    for (const char* starter : {"digits-convnet", "mnist-convnet", "mnist-mlp", "small-resnet"}) {
        QTest::newRow(starter) << starter << "" << "" << "";
        QTest::addRow("%s, bf16", starter) << starter << "precision" << "compute" << "bf16";
        QTest::addRow("%s, not fused", starter) << starter << "speed" << "fused_blocks" << "no";
        QTest::addRow("%s, in pieces", starter) << starter << "gradients" << "micro_batch" << "32";
        QTest::addRow("%s, averaged", starter) << starter << "averaging" << "decay" << "0.99";
    }
    QTest::addRow("small-resnet, computed again") << "small-resnet" << "memory" << "recompute" << "blocks";
    QTest::addRow("small-resnet, contiguous") << "small-resnet" << "speed" << "channels_last" << "no";
}

void MemoryTest::forecastHolds()
{
    QFETCH(QString, starter);
    QFETCH(QString, group);
    QFETCH(QString, id);
    QFETCH(QString, word);
    Recipe recipe = findStarter(starter.toStdString())->recipe;
    if (!group.isEmpty()) {
        ParamValue value = word.toStdString();
        if (word == "no") value = false;
        else if (id == "micro_batch") value = static_cast<std::int64_t>(word.toLongLong());
        else if (id == "decay") value = word.toDouble();
        setOption(recipe.training, group.toStdString(), id.toStdString(), value);
    }
    const DataFacts facts = *assumedFacts(recipe.data.dataset);
    const Estimate forecast = forecastOf(recipe, facts);
    QCOMPARE(forecast.memoryBytes, forecast.memory.total());
    const Peak real = trainedPeak(recipe, facts, 2);
    const double off = static_cast<double>(forecast.memoryBytes) / real.bytes - 1;
    qInfo("forecast %.1f MB, real %.1f MB: %+.0f %%", static_cast<double>(forecast.memoryBytes) / 1e6, real.bytes / 1e6, 100 * off);
    QVERIFY2(std::abs(off) <= 0.2, qPrintable(QStringLiteral("off by %1 %").arg(100 * off)));
}

QTEST_GUILESS_MAIN(MemoryTest)
#include "memory_test.moc"

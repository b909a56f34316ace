// SPDX-License-Identifier: GPL-3.0-or-later
// The forecast of a run's memory against every byte that its tensors really take: within 20 % for the starter recipes and what
// changes them.

#include "engine_support.h"
#include "measured_step.h"
#include "memory_support.h"

#include "core/model/memory.h"

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
    void stepOfATransformer_data();
    void stepOfATransformer();
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
    for (const char* starter : {"digits-convnet", "mnist-convnet", "mnist-fast", "mnist-mlp", "small-resnet"}) {
        QTest::newRow(starter) << starter << "" << "" << "";
        QTest::addRow("%s, bf16", starter) << starter << "precision" << "compute" << "bf16";
        QTest::addRow("%s, not fused", starter) << starter << "speed" << "fused_blocks" << "no";
        QTest::addRow("%s, in pieces", starter) << starter << "gradients" << "micro_batch" << "32";
        QTest::addRow("%s, averaged", starter) << starter << "averaging" << "decay" << "0.99";
    }
    QTest::newRow("char-gpt") << "char-gpt" << "" << "" << "";
    QTest::addRow("char-gpt, computed again") << "char-gpt" << "memory" << "recompute" << "blocks";
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

void MemoryTest::stepOfATransformer_data()
{
    QTest::addColumn<int>("products");
    QTest::addColumn<bool>("recompute");
    QTest::addColumn<bool>("drops");
    QTest::newRow("float32") << static_cast<int>(DType::F32) << false << false;
    QTest::newRow("bf16") << static_cast<int>(DType::BF16) << false << false;
    QTest::newRow("computed again") << static_cast<int>(DType::F32) << true << false;
    QTest::newRow("attention drops") << static_cast<int>(DType::F32) << false << true;
    QTest::newRow("attention drops, computed again") << static_cast<int>(DType::F32) << true << true;
}

/// nanoGPT's small size and batch: what a forward and a backward pass take, and what lies there between them.
void MemoryTest::stepOfATransformer()
{
    QFETCH(int, products);
    QFETCH(bool, recompute);
    QFETCH(bool, drops);
    const std::string attention = std::string(R"({"type":"self_attention","heads":4,"attention_dropout":)") + (drops ? "0.1}" : "0}");
    std::string net = R"([{"type":"embedding","symbols":65,"width":128},{"type":"positions"})";
    for (int block = 0; block < 4; ++block)
        net += R"(,{"type":"residual","branches":[[{"type":"layer_norm"},)" + attention + R"(]]},
                   {"type":"residual","branches":[[{"type":"layer_norm"},{"type":"dense","units":512,"activation":"gelu"},{"type":"dense","units":128}]]})";
    auto plan = planOf(net + R"(,{"type":"layer_norm"},{"type":"dense","units":65}])", symbolsType(64));
    QVERIFY(plan);
    PassOptions options;
    options.products = static_cast<DType>(products);
    options.recompute = recompute;
    const ExecutionPlan execution = prepare(std::move(*plan), options);
    QCOMPARE(!execution.segments.empty(), recompute);
    const StepMemory believed = stepMemory(execution, 12, true);
    const MeasuredStep real = measuredStep(execution, 12);
    qInfo("kept %.2f MB, believed %.2f; peak %.2f MB, believed %.2f", real.kept / 1e6, believed.kept / 1e6, real.peak / 1e6, believed.peak / 1e6);
    QVERIFY(std::abs(believed.kept / real.kept - 1) <= 0.2);
    QVERIFY(std::abs(believed.peak / real.peak - 1) <= 0.2);
}

QTEST_GUILESS_MAIN(MemoryTest)
#include "memory_test.moc"

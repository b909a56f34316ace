// SPDX-License-Identifier: GPL-3.0-or-later
// What a run tells of the machine once a second: under which names, and to which GPU its own memory is counted.
#include "core/training/hardware_values.h"
#include "core/run/protocol.h"

#include <QTest>

using namespace sconce;

namespace {

using Values = std::vector<std::pair<std::string, double>>;

MachineFacts twoGpus()
{
    MachineFacts facts;
    facts.gpus = {{.index = 0, .uuid = "GPU-a"}, {.index = 1, .uuid = "GPU-b"}};
    return facts;
}

MachineReading readingOfTwo()
{
    MachineReading reading;
    reading.gpus.resize(2);
    reading.gpus[0].use = 0.1;
    reading.gpus[1].use = 0.9;
    reading.gpus[1].memoryUsed = 5'000'000'000;
    return reading;
}

} // namespace

class HardwareValuesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void whatWasNotReadIsLeftOut()
    {
        MachineReading reading;
        reading.memoryUsed = 3;
        QVERIFY(hardwareValues({}, reading, {"cpu", "", std::nullopt}).empty());
        reading.memoryTotal = 8;
        reading.cpu = 0.25;
        QCOMPARE(hardwareValues({}, reading, {"cpu", "", std::nullopt}), (Values{{"cpu", 0.25}, {"memory", 3.0}}));
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cuda:0", "GPU-b", std::nullopt}), (Values{{"gpu0.use", 0.1}, {"gpu1.use", 0.9}, {"gpu1.memory", 5e9}}));
    }

    /// CUDA counts the fastest first, or what CUDA_VISIBLE_DEVICES names.
    void keptMemoryGoesToTheGpuOfTheSameUuid()
    {
        const KeptMemory memory{1'000'000'000, 2'000'000'000};
        const Values common{{"gpu0.use", 0.1}, {"gpu1.use", 0.9}, {"gpu1.memory", 5e9}};
        const auto with = [&](const std::string& name) {
            Values values = common;
            values.emplace_back(name + "allocated", 1e9);
            values.emplace_back(name + "reserved", 2e9);
            return values;
        };
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cuda:0", "GPU-b", memory}), with("gpu1."));
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cuda:0", "GPU-a", memory}), with("gpu0."));
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cuda:3", "MIG-c", memory}), with("gpu3."));
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cuda:1", "", memory}), with("gpu1."));
        QCOMPARE(hardwareValues({}, {}, {"cuda:0", "GPU-a", memory}), (Values{{"gpu0.allocated", 1e9}, {"gpu0.reserved", 2e9}}));
        QCOMPARE(hardwareValues(twoGpus(), readingOfTwo(), {"cpu", "GPU-a", memory}), common);
    }

    void anAttachedWindowReadsThem()
    {
        const HardwareRead told{2.5, hardwareValues(twoGpus(), readingOfTwo(), {"cuda:0", "GPU-b", KeptMemory{123'456'789'012, 140'000'000'001}})};
        auto read = decodeEvent(encode(Event{7, 1, told}));
        QVERIFY(read && *read);
        const auto* heard = std::get_if<HardwareRead>(&(*read)->body);
        QVERIFY(heard);
        QCOMPARE(heard->seconds, 2.5);
        QCOMPARE(heard->values, told.values);
    }
};

QTEST_GUILESS_MAIN(HardwareValuesTest)
#include "hardware_values_test.moc"

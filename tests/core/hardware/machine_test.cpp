// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/hardware/machine.h"
#include "core/hardware/proc.h"

#include "tests/support/patience.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

using namespace sconce;

namespace {

void write(const QString& path, const QByteArray& text)
{
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

} // namespace

class MachineTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void readsRecordedProc()
    {
        QTemporaryDir root;
        const QString proc = root.path() + "/proc";
        write(proc + "/stat", "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 50 0 25 400 25 0 0 0 0 0\ncpu1 50 0 25 400 25 0 0 0 0 0\nintr 1\n");
        const auto ticks = proc::cpuTicks(proc.toStdString());
        QCOMPARE(ticks.size(), std::size_t{3});
        QCOMPARE(ticks[0].total, std::uint64_t{1000});
        QCOMPARE(ticks[0].busy, std::uint64_t{150}); // idle and iowait are not work
        write(proc + "/meminfo", "MemTotal:       16000 kB\nMemFree:  100 kB\nMemAvailable:   6000 kB\n");
        const auto memory = proc::memory(proc.toStdString());
        QCOMPARE(memory.total, std::uint64_t{16000 * 1024});
        QCOMPARE(memory.available, std::uint64_t{6000 * 1024});
    }

    void tightestCgroupLimitCounts()
    {
        QTemporaryDir root;
        const QString proc = root.path() + "/proc", group = root.path() + "/sys/fs/cgroup";
        write(proc + "/self/cgroup", "0::/user/job\n");
        write(group + "/user/cpu.max", "150000 100000\n");
        write(group + "/user/memory.max", "max\n");
        write(group + "/user/job/cpu.max", "max 100000\n");
        write(group + "/user/job/memory.max", "1073741824\n");
        const auto limits = proc::cgroupLimits(proc.toStdString(), (root.path() + "/sys").toStdString());
        QCOMPARE(limits.cores.value_or(0), 1.5); // the parent's is the tighter one
        QCOMPARE(limits.memoryBytes.value_or(0), std::uint64_t{1} << 30);

        // What may be filled is the tighter of the machine's and the group's.
        const HardwareSources sources{proc.toStdString(), (root.path() + "/sys").toStdString(), {}};
        write(proc + "/meminfo", "MemTotal:       8388608 kB\nMemAvailable:   6000 kB\n");
        QCOMPARE(usableMemory(sources), std::uint64_t{1} << 30);
        write(proc + "/meminfo", "MemTotal:       524288 kB\nMemAvailable:   6000 kB\n");
        QCOMPARE(usableMemory(sources), std::uint64_t{1} << 29);
        write(group + "/user/job/memory.max", "max\n");
        QCOMPARE(usableMemory(sources), std::uint64_t{1} << 29);
    }

    void oldCgroupsWithoutLimitsAreNone()
    {
        QTemporaryDir root;
        write(root.path() + "/proc/self/cgroup", "4:cpu,cpuacct:/a\n3:memory:/a\n");
        write(root.path() + "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
        write(root.path() + "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
        const auto limits = proc::cgroupLimits((root.path() + "/proc").toStdString(), (root.path() + "/sys").toStdString());
        QVERIFY(!limits.cores);
        QVERIFY(!limits.memoryBytes);
    }

    void thisMachineIsRead()
    {
        Machine machine({}, "/");
        QVERIFY(machine.facts().cpu.usable >= 1);
        QVERIFY(machine.facts().cpu.memoryBytes > (std::uint64_t{256} << 20));
        const auto first = machine.read();
        QVERIFY(!first.cpu); // nothing to take the difference to
        std::atomic<bool> stop{false};
        std::thread burner([&] { while (!stop) {} });
        QTest::qWait(300);
        const auto second = machine.read();
        stop = true;
        burner.join();
        QVERIFY(second.cpu.has_value());
        QVERIFY2(*second.cpu > 0.2 && *second.cpu <= 1.0, qPrintable(QString::number(*second.cpu)));
        QVERIFY(second.memoryUsed > 0 && second.memoryUsed < second.memoryTotal * 2);
        QVERIFY(second.processMemory > 0);
        QVERIFY(second.diskFree.value_or(0) > 0);
    }

    void twoGpusThroughNvml()
    {
        Machine machine({.proc = "/proc", .sys = "/sys", .nvmlLibrary = SCONCE_TEST_NVML});
        QCOMPARE(machine.facts().gpus.size(), std::size_t{2});
        const auto& gpu = machine.facts().gpus[0];
        QCOMPARE(gpu.name, std::string("NVIDIA Test 1000"));
        QCOMPARE(gpu.uuid, std::string("GPU-00000000"));
        QCOMPARE(gpu.memoryBytes, std::uint64_t{80} << 30);
        QCOMPARE(gpu.powerLimitWatts.value_or(0), 700.0);
        QCOMPARE(machine.facts().gpuDriver, std::string("580.65.06"));
        QVERIFY(machine.facts().gpuState.empty());

        const auto reading = machine.read();
        QCOMPARE(reading.gpus.size(), std::size_t{2});
        QCOMPARE(reading.gpus[0].use.value_or(-1), 0.97);
        QCOMPARE(reading.gpus[0].memoryUsed.value_or(0), std::uint64_t{12} << 30); // v2: without the driver's reserve
        QCOMPARE(reading.gpus[0].powerWatts.value_or(0), 312.5);
        QCOMPARE(reading.gpus[0].limitedBy, (std::vector<std::string>{"power cap", "heat"}));
        QCOMPARE(reading.gpus[0].processes.size(), std::size_t{2});
        QCOMPARE(reading.gpus[0].processes[0].memoryBytes.value_or(0), std::uint64_t{2} << 30);
        QVERIFY(!reading.gpus[0].processes[1].memoryBytes); // unknown is absent, not 2^64
        // What the second one cannot say is absent, never 0; memory falls back to the older call.
        QVERIFY(!reading.gpus[1].use);
        QVERIFY(!reading.gpus[1].powerWatts);
        QCOMPARE(reading.gpus[1].memoryUsed.value_or(0), std::uint64_t{3} << 30);
    }

    void failuresAreSentences_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("word");
        QTest::newRow("driver not loaded") << 9 << "not loaded";
        QTest::newRow("version mismatch") << 18 << "restart the computer";
        QTest::newRow("container lost it") << 999 << "does not answer";
    }

    void failuresAreSentences()
    {
        QFETCH(int, code);
        QFETCH(QString, word);
        setenv("SCONCE_TEST_NVML_FAIL", std::to_string(code).c_str(), 1);
        Machine machine({.proc = "/proc", .sys = "/sys", .nvmlLibrary = SCONCE_TEST_NVML});
        unsetenv("SCONCE_TEST_NVML_FAIL");
        QVERIFY(machine.facts().gpus.empty());
        QVERIFY2(QString::fromStdString(machine.facts().gpuState).contains(word), machine.facts().gpuState.c_str());
        QVERIFY(machine.read().gpus.empty());
    }

    void withoutNvmlIsAState()
    {
        Machine machine({.proc = "/proc", .sys = "/sys", .nvmlLibrary = "/nowhere/libnvidia-ml.so.1"});
        QCOMPARE(machine.facts().gpuState, std::string("No NVIDIA driver was found; training uses the CPU."));
    }

    void telemetrySamplesAndStops()
    {
        std::atomic<int> samples{0};
        {
            Telemetry telemetry({.proc = "/proc", .sys = "/sys", .nvmlLibrary = "/nowhere"}, "/", 0.02, [&](const MachineFacts&, const MachineReading&) { ++samples; });
            QTRY_VERIFY_WITH_TIMEOUT(samples >= 3, sconce::test::patienceMs);
        }
        const int after = samples;
        QTest::qWait(80);
        QCOMPARE(samples.load(), after);
    }

    /// Nothing may be thrown past the root of its thread: the whole program would end.
    void aSinkThatThrowsLosesOneReadingOnly()
    {
        std::atomic<int> samples = 0;
        Telemetry telemetry({.proc = "/proc", .sys = "/sys", .nvmlLibrary = "/nowhere"}, "/", 0.02, [&](const MachineFacts&, const MachineReading&) {
            if (++samples == 1) throw std::runtime_error("made by a test");
        });
        QTRY_VERIFY_WITH_TIMEOUT(samples >= 3, sconce::test::patienceMs);
    }
};

QTEST_GUILESS_MAIN(MachineTest)
#include "machine_test.moc"

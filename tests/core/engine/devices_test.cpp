// SPDX-License-Identifier: GPL-3.0-or-later
// Devices, versions, and the engine library: loaded when first needed and not before, and a sentence where it is missing.

#include "core/engine/devices.h"

#include <QCoreApplication>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>

using namespace sconce;

namespace {

/// Files of that name in this process.
std::set<std::string> mappedFiles(const char* library)
{
    std::set<std::string> files;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find(library) != std::string::npos) files.insert(line.substr(line.find('/')));
    return files;
}

bool hasMapped(const char* library)
{
    return !mappedFiles(library).empty();
}

/// What a program without the engine library beside it says.
int probe()
{
    const ComputeDevice first = computeDevices().at(0);
    const auto device = resolveDevice("auto");
    std::printf("%s|%s|%s|%s\n", first.usable ? "usable" : "unusable", first.whyNot.c_str(), device.ok() ? "resolved" : device.error().text().c_str(),
                engineVersions().torch.c_str());
    return 0;
}

} // namespace

class DevicesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void loadsTorchOnlyWhenNeeded(); // first: later tests load it
    void listsTheCpuFirst();
    void tellsVersions();
    void resolves();
    void missingLibraryIsASentence();
};

void DevicesTest::loadsTorchOnlyWhenNeeded()
{
    QVERIFY(!hasMapped("libtorch_cpu.so"));
    prepareEngineProcess();
    QCOMPARE(*resolveDevice("cpu"), std::string("cpu"));
    QVERIFY(!hasMapped("libtorch_cpu.so"));
    QVERIFY(!computeDevices().empty());
    QVERIFY(hasMapped("libtorch_cpu.so"));
    // One OpenMP for all: two would fight over the cores. Qt brings the system's in (through libb2); without Qt it is torch's.
    QCOMPARE(mappedFiles("libgomp").size(), std::size_t{1});
}

void DevicesTest::listsTheCpuFirst()
{
    const auto devices = computeDevices();
    QCOMPARE(devices[0].id, std::string("cpu"));
    QVERIFY(devices[0].usable && devices[0].whyNot.empty() && devices[0].uuid.empty());
    QVERIFY(!devices[0].name.empty() && !devices[0].detail.empty());
    QVERIFY(devices[0].memoryBytes > (64u << 20) && devices[0].freeBytes <= devices[0].memoryBytes);
    for (std::size_t i = 1; i < devices.size(); ++i) {
        QCOMPARE(devices[i].id, "cuda:" + std::to_string(i - 1));
        QVERIFY(devices[i].usable != !devices[i].whyNot.empty());
        QVERIFY(devices[i].uuid.rfind("GPU-", 0) == 0 && devices[i].memoryBytes > 0);
    }
}

void DevicesTest::tellsVersions()
{
    const EngineVersions versions = engineVersions();
    QVERIFY2(versions.torch.rfind("2.", 0) == 0, versions.torch.c_str());
    QVERIFY(!versions.cpuCapability.empty());
    if (computeDevices().size() == 1) QVERIFY(versions.cuda.empty() && versions.cudnn.empty());
}

void DevicesTest::resolves()
{
    const auto devices = computeDevices();
    bool gpu = false;
    for (const ComputeDevice& device : devices) gpu = gpu || (device.id != "cpu" && device.usable);
    QCOMPARE(*resolveDevice("auto"), std::string(gpu ? "cuda:0" : "cpu"));
    const auto none = resolveDevice("cuda:" + std::to_string(devices.size()));
    QCOMPARE(none.error().code, ErrorCode::Unsupported);
    QVERIFY(!none.error().remedy.empty() && none.error().message.back() == '.');
    QCOMPARE(resolveDevice("tpu").error().code, ErrorCode::Invalid);
}

void DevicesTest::missingLibraryIsASentence()
{
    QTemporaryDir elsewhere;
    const QString copy = elsewhere.filePath("program");
    QVERIFY(QFile::copy(QCoreApplication::applicationFilePath(), copy));
    QProcess process;
    process.start(copy, {"--probe"});
    QVERIFY(process.waitForFinished(60000));
    const QList<QByteArray> said = process.readAllStandardOutput().trimmed().split('|');
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(said.size(), 4);
    QCOMPARE(said[0], QByteArray("unusable"));
    QVERIFY(said[1].contains("engine library") && said[1].contains("run.sh"));
    QVERIFY(said[2].contains("engine library"));
    QCOMPARE(said[3], QByteArray());
}

int main(int argc, char** argv)
{
    if (argc == 2 && std::strcmp(argv[1], "--probe") == 0) return probe();
    QCoreApplication application(argc, argv);
    DevicesTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "devices_test.moc"

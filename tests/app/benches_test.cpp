// SPDX-License-Identifier: GPL-3.0-or-later
// The built-in benches from the inside: what a step costs by arithmetic, figures of single times, made data, where the peer's scripts lie.
#include "app/bench/benches.h"
#include "app/bench/peer.h"
#include "app/bench/recipes.h"
#include "tests/support/cli.h"

#include <QDir>

using namespace sconce;
using namespace sconce::bench;

class BenchesTest : public QObject
{
    Q_OBJECT

    static double flopOf(Recipe recipe, std::int64_t batch, const ValueType& input)
    {
        recipe.training.batchSize = batch;
        auto flop = flopPerStep(recipe, input);
        return flop ? *flop : -1;
    }
    static ValueType made(Made kind)
    {
        auto folder = ScratchFolder::create();
        if (!folder) qFatal("%s", folder.error().text().c_str());
        auto data = makeData(kind, folder->path());
        if (!data) qFatal("%s", data.error().text().c_str());
        auto opened = openDataset(data->path);
        if (!opened) qFatal("%s", opened.error().text().c_str());
        return factsOf((*opened)->info()).input;
    }

  private Q_SLOTS:
    /// By hand: Keras' network as the facts have it; the others by the sum over their products.
    void arithmeticOfAStep()
    {
        QCOMPARE(flopOf(findStarter("mnist-convnet")->recipe, 128, made(Made::Digits)), 14'256'384.0 * 128);

        double macs = 0;
        int channels = 64, side = 32;
        for (const auto& [width, stride] : {std::pair{64, 1}, {128, 2}, {256, 2}, {512, 2}})
            for (const int step : {stride, 1}) {
                const int out = side / step;
                macs += (9.0 * channels * width + 9.0 * width * width) * out * out;
                if (step != 1 || channels != width) macs += 1.0 * channels * width * out * out;
                channels = width;
                side = out;
            }
        macs += 512 * 10;
        const double stem = 3.0 * 64 * 9 * 32 * 32; // its input needs no gradient
        QCOMPARE(flopOf(resnet18(), 128, made(Made::ColourPictures)), 2 * 128 * (3 * macs + 2 * stem));

        // Four blocks of 12·D² weights at 64 positions and two products of attention, and the head; three times, as all is also gone back through.
        const double block = 64 * 12.0 * 128 * 128 + 2.0 * 64 * 64 * 128;
        QCOMPARE(flopOf(smallGpt(), 12, made(Made::Text)), 2.0 * 3 * 12 * (4 * block + 64.0 * 128 * 65));
    }

    void figuresOfTimes()
    {
        std::vector<double> seconds;
        for (int i = 11; i > 0; --i) seconds.push_back(i * 1e-3);
        const Measured measured = measuredFrom(seconds, 1e3);
        QCOMPARE(measured.median, 6.0);
        QCOMPARE(measured.mean, 6.0);
        QCOMPARE(measured.p10, 2.0);
        QCOMPARE(measured.p90, 10.0);
    }

    void madeDataIsGoneAfterwards()
    {
        QString path;
        {
            auto folder = ScratchFolder::create();
            QVERIFY(folder.ok());
            path = QString::fromStdString(folder->path());
            QVERIFY(makeData(Made::Text, folder->path()).ok());
            QVERIFY(QDir(path).exists());
            const ScratchFolder moved = std::move(*folder);
            QVERIFY(QDir(path).exists());
        }
        QVERIFY(!QDir(path).exists());
    }

    void scriptsOfAPackageAndOfACheckout()
    {
        test::TemporaryFolder folder;
        const QDir at(QString::fromStdString(folder.path()));
        for (const char* each : {"usr/bin", "usr/share/sconce/bench", "src/build/release/bin", "src/tests/bench", "lonely/bin"}) QVERIFY(at.mkpath(each));
        test::writeText(folder / "usr/share/sconce/bench/b1.py", "");
        test::writeText(folder / "src/tests/bench/b1.py", "");
        QCOMPARE(findPeerScript("b1.py", folder / "usr/bin").value(), folder / "usr/share/sconce/bench/b1.py");
        QCOMPARE(findPeerScript("b1.py", folder / "src/build/release/bin").value(), folder / "src/tests/bench/b1.py");
        const auto none = findPeerScript("b1.py", folder / "lonely/bin");
        QVERIFY(!none.ok());
        QCOMPARE(none.error().code, ErrorCode::NotFound);
        QVERIFY2(none.error().message.find(folder / "lonely/share/sconce/bench/b1.py") != std::string::npos, none.error().message.c_str());
        for (const BenchEntry& entry : benchEntries()) // those that are named are there
            if (!entry.peer.empty()) QVERIFY2(findPeerScript(entry.peer).ok(), entry.peer.c_str());
    }

    /// Peers of another framework than PyTorch have Pythons of their own.
    void whichPython()
    {
        QCOMPARE(pythonFor("tuned", "/usr/bin/python3").value(), std::string("/usr/bin/python3"));
        for (const auto& [mode, variable] : {std::pair{"keras", "SCONCE_BENCH_KERAS"}, {"jax", "SCONCE_BENCH_JAX"}}) {
            qunsetenv(variable);
            const auto none = pythonFor(mode, "/usr/bin/python3");
            QVERIFY(!none.ok());
            QCOMPARE(none.error().code, ErrorCode::NotFound);
            QVERIFY2(none.error().remedy.find(std::string("setup.sh ") + mode) != std::string::npos, none.error().remedy.c_str());
            qputenv(variable, "/there/python");
            QCOMPARE(pythonFor(mode, "/usr/bin/python3").value(), std::string("/there/python"));
            qunsetenv(variable);
        }
    }

    void everyEntryCanBeRead()
    {
        QStringList ids;
        for (const BenchEntry& entry : benchEntries()) {
            QVERIFY2(test::notASentence(QString::fromStdString(entry.help)).isEmpty(), entry.id.c_str());
            QVERIFY(!ids.contains(QString::fromStdString(entry.id)));
            ids += QString::fromStdString(entry.id);
            for (const std::string& usual : entry.usualModes) QVERIFY2(std::find(entry.modes.begin(), entry.modes.end(), usual) != entry.modes.end(), usual.c_str());
            QCOMPARE(entry.peer.empty(), entry.modes.empty());
        }
    }
};

QTEST_GUILESS_MAIN(BenchesTest)
#include "benches_test.moc"

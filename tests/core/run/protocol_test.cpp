// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/run/protocol.h"

#include <QTest>

#include <bit>
#include <cmath>
#include <limits>

using namespace sconce;

namespace {

constexpr float quietNan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr double nan64 = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool sameBits(const std::vector<float>& a, const std::vector<float>& b)
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
    return true;
}

template <class T> T there(const T& body, bool* ok)
{
    const Event event{42, 1763706944123, body};
    const std::string line = encode(event);
    *ok = line.find('\n') == std::string::npos;
    auto decoded = decodeEvent(line);
    *ok = *ok && decoded.ok() && decoded->has_value() && (*decoded)->sequence == 42 && (*decoded)->time == event.time &&
          std::holds_alternative<T>((*decoded)->body);
    // Writing what was read gives the same line: no field was lost.
    *ok = *ok && encode(**decoded) == line;
    return *ok ? std::get<T>((*decoded)->body) : T{};
}

} // namespace

class ProtocolTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void stepsSurviveExactly()
    {
        StepsDone steps;
        steps.firstStep = 421;
        steps.loss = {0.1f, quietNan, infinite, -infinite, -0.0f, std::numeric_limits<float>::denorm_min(),
                      std::numeric_limits<float>::max(), 2.302585f};
        steps.accuracy = {0, 1, 0.5f, 0.25f, quietNan, 1, 1, 1};
        steps.learningRate = std::vector<float>(8, 1e-3f);
        steps.seconds = {0.1, 0.2, 86400.123456789, 1e9 + 1e-6, 5, 6, 7, 8};
        steps.samplesPerSecond = 12345.678901234567;
        bool ok = false;
        const StepsDone back = there(steps, &ok);
        QVERIFY(ok);
        QCOMPARE(back.firstStep, steps.firstStep);
        QVERIFY(sameBits(back.loss, steps.loss));
        QVERIFY(sameBits(back.accuracy, steps.accuracy));
        QVERIFY(sameBits(back.learningRate, steps.learningRate));
        QCOMPARE(back.seconds, steps.seconds);
        QVERIFY(back.samplesPerSecond == steps.samplesPerSecond);
    }

    void everyLengthOfArray()
    {
        for (int n = 0; n < 40; ++n) {
            StepsDone steps;
            for (int i = 0; i < n; ++i) {
                steps.loss.push_back(float(i) / 3);
                steps.accuracy.push_back(float(i));
                steps.learningRate.push_back(-float(i));
                steps.seconds.push_back(i / 7.0);
            }
            bool ok = false;
            const StepsDone back = there(steps, &ok);
            QVERIFY(ok);
            QCOMPARE(back.loss, steps.loss);
            QCOMPARE(back.seconds, steps.seconds);
        }
    }

    void everyOtherEvent()
    {
        bool ok = false;
        RunStarted started;
        started.run = "m3k9x2abcdefgh";
        started.attempt = 3;
        started.startStep = 844;
        started.stepsPerEpoch = 422;
        started.epochs = 15;
        started.batchSize = 128;
        started.device = "cuda:0";
        started.deviceName = "A \"quoted\"\nname";
        started.threads = 2;
        started.choices = Json{{"layout", "channels_last"}};
        const RunStarted startedBack = there(started, &ok);
        QVERIFY(ok);
        QCOMPARE(startedBack.deviceName, started.deviceName);
        QCOMPARE(startedBack.startStep, std::int64_t(844));
        QVERIFY(startedBack.choices == started.choices);

        EpochDone epoch{3, 1266, 0.5, 0.9, nan64, std::numeric_limits<double>::infinity(), 12.5, 4000.25, true};
        const EpochDone epochBack = there(epoch, &ok);
        QVERIFY(ok);
        QVERIFY(std::isnan(epochBack.valLoss) && std::isinf(epochBack.valAccuracy) && epochBack.best);
        QCOMPARE(epochBack.step, std::int64_t(1266));
        QVERIFY(epochBack.metrics.empty());
        // A task without accuracy.
        epoch.metrics = {{"train_mae", 0.25}, {"val_r2", nan64}};
        const EpochDone othersBack = there(epoch, &ok);
        QVERIFY(ok && othersBack.metrics.size() == 2 && std::isnan(othersBack.metrics.at("val_r2")));
        QCOMPARE(othersBack.metrics.at("train_mae"), 0.25);
        StepsDone steps{5, {1, 2}, {}, {0.1f, 0.1f}, {1, 2}, 10, {{"mae", {0.5f, 0.25f}}}};
        const StepsDone stepsBack = there(steps, &ok);
        QVERIFY(ok && stepsBack.accuracy.empty());
        QCOMPARE(stepsBack.metrics.at("mae"), (std::vector<float>{0.5f, 0.25f}));
        QCOMPARE(there(TestDone{1, nan64, {{"test_mae", 2}}}, &ok).metrics.at("test_mae"), 2.0);
        steps.metrics["mae"].pop_back(); // not as many as there are steps
        QVERIFY(!decodeEvent(encode(Event{1, 0, steps})).ok());

        QCOMPARE(there(EvaluationProgress{"validation", 3000, 6000}, &ok).total, std::int64_t(6000));
        QVERIFY(ok);
        QVERIFY(std::isnan(there(TestDone{nan64, 0.9915}, &ok).loss));
        QVERIFY(ok);
        const CheckpointSaved saved = there(CheckpointSaved{"/a/b", 7, "time", true, 0.25, 0.125, 0.0625}, &ok);
        QCOMPARE(saved.reason, std::string("time"));
        QCOMPARE(saved.writerCpuSeconds + saved.trainerCpuSeconds, 0.1875);
        QVERIFY(ok);
        for (int status = 0; status <= int(RunStatus::Failed); ++status) {
            QVERIFY(there(StatusChanged{RunStatus(status), "why"}, &ok).status == RunStatus(status));
            QVERIFY(ok);
        }
        const LogLine line = there(LogLine{"warning", 99, "Grüße ✓ \u0001 \\ \""}, &ok);
        QVERIFY(ok);
        QCOMPARE(line.text, std::string("Grüße ✓ \u0001 \\ \""));
        QCOMPARE(line.time, WallMs(99));
        QCOMPARE(there(CommandAnswered{17, 100, false, "no"}, &ok).command, std::int64_t(17));
        QVERIFY(ok);
        const Amended amended = there(Amended{{10, "/training/epochs", 15, 20}}, &ok);
        QVERIFY(ok);
        QVERIFY(amended.amendment.before == Json(15) && amended.amendment.after == Json(20));
        HardwareRead hardware{1.5, {{"cpu", 0.5}, {"gpu0.power", nan64}, {"gpu0.use", 1}}};
        const HardwareRead hardwareBack = there(hardware, &ok);
        QVERIFY(ok);
        QCOMPARE(hardwareBack.values.size(), std::size_t(3));
        QCOMPARE(hardwareBack.values[1].first, std::string("gpu0.power"));
        QVERIFY(std::isnan(hardwareBack.values[1].second));

        const std::vector<float> some{0, 1, 2, 2, std::numeric_limits<float>::quiet_NaN()}, strange(3, std::numeric_limits<float>::infinity());
        HistogramsTaken taken{42, {{TensorNumbers::Kind::Gradient, "l3", "conv1.weight", {5}, histogramOf(some)}, {TensorNumbers::Kind::Activation, "l4", "relu1", {3, 1}, histogramOf(strange)}}};
        const HistogramsTaken takenBack = there(taken, &ok);
        QVERIFY(ok);
        QCOMPARE(takenBack.step, std::int64_t(42));
        QCOMPARE(takenBack.tensors.size(), std::size_t(2));
        const TensorNumbers& gradient = takenBack.tensors[0];
        QVERIFY(gradient.kind == TensorNumbers::Kind::Gradient && gradient.layer == "l3" && gradient.name == "conv1.weight" && gradient.shape == std::vector<std::int64_t>{5});
        QVERIFY(gradient.numbers == histogramOf(some));
        QVERIFY(takenBack.tensors[1].numbers.bins.empty() && std::isnan(takenBack.tensors[1].numbers.mean) && takenBack.tensors[1].numbers.nonFinite == 3);
        taken.tensors[0].numbers.bins[0] += 1; // counts that do not add up
        QVERIFY(!decodeEvent(encode(Event{1, 0, taken})).ok());
        taken.tensors[0].numbers.bins.pop_back();
        QVERIFY(!decodeEvent(encode(Event{1, 0, taken})).ok());
    }

    void summaryKeepsWhatIsUnknown()
    {
        RunEnded ended;
        ended.status = RunStatus::Failed;
        ended.summary.epochs = 2;
        ended.summary.valLoss = std::numeric_limits<double>::infinity();
        ended.summary.bestEpoch = 2;
        ended.summary.checkpoint = "/x/step-1";
        ended.errorCode = "not-finite";
        ended.message = "The loss became NaN.";
        bool ok = false;
        const RunEnded back = there(ended, &ok);
        QVERIFY(ok);
        QVERIFY(std::isnan(back.summary.testLoss) && std::isinf(back.summary.valLoss));
        QCOMPARE(back.summary.bestEpoch, std::int64_t(2));
        QCOMPARE(RunSummary::fromJson(RunSummary().toJson()).bestEpoch, std::int64_t(-1));
        QVERIFY(RunSummary().toJson()["test_loss"].is_null());
        QVERIFY(same(RunSummary::fromJson(Json(3)).trainLoss, nan64));
    }

    void everyCommand()
    {
        const std::vector<CommandBody> bodies{PauseCommand{}, ResumeCommand{}, StopCommand{true, "window closed"},
                                              CheckpointCommand{}, AmendCommand{"/training/epochs", 20}};
        for (const CommandBody& body : bodies) {
            const std::string line = encode(Command{5, body});
            auto back = decodeCommand(line);
            QVERIFY(back.ok() && back->has_value());
            QCOMPARE((*back)->id, std::int64_t(5));
            QCOMPARE((*back)->body.index(), body.index());
            QCOMPARE(encode(**back), line);
        }
        const auto stop = decodeCommand(encode(Command{1, bodies[2]}));
        QVERIFY(std::get<StopCommand>((*stop)->body).handOver);
    }

    void unknownTypesAndFieldsAreSkipped()
    {
        auto later = decodeEvent(R"({"v":9,"type":"gradients","seq":3,"deep":{"x":[1,2]}})");
        QVERIFY(later.ok() && !later->has_value());
        auto command = decodeCommand(R"({"v":9,"type":"fly","id":3})");
        QVERIFY(command.ok() && !command->has_value());
        auto more = decodeEvent(R"({"v":2,"type":"test","seq":3,"loss":0.5,"accuracy":0.9,"auc":0.99})");
        QVERIFY(more.ok() && more->has_value());
        QVERIFY(std::get<TestDone>((*more)->body).loss == 0.5);
    }

    void whatIsNoMessageIsAnError_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("text") << QByteArray("hello");
        QTest::newRow("array") << QByteArray("[1]");
        QTest::newRow("no type") << QByteArray("{\"seq\":1}");
        QTest::newRow("type is a number") << QByteArray("{\"type\":1}");
        QTest::newRow("wrong field type") << QByteArray("{\"type\":\"test\",\"loss\":\"big\"}");
        QTest::newRow("not base64") << QByteArray("{\"type\":\"steps\",\"first\":0,\"loss\":\"!!!!\"}");
        QTest::newRow("half a float") << QByteArray("{\"type\":\"steps\",\"first\":0,\"loss\":\"AAA=\"}");
        QTest::newRow("lengths differ") << QByteArray("{\"type\":\"steps\",\"first\":0,\"loss\":\"AAAAAA==\"}");
        QTest::newRow("negative step") << QByteArray("{\"type\":\"steps\",\"first\":-1}");
        QTest::newRow("unknown status") << QByteArray("{\"type\":\"status\",\"status\":\"asleep\"}");
        QTest::newRow("bad pairs") << QByteArray("{\"type\":\"hardware\",\"values\":[[\"cpu\"]]}");
        QTest::newRow("deep") << QByteArray("{\"type\":\"test\",\"x\":") + QByteArray(10000, '[') + QByteArray(10000, ']') + "}";
    }
    void whatIsNoMessageIsAnError()
    {
        QFETCH(QByteArray, line);
        auto decoded = decodeEvent(std::string_view(line.constData(), std::size_t(line.size())));
        QVERIFY(!decoded.ok());
        QVERIFY(!decoded.error().message.empty());
    }

    void bytesThatAreNotUtf8DoNotThrow()
    {
        auto back = decodeEvent(encode(Event{1, 2, LogLine{"info", 3, "caf\xe9"}}));
        QVERIFY(back.ok() && back->has_value());
        QVERIFY(std::get<LogLine>((*back)->body).text.starts_with("caf"));
    }
};

QTEST_GUILESS_MAIN(ProtocolTest)
#include "protocol_test.moc"

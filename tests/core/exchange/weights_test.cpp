// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exchange/weights.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>
#include <limits>

using namespace sconce;

class WeightsTest : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    std::string at(const char* name) const { return m_dir.path().toStdString() + "/" + name; }

  private Q_SLOTS:
    void weightsCarryTheirRecipe()
    {
        const std::vector<float> kernel{1.5f, -2, 3, std::numeric_limits<float>::min(), 5, 6}, bias{0.25f, -0.0f};
        const std::vector<TensorView> tensors{{"l1.kernel", DType::F32, {2, 3}, std::as_bytes(std::span(kernel))},
                                              {"l1.bias", DType::F32, {2}, std::as_bytes(std::span(bias))}};
        Recipe recipe;
        recipe.name = "my net";
        recipe.seed = 7;
        DatasetInfo data;
        data.id = "mnist";
        data.title = "MNIST";
        data.sample = imageType(1, 28, 28);
        data.classes = {"zero", "one, \"quoted\""};
        data.fingerprint = "abc";
        const std::string out = at("model.safetensors");
        QVERIFY(exportWeights(out, tensors, recipe, data).ok());
        const auto file = SafetensorsFile::open(out);
        QVERIFY(file.ok());
        QCOMPARE(file->tensors().size(), std::size_t(2));
        const TensorView* back = file->find("l1.kernel");
        QVERIFY(back && back->shape == (std::vector<std::int64_t>{2, 3}));
        QCOMPARE(std::memcmp(back->bytes.data(), kernel.data(), sizeof(float) * 6), 0);
        const auto classes = parseJson(file->metadata().at("classes"), "classes");
        QVERIFY(classes.ok());
        QCOMPARE((*classes)[1].get<std::string>(), std::string("one, \"quoted\""));
        const auto json = parseJson(file->metadata().at("recipe"), "recipe");
        QVERIFY(json.ok());
        const auto parsed = recipeFromJson(*json);
        QVERIFY(parsed.ok());
        QVERIFY(parsed->recipe == recipe);
        QVERIFY(exportFormats() == std::vector<std::string>{"safetensors"});
    }

    void whatCannotBeWrittenIsSaid()
    {
        const auto none = exportWeights(at("none.safetensors"), {}, {}, {});
        QVERIFY(!none.ok() && !none.error().message.empty());
        QVERIFY(!QFile::exists(QString::fromStdString(at("none.safetensors"))));
        const std::vector<float> one{1};
        const std::vector<TensorView> tensors{{"w", DType::F32, {1}, std::as_bytes(std::span(one))}};
        const auto nowhere = exportWeights(at("no/such/folder/w.safetensors"), tensors, {}, {});
        QVERIFY(!nowhere.ok() && !nowhere.error().message.empty());
    }

    void everyPointIsInTheCsv()
    {
        auto store = Store::open(at("store"));
        QVERIFY(store.ok());
        NewRun run;
        const auto id = (*store)->createRun(run);
        QVERIFY(id.ok());
        QVERIFY((*store)->openAttempt(*id, 0, "thread", {}, "cpu", "", "", 10).ok());
        StepsDone steps;
        steps.loss = {0.1f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e-30f};
        steps.accuracy = {0, 0.25f, 0.5f, 1};
        steps.learningRate.assign(4, 1e-3f);
        steps.seconds = {1, 2, 3, 604800.0011};
        QVERIFY((*store)->record(*id, 1, Event{0, 1, steps}).ok());
        QVERIFY((*store)->record(*id, 1, Event{1, 1, HardwareRead{1, {{"odd, \"name\"", 1}}}}).ok());
        QVERIFY((*store)->flush().ok());
        QVERIFY(exportSeriesCsv(**store, *id, at("run.csv")).ok());
        QFile file(QString::fromStdString(at("run.csv")));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QStringList lines = QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 1 + 4 * 4 + 1);
        QCOMPARE(lines.first(), QString("step,key,value"));
        QVERIFY(lines.contains("0,train/loss,0.1"));
        QVERIFY(lines.contains("1,train/loss,NaN"));
        QVERIFY(lines.contains("2,train/loss,inf"));
        QVERIFY(lines.contains("3,train/loss,-1e-30"));
        QVERIFY(lines.contains("3,train/seconds,604800.0011")); // a 64-bit series keeps its digits
        QVERIFY(lines.contains("1000,\"hardware/odd, \"\"name\"\"\",1"));
        const auto unknown = exportSeriesCsv(**store, "nonesuch", at("x.csv"));
        QVERIFY(!unknown.ok() && unknown.error().code == ErrorCode::NotFound);
    }
};

QTEST_GUILESS_MAIN(WeightsTest)
#include "weights_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluate/evaluate.h"

#include "core/data/split.h"
#include "core/model/catalogue.h"

#include <QtTest>

#include <cmath>
#include <cstring>
#include <map>

using namespace sconce;

namespace {

DatasetInfo threeClasses()
{
    DatasetInfo info;
    info.title = "Three";
    info.sample = imageType(1, 4, 4);
    info.sample.dtype = DType::U8;
    info.classes = {"a", "b", "c"};
    info.trainingCount = 40;
    info.testCount = 6;
    return info;
}

class FourPixels final : public Dataset
{
  public:
    FourPixels()
    {
        m_info = threeClasses();
        for (std::size_t part = 0; part < 2; ++part) {
            const auto rows = static_cast<std::size_t>(part == 0 ? m_info.trainingCount : m_info.testCount);
            for (std::size_t i = 0; i < rows; ++i) {
                m_labels[part].push_back(static_cast<std::int32_t>(i % 3));
                for (std::size_t j = 0; j < 16; ++j) m_bytes[part].push_back(static_cast<std::uint8_t>((i * 37 + j * 11 + part * 5) % 256));
            }
        }
    }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(m_bytes[at(part)].data() + rows[i] * 16, 16, out.data() + i * 16);
    }
    std::span<const std::int32_t> labels(Part part) const override { return m_labels[at(part)]; }

  private:
    static std::size_t at(Part part) { return part == Part::Training ? 0 : 1; }
    std::vector<std::uint8_t> m_bytes[2];
    std::vector<std::int32_t> m_labels[2];
};

Recipe smallRecipe()
{
    Recipe recipe;
    std::vector<JsonProblem> problems;
    recipe.stack = stackFromJson(*parseJson(R"([{"type":"flatten"},{"type":"dense","units":3}])", "test"), "/layers", problems);
    recipe.data.split.validation = 0.25;
    return recipe;
}

Picture blank(int width, int height)
{
    return {width, height, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height), 0)};
}

void ink(Picture& picture, int x, int y, int w, int h, std::uint8_t value = 255)
{
    for (int j = y; j < y + h; ++j)
        for (int i = x; i < x + w; ++i) picture.pixels[static_cast<std::size_t>(j * picture.width + i)] = value;
}

struct Mass { double x = 0, y = 0, sum = 0; int left = 1 << 20, top = 1 << 20, right = -1, bottom = -1; };
Mass massOf(const Picture& picture)
{
    Mass mass;
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x) {
            const double value = picture.pixels[static_cast<std::size_t>(y * picture.width + x)];
            if (value == 0) continue;
            mass.sum += value;
            mass.x += value * (x + 0.5);
            mass.y += value * (y + 0.5);
            mass.left = std::min(mass.left, x);
            mass.right = std::max(mass.right, x);
            mass.top = std::min(mass.top, y);
            mass.bottom = std::max(mass.bottom, y);
        }
    if (mass.sum > 0) mass.x /= mass.sum, mass.y /= mass.sum;
    return mass;
}

} // namespace

class EvaluateTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void reportByHand();
    void topFiveAndMacroF1();
    void reportOfNothing();
    void reportSurvivesZeroAndNaN();
    void rowsOfEverySplit();
    void evaluatesAModel();
    void macroF1IsTheRuns();
    void refusesWrongWeights();
    void recordsArePlanar();
    void drawingsAreCentred_data();
    void drawingsAreCentred();
    void emptyDrawingIsBlank();
};

void EvaluateTest::reportByHand()
{
    // truth:                              a      b      c      a      c
    const std::vector<std::int32_t> labels{0, 1, 2, 0, 2, 1};
    const std::vector<std::int64_t> rows{0, 1, 2, 3, 4};
    const std::vector<float> p{0.7f, 0.2f, 0.1f,  0.6f, 0.3f, 0.1f,  0.1f, 0.1f, 0.8f,  0.2f, 0.7f, 0.1f,  0.05f, 0.9f, 0.05f};
    const EvaluationReport report = reportFrom(threeClasses(), Part::Test, rows, labels, p);
    QCOMPARE(report.count, std::int64_t{5});
    QCOMPARE(report.accuracy, 0.4);
    const double loss = -(std::log(0.7) + std::log(0.3) + std::log(0.8) + std::log(0.2) + std::log(0.05)) / 5;
    QVERIFY(std::abs(report.loss - loss) < 1e-6);
    QCOMPARE(report.confusion, (std::vector<std::vector<std::int64_t>>{{1, 1, 0}, {1, 0, 0}, {0, 1, 1}}));
    QCOMPARE(report.perClass[0].precision, 0.5);
    QCOMPARE(report.perClass[0].recall, 0.5);
    QCOMPARE(report.perClass[1].precision, 0.0);
    QCOMPARE(report.perClass[1].f1, 0.0);
    QCOMPARE(report.perClass[2].precision, 1.0);
    QCOMPARE(report.perClass[2].recall, 0.5);
    QVERIFY(std::abs(report.perClass[2].f1 - 2.0 / 3) < 1e-9);
    QCOMPARE(report.perClass[2].count, std::int64_t{2});
    // The most confident mistake comes first.
    QCOMPARE(report.mistakes.size(), std::size_t{3});
    QCOMPARE(report.mistakes[0].row, std::int64_t{4});
    QCOMPARE(report.mistakes[0].said, 1);
    QCOMPARE(report.mistakes[1].row, std::int64_t{3});
    QCOMPARE(report.mistakes[2].row, std::int64_t{1});
    const Json json = report.toJson();
    QCOMPARE(json["per_class"][2]["class"].get<std::string>(), std::string("c"));
    QCOMPARE(json["mistakes"].get<int>(), 3);
    QCOMPARE(json["confusion"][0][1].get<int>(), 1);
}

void EvaluateTest::topFiveAndMacroF1()
{
    QVERIFY(std::isnan(reportFrom(threeClasses(), Part::Test, std::vector<std::int64_t>{0}, std::vector<std::int32_t>{0}, std::vector<float>{1, 0, 0}).top5)); // three classes: always
    DatasetInfo seven = threeClasses();
    seven.classes = {"a", "b", "c", "d", "e", "f", "g"};
    const std::vector<std::int32_t> labels{0, 1, 5, 6};
    const std::vector<std::int64_t> rows{0, 1, 2, 3};
    const std::vector<float> p{0.4f, 0.3f, 0.1f, 0.05f, 0.05f, 0.05f, 0.05f,   // right
                               0.4f, 0.3f, 0.1f, 0.05f, 0.05f, 0.05f, 0.05f,   // the second
                               0.3f, 0.2f, 0.15f, 0.14f, 0.13f, 0.05f, 0.03f,  // the sixth
                               0.1f, 0.2f, 0.15f, 0.14f, 0.04f, 0.05f, 0.32f}; // right
    const EvaluationReport report = reportFrom(seven, Part::Test, rows, labels, p);
    QCOMPARE(report.top5, 0.75);
    // Class a: precision 1/3, recall 1, F1 0.5; class g: 1; b and f 0. The others are neither there nor said.
    QVERIFY(std::abs(report.macroF1 - 1.5 / 4) < 1e-12);
    QCOMPARE(report.toJson()["top5_accuracy"].get<double>(), 0.75);
    QVERIFY(report.toJson()["macro_f1"].is_number());
}

void EvaluateTest::reportOfNothing()
{
    const EvaluationReport report = reportFrom(threeClasses(), Part::Test, {}, {}, {});
    QCOMPARE(report.count, std::int64_t{0});
    QCOMPARE(report.accuracy, 0.0);
    QCOMPARE(report.perClass.size(), std::size_t{3});
    QVERIFY(!report.toJson().dump().empty());
}

void EvaluateTest::reportSurvivesZeroAndNaN()
{
    const std::vector<std::int32_t> labels{1};
    const std::vector<std::int64_t> rows{0};
    QVERIFY(std::isfinite(reportFrom(threeClasses(), Part::Test, rows, labels, std::vector<float>{1, 0, 0}).loss));
    const float nan = std::nanf("");
    const EvaluationReport broken = reportFrom(threeClasses(), Part::Test, rows, labels, std::vector<float>{nan, nan, nan});
    QVERIFY(std::isnan(broken.loss));
    QVERIFY(broken.toJson()["loss"].is_null());
}

void EvaluateTest::rowsOfEverySplit()
{
    const Recipe recipe = smallRecipe();
    const auto train = rowsOf(recipe, threeClasses(), "train"), validation = rowsOf(recipe, threeClasses(), "validation"), test = rowsOf(recipe, threeClasses(), "test");
    QVERIFY(train.ok() && validation.ok() && test.ok());
    QCOMPARE(train->second.size(), std::size_t{30});
    QCOMPARE(validation->second.size(), std::size_t{10});
    QCOMPARE(validation->second.front(), std::int64_t{30});
    QCOMPARE(test->first, Part::Test);
    QCOMPARE(test->second.size(), std::size_t{6});
    QCOMPARE(rowsOf(recipe, threeClasses(), "everything").error().code, ErrorCode::Invalid);
    DatasetInfo untested = threeClasses();
    untested.testCount = 0;
    const auto none = rowsOf(recipe, untested, "test");
    QCOMPARE(none.error().code, ErrorCode::Invalid);
    QVERIFY(QString::fromStdString(none.error().message).contains("Three"));
}

/// The numbers of a report are those of a network worked out by hand.
void EvaluateTest::evaluatesAModel()
{
    const Recipe recipe = smallRecipe();
    const auto data = std::make_shared<FourPixels>();
    std::vector<float> weight(48), bias{0.1f, -0.2f, 0.3f};
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>((static_cast<int>(i * 7 % 13) - 6) * 0.1);
    const std::vector<TensorView> views{{"dense1.weight", DType::F32, {3, 16}, std::as_bytes(std::span(weight))},
                                        {"dense1.bias", DType::F32, {3}, std::as_bytes(std::span(bias))}};
    auto model = openModel(recipe, imageType(1, 4, 4), views, "cpu", 1);
    QVERIFY2(model.ok(), model.ok() ? "" : model.error().text().c_str());
    std::int64_t seen = 0;
    const auto report = evaluateModel(**model, recipe, data, "test", [&](std::int64_t done) { seen = done; return true; });
    QVERIFY2(report.ok(), report.ok() ? "" : report.error().text().c_str());
    QCOMPARE(seen, std::int64_t{6});
    QCOMPARE(report->part, std::string("test"));
    double loss = 0;
    for (std::int64_t row = 0; row < 6; ++row) {
        std::vector<std::uint8_t> record(16);
        data->gather(Part::Test, std::vector<std::int64_t>{row}, record);
        double z[3], sum = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            z[k] = bias[k];
            for (std::size_t j = 0; j < 16; ++j) z[k] += static_cast<double>(weight[k * 16 + j]) * record[j] / 255.0;
            sum += std::exp(z[k]);
        }
        const auto best = static_cast<std::int32_t>(std::max_element(z, z + 3) - z);
        QCOMPARE(report->said[static_cast<std::size_t>(row)], best);
        QVERIFY(std::abs(report->confidence[static_cast<std::size_t>(row)] - std::exp(z[best]) / sum) < 1e-5);
        loss -= z[row % 3] - std::log(sum);
    }
    QVERIFY(std::abs(report->loss - loss / 6) < 1e-5);
    QVERIFY(report->seconds >= 0);
    QCOMPARE(evaluateModel(**model, recipe, data, "validation", {})->count, std::int64_t{10});
    QCOMPARE(evaluateModel(**model, recipe, data, "test", [](std::int64_t) { return false; }).error().code, ErrorCode::Cancelled);
}

/// Of a network with more outputs than there are classes, too, which says some that are none.
void EvaluateTest::macroF1IsTheRuns()
{
    Recipe recipe = smallRecipe();
    recipe.stack.layers.back().params["units"] = std::int64_t{5};
    const auto data = std::make_shared<FourPixels>();
    std::vector<float> weight(80), bias{0.1f, -0.2f, 0.3f, 0.2f, 0.1f};
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>((static_cast<int>(i * 7 % 13) - 6) * 0.1);
    const std::vector<TensorView> views{{"dense1.weight", DType::F32, {5, 16}, std::as_bytes(std::span(weight))}, {"dense1.bias", DType::F32, {5}, std::as_bytes(std::span(bias))}};
    auto model = openModel(recipe, imageType(1, 4, 4), views, "cpu", 1);
    QVERIFY2(model.ok(), model.ok() ? "" : model.error().text().c_str());
    const auto report = evaluateModel(**model, recipe, data, "train", {});
    QVERIFY2(report.ok(), report.ok() ? "" : report.error().text().c_str());
    std::map<int, LabelCounts> counts; // by the definition
    int beyond = 0;
    for (std::size_t i = 0; i < report->rows.size(); ++i) {
        const int truth = data->labels(Part::Training)[static_cast<std::size_t>(report->rows[i])], said = report->said[i];
        ++(truth == said ? counts[truth].found : counts[truth].missed);
        if (said < 3 && said != truth) ++counts[said].wrong;
        beyond += said >= 3;
    }
    QVERIFY(beyond > 0 && report->accuracy > 0);
    double sum = 0;
    for (const auto& [label, count] : counts) sum += 2.0 * static_cast<double>(count.found) / static_cast<double>(2 * count.found + count.wrong + count.missed);
    QVERIFY(std::abs(report->macroF1 - sum / static_cast<double>(counts.size())) < 1e-12);
    std::int64_t inClasses = 0;
    for (const ClassMetrics& each : report->perClass) inClasses += each.count;
    QCOMPARE(inClasses, report->count); // every sample is of a class, also one that was said to be none

    SessionSpec spec;
    auto plan = lower(recipe.stack, imageType(1, 4, 4));
    QVERIFY(plan.ok());
    spec.plan = std::move(*plan);
    spec.task = recipe.task;
    spec.threads = 1;
    auto session = Session::open(std::move(spec));
    QVERIFY2(session.ok(), session.ok() ? "" : session.error().text().c_str());
    QVERIFY((*session)->setWeights(views).ok() && (*session)->useData(data).ok());
    const auto totals = (*session)->evaluate(Part::Training, report->rows, 7, {});
    QVERIFY2(totals.ok(), totals.ok() ? "" : totals.error().text().c_str());
    QCOMPARE(metricOf("macro_f1", *totals), report->macroF1);
    QCOMPARE(metricOf("accuracy", *totals), report->accuracy);
}

void EvaluateTest::refusesWrongWeights()
{
    const std::vector<float> weight(48);
    const std::vector<TensorView> views{{"dense1.weight", DType::F32, {3, 16}, std::as_bytes(std::span(weight))}};
    const auto model = openModel(smallRecipe(), imageType(1, 4, 4), views, "cpu", 1);
    QCOMPARE(model.error().code, ErrorCode::Corrupt);
    QVERIFY(QString::fromStdString(model.error().message).contains("dense1.bias"));
}

void EvaluateTest::recordsArePlanar()
{
    Picture colour{2, 1, 3, {10, 20, 30, 40, 50, 60}};
    QCOMPARE(recordFrom(colour, imageType(3, 1, 2)), (std::vector<std::uint8_t>{10, 40, 20, 50, 30, 60}));
    QCOMPARE(recordFrom(colour, imageType(1, 1, 2)), (std::vector<std::uint8_t>{18, 48})); // 0.299 R + 0.587 G + 0.114 B
    Picture grey{2, 1, 1, {7, 9}};
    QCOMPARE(recordFrom(grey, imageType(3, 1, 2)), (std::vector<std::uint8_t>{7, 9, 7, 9, 7, 9}));
    QCOMPARE(recordFrom(grey, imageType(1, 4, 4)).size(), std::size_t{16});

    // Every colour is mixed as the importer mixes it: else a picture would be another sample when it is predicted alone.
    Picture colours{64, 64, 3, {}};
    for (int i = 0; i < 64 * 64; ++i)
        for (const int value : {i % 16 * 17, i / 16 % 16 * 17, i / 256 * 17}) colours.pixels.push_back(static_cast<std::uint8_t>(value));
    Picture imported = colours;
    setChannels(imported, 1);
    QCOMPARE(recordFrom(colours, imageType(1, 64, 64)), imported.pixels);
}

void EvaluateTest::drawingsAreCentred_data()
{
    QTest::addColumn<int>("x");
    QTest::addColumn<int>("y");
    QTest::addColumn<int>("w");
    QTest::addColumn<int>("h");
    QTest::newRow("small in a corner") << 3 << 5 << 30 << 60;
    QTest::newRow("at the edge") << 250 << 200 << 30 << 80;
    QTest::newRow("the whole canvas") << 0 << 0 << 280 << 280;
    QTest::newRow("flat") << 20 << 200 << 200 << 9;
    QTest::newRow("a dot") << 140 << 20 << 3 << 3;
}

void EvaluateTest::drawingsAreCentred()
{
    QFETCH(int, x);
    QFETCH(int, y);
    QFETCH(int, w);
    QFETCH(int, h);
    Picture drawing = blank(280, 280);
    ink(drawing, x, y, w, h);
    const Picture centred = centredDrawing(drawing, 28, 28);
    QCOMPARE(centred.width, 28);
    QCOMPARE(centred.channels, 1);
    const Mass mass = massOf(centred);
    QVERIFY(std::abs(mass.x - 14) <= 0.6 && std::abs(mass.y - 14) <= 0.6);
    QCOMPARE(std::max(mass.right - mass.left, mass.bottom - mass.top) + 1, 20); // as MNIST: ink in a box of 20
}

void EvaluateTest::emptyDrawingIsBlank()
{
    Picture drawing = blank(280, 280);
    ink(drawing, 10, 10, 5, 5, 8); // fainter than ink
    const Picture centred = centredDrawing(drawing, 28, 28);
    QCOMPARE(centred.pixels, std::vector<std::uint8_t>(28 * 28, 0));
    // Lopsided ink: the centre of mass goes to the middle, not that of the box, and nothing is cut off.
    ink(drawing, 100, 50, 10, 120);
    ink(drawing, 100, 150, 60, 20);
    const Mass mass = massOf(centredDrawing(drawing, 28, 28));
    QVERIFY(std::abs(mass.x - 14) <= 0.6 && std::abs(mass.y - 14) <= 0.6);
    QCOMPARE(mass.bottom - mass.top + 1, 20);
    QCOMPARE(mass.right - mass.left + 1, 10);
}

QTEST_GUILESS_MAIN(EvaluateTest)
#include "evaluate_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// What tasks want of data and network, in sentences with a way out; and their metrics as pure arithmetic.
#include "core/recipe/task.h"

#include "core/model/catalogue.h"

#include <QtTest>

#include <cmath>

using namespace sconce;

namespace {

Recipe recipeOf(const std::string& task, const std::string& layers)
{
    Recipe recipe;
    std::vector<JsonProblem> problems;
    recipe.stack = stackFromJson(*parseJson(layers, "the layers"), "/layers", problems);
    recipe.task = {task, {}};
    return recipe;
}

DataFacts pictures(int classes = 10) { return DataFacts{imageType(1, 28, 28), 60'000, 10'000, classes, "MNIST"}; }

DataFacts table(int classes, bool numbers)
{
    DataFacts facts{featuresType(6), 1000, 0, classes, "wine"};
    facts.numbers = numbers;
    facts.target = "quality";
    facts.bytes = false;
    return facts;
}

/// The problems that keep it from starting, as "path: sentence" each.
QStringList blocking(const Recipe& recipe, const DataFacts& data)
{
    QStringList list;
    for (const Problem& problem : validate(recipe, data))
        if (problem.severity == Severity::Problem) list << QString::fromStdString(problem.path + ": " + problem.sentence);
    return list;
}

/// Does what the first fix says of each problem, until none is left.
Recipe mended(Recipe recipe, const DataFacts& data, QString* fault)
{
    for (int i = 0; i < 5; ++i) {
        const auto problems = validate(recipe, data);
        const auto bad = std::find_if(problems.begin(), problems.end(), [](const Problem& p) { return p.severity == Severity::Problem; });
        if (bad == problems.end()) return recipe;
        if (bad->fixes.empty()) {
            *fault = "no way out of: " + QString::fromStdString(bad->sentence);
            return recipe;
        }
        auto fixed = applyFix(recipe, bad->fixes.front());
        if (!fixed) {
            *fault = QString::fromStdString(fixed.error().message);
            return recipe;
        }
        recipe = *fixed;
    }
    *fault = "still not right: " + blocking(recipe, data).join("; ");
    return recipe;
}

DataFacts play()
{
    DataFacts facts{ValueType{DType::I64, {{Axis::Length, 16}}}, 1000, 0, 0, "Play"};
    facts.symbols = 40;
    facts.bytes = false;
    return facts;
}

DataFacts pets()
{
    DataFacts facts{featuresType(6), 1000, 0, 0, "Pets"};
    facts.labels = 3;
    facts.bytes = false;
    return facts;
}

constexpr const char* dense10 = R"([{"type":"flatten"},{"type":"dense","units":10}])";
constexpr const char* row10 = R"([{"type":"dense","units":10}])";
constexpr const char* row1 = R"([{"type":"dense","units":1}])";

} // namespace

class TaskTest : public QObject
{
    Q_OBJECT
  private Q_SLOTS:
    void demandsAndWaysOut_data()
    {
        QTest::addColumn<QString>("task");
        QTest::addColumn<QString>("layers");
        QTest::addColumn<int>("kind"); // 0 pictures, 1 table of 3 classes, 2 of 2, 3 of numbers, 4 of both, 5 text, 6 labels
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("becomes");
        QTest::newRow("classes fit") << "classification" << dense10 << 0 << "" << "classification";
        QTest::newRow("classes, too few units") << "classification" << row1 << 1 << "3 numbers" << "classification";
        QTest::newRow("classes of numbers") << "classification" << row1 << 3 << "no classes" << "regression";
        QTest::newRow("yes or no fits") << "binary" << row1 << 2 << "" << "binary";
        QTest::newRow("yes or no of 3") << "binary" << row1 << 1 << "exactly two" << "classification";
        QTest::newRow("yes or no of numbers") << "binary" << row1 << 3 << "no classes" << "regression";
        QTest::newRow("yes or no with 10 outputs") << "binary" << row10 << 2 << "1 number" << "binary";
        QTest::newRow("number fits") << "regression" << row1 << 3 << "" << "regression";
        QTest::newRow("number of both") << "regression" << row1 << 4 << "" << "regression";
        QTest::newRow("number of words") << "regression" << row1 << 1 << "holds words" << "classification";
        QTest::newRow("number of pictures") << "regression" << dense10 << 0 << "no numbers" << "classification";
        QTest::newRow("number with 10 outputs") << "regression" << row10 << 3 << "1 number" << "regression";
        QTest::newRow("back, a row") << "autoencoder" << R"([{"type":"dense","units":6}])" << 3 << "" << "autoencoder";
        QTest::newRow("back, another row") << "autoencoder" << row10 << 3 << "6 numbers" << "autoencoder";
        QTest::newRow("back, a picture") << "autoencoder" << R"([{"type":"conv2d","filters":1,"kernel":[3,3],"padding":"same"}])" << 0 << "" << "autoencoder";
        QTest::newRow("back, a row for a picture") << "autoencoder" << dense10 << 0 << "1×28×28" << "autoencoder";
        QTest::newRow("back, a flat picture") << "autoencoder" << R"([{"type":"flatten"},{"type":"dense","units":784}])" << 0 << "1×28×28" << "autoencoder";
        QTest::newRow("back, a smaller picture") << "autoencoder" << R"([{"type":"conv2d","filters":1,"kernel":[3,3],"padding":"valid"}])" << 0 << "1×28×28" << "autoencoder";
        QTest::newRow("symbols fit") << "language" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":40}])" << 5 << "" << "language";
        QTest::newRow("symbols, nothing yet") << "language" << "[]" << 5 << "no layers yet" << "language";
        QTest::newRow("symbols, too few units") << "language" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":10}])" << 5 << "16×40" << "language";
        QTest::newRow("symbols, no last layer") << "language" << R"([{"type":"embedding","symbols":40,"width":8}])" << 5 << "16×40" << "language";
        QTest::newRow("symbols beyond the table") << "language" << R"([{"type":"embedding","symbols":39,"width":8},{"type":"dense","units":40}])" << 5 << "knows 39 symbols" << "language";
        QTest::newRow("symbols without a table") << "language" << R"([{"type":"dense","units":40}])" << 5 << "symbols" << "language";
        QTest::newRow("symbols, sees the answer") << "language" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"self_attention","heads":2,"causal":false},{"type":"dense","units":40}])" << 5 << "would see the answer" << "language";
        QTest::newRow("symbols, looks back") << "language" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"self_attention","heads":2},{"type":"dense","units":40}])" << 5 << "" << "language";
        QTest::newRow("classes of a text") << "classification" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":40}])" << 5 << "is a text" << "language";
        QTest::newRow("a text given back") << "autoencoder" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":40}])" << 5 << "is a text" << "language";
        QTest::newRow("next symbol of pictures") << "language" << dense10 << 0 << "is no text" << "classification";
        QTest::newRow("next symbol of numbers") << "language" << row1 << 3 << "is no text" << "regression";
        QTest::newRow("labels fit") << "multilabel" << R"([{"type":"dense","units":3}])" << 6 << "" << "multilabel";
        QTest::newRow("labels, nothing yet") << "multilabel" << "[]" << 6 << "no layers yet" << "multilabel";
        QTest::newRow("labels, too many units") << "multilabel" << row10 << 6 << "expects 3 numbers" << "multilabel";
        QTest::newRow("labels of pictures of classes") << "multilabel" << dense10 << 0 << "no labels" << "classification";
        QTest::newRow("labels of two classes") << "multilabel" << row1 << 2 << "no labels" << "binary";
        QTest::newRow("labels of numbers") << "multilabel" << row1 << 3 << "no labels" << "regression";
        QTest::newRow("labels of a text") << "multilabel" << R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":40}])" << 5 << "is a text" << "language";
        QTest::newRow("classes of labels") << "classification" << R"([{"type":"dense","units":3}])" << 6 << "any number of 3 labels" << "multilabel";
        QTest::newRow("yes or no of labels") << "binary" << row1 << 6 << "any number of 3 labels" << "multilabel";
        QTest::newRow("a number of labels") << "regression" << row1 << 6 << "any number of 3 labels" << "multilabel";
        QTest::newRow("next symbol of labels") << "language" << row1 << 6 << "is no text" << "multilabel";
        QTest::newRow("labels given back") << "autoencoder" << R"([{"type":"dense","units":6}])" << 6 << "" << "autoencoder";
    }
    void demandsAndWaysOut()
    {
        QFETCH(QString, task);
        QFETCH(QString, layers);
        QFETCH(int, kind);
        QFETCH(QString, said);
        QFETCH(QString, becomes);
        const DataFacts facts[] = {pictures(), table(3, false), table(2, false), table(0, true), table(3, true), play(), pets()};
        const DataFacts& data = facts[kind];
        const Recipe recipe = recipeOf(task.toStdString(), layers.toStdString());
        const QStringList problems = blocking(recipe, data);
        QCOMPARE(problems.isEmpty(), said.isEmpty());
        if (!said.isEmpty()) QVERIFY2(problems.join("; ").contains(said), qPrintable(problems.join("; ")));
        QString fault;
        const Recipe good = mended(recipe, data, &fault);
        QVERIFY2(fault.isEmpty(), qPrintable(fault));
        QCOMPARE(QString::fromStdString(good.task.type), becomes);
    }

    /// So many samples for validation as there are would leave none to train on.
    void validationByNumber()
    {
        Recipe recipe = recipeOf("classification", row10);
        DataFacts data = table(10, false);
        recipe.data.split.validationCount = 999;
        recipe.training.batchSize = 1;
        QVERIFY2(blocking(recipe, data).isEmpty(), qPrintable(blocking(recipe, data).join("; ")));
        recipe.data.split.validationCount = 1000;
        QVERIFY(blocking(recipe, data).join("").contains("/data/split/validation_count: Validation takes 1,000 samples, but there are only 1,000."));
        QString fault;
        QCOMPARE(mended(recipe, data, &fault).data.split.validationCount, std::int64_t{100});
        recipe.data.split.test = 0.2; // of the rest
        recipe.data.split.validationCount = 800;
        QVERIFY(blocking(recipe, data).join("").contains("only 800"));
        recipe.data.split.validationCount = 799;
        QVERIFY(blocking(recipe, data).isEmpty());
        // Its own validation part is taken whole, whatever the number says.
        data.validationCount = 50;
        recipe.data.split.validationCount = 5000;
        QVERIFY(blocking(recipe, data).isEmpty());
    }

    /// What was set for holding samples back is not used beside a validation part of the data's own: said, and set back.
    void ownValidationPartIsToldWhatItLeavesUnused()
    {
        Recipe recipe = recipeOf("classification", row10);
        DataFacts data = table(10, false);
        recipe.training.batchSize = 1;
        const auto hints = [&] {
            QStringList list;
            for (const Problem& problem : validate(recipe, data))
                if (problem.severity == Severity::Hint && problem.sentence.find("validation part of its own") != std::string::npos) list << QString::fromStdString(problem.path + ": " + problem.sentence);
            return list;
        };
        recipe.data.split.validation = 0.3;
        QCOMPARE(hints(), QStringList{});
        data.validationCount = 50;
        QCOMPARE(hints(), QStringList{"/data/split/validation: wine has a validation part of its own (val/), so the share for validation is not used."});
        recipe.data.split.validationCount = 200;
        QCOMPARE(hints(), QStringList{"/data/split/validation_count: wine has a validation part of its own (val/), so the number for validation is not used."});
        for (const Problem& problem : validate(recipe, data))
            if (problem.path == "/data/split/validation_count") recipe = *applyFix(recipe, problem.fixes.at(0));
        QVERIFY(recipe.data.split == SplitSettings{});
        QCOMPARE(hints(), QStringList{}); // the defaults say nothing
        recipe.data.split.validation = 0.3;
        recipe.data.split.kind = SplitSettings::Kind::Shuffled; // drawn from all: now the share counts
        QCOMPARE(hints(), QStringList{});
        recipe.data.split.kind = SplitSettings::Kind::Last;
        data.validationCount = data.trainingCount; // nothing to train on: not taken as it is
        QCOMPARE(hints(), QStringList{});
    }

    void crossEntropyWantsShares()
    {
        Recipe recipe = recipeOf("autoencoder", R"([{"type":"conv2d","filters":1,"kernel":[3,3],"padding":"same","activation":"sigmoid"}])");
        recipe.task.params["loss"] = std::string("binary_crossentropy");
        QVERIFY(blocking(recipe, pictures()).isEmpty());
        recipe.data.input.normalise = true;
        QVERIFY(blocking(recipe, pictures()).join("").contains("normalised"));
        recipe.data.input = {false, false, 0, 1};
        QVERIFY(blocking(recipe, pictures()).join("").contains("not scaled"));
        QString fault;
        QVERIFY(mended(recipe, pictures(), &fault).data.input.scale);
        Recipe rows = recipeOf("autoencoder", R"([{"type":"dense","units":6}])");
        rows.task.params["loss"] = std::string("binary_crossentropy");
        QVERIFY(blocking(rows, table(0, true)).join("").contains("table"));
    }

    void earlyStoppingWatchesWhatThereIs()
    {
        Recipe recipe = recipeOf("regression", row1);
        setOption(recipe.training, "early_stopping", "enabled", true);
        setOption(recipe.training, "early_stopping", "watch", std::string("val_accuracy"));
        QVERIFY(blocking(recipe, table(0, true)).join("").contains("has none"));
        recipe.task.type = "binary";
        QVERIFY(blocking(recipe, table(2, false)).isEmpty());
    }

    /// What had better not stand at the end, by the loss.
    void lastActivations_data()
    {
        QTest::addColumn<QString>("task");
        QTest::addColumn<QString>("loss");
        QTest::addColumn<QString>("activation");
        QTest::addColumn<QString>("said");
        QTest::newRow("softmax of classes") << "classification" << "" << "softmax" << "already part of the loss, cross-entropy";
        QTest::newRow("relu of classes") << "classification" << "" << "relu" << "bends its answers";
        QTest::newRow("sigmoid of yes or no") << "binary" << "" << "sigmoid" << "already part of the loss, binary cross-entropy";
        QTest::newRow("sigmoid of labels") << "multilabel" << "" << "sigmoid" << "already part of the loss, binary cross-entropy";
        QTest::newRow("softmax of labels") << "multilabel" << "" << "softmax" << "bends its answers";
        QTest::newRow("relu of a number") << "regression" << "mse" << "relu" << "bends its answers";
        QTest::newRow("sigmoid of a picture") << "autoencoder" << "mse" << "sigmoid" << "";
        QTest::newRow("sigmoid of shares") << "autoencoder" << "binary_crossentropy" << "sigmoid" << "";
        QTest::newRow("relu of shares") << "autoencoder" << "binary_crossentropy" << "relu" << "bends its answers";
        QTest::newRow("none") << "regression" << "mse" << "none" << "";
    }
    void lastActivations()
    {
        QFETCH(QString, task);
        QFETCH(QString, loss);
        QFETCH(QString, activation);
        QFETCH(QString, said);
        const int units = task == "classification" ? 10 : task == "autoencoder" ? 784 : 1;
        Recipe recipe = recipeOf(task.toStdString(), QString(R"([{"type":"dense","units":%1,"activation":"%2"}])").arg(units).arg(activation).toStdString());
        if (!loss.isEmpty()) recipe.task.params["loss"] = loss.toStdString();
        DataFacts data = table(task == "classification" ? 10 : 2, true);
        data.bytes = true;
        if (task == "multilabel") data.labels = 1;
        data.input = featuresType(784);
        QStringList hints;
        for (const Problem& problem : validate(recipe, data)) {
            QVERIFY2(problem.severity == Severity::Hint, problem.sentence.c_str());
            if (problem.path.ends_with("/activation")) hints << QString::fromStdString(problem.sentence);
        }
        QVERIFY2(said.isEmpty() ? hints.isEmpty() : hints.join(";").contains(said), qPrintable(hints.join(";")));
    }

    void textsAreSplitAtTheirEnd()
    {
        Recipe recipe = recipeOf("language", R"([{"type":"embedding","symbols":40,"width":8},{"type":"dense","units":40}])");
        const auto hints = [&] {
            QStringList list;
            for (const Problem& problem : validate(recipe, play())) list << QString::fromStdString(problem.path);
            return list;
        };
        QVERIFY(!hints().contains("/data/split/kind"));
        recipe.data.split.kind = SplitSettings::Kind::Shuffled;
        QVERIFY(hints().contains("/data/split/kind"));
        recipe.data.split.validation = 0;
        QVERIFY(!hints().contains("/data/split/kind"));
        recipe.data.import.context = 9999;
        QVERIFY(blocking(recipe, play()).join("").contains("/data/import/context"));
    }

    void metricsFollowFromSums()
    {
        MetricSums a, b;
        // Truths 1, 2, 4; said 1.5, 2, 3.
        for (const auto& [truth, said] : {std::pair(1.0, 1.5), std::pair(2.0, 2.0)}) a += MetricSums{0, 1, std::abs(said - truth), (said - truth) * (said - truth), truth, truth * truth};
        b += MetricSums{0, 1, 1, 1, 4, 16};
        a += b;
        QCOMPARE(a.count, std::int64_t{3});
        QCOMPARE(metricOf("mae", a), 0.5);
        QVERIFY(std::abs(metricOf("r2", a) - (1 - 1.25 / (14.0 / 3))) < 1e-12);
        QVERIFY(std::isnan(metricOf("mae", {})));
        QVERIFY(std::isnan(metricOf("r2", {0, 3, 0, 0, 6, 12}))); // all alike
        QCOMPARE(metricOf("accuracy", {3, 4}), 0.75);
        MetricSums text{1, 4};
        text.surprise = 4 * std::log(65.0);
        QVERIFY(std::abs(metricOf("perplexity", text) - 65) < 1e-9);
        text += text;
        QVERIFY(std::abs(metricOf("perplexity", text) - 65) < 1e-9 && metricOf("accuracy", text) == 0.25);
        QVERIFY(std::isnan(metricOf("perplexity", {})));
        QCOMPARE(answersPerSample({"language", {}}, play().input), std::int64_t{16});
        QCOMPARE(answersPerSample({"autoencoder", {}}, pictures().input), std::int64_t{1});
        QCOMPARE(metricText(*findMetric("accuracy"), 0.75), std::string("75.00 %"));
        QCOMPARE(metricText(*findMetric("mae"), NAN), std::string("–"));
    }

    /// F1 as scikit-learn's f1_score has it: of all labels together (micro), and the mean of each label's (macro).
    void labelsAreCounted()
    {
        MetricSums a{1, 2}, b{1, 3};
        a.labels = {{1, 0, 1}, {0, 1, 0}};
        b.labels = {{2, 1, 0}, {0, 0, 0}};
        MetricSums sums;
        sums += a;
        sums += b;
        QCOMPARE(sums.labels, (std::vector<LabelCounts>{{3, 1, 1}, {0, 1, 0}}));
        QCOMPARE(metricOf("exact_match", sums), 2.0 / 5);
        QCOMPARE(metricOf("label_accuracy", sums), 1 - 3.0 / 10);
        QCOMPARE(metricOf("micro_f1", sums), 6.0 / 9);
        QCOMPARE(metricOf("macro_f1", sums), (6.0 / 8 + 0) / 2);
        QCOMPARE(sums.labels[0].precision(), 0.75);
        QCOMPARE(sums.labels[0].recall(), 0.75);
        QCOMPARE(sums.labels[1].precision() + sums.labels[1].recall() + LabelCounts{}.f1(), 0.0); // never there: nothing divided by nothing
        QVERIFY(std::isnan(metricOf("micro_f1", {})) && std::isnan(metricOf("label_accuracy", {})));
        QCOMPARE(labelCut({"multilabel", {}}), 0.0);
        // Of classes, those that occur: the example of scikit-learn's f1_score (truths 0 1 2 0 1 2, said 0 2 1 0 0 1) with a class more, and
        // one class that is said alone (truths 0 1 1, said 0 3 1).
        const std::vector<LabelCounts> documented{{2, 1, 0}, {0, 2, 2}, {0, 1, 2}, {0, 0, 0}}, saidAlone{{1, 0, 0}, {1, 0, 1}, {0, 0, 0}, {0, 1, 0}};
        QVERIFY(std::abs(macroF1(documented, true) - 0.8 / 3) < 1e-12 && std::abs(macroF1(documented, false) - 0.8 / 4) < 1e-12);
        QVERIFY(std::abs(macroF1(saidAlone, true) - (1 + 2.0 / 3 + 0) / 3) < 1e-12);
        QVERIFY(std::isnan(macroF1({}, true)) && std::isnan(macroF1(std::vector<LabelCounts>(3), true)));
        MetricSums pieces, piece;
        piece.labels = documented;
        piece.classes = true;
        pieces += piece;
        pieces += MetricSums{0, 1};
        pieces.count = 6;
        QVERIFY(std::abs(metricOf("macro_f1", pieces) - 0.8 / 3) < 1e-12);
        // The five likeliest of six classes and more.
        MetricSums classes{6, 10};
        classes.near = 9;
        classes.labels.resize(6);
        QCOMPARE(metricOf("top5_accuracy", classes), 0.9);
        classes.labels.resize(5);
        QVERIFY(std::isnan(metricOf("top5_accuracy", classes)));
        for (const MetricEntry& metric : furtherMetricsOf("classification")) QCOMPARE(findMetric(metric.id), &metric);
        QVERIFY(furtherMetricsOf("classification").size() == 2 && furtherMetricsOf("regression").empty());
        QVERIFY(std::abs(labelCut({"multilabel", {{"threshold", 0.9}}}) - std::log(9.0)) < 1e-12);
        QCOMPARE(labelCut({"binary", {}}), 0.0);
    }

    void everyTaskHasMetrics()
    {
        for (const OptionEntry& task : taskEntries()) {
            QVERIFY2(!metricsOf(task.id).empty(), task.id.c_str());
            for (const MetricEntry& metric : metricsOf(task.id)) {
                QVERIFY(!metric.title.empty() && !metric.brief.empty() && metric.help.ends_with('.'));
                QCOMPARE(findMetric(metric.id), &metric);
            }
        }
        QCOMPARE(mainMetric("multilabel")->id, std::string("micro_f1"));
        QVERIFY(!hasAccuracy("multilabel"));
        QVERIFY(metricsOf("divination").empty() && !mainMetric("divination") && !hasAccuracy("regression") && hasAccuracy("binary") && hasAccuracy("language"));
        QCOMPARE(mainMetric("language")->id, std::string("perplexity"));
    }

    /// The recipe of a table, and back.
    void roundTrip()
    {
        Recipe recipe = recipeOf("regression", row1);
        recipe.task.params = {{"loss", std::string("huber")}, {"delta", 0.5}};
        recipe.data.import.target = "quality";
        recipe.data.import.header = "no";
        const auto parsed = recipeFromJson(toJson(recipe));
        QVERIFY(parsed.ok() && parsed->problems.empty());
        QVERIFY(parsed->recipe.task == recipe.task && parsed->recipe.data == recipe.data);
        // A text's context, which others do not write.
        QVERIFY(!toJson(recipe)["data"]["import"].contains("context"));
        recipe.data.import.context = 32;
        QCOMPARE(recipeFromJson(toJson(recipe))->recipe.data.import.context, 32);
        QCOMPARE(withValueSet(Recipe(), "/data/import/context", "128")->data.import.context, 128);
        QVERIFY(!withValueSet(Recipe(), "/data/import/context", "5000").ok());
        recipe.data.import.context = 0;
        // The columns of a table's labels, which others do not write.
        QVERIFY(!toJson(recipe)["data"]["import"].contains("labels"));
        recipe.data.import.labels = {"dog", "ball"};
        QVERIFY(recipeFromJson(toJson(recipe))->recipe.data.import == recipe.data.import);
        Recipe other = recipe;
        other.data.import.labels = {"dog"};
        const Recipe both[] = {recipe, other};
        const auto differ = differences(both);
        QVERIFY(differ.size() == 1 && differ[0].title == "Predicted labels" && differ[0].values == (std::vector<std::string>{"dog, ball", "dog"}));
        recipe.data.import.labels.clear();
        const auto set = withValueSet(Recipe(), "/data/import/labels", R"(["dog","ball"])");
        QVERIFY(set.ok() && set->data.import.labels.size() == 2);
        QVERIFY(!withValueSet(Recipe(), "/data/import/labels", "dog").ok());
        // One from before tables.
        Json old = toJson(recipe);
        old["data"]["import"].erase("target");
        old["data"]["import"].erase("header");
        QVERIFY(recipeFromJson(old)->problems.empty());
    }
};

QTEST_GUILESS_MAIN(TaskTest)
#include "task_test.moc"

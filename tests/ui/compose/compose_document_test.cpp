// SPDX-License-Identifier: GPL-3.0-or-later
// The recipe document and the stack's model, without a page: edits, undo, places in nested blocks, row signals, the draft.

#include "ui/compose/draft.h"
#include "ui/compose/param_field.h"
#include "ui/compose/stack_model.h"

#include "core/model/catalogue.h"

#include "tests/support/patience.h"

#include <QAbstractItemModelTester>
#include <QMimeData>
#include <QTemporaryDir>
#include <QtTest>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

using namespace sconce;
using namespace sconce::ui;

namespace {

RecipeDocument::Context mnist()
{
    return {[](const DatasetId& id) { return assumedFacts(id); }, {}};
}

Recipe starter(const char* id)
{
    return findStarter(id)->recipe;
}

/// "conv2d max_pool2d residual[conv2d relu] dense": the stack in one line.
QString line(const Stack& stack)
{
    QStringList parts;
    for (const Layer& layer : stack.layers) {
        QString part = QString::fromStdString(layer.type);
        for (const Stack& branch : layer.branches) part += QLatin1Char('[') + line(branch) + QLatin1Char(']');
        parts << part;
    }
    return parts.join(QLatin1Char(' '));
}

} // namespace

class ComposeDocumentTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void eachEditIsOneUndoStep()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        const Recipe before = d.recipe();
        const LayerId added = d.addLayer("batch_norm", {{}, 0, 1});
        QVERIFY(!added.empty());
        QCOMPARE(d.recipe().stack.layers[1].id, added);
        QVERIFY(d.setParam({before.stack.layers[0].id}, "filters", std::int64_t{16}));
        QVERIFY(d.remove({before.stack.layers[5].id}));
        QCOMPARE(d.undoStack().count(), 3);
        QVERIFY(d.dirty());
        for (int i = 0; i < 3; ++i) d.undoStack().undo();
        QVERIFY(d.recipe() == before);
        QVERIFY(!d.dirty());
        for (int i = 0; i < 3; ++i) d.undoStack().redo();
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d batch_norm max_pool2d conv2d max_pool2d flatten dense"));
    }

    void typingIsOneStepAndTypingBackIsNone()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        const LayerId conv = d.recipe().stack.layers[0].id;
        for (std::int64_t value : {6, 64, 642}) QVERIFY(d.setParam({conv}, "filters", value));
        QCOMPARE(d.undoStack().count(), 1);
        QVERIFY(d.setParam({conv}, "bias", false)); // another field: another step
        QCOMPARE(d.undoStack().count(), 2);
        d.undoStack().undo();
        QVERIFY(d.setParam({conv}, "filters", std::int64_t{32}));
        QCOMPARE(d.undoStack().count(), 0); // what was typed is what stood there
        QVERIFY(!d.dirty());
    }

    void valuesOutOfRangeNeverEnter()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        const Recipe before = d.recipe();
        QVERIFY(!d.setParam({before.stack.layers[0].id}, "filters", std::int64_t{0}));
        QVERIFY(!d.setParam({before.stack.layers[0].id}, "no such thing", std::int64_t{1}));
        QVERIFY(d.recipe() == before);
        QVERIFY(!d.renameLayer(before.stack.layers[0].id, QStringLiteral("3 bad")).isEmpty());
        QVERIFY(!d.renameLayer(before.stack.layers[0].id, QString::fromStdString(before.stack.layers[2].name)).isEmpty());
        QVERIFY(d.recipe() == before);
        QVERIFY(d.renameLayer(before.stack.layers[0].id, QStringLiteral("first")).isEmpty());
        QCOMPARE(d.recipe().stack.layers[0].name, std::string("first"));
    }

    void shapesProblemsAndEstimateFollow()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        QVERIFY(d.startable());
        QCOMPARE(d.report().parameters, 34826);
        QCOMPARE(d.estimate()->stepsPerEpoch, 422);
        const LayerId flatten = d.recipe().stack.layers[4].id;
        QCOMPARE(d.recipe().stack.layers[4].type, std::string("flatten"));
        QVERIFY(d.remove({flatten}));
        QVERIFY(!d.startable());
        QVERIFY(!d.estimate());
        const LayerId dense = d.recipe().stack.layers.back().id;
        const Problem* problem = d.problemOf(dense);
        QVERIFY(problem && problem->severity == Severity::Problem && !problem->fixes.empty());
        QVERIFY(d.fix(problem->fixes.front()));
        QVERIFY(d.startable());
        QCOMPARE(d.report().parameters, 34826);
        d.undoStack().undo();
        QVERIFY(!d.startable());
    }

    void fixAllRepairsInOneStep()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        d.change(QStringLiteral("break"), [](Recipe& r) {
            std::erase_if(r.stack.layers, [](const Layer& l) { return l.type == "flatten"; });
            r.stack.layers.back().params["units"] = std::int64_t{12};
        });
        QCOMPARE(d.fixableCount(), 2);
        QVERIFY(d.outputProblem());
        const int steps = d.undoStack().count();
        QVERIFY(d.fixAll() >= 2);
        QCOMPARE(d.undoStack().count(), steps + 1);
        QVERIFY(d.startable());
        d.undoStack().undo();
        QVERIFY(!d.startable());
    }

    void savedAndDirty()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-mlp"), {});
        QVERIFY(!d.dirty());
        d.setName(QStringLiteral("  my   net "));
        QCOMPARE(d.recipe().name, std::string("my net"));
        QVERIFY(d.dirty());
        const Recipe saved = d.recipe();
        d.setName(QStringLiteral("later"));
        d.markSaved(QStringLiteral("file.sconce"), saved); // the disk was slower than the typing
        QVERIFY(d.dirty());
        d.undoStack().undo(); // typing is one step: back to before the first name
        d.markSaved(QStringLiteral("file.sconce"), d.recipe());
        QVERIFY(!d.dirty());
    }

    void placesInNestedBlocks()
    {
        RecipeDocument d(mnist());
        Recipe r = starter("mnist-convnet");
        d.load(r, {});
        const LayerId block = d.addLayer("residual", {{}, 0, 2});
        QVERIFY(!block.empty());
        const LayerId inner = d.addLayer("relu", {block, 0, 0});
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d residual[relu] conv2d max_pool2d flatten dropout dense"));
        // Into itself: refused, and said.
        QSignalSpy refused(&d, &RecipeDocument::refused);
        QVERIFY(!d.move({block}, {block, 0, 0}));
        QCOMPARE(refused.count(), 1);
        // Out upwards, in again, out downwards.
        QVERIFY(d.move({inner}, *placeAbove(d.recipe().stack, inner)));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d relu residual[] conv2d max_pool2d flatten dropout dense"));
        QVERIFY(d.move({inner}, {block, 0, 0}));
        QVERIFY(d.move({inner}, *placeOutside(d.recipe().stack, inner)));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d residual[] relu conv2d max_pool2d flatten dropout dense"));
        QVERIFY(d.move({inner}, *placeInside(d.recipe().stack, inner)));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d residual[relu] conv2d max_pool2d flatten dropout dense"));
        // Deleting a block takes what is in it; copies get ids of their own.
        const std::vector<LayerId> copies = d.duplicate({block, inner});
        QCOMPARE(copies.size(), std::size_t(1));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d residual[relu] residual[relu] conv2d max_pool2d flatten dropout dense"));
        std::set<LayerId> ids;
        std::set<std::string> names;
        int count = 0;
        visitLayers(d.recipe().stack, [&](const Layer& layer, const std::string&, int) {
            ids.insert(layer.id);
            names.insert(layer.name);
            ++count;
        });
        QCOMPARE(int(ids.size()), count);
        QCOMPARE(int(names.size()), count);
        QVERIFY(d.remove({block}));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d max_pool2d residual[relu] conv2d max_pool2d flatten dropout dense"));
    }

    void depthAndCountHaveLimits()
    {
        RecipeDocument d(mnist());
        d.load(Recipe{}, {});
        QSignalSpy refused(&d, &RecipeDocument::refused);
        StackPlace place;
        int made = 0;
        for (int i = 0; i < maxBlockDepth + 3; ++i) {
            const LayerId id = d.addLayer("residual", place);
            if (id.empty()) break;
            place = {id, 0, 0};
            ++made;
        }
        QCOMPARE(made, maxBlockDepth);
        QCOMPARE(refused.count(), 1);
        std::string refusal;
        Stack many;
        many.layers.assign(maxLayers, Layer{"l1", "relu", "relu1", {}, {}});
        QVERIFY(insertLayers(many, {}, {Layer{"l2", "relu", "relu2", {}, {}}}, refusal).empty());
        QVERIFY(!refusal.empty());
    }

    void clipboardText()
    {
        const Recipe r = starter("small-resnet");
        const LayerId block = [&] {
            for (const Layer& layer : r.stack.layers) if (!layer.branches.empty()) return layer.id;
            return LayerId{};
        }();
        const auto layers = layersFromText(layersText(r.stack, {r.stack.layers[0].id, block}));
        QVERIFY(layers.ok());
        QCOMPARE(layers->size(), std::size_t(2));
        QVERIFY(layers->at(1).branches == findLayer(r.stack, block)->branches);
        QVERIFY(layersFromText(recipeText(r)).ok()); // a whole recipe from a mail
        for (const char* bad : {"", "hello", "[{\"type\":\"no such layer\"}]", "{\"a\":1}", "[1,2]", "[[[["}) QVERIFY2(!layersFromText(bad).ok(), bad);
    }

    void modelFollowsAnyEdit()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        StackModel model(d);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const std::vector<std::string> types{"relu", "conv2d", "residual", "parallel", "dropout"};
        std::mt19937 random(7);
        const auto any = [&](int n) { return n <= 0 ? 0 : int(random() % unsigned(n)); };
        for (int step = 0; step < 400; ++step) {
            std::vector<LayerId> ids;
            visitLayers(d.recipe().stack, [&](const Layer& layer, const std::string&, int) { ids.push_back(layer.id); });
            const StackPlace place = model.placeBefore(any(model.rowCount() + 1));
            switch (any(6)) {
            case 0: if (ids.size() < 40) d.addLayer(types[std::size_t(any(int(types.size())))], place); break;
            case 1: if (!ids.empty()) d.move({ids[std::size_t(any(int(ids.size())))], ids[std::size_t(any(int(ids.size())))]}, place); break;
            case 2: if (ids.size() > 4) d.remove({ids[std::size_t(any(int(ids.size())))]}); break;
            case 3: d.undoStack().undo(); break;
            case 4: d.undoStack().redo(); break;
            case 5: if (!ids.empty() && ids.size() < 40) d.duplicate({ids[std::size_t(any(int(ids.size())))]}); break;
            }
            StackModel fresh(d);
            QCOMPARE(model.rowCount(), fresh.rowCount());
            for (int row = 0; row < model.rowCount(); ++row) QVERIFY(model.row(row) == fresh.row(row));
        }
    }

    void aMoveIsOneMoveSignal()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        StackModel model(d);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QSignalSpy moved(&model, &QAbstractItemModel::rowsMoved), removed(&model, &QAbstractItemModel::rowsRemoved),
            reset(&model, &QAbstractItemModel::modelReset);
        const QPersistentModelIndex pool(model.index(2)); // Input is row 0
        QVERIFY(model.moveRows({}, 2, 1, {}, 5));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("conv2d conv2d max_pool2d max_pool2d flatten dropout dense"));
        QCOMPARE(moved.count(), 1);
        QCOMPARE(removed.count() + reset.count(), 0);
        QCOMPARE(pool.row(), 4);
        QVERIFY(!model.moveRows({}, 0, 1, {}, 3)); // Input stays
        QVERIFY(model.removeRows(1, 2));
        QCOMPARE(line(d.recipe().stack), QStringLiteral("max_pool2d max_pool2d flatten dropout dense"));
    }

    void rowsSayWhatScreenReadersNeed()
    {
        RecipeDocument d(mnist());
        d.load(starter("mnist-convnet"), {});
        StackModel model(d);
        QCOMPARE(model.data(model.index(1), StackModel::ShapeRole).toString(), QStringLiteral("32×26×26"));
        QCOMPARE(model.data(model.index(1), StackModel::ParametersRole).toString(), QStringLiteral("320"));
        QCOMPARE(model.data(model.index(3), StackModel::ParametersRole).toString(), QStringLiteral("18,496"));
        const QString spoken = model.data(model.index(1), Qt::AccessibleTextRole).toString();
        QVERIFY2(spoken.contains(QLatin1String("Conv 2D")) && spoken.contains(QStringLiteral("32×26×26")), qPrintable(spoken));
        d.remove({d.recipe().stack.layers[4].id});
        QVERIFY(model.data(model.index(6), StackModel::ProblemRole).toBool());
        QVERIFY(!(model.data(model.index(6), StackModel::SummaryRole).toString().isEmpty()));
    }

    void draftSurvives()
    {
        QTemporaryDir folder;
        const std::string store = folder.path().toStdString();
        const Recipe recipe = starter("small-resnet");
        std::string message;
        {
            DraftKeeper keeper(store);
            QVERIFY(!keeper.load(message));
            Draft draft{recipe, "somewhere.sconce", "", true};
            for (int i = 0; i < 50; ++i) {
                draft.recipe.seed = std::uint64_t(i);
                keeper.keep(draft);
            }
        } // ends: the newest is on the disk
        DraftKeeper keeper(store);
        auto draft = keeper.load(message);
        QVERIFY(draft && message.empty());
        Recipe expected = recipe;
        expected.seed = 49;
        QVERIFY(draft->recipe == expected);
        QCOMPARE(draft->file, std::string("somewhere.sconce"));
        QVERIFY(draft->unsaved);

        std::ofstream(DraftKeeper::pathIn(store)) << "{ not json";
        QVERIFY(!keeper.load(message));
        QVERIFY(!message.empty());
        QVERIFY(std::filesystem::exists(DraftKeeper::pathIn(store) + ".unreadable"));
    }

    void draftSaysWhenItCannotBeKept()
    {
        DraftKeeper keeper("/proc/no-such-folder");
        keeper.keep({starter("mnist-mlp"), {}, {}, true});
        keeper.flush();
        QVERIFY(!keeper.takeError().empty());
        QVERIFY(keeper.takeError().empty());
    }

    void realNumbersAsPeopleWriteThem()
    {
        RealSpinBox box;
        box.setRange(1e-8, 100);
        box.setLogarithmic(true);
        box.setValue(0.001);
        QCOMPARE(box.text(), QStringLiteral("0.001"));
        box.stepBy(1);
        QCOMPARE(box.value(), 0.002);
        box.stepBy(-2);
        QCOMPARE(box.value(), 0.0005);
        QString typed = QStringLiteral("3e-4");
        int at = 0;
        QCOMPARE(box.validate(typed, at), QValidator::Acceptable);
        QCOMPARE(box.valueFromText(typed), 3e-4);
        typed = QStringLiteral("3e-");
        QCOMPARE(box.validate(typed, at), QValidator::Intermediate);
        typed = QStringLiteral("three");
        QCOMPARE(box.validate(typed, at), QValidator::Invalid);
        QCOMPARE(numbersOf(QStringLiteral("64×7x7")), (std::vector<std::int64_t>{64, 7, 7}));
        QVERIFY(numbersOf(QStringLiteral("7×seven")).empty());
    }

    void twoHundredLayersWithinAFrame()
    {
        RecipeDocument d(mnist());
        Recipe r = starter("mnist-mlp");
        for (int i = 0; i < 198; ++i) r.stack.layers.insert(r.stack.layers.begin() + 1, makeLayer(r.stack, "dense"));
        d.load(r, {});
        StackModel model(d);
        const LayerId first = r.stack.layers[1].id;
        const sconce::test::CpuTimer timer;
        constexpr int edits = 20;
        for (int i = 0; i < edits; ++i) d.setParam({first}, "units", std::int64_t{16 + i});
        const double each = timer.ms() / edits;
        qInfo("an edit of 200 layers takes %.2f ms", each);
        QVERIFY2(each < 50, "an edit must stay well under a frame; the limit leaves room for a slow machine");
    }
};

QTEST_MAIN(ComposeDocumentTest)
#include "compose_document_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of pictures in a recipe: what JSON, --set, differences and checks make of them, and what the engine is told.
#include "core/recipe/recipe.h"

#include <QTest>

#include <algorithm>

using namespace sconce;

namespace {

Recipe starter(const char* id = "mnist-convnet") { return findStarter(id)->recipe; }

Recipe with(Recipe recipe, const std::vector<std::pair<std::string, std::string>>& settings)
{
    for (const auto& [pointer, text] : settings) {
        auto set = withValueSet(recipe, "/data/augmentation/" + pointer, text);
        if (!set) qFatal("%s", set.error().text().c_str());
        recipe = std::move(*set);
    }
    return recipe;
}

const Problem* about(const std::vector<Problem>& problems, const std::string& path)
{
    const auto found = std::find_if(problems.begin(), problems.end(), [&](const Problem& problem) { return problem.path == path; });
    return found == problems.end() ? nullptr : &*found;
}

DataFacts colour() { return *assumedFacts("cifar10"); }

} // namespace

class AugmentationTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void offByDefault();
    void everyEntryIsTold_data();
    void everyEntryIsTold();
    void roundTrip();
    void refusedValues();
    void differ();
    void problems();
    void fixesMend();
    void entriesExplainThemselves();
};

void AugmentationTest::offByDefault()
{
    for (const StarterRecipe& each : starterRecipes()) QVERIFY(!augmentationOf(each.recipe.data).any());
    const Json json = toJson(starter())["data"]["augmentation"];
    QVERIFY(json["rotate"]["on"] == false); // a file says everything
    QVERIFY(json["rotate"]["degrees"] == 8.0);
}

void AugmentationTest::everyEntryIsTold_data()
{
    QTest::addColumn<QString>("entry");
    for (const OptionEntry& entry : augmentationEntries())
        if (findParam(entry.params, "on")) QTest::newRow(entry.id.c_str()) << QString::fromStdString(entry.id);
}

/// Each switch does something, and only its own.
void AugmentationTest::everyEntryIsTold()
{
    QFETCH(QString, entry);
    const Augmentation how = augmentationOf(with(starter(), {{entry.toStdString() + "/on", "true"}}).data);
    QVERIFY(how.any());
    const Augmentation expected = entry == "shift" ? Augmentation{.shift = 2} : entry == "rotate" ? Augmentation{.rotate = 8} : entry == "zoom" ? Augmentation{.zoom = 0.1} : entry == "slant" ? Augmentation{.slant = 5}
                                : entry == "flip" ? Augmentation{.leftRight = Augmentation::Flip::Random} : entry == "brightness" ? Augmentation{.brightness = 0.2} : entry == "contrast" ? Augmentation{.contrast = 0.2}
                                : entry == "saturation" ? Augmentation{.saturation = 0.2} : Augmentation{.cutOut = 8};
    QVERIFY(how == expected);
}

void AugmentationTest::roundTrip()
{
    const Recipe recipe = with(starter(), {{"shift/on", "true"}, {"shift/pixels", "3"}, {"rotate/degrees", "12.5"}, {"flip/on", "true"}, {"flip/direction", "both"}, {"flip/turns", "alternating"}, {"edges/fill", "mirror"}});
    const auto parsed = recipeFromJson(toJson(recipe));
    QVERIFY(parsed->problems.empty());
    QVERIFY(parsed->recipe == recipe);
    const Augmentation how = augmentationOf(recipe.data);
    QCOMPARE(how.shift, 3);
    QCOMPARE(how.rotate, 0.0); // not switched on, but remembered
    QVERIFY(toJson(recipe)["data"]["augmentation"]["rotate"]["degrees"] == 12.5);
    QVERIFY(how.leftRight == Augmentation::Flip::Alternating && how.upsideDown == Augmentation::Flip::Alternating && how.outside == Augmentation::Outside::Mirror);
    // Back at the defaults it is the recipe that it was.
    QVERIFY(with(recipe, {{"shift/on", "false"}, {"shift/pixels", "2"}, {"rotate/degrees", "8"}, {"flip/on", "false"}, {"flip/direction", "left_right"}, {"flip/turns", "random"}, {"edges/fill", "black"}}) == starter());
}

void AugmentationTest::refusedValues()
{
    for (const auto& [pointer, text] : std::vector<std::pair<std::string, std::string>>{{"shift/pixels", "0"}, {"rotate/degrees", "181"}, {"flip/direction", "sideways"}, {"zoom/percent", "-1"}, {"shift/on", "3"}, {"turn/on", "true"}}) {
        Json json = toJson(with(starter(), {{"shift/on", "true"}, {"rotate/on", "true"}, {"flip/on", "true"}, {"zoom/on", "true"}}));
        json[Json::json_pointer("/data/augmentation/" + pointer)] = Json::parse(text, nullptr, false).is_discarded() ? Json(text) : Json::parse(text);
        const auto parsed = recipeFromJson(json);
        QVERIFY2(parsed.ok() && parsed->problems.size() == 1 && parsed->problems.front().path.starts_with("/data/augmentation"), pointer.c_str());
    }
}

void AugmentationTest::differ()
{
    const std::vector<Recipe> recipes{starter(), with(starter(), {{"rotate/on", "true"}}), with(starter(), {{"rotate/on", "true"}, {"rotate/degrees", "20"}})};
    const auto rows = differences(std::span(recipes).subspan(0, 2));
    QCOMPARE(rows.size(), std::size_t(1));
    QCOMPARE(rows.front().path, std::string("/data/augmentation/rotate/on"));
    QCOMPARE(rows.front().values, (std::vector<std::string>{"no", "yes"}));
    const auto further = differences(std::span(recipes).subspan(1, 2));
    QCOMPARE(further.size(), std::size_t(1));
    QCOMPARE(further.front().values, (std::vector<std::string>{"8°", "20°"}));
}

void AugmentationTest::problems()
{
    const auto of = [](const std::vector<std::pair<std::string, std::string>>& settings, const DataFacts& facts) { return validate(with(starter(), settings), facts); };
    const DataFacts mnist = *assumedFacts("mnist");
    QVERIFY(!blocksStart(of({{"shift/on", "true"}, {"rotate/on", "true"}, {"cut_out/on", "true"}}, mnist)));
    QVERIFY(about(of({{"shift/on", "true"}, {"shift/pixels", "28"}}, mnist), "/data/augmentation/shift/pixels"));
    QVERIFY(!about(of({{"shift/pixels", "28"}}, mnist), "/data/augmentation/shift/pixels")); // it is off
    QVERIFY(about(of({{"cut_out/on", "true"}, {"cut_out/pixels", "30"}}, mnist), "/data/augmentation/cut_out/pixels"));
    const Problem* saturation = nullptr;
    const auto grey = of({{"saturation/on", "true"}}, mnist);
    QVERIFY((saturation = about(grey, "/data/augmentation/saturation/on")) && saturation->severity == Severity::Hint);
    QVERIFY(!about(of({{"saturation/on", "true"}}, colour()), "/data/augmentation/saturation/on"));
    DataFacts written = mnist;
    written.written = true;
    QVERIFY(about(of({{"flip/on", "true"}}, written), "/data/augmentation/flip/on"));
    QVERIFY(!about(of({{"flip/on", "true"}}, colour()), "/data/augmentation/flip/on"));
    DatasetInfo info;
    info.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "a", "Z"};
    QVERIFY(factsOf(info).written);
    info.classes.pop_back(); // few letters are as well the names of anything
    QVERIFY(!factsOf(info).written);
    info.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "cat"};
    QVERIFY(!factsOf(info).written);
}

void AugmentationTest::fixesMend()
{
    DataFacts table = *assumedFacts("mnist");
    table.input = ValueType{DType::F32, {{Axis::Feature, 4}}};
    table.bytes = false;
    for (const auto& [recipe, facts] : std::vector<std::pair<Recipe, DataFacts>>{{with(starter(), {{"shift/on", "true"}, {"shift/pixels", "40"}, {"cut_out/on", "true"}, {"cut_out/pixels", "28"}}), *assumedFacts("mnist")},
                                                                                 {with(starter("mnist-mlp"), {{"shift/on", "true"}, {"contrast/on", "true"}}), table}}) {
        Recipe mended = recipe;
        int fixes = 0;
        for (bool again = true; again && fixes < 10;) {
            again = false;
            for (const Problem& problem : validate(mended, facts)) {
                if (!problem.path.starts_with("/data/augmentation")) continue;
                QVERIFY(!problem.fixes.empty());
                mended = *applyFix(mended, problem.fixes.front());
                again = true;
                ++fixes;
                break;
            }
        }
        QVERIFY(fixes > 0 && fixes < 10);
        QVERIFY(!augmentationOf(mended.data).any() || facts.bytes);
    }
}

void AugmentationTest::entriesExplainThemselves()
{
    for (const OptionEntry& entry : augmentationEntries()) {
        QVERIFY(!entry.title.empty() && entry.help.ends_with('.'));
        for (const ParamDescriptor& param : entry.params) {
            QVERIFY2(param.help.ends_with('.'), param.id.c_str());
            QCOMPARE(checkParam(param, param.defaultValue), std::string());
        }
    }
}

QTEST_GUILESS_MAIN(AugmentationTest)
#include "augmentation_test.moc"

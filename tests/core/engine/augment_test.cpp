// SPDX-License-Identifier: GPL-3.0-or-later
// Changed pictures on their way into the network: a device makes the same ones as the processor, a session learns from those of the epoch
// and from nothing else, and what is only looked at is never changed.

#include "captured_support.h"
#include "core/engine/backend/picture_changes.h"

#include <ATen/Functions.h>
#include <ATen/core/Scalar.h>

#include <QtTest>

#include <cmath>

using namespace sconce;
using namespace sconce::test;

namespace {

using Flip = Augmentation::Flip;
using Outside = Augmentation::Outside;

/// Whole pixels: what comes out are bytes again.
const Augmentation wholePixels{.shift = 2, .leftRight = Flip::Random, .upsideDown = Flip::Alternating, .cutOut = 3};
const Augmentation everything{.shift = 2, .rotate = 25, .zoom = 0.2, .slant = 10, .leftRight = Flip::Random, .brightness = 0.3, .contrast = 0.3, .saturation = 0.5, .cutOut = 4};
constexpr std::int64_t stepsPerEpoch = trainingCount / batch;

/// A data set whose training part was changed beforehand, as in one epoch.
class ChangedDataset final : public Dataset
{
  public:
    ChangedDataset(const Dataset& from, const Augmentation& how, std::uint64_t seed, std::int64_t epoch)
    {
        m_info = from.info();
        const PictureSize size = *pictureSize(m_info.sample);
        PictureChanger changer(how, size);
        std::vector<float> picture(from.recordBytes());
        for (const Part part : {Part::Training, Part::Test}) {
            Content& content = m_parts[part == Part::Training ? 0 : 1];
            const auto labels = from.labels(part);
            content.labels.assign(labels.begin(), labels.end());
            const auto bytes = from.contiguous(part);
            content.bytes.assign(bytes.begin(), bytes.end());
            if (part == Part::Test) continue;
            for (std::int64_t row = 0; row < from.count(part); ++row) {
                changer.apply(drawChange(how, size, seed, epoch, row), bytes.data() + static_cast<std::size_t>(row) * picture.size(), picture.data());
                std::transform(picture.begin(), picture.end(), content.bytes.begin() + row * static_cast<std::int64_t>(picture.size()), [](float value) { return static_cast<std::uint8_t>(value); });
            }
        }
    }
    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(contiguous(part).data() + static_cast<std::size_t>(rows[i]) * recordBytes(), recordBytes(), out.data() + i * recordBytes());
    }
    std::span<const std::int32_t> labels(Part part) const override { return m_parts[part == Part::Training ? 0 : 1].labels; }
    std::span<const std::uint8_t> contiguous(Part part) const override { return m_parts[part == Part::Training ? 0 : 1].bytes; }

  private:
    struct Content { std::vector<std::uint8_t> bytes; std::vector<std::int32_t> labels; };
    Content m_parts[2];
};

SessionSpec augmented(const Augmentation& how, SessionSpec spec = capturable())
{
    spec.augmentation = how;
    spec.stepsPerEpoch = stepsPerEpoch;
    return spec;
}

std::vector<double> losses(Session& session)
{
    std::vector<double> result;
    const auto metrics = session.takeMetrics();
    if (!metrics) giveUp(metrics.error());
    for (const StepMetrics& each : *metrics) result.push_back(each.loss);
    return result;
}

} // namespace

class EngineAugmentTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void deviceAndProcessorAlike_data();
    void deviceAndProcessorAlike();
    void learnsFromTheEpochsPictures_data();
    void learnsFromTheEpochsPictures();
    void lookingIsUnchanged();
    void piecesAndThreads();
    void goesOnWhereItWas();
    void onTheDevice_data();
    void onTheDevice();
    void anAutoencoderGivesBackWhatItSees();
    void numbersAreOfChangedPictures();
    void tablesStay();
};

void EngineAugmentTest::deviceAndProcessorAlike_data()
{
    QTest::addColumn<Augmentation>("how");
    const auto add = [](const char* name, Augmentation how) {
        for (const auto& [outside, called] : {std::pair{Outside::Black, "black"}, {Outside::Edge, "edge"}, {Outside::Mirror, "mirror"}}) {
            how.outside = outside;
            QTest::addRow("%s, %s", name, called) << how;
        }
    };
    add("whole pixels", wholePixels);
    add("turned", {.rotate = 180});
    add("everything", everything);
    add("far", {.shift = 40, .zoom = 0.9});
    QTest::newRow("colours") << Augmentation{.brightness = 0.9, .contrast = 0.9, .saturation = 0.9};
}

void EngineAugmentTest::deviceAndProcessorAlike()
{
    QFETCH(Augmentation, how);
    for (const PictureSize& size : {PictureSize{1, 28, 28}, {3, 11, 17}, {2, 12, 12}, {3, 1, 5}}) {
        constexpr std::int64_t count = 40;
        const Philox random(4, Purpose::Test);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * size.channels * size.pixels()));
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random.below(i, 256));
        const std::vector<std::int64_t> sizes{count, size.channels, size.height, size.width};
        at::Tensor changes = at::empty({count, changeNumbers}), expected = at::empty(sizes);
        PictureChanger changer(how, size);
        const std::int64_t record = size.channels * size.pixels();
        for (std::int64_t i = 0; i < count; ++i) {
            const PictureChange change = drawChange(how, size, 9, 2, i);
            std::memcpy(changes[i].data_ptr<float>(), &change, sizeof change);
            changer.apply(change, bytes.data() + i * record, expected[i].data_ptr<float>());
        }
        const at::Tensor pictures = at::from_blob(bytes.data(), sizes, at::kByte).to(at::kFloat);
        const at::Tensor got = engine::PictureChanges(how, size, at::kCPU).apply(pictures.clone(), changes);
        const double apart = at::max(at::abs(at::sub(got, expected))).item().toDouble(); // of 255: both compute coordinates in single precision
        // Where a coordinate falls on the border to what is cut off, rounding decides; nowhere else.
        QVERIFY2(apart < 0.05, qPrintable(QStringLiteral("%1 apart").arg(apart)));
        if (how.any()) QVERIFY(!at::equal(got, pictures));
    }
}

void EngineAugmentTest::learnsFromTheEpochsPictures_data()
{
    QTest::addColumn<bool>("contiguous");
    QTest::newRow("in place") << true;
    QTest::newRow("gathered") << false;
}

/// The same bits as with pictures that were changed beforehand, epoch after epoch.
void EngineAugmentTest::learnsFromTheEpochsPictures()
{
    QFETCH(bool, contiguous);
    const SessionSpec spec = capturable();
    auto session = opened(augmented(wholePixels, spec), Json(), stripes(contiguous)), plain = opened(spec, Json());
    State state = stateOf(*plain);
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
        auto beforehand = opened(spec, Json(), std::make_shared<ChangedDataset>(*stripes(), wholePixels, spec.seed, epoch));
        QVERIFY(beforehand->setWeights(viewsOf(state.weights)) && beforehand->setOptimiserState(viewsOf(state.optimiser)));
        for (Session* each : {session.get(), beforehand.get(), plain.get()}) train(*each, epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch);
        state = stateOf(*beforehand);
        QVERIFY(stateOf(*session) == state);
        QVERIFY(!(stateOf(*plain) == state));
    }
}

void EngineAugmentTest::lookingIsUnchanged()
{
    auto session = opened(augmented(everything), Json()), plain = opened(capturable(), Json());
    std::vector<std::int64_t> rows(20);
    std::iota(rows.begin(), rows.end(), 0);
    for (const Part part : {Part::Training, Part::Test}) {
        QCOMPARE(session->evaluate(part, rows, 8, {})->loss, plain->evaluate(part, rows, 8, {})->loss);
        QCOMPARE(*session->predict(part, rows, 8, {}), *plain->predict(part, rows, 8, {}));
    }
}

/// Neither pieces of a batch nor threads change what is drawn.
void EngineAugmentTest::piecesAndThreads()
{
    const std::string net = R"([{"type":"flatten"},{"type":"dense","units":4}])";
    SessionSpec spec = augmented(everything, capturable("sgd", {}, net));
    auto whole = opened(spec, Json());
    spec.threads = 2;
    auto threads = opened(spec, Json());
    spec.threads = 1;
    spec.step.microBatch = 5;
    auto pieces = opened(spec, Json());
    for (Session* each : {whole.get(), threads.get(), pieces.get()}) train(*each, 0, 15);
    QVERIFY(stateOf(*threads) == stateOf(*whole));
    const auto a = losses(*whole), b = losses(*pieces);
    for (std::size_t i = 0; i < a.size(); ++i) QVERIFY(std::abs(a[i] - b[i]) < 1e-5 * (1 + std::abs(a[i])));
}

void EngineAugmentTest::goesOnWhereItWas()
{
    auto whole = opened(augmented(everything), Json()), first = opened(augmented(everything), Json()), second = opened(augmented(everything), Json());
    train(*whole, 0, 2 * stepsPerEpoch + 3);
    train(*first, 0, stepsPerEpoch + 2); // in the middle of an epoch
    const State state = stateOf(*first);
    QVERIFY(second->setWeights(viewsOf(state.weights)) && second->setOptimiserState(viewsOf(state.optimiser)));
    train(*second, stepsPerEpoch + 2, 2 * stepsPerEpoch + 3);
    QVERIFY(stateOf(*second) == stateOf(*whole));
}

void EngineAugmentTest::onTheDevice_data()
{
    learnsFromTheEpochsPictures_data();
}

/// Where the device makes the pictures by itself, gated: to the rounding of what is interpolated.
void EngineAugmentTest::onTheDevice()
{
    QFETCH(bool, contiguous);
    const SessionSpec spec = augmented(everything, capturable("sgd"));
    auto host = opened(spec, Json(), stripes(contiguous)), device = opened(spec, gated, stripes(contiguous)), plain = opened(capturable("sgd"), gated, stripes(contiguous));
    for (Session* each : {host.get(), device.get(), plain.get()}) train(*each, 0, 2 * stepsPerEpoch);
    const auto a = losses(*host), b = losses(*device), c = losses(*plain);
    double apart = 0, changed = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        apart = std::max(apart, std::abs(a[i] - b[i]));
        changed = std::max(changed, std::abs(a[i] - c[i]));
    }
    QVERIFY2(apart < 1e-3 && changed > 20 * apart, qPrintable(QStringLiteral("%1 and %2").arg(apart).arg(changed)));
}

/// The changed picture is what it is compared with: a network that gives back its input has no loss.
void EngineAugmentTest::anAutoencoderGivesBackWhatItSees()
{
    for (const Json& choices : {Json(), gated}) {
        SessionSpec spec = augmented(everything, capturable("sgd", {}, R"([{"type":"relu"}])"));
        spec.task = {"autoencoder", {}};
        auto session = opened(spec, choices);
        train(*session, 0, 3);
        for (const double loss : losses(*session)) QCOMPARE(loss, 0.0);
    }
}

/// What is shown of a step is what the step met.
void EngineAugmentTest::numbersAreOfChangedPictures()
{
    auto session = opened(augmented(wholePixels), Json()), plain = opened(capturable(), Json()),
         beforehand = opened(capturable(), Json(), std::make_shared<ChangedDataset>(*stripes(), wholePixels, capturable().seed, 1));
    const auto rows = rowsOfStep(stepsPerEpoch, batch, trainingCount);
    const auto of = [&](Session& each) {
        std::vector<double> means;
        const auto numbers = each.numbers(stepsPerEpoch, rows);
        if (!numbers) giveUp(numbers.error());
        for (const TensorNumbers& one : *numbers) means.push_back(one.numbers.mean);
        return means;
    };
    QCOMPARE(of(*session), of(*beforehand));
    QVERIFY(of(*session) != of(*plain));
}

/// Samples that are no pictures are left alone, whatever the settings are.
void EngineAugmentTest::tablesStay()
{
    const Learnable labels = labelsTask("float32", "");
    SessionSpec spec = labels.spec;
    auto plain = opened(spec, Json(), labels.data);
    spec.augmentation = everything;
    spec.stepsPerEpoch = stepsPerEpoch;
    auto session = opened(spec, Json(), labels.data);
    for (Session* each : {plain.get(), session.get()}) train(*each, 0, 6);
    QVERIFY(stateOf(*session) == stateOf(*plain));
}

QTEST_GUILESS_MAIN(EngineAugmentTest)
#include "augment_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// The fused blocks against LibTorch's own operators: outputs, gradients, not-a-number and infinity, every instruction set that
// this machine has, any number of threads; and which blocks of a plan are fused.

#include "engine_support.h"

#include "core/engine/backend/conv_pool.h"
#include "core/engine/backend/conv_pool_kernels.h"
#include "core/model/passes.h"
#include "core/engine/backend/tensors.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/Parallel.h>

#include <QtTest>

#include <cmath>
#include <limits>

using namespace sconce;
using namespace sconce::test;
using namespace sconce::engine;
using at::Tensor;

namespace {

Tensor lastChannels(const std::vector<std::int64_t>& sizes)
{
    Tensor x = emptyTensor(sizes, at::kCPU, true);
    return x.normal_();
}

Tensor activated(const Tensor& x, double slope)
{
    return slope == 1 ? x : slope == 0 ? at::relu(x) : at::leaky_relu(x, slope);
}

double difference(const Tensor& a, const Tensor& b)
{
    return (a - b).abs().max().item<double>() / std::max(1.0, b.abs().max().item<double>());
}

ConvOp convOp(std::int64_t before, std::int64_t after)
{
    ConvOp op;
    op.stride = op.dilation = {1, 1};
    op.padBefore = {before, before};
    op.padAfter = {after, after};
    return op;
}

} // namespace

class FusedTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void blocksAreTorchs_data();
    void blocksAreTorchs();
    void poolIsTorchs_data();
    void poolIsTorchs();
    void everyInstructionSetAgrees_data();
    void everyInstructionSetAgrees();
    void everyInstructionSetAgreesOnDeepBlocks_data();
    void everyInstructionSetAgreesOnDeepBlocks();
    void deepBlocksAreRightInFloat64sEyes();
    void staysInItsRoom_data();
    void staysInItsRoom();
    void nothingHidesNanOrInfinity();
    void anEmptyBatch();
    void gradientsDoNotDependOnThreads();
    void findsBlocks_data();
    void findsBlocks();
};

namespace {

/// Which of the three operators that begin with a convolution.
enum class Block { Few, Deep, Window };

struct Shape
{
    int images, channels, height, width, filters;
    int kernel = 3, before = 0, after = 0;
    double slope = 0; ///< of the activation; unused by Window
    bool bias = true;
};

Tensor ours(Block block, const Shape& s, const Tensor& x, const Tensor& w, const Tensor& b)
{
    const ConvOp op = convOp(s.before, s.after);
    return block == Block::Few ? convPool(x, w, b, op, s.slope) : block == Block::Deep ? deepConvPool(x, w, b, op, s.slope) : windowConv(x, w, b, op);
}

Tensor torchs(Block block, const Shape& s, const Tensor& x, const Tensor& w, const Tensor& b)
{
    const Tensor map = at::conv2d(at::constant_pad_nd(x, {s.before, s.after, s.before, s.after}, 0), w, b);
    return block == Block::Window ? map : activated(at::max_pool2d(map, {2, 2}), s.slope);
}

} // namespace

Q_DECLARE_METATYPE(Block)
Q_DECLARE_METATYPE(Shape)

void FusedTest::blocksAreTorchs_data()
{
    QTest::addColumn<Block>("block");
    QTest::addColumn<Shape>("shape");
    const auto few = [](const char* name, const Shape& shape) { QTest::newRow(name) << Block::Few << shape; };
    few("the reference's first block", {128, 1, 28, 28, 32});
    few("colours, same padding", {9, 3, 16, 16, 16, 3, 1, 1});
    few("odd filters' block, odd map", {5, 1, 12, 12, 48, 3, 1, 1, 0.1});
    few("wide window", {3, 1, 15, 15, 32, 5, 2, 2, 0, false});
    few("even window, padded on one side", {3, 2, 11, 11, 16, 4, 1, 2, 0.2});
    few("one pixel a tap, no activation", {2, 4, 6, 6, 16, 1, 0, 0, 1});
    few("widest window, one image", {1, 3, 9, 9, 32, 7, 3, 3});
    const auto deep = [](const char* name, const Shape& shape) { QTest::addRow("deep, %s", name) << Block::Deep << shape; };
    deep("the reference's second block", {128, 32, 13, 13, 64});
    deep("same padding, odd blocks of both", {9, 48, 14, 10, 80, 3, 1, 1});
    deep("padded on one side, leaky", {5, 16, 11, 12, 16, 3, 0, 1, 0.1, false});
    deep("no activation: every window has a gradient", {7, 32, 12, 12, 32, 3, 1, 1, 1});
    deep("one window", {3, 64, 4, 5, 16});
    for (const int size : {16, 28, 30, 32, 64}) // bands of rows that do not divide the map
        deep(qPrintable(QString::number(size)), {2, 16, size, size, 32, 3, 1, 1});
    deep("a picture too large to be near at once", {2, 16, 70, 130, 32, 3, 1, 1});
    deep("one image", {1, 128, 8, 8, 256, 3, 1, 1});
    const auto window = [](const char* name, const Shape& shape) { QTest::addRow("window, %s", name) << Block::Window << shape; };
    window("a residual network's", {12, 64, 16, 16, 64, 3, 1, 1, 1, false});
    window("more filters, odd map", {5, 48, 7, 9, 80, 3, 1, 1});
    window("nothing padded", {3, 16, 9, 6, 32});
    window("padded by two, and on one side", {2, 32, 5, 5, 16, 3, 0, 2});
    window("many tiles", {40, 16, 20, 20, 16, 3, 1, 1});
    window("one tile", {1, 128, 2, 2, 144, 3, 1, 1, 1, false});
}

/// Against the same in float64: outputs, and gradients of which half are left out, as dropout behind a block does.
void FusedTest::blocksAreTorchs()
{
    QFETCH(Block, block);
    QFETCH(Shape, shape);
    at::manual_seed(8);
    const bool learnsX = block != Block::Few; // that one is for the network's input
    Tensor x = lastChannels({shape.images, shape.channels, shape.height, shape.width}).set_requires_grad(learnsX);
    Tensor w = lastChannels({shape.filters, shape.channels, shape.kernel, shape.kernel}).mul_(1.0 / shape.kernel / std::sqrt(shape.channels)).detach().set_requires_grad(true);
    Tensor b = shape.bias ? at::randn({shape.filters}).set_requires_grad(true) : Tensor();
    const auto wide = [](const Tensor& t) { return t.defined() ? t.detach().to(at::kDouble).set_requires_grad(true) : Tensor(); };
    Tensor xWide = wide(x), wWide = wide(w), bWide = wide(b);

    const Tensor result = ours(block, shape, x, w, b), wanted = torchs(block, shape, xWide, wWide, bWide);
    QCOMPARE(result.sizes().vec(), wanted.sizes().vec());
    QCOMPARE(result.strides().vec(), packedStrides(result.sizes().vec(), true));
    QVERIFY2(difference(result, wanted) < 1e-5, qPrintable(QString::number(difference(result, wanted))));
    const Tensor gradient = at::randn(wanted.sizes().vec()) * (at::rand(wanted.sizes().vec()) > 0.5);
    wanted.backward(gradient.to(at::kDouble));
    result.backward(gradient);
    const auto isTorchs = [](const Tensor& tensor, const Tensor& like) {
        return !tensor.defined() || !tensor.requires_grad() || (difference(tensor.grad(), like.grad()) < 1e-5 && tensor.grad().strides() == tensor.strides());
    };
    QVERIFY(isTorchs(x, xWide));
    QVERIFY(isTorchs(w, wWide));
    QVERIFY(isTorchs(b, bWide));

    const at::NoGradGuard noGrad;
    QVERIFY(at::equal(ours(block, shape, x, w, b), result)); // looked at, not learnt from
    QVERIFY(at::equal(ours(block, shape, x.detach().contiguous(), w.detach().contiguous(), b), result)); // as a network without the layout would hand it on
}

void FusedTest::poolIsTorchs_data()
{
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::addColumn<double>("slope");
    QTest::addColumn<bool>("bias");
    QTest::newRow("the reference's second block") << 64 << 11 << 11 << 0.0 << true;
    QTest::newRow("even") << 16 << 8 << 4 << 0.3 << true;
    QTest::newRow("odd height alone") << 48 << 7 << 2 << 0.0 << false;
    QTest::newRow("odd width alone, no activation") << 32 << 2 << 5 << 1.0 << true;
}

void FusedTest::poolIsTorchs()
{
    QFETCH(int, channels);
    QFETCH(int, height);
    QFETCH(int, width);
    QFETCH(double, slope);
    QFETCH(bool, bias);
    at::manual_seed(4);
    Tensor x = lastChannels({7, channels, height, width}).set_requires_grad(true);
    Tensor b = bias ? at::randn({channels}).set_requires_grad(true) : Tensor();
    const Tensor ours = pool(x, b, slope);
    Tensor pooled = at::max_pool2d(x, {2, 2});
    if (bias) pooled = pooled + b.view({1, channels, 1, 1});
    const Tensor theirs = activated(pooled, slope);
    QVERIFY(at::equal(ours, theirs)); // a choice and one addition: the same to the last bit

    const Tensor gradient = at::randn(theirs.sizes().vec());
    theirs.backward(gradient);
    const Tensor dx = x.grad().clone(), db = bias ? b.grad().clone() : Tensor();
    x.mutable_grad().reset();
    if (bias) b.mutable_grad().reset();
    ours.backward(gradient);
    QVERIFY(at::equal(x.grad(), dx));
    if (bias) QVERIFY(difference(b.grad(), db) < 1e-5);
}

void FusedTest::everyInstructionSetAgrees_data()
{
    QTest::addColumn<int>("which");
    const convpool::Kernels* sets[4] = {};
    const int count = convpool::kernelSets(sets, 4);
    for (int i = 0; i < count; ++i) QTest::newRow(sets[i]->name) << i;
}

void FusedTest::everyInstructionSetAgrees()
{
    QFETCH(int, which);
    const convpool::Kernels* sets[4] = {};
    convpool::kernelSets(sets, 4);
    const convpool::Kernels& set = *sets[which];
    const Philox random(1, Purpose::Test, 0);
    const auto numbers = [&](std::size_t count, std::uint64_t from) {
        std::vector<float> values(count);
        for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(random.bits(from + i)) / 2147483648.0f - 1.0f;
        return values;
    };
    for (const std::int64_t channels : {1, 3, 4}) {
        const convpool::ConvShape shape{9, 11, channels, 48, 3, 3, 4};
        const auto size = static_cast<std::size_t>(shape.pooledHeight * shape.pooledWidth * shape.filters);
        const std::vector<float> x = numbers(static_cast<std::size_t>(9 * 11 * channels), 0), w = numbers(static_cast<std::size_t>(9 * channels * 48), 5000);
        const std::vector<float> b = numbers(48, 9000), g = numbers(size, 20000);
        std::vector<float> out(size), dw(w.size(), 0.5f), db(48, 0.25f);
        std::vector<std::uint8_t> index(size);
        set.convForward(shape, x.data(), w.data(), b.data(), 0.5f, out.data(), index.data());
        set.convBackward(shape, x.data(), g.data(), index.data(), 0.5f, dw.data(), db.data());
        // By the definition, one number at a time.
        std::vector<double> dwWanted(w.size(), 0.5), dbWanted(48, 0.25);
        for (std::int64_t py = 0; py < 3; ++py)
            for (std::int64_t px = 0; px < 4; ++px)
                for (std::int64_t f = 0; f < 48; ++f) {
                    double best = -1e30;
                    int place = 0;
                    for (int i = 0; i < 4; ++i) {
                        double sum = b[static_cast<std::size_t>(f)];
                        for (std::int64_t t = 0; t < 9 * channels; ++t) {
                            const std::int64_t ky = t / (3 * channels), rest = t % (3 * channels);
                            sum += static_cast<double>(x[static_cast<std::size_t>((2 * py + i / 2 + ky) * 11 * channels + (2 * px + i % 2) * channels + rest)]) *
                                   static_cast<double>(w[static_cast<std::size_t>(t * 48 + f)]);
                        }
                        if (sum > best) best = sum, place = i;
                    }
                    const auto at = static_cast<std::size_t>((py * 4 + px) * 48 + f);
                    const double wanted = best <= 0 ? best * 0.5 : best, gradient = g[at] * (best <= 0 ? 0.5 : 1.0);
                    QVERIFY(std::abs(out[at] - wanted) < 1e-4);
                    QCOMPARE(static_cast<int>(index[at]), place + (best <= 0 ? convpool::cut : 0));
                    dbWanted[static_cast<std::size_t>(f)] += gradient;
                    for (std::int64_t t = 0; t < 9 * channels; ++t) {
                        const std::int64_t ky = t / (3 * channels), rest = t % (3 * channels);
                        dwWanted[static_cast<std::size_t>(t * 48 + f)] +=
                            gradient * static_cast<double>(x[static_cast<std::size_t>((2 * py + place / 2 + ky) * 11 * channels + (2 * px + place % 2) * channels + rest)]);
                    }
                }
        for (std::size_t i = 0; i < dw.size(); ++i) QVERIFY(std::abs(dw[i] - dwWanted[i]) < 1e-4);
        for (std::size_t i = 0; i < db.size(); ++i) QVERIFY(std::abs(db[i] - dbWanted[i]) < 1e-4);
    }
}

void FusedTest::everyInstructionSetAgreesOnDeepBlocks_data() { everyInstructionSetAgrees_data(); }

void FusedTest::everyInstructionSetAgreesOnDeepBlocks()
{
    QFETCH(int, which);
    const convpool::Kernels* sets[4] = {};
    convpool::kernelSets(sets, 4);
    const convpool::Kernels& set = *sets[which];
    at::manual_seed(10);
    convpool::DeepShape s;
    s.height = 11, s.width = 9, s.top = 1, s.right = 1, s.channels = 48, s.filters = 80;
    s.pooledHeight = (s.paddedHeight() - 2) / 2, s.pooledWidth = (s.paddedWidth() - 2) / 2;
    const std::int64_t images = 3, windows = images * s.pooledHeight * s.pooledWidth;
    Tensor x = lastChannels({images, s.channels, s.height, s.width}), w = lastChannels({s.filters, s.channels, 3, 3}), b = at::randn({s.filters});
    Tensor out = at::empty({windows, s.filters}), index = at::empty({windows, s.filters}, at::kByte), g = at::randn({windows, s.filters});
    Tensor u = at::empty({16 * s.channels * s.filters}), room = at::empty({set.deepForwardRoom(s, 7)}), backRoom = at::empty({set.deepBackwardRoom(s)});
    set.deepWeights(s, w.data_ptr<float>(), u.data_ptr<float>(), 0, 32); // in two parts, as threads do
    set.deepWeights(s, w.data_ptr<float>(), u.data_ptr<float>(), 32, s.filters);
    for (std::int64_t first = 0; first < windows; first += 7)
        set.deepForward(s, x.data_ptr<float>(), u.data_ptr<float>(), b.data_ptr<float>(), 0.5f, first, std::min(windows, first + 7), room.data_ptr<float>(), out.data_ptr<float>(),
                        index.data_ptr<std::uint8_t>());
    Tensor dx = at::full_like(x, 99), dw = at::full_like(w, 0.5), db = at::full_like(b, 0.25);
    set.deepBackward(s, x.data_ptr<float>(), w.data_ptr<float>(), g.data_ptr<float>(), index.data_ptr<std::uint8_t>(), 0.5f, images, backRoom.data_ptr<float>(),
                     dw.data_ptr<float>(), db.data_ptr<float>(), dx.data_ptr<float>());

    Tensor xWide = x.to(at::kDouble).set_requires_grad(true), wWide = w.to(at::kDouble).set_requires_grad(true), bWide = b.to(at::kDouble).set_requires_grad(true);
    const Tensor theirs = activated(at::max_pool2d(at::conv2d(at::constant_pad_nd(xWide, {0, 1, 1, 0}, 0), wWide, bWide), {2, 2}), 0.5);
    const auto asMap = [&](const Tensor& t) { return t.view({images, s.pooledHeight, s.pooledWidth, s.filters}).permute({0, 3, 1, 2}); };
    QVERIFY(difference(asMap(out), theirs) < 1e-5);
    theirs.backward(asMap(g).to(at::kDouble));
    QVERIFY(difference(dx, xWide.grad()) < 1e-5);
    QVERIFY(difference(dw, wWide.grad() + 0.5) < 1e-5);
    QVERIFY(difference(db, bWide.grad() + 0.25) < 1e-5);
}

/// Winograd's sums cancel more than a plain one does: how much is lost must stay in the order of what torch itself loses.
void FusedTest::deepBlocksAreRightInFloat64sEyes()
{
    at::manual_seed(11);
    const at::NoGradGuard noGrad;
    const Tensor x = lastChannels({16, 64, 14, 14}).relu(), w = lastChannels({64, 64, 3, 3});
    const Tensor right = at::relu(at::max_pool2d(at::conv2d(x.to(at::kDouble), w.to(at::kDouble), {}, 1, 1), {2, 2}));
    const auto loss = [&](const Tensor& t) { return (t - right).pow(2).mean().sqrt().item<double>() / right.pow(2).mean().sqrt().item<double>(); };
    const double ours = loss(deepConvPool(x, w, {}, convOp(1, 1), 0)), torchs = loss(at::relu(at::max_pool2d(at::conv2d(x, w, {}, 1, 1), {2, 2})));
    QVERIFY2(ours < 5 * torchs && ours < 1e-6, qPrintable(QStringLiteral("%1 beside %2").arg(ours).arg(torchs)));
}

/// Rows of windows are gone through in bands, the last of which may be smaller: nothing is written beyond the room that was asked for.
void FusedTest::staysInItsRoom_data() { everyInstructionSetAgrees_data(); }

void FusedTest::staysInItsRoom()
{
    QFETCH(int, which);
    const convpool::Kernels* sets[4] = {};
    convpool::kernelSets(sets, 4);
    const convpool::Kernels& set = *sets[which];
    constexpr std::int64_t guard = 100'000;
    for (const std::int64_t size : {4, 13, 16, 28, 32, 41, 64, 90}) {
        convpool::DeepShape s;
        s.height = s.width = size, s.top = s.left = s.bottom = s.right = 1, s.channels = 16, s.filters = 32;
        s.pooledHeight = s.pooledWidth = size / 2;
        const std::int64_t images = 3, windows = images * s.pooledHeight * s.pooledWidth;
        Tensor x = lastChannels({images, 16, size, size}), w = lastChannels({32, 16, 3, 3}), g = at::randn({windows, 32}), index = at::randint(0, 4, {windows, 32}).to(at::kByte);
        Tensor dx = at::empty_like(x), dw = at::zeros_like(w), db = at::zeros({32});
        Tensor room = at::full({set.deepBackwardRoom(s) + guard}, 7.0f, at::kFloat);
        set.deepBackward(s, x.data_ptr<float>(), w.data_ptr<float>(), g.data_ptr<float>(), index.data_ptr<std::uint8_t>(), 0, images, room.data_ptr<float>(), dw.data_ptr<float>(),
                         db.data_ptr<float>(), dx.data_ptr<float>());
        QVERIFY2((room.narrow(0, room.numel() - guard, guard) == 7).all().item<bool>(), qPrintable(QString::number(size)));
        Tensor u = at::empty({16 * 16 * 32}), out = at::empty({windows, 32});
        room = at::full({set.deepForwardRoom(s, 48) + guard}, 7.0f, at::kFloat);
        set.deepWeights(s, w.data_ptr<float>(), u.data_ptr<float>(), 0, 32);
        for (std::int64_t first = 0; first < windows; first += 48)
            set.deepForward(s, x.data_ptr<float>(), u.data_ptr<float>(), nullptr, 0, first, std::min(windows, first + 48), room.data_ptr<float>(), out.data_ptr<float>(), index.data_ptr<std::uint8_t>());
        QVERIFY2((room.narrow(0, room.numel() - guard, guard) == 7).all().item<bool>(), qPrintable(QString::number(size)));
    }
}

void FusedTest::nothingHidesNanOrInfinity()
{
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    for (int place = 0; place < 4; ++place)
        for (const float bad : {nan, infinity, -infinity}) {
            Tensor x = lastChannels({1, 16, 2, 2});
            x.select(2, place / 2).select(2, place % 2).fill_(bad);
            const Tensor b = at::zeros({16});
            const Tensor wanted = at::relu(at::max_pool2d(x, {2, 2}));
            QVERIFY(at::allclose(pool(x, b, 0), wanted, 0, 0, true));
            Tensor all = at::full_like(x, bad);
            QVERIFY(at::allclose(pool(all, b, 0), at::relu(at::max_pool2d(all, {2, 2})), 0, 0, true));
        }
    Tensor picture = lastChannels({1, 1, 4, 4});
    picture.select(3, 1).select(2, 1).fill_(nan);
    const Tensor w = lastChannels({16, 1, 3, 3});
    QVERIFY(at::isnan(convPool(picture, w, {}, convOp(0, 0), 0)).all().item<bool>());
    for (const float bad : {nan, infinity, -infinity}) { // no number hides it; which of NaN and infinity comes out is left open
        Tensor map = lastChannels({1, 16, 4, 4});
        map.select(3, 1).select(2, 1).select(1, 3).fill_(bad);
        QVERIFY(!at::isfinite(deepConvPool(map, lastChannels({16, 16, 3, 3}), {}, convOp(0, 0), 1)).any().item<bool>());
    }
    Tensor map = lastChannels({1, 16, 4, 4}).set_requires_grad(true), deep = lastChannels({16, 16, 3, 3}).set_requires_grad(true);
    deepConvPool(map, deep, {}, convOp(0, 0), 1).backward(at::full({1, 16, 1, 1}, nan));
    QVERIFY(at::isnan(deep.grad()).all().item<bool>() && at::isnan(map.grad()).any().item<bool>());
}

/// No images: maps of none, and gradients of zero.
void FusedTest::anEmptyBatch()
{
    for (const Block block : {Block::Few, Block::Deep, Block::Window}) {
        const std::int64_t channels = block == Block::Few ? 1 : 16;
        const Tensor x = emptyTensor({0, channels, 8, 8}, at::kCPU, true).set_requires_grad(block != Block::Few);
        const Tensor w = lastChannels({16, channels, 3, 3}).set_requires_grad(true), b = at::randn({16}).set_requires_grad(true);
        const Tensor map = ours(block, {0, 1, 8, 8, 16}, x, w, b);
        QCOMPARE(map.size(0), std::int64_t{0});
        map.sum().backward();
        QVERIFY(w.grad().sizes() == w.sizes() && at::count_nonzero(w.grad()).item<std::int64_t>() == 0);
        QVERIFY(b.grad().sizes() == b.sizes() && at::count_nonzero(b.grad()).item<std::int64_t>() == 0);
    }
    const Tensor x = emptyTensor({0, 16, 8, 8}, at::kCPU, true).set_requires_grad(true), b = at::randn({16}).set_requires_grad(true);
    pool(x, b, 0).sum().backward();
    QVERIFY(x.grad().sizes() == x.sizes() && at::count_nonzero(b.grad()).item<std::int64_t>() == 0);
}

void FusedTest::gradientsDoNotDependOnThreads()
{
    at::manual_seed(5);
    const Tensor x = lastChannels({37, 1, 28, 28});
    const auto run = [&](int threads) {
        at::set_num_threads(threads);
        at::manual_seed(6);
        Tensor w = lastChannels({32, 1, 3, 3}).set_requires_grad(true), b = at::randn({32}).set_requires_grad(true);
        convPool(x, w, b, convOp(0, 0), 0).pow(2).sum().backward();
        return at::cat({w.grad().flatten(), b.grad()});
    };
    const Tensor maps = lastChannels({37, 32, 13, 13});
    const auto runDeep = [&](int threads) {
        at::set_num_threads(threads);
        at::manual_seed(7);
        Tensor from = maps.detach().clone().set_requires_grad(true), w = lastChannels({64, 32, 3, 3}).set_requires_grad(true), b = at::randn({64}).set_requires_grad(true);
        deepConvPool(from, w, b, convOp(0, 0), 0).pow(2).sum().backward();
        Tensor again = maps.detach().clone().set_requires_grad(true), v = lastChannels({64, 32, 3, 3}).set_requires_grad(true);
        windowConv(again, v, b, convOp(1, 1)).pow(2).sum().backward();
        return at::cat({from.grad().flatten(), w.grad().flatten(), b.grad(), again.grad().flatten(), v.grad().flatten()});
    };
    const Tensor one = run(1), two = run(2), three = run(3), oneDeep = runDeep(1), twoDeep = runDeep(2), threeDeep = runDeep(3);
    at::set_num_threads(1);
    QVERIFY(at::equal(one, two) && at::equal(one, three));
    QVERIFY(at::equal(oneDeep, twoDeep) && at::equal(oneDeep, threeDeep));
}

void FusedTest::findsBlocks_data()
{
    QTest::addColumn<QString>("json");
    QTest::addColumn<QString>("found");
    QTest::newRow("the reference's two") << R"([{"type":"conv2d","filters":32,"activation":"relu"},{"type":"max_pool2d"},{"type":"conv2d","filters":64,"activation":"relu"},{"type":"max_pool2d"}])"
                                         << "conv-pool 3, deep 3";
    QTest::newRow("a window that is not 3×3") << R"([{"type":"conv2d","filters":16},{"type":"conv2d","filters":32,"kernel":[5,5],"activation":"relu"},{"type":"max_pool2d"}])" << "bias-pool 3";
    QTest::newRow("convolutions alone") << R"([{"type":"conv2d","filters":16},{"type":"conv2d","filters":32,"activation":"relu"},{"type":"conv2d","filters":32,"stride":[2,2]},{"type":"conv2d","filters":20}])" << "window 1";
    QTest::newRow("tiles that stick out") << R"([{"type":"conv2d","filters":16},{"type":"max_pool2d"},{"type":"max_pool2d"},{"type":"max_pool2d"},{"type":"max_pool2d"},{"type":"conv2d","filters":16,"padding":"same"}])" << "conv-pool 2, pool 1, pool 1, pool 1";
    QTest::newRow("channels that fill no block") << R"([{"type":"conv2d","filters":24},{"type":"conv2d","filters":32,"activation":"relu"},{"type":"max_pool2d"}])" << "bias-pool 3";
    QTest::newRow("channels apart") << R"([{"type":"conv2d","filters":32},{"type":"conv2d","filters":32,"groups":2},{"type":"max_pool2d"}])" << "bias-pool 2";
    QTest::newRow("pool without an activation") << R"([{"type":"conv2d","filters":16},{"type":"max_pool2d"}])" << "conv-pool 2";
    QTest::newRow("behind a norm") << R"([{"type":"conv2d","filters":16},{"type":"batch_norm"},{"type":"relu"},{"type":"max_pool2d"}])" << "pool 2";
    QTest::newRow("filters that fill no block") << R"([{"type":"conv2d","filters":20,"activation":"relu"},{"type":"max_pool2d"}])" << "";
    QTest::newRow("another window") << R"([{"type":"conv2d","filters":16},{"type":"max_pool2d","kernel":[3,3]}])" << "";
    QTest::newRow("average") << R"([{"type":"conv2d","filters":16},{"type":"average_pool2d"}])" << "";
    QTest::newRow("a stride in the convolution leaves it to torch") << R"([{"type":"conv2d","filters":16,"stride":[2,2]},{"type":"max_pool2d"}])" << "bias-pool 2";
    QTest::newRow("two readers") << R"([{"type":"conv2d","filters":16},{"type":"parallel","join":"add","branches":[[{"type":"max_pool2d"}],[{"type":"average_pool2d"}]]}])" << "pool 1";
}

void FusedTest::findsBlocks()
{
    QFETCH(QString, json);
    QFETCH(QString, found);
    auto plan = planOf(json.toStdString(), imageType(1, 18, 18));
    QVERIFY2(plan, plan ? "" : plan.error().message.c_str());
    const ExecutionPlan execution = prepare(std::move(*plan), {});
    QString text;
    for (const auto& fusion : execution.fusions) {
        if (!fusion) continue;
        const char* kinds[] = {"conv-pool", "deep", "window", "pool", "bias-pool"};
        text += QStringLiteral("%1%2 %3").arg(text.isEmpty() ? QString() : QStringLiteral(", "), QLatin1String(kinds[static_cast<int>(fusion->kind)])).arg(fusion->steps);
    }
    QCOMPARE(text, found);
    PassOptions off;
    off.fuse = false;
    for (const auto& fusion : prepare(execution.plan, off).fusions) QVERIFY(!fusion);
}

QTEST_GUILESS_MAIN(FusedTest)
#include "fused_test.moc"

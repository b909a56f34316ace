// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's part over CUDA as far as a machine without a GPU can see it: the kernel that draws dropout masks, as the C++ that its text is
// as well, and through NVRTC; and the library's door. With a GPU: masks and sixty captured steps beside what they must be.

#include "captured_support.h"
#include "core/engine/backend/cuda_part.h"
#include "core/engine/backend/executor.h"

#include <ATen/Version.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <QFile>
#include <QtTest>

#include <cmath>
#include <dlfcn.h>

using namespace sconce;
using namespace sconce::test;

class CudaTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void kernelDrawsTheProcessorsMasks_data();
    void kernelDrawsTheProcessorsMasks();
    void kernelCompiles();
    void theLibraryOverCuda();
    void onAGpu();

  private:
    static void sameOnAGpu(const SessionSpec& spec, const DatasetPtr& data);
};

// ---- the kernel that draws masks on a GPU, here as the C++ that its text is as well ----
namespace onHost {
struct Three { unsigned x = 0; };
static Three blockIdx, blockDim, threadIdx, gridDim;
#define __device__
#define __global__
#include "core/engine/cuda/mask_kernel.inc"
#undef __device__
#undef __global__
} // namespace onHost

void CudaTest::kernelDrawsTheProcessorsMasks_data()
{
    QTest::addColumn<double>("rate");
    QTest::addColumn<qint64>("step");
    QTest::addColumn<qint64>("firstRow");
    QTest::newRow("half") << 0.5 << qint64{0} << qint64{0};
    QTest::newRow("a tenth, later") << 0.1 << qint64{123456} << qint64{0};
    QTest::newRow("a step beyond 32 bits") << 0.3 << (qint64{1} << 40) + 3 << qint64{0};
    QTest::newRow("rows of a later piece") << 0.4 << qint64{17} << qint64{5};
    QTest::newRow("nearly all") << 0.999999 << qint64{2} << qint64{1};
    QTest::newRow("hardly any") << 1e-9 << qint64{2} << qint64{0};
}

void CudaTest::kernelDrawsTheProcessorsMasks()
{
    QFETCH(double, rate);
    QFETCH(qint64, step);
    QFETCH(qint64, firstRow);
    const std::int64_t rows = 9, columns = 37; // no whole blocks of four anywhere
    DropoutOp op;
    op.key = "layer_of_some_name";
    op.rate = rate;
    engine::RunContext context;
    context.seed = 0x123456789abcdefull;
    context.step = step;
    context.firstRow = firstRow;
    const at::Tensor x = at::empty({rows, columns}), expected = engine::dropoutMask(x, op, context);
    context.stepOnDevice = at::full({}, static_cast<std::int64_t>(step), at::kLong);
    QVERIFY(at::equal(engine::dropoutMask(x, op, context), expected)); // as a step that can be captured draws it

    const engine::MaskKey key = engine::maskKey(context.seed, textKey(op.key), rate, static_cast<std::uint64_t>(firstRow * columns));
    std::vector<float> mask(static_cast<std::size_t>(rows * columns), -1);
    const long long number = step;
    onHost::gridDim.x = 3;
    onHost::blockDim.x = 8;
    for (onHost::blockIdx.x = 0; onHost::blockIdx.x < onHost::gridDim.x; ++onHost::blockIdx.x)
        for (onHost::threadIdx.x = 0; onHost::threadIdx.x < onHost::blockDim.x; ++onHost::threadIdx.x)
            onHost::sconceDropoutMask(mask.data(), mask.size(), key.first, &number, key.mixed[0], key.mixed[1], key.mixed[2], key.mixed[3], key.threshold, key.all, key.scale);
    QVERIFY(std::equal(mask.begin(), mask.end(), expected.const_data_ptr<float>()));
}

/// For every kind of GPU that LibTorch's CUDA part is made for; NVRTC needs no GPU to do so.
void CudaTest::kernelCompiles()
{
    void* library = dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("/usr/local/cuda/lib64/libnvrtc.so.13", RTLD_NOW | RTLD_LOCAL);
    if (!library) QSKIP("NVRTC, which compiles the kernel on a machine with a GPU, is not here.");
    using Program = void*;
    const auto function = [&]<class F>(F*& to, const char* name) { to = reinterpret_cast<F*>(dlsym(library, name)); };
    int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*) = nullptr;
    int (*compile)(Program, int, const char* const*) = nullptr;
    int (*codeSize)(Program, std::size_t*) = nullptr;
    int (*destroy)(Program*) = nullptr;
    function(create, "nvrtcCreateProgram");
    function(compile, "nvrtcCompileProgram");
    function(codeSize, "nvrtcGetCUBINSize");
    function(destroy, "nvrtcDestroyProgram");
    QVERIFY(create && compile && codeSize && destroy);
    QFile file(QStringLiteral(SCONCE_SOURCE_DIR "/core/engine/cuda/mask_kernel.inc"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray text = file.readAll();
    for (const char* architecture : {"--gpu-architecture=sm_75", "--gpu-architecture=sm_80", "--gpu-architecture=sm_90", "--gpu-architecture=sm_100", "--gpu-architecture=sm_120"}) {
        Program program = nullptr;
        QCOMPARE(create(&program, text.constData(), "mask", 0, nullptr, nullptr), 0);
        QVERIFY2(compile(program, 1, &architecture) == 0, architecture);
        std::size_t size = 0;
        QVERIFY(codeSize(program, &size) == 0 && size > 0);
        destroy(&program);
    }
}

/// A missing library is a normal state; one that is there must be ours.
void CudaTest::theLibraryOverCuda()
{
    const engine::CudaTable* table = nullptr;
    QVERIFY(QString::fromStdString(engine::loadCudaPart("/nowhere/libsconce-cuda.so", &table)).contains("not built"));
    QVERIFY(!table);
    QVERIFY(QString::fromStdString(engine::loadCudaPart(SCONCE_BIN_DIR "/libsconce-engine.so", &table)).contains("another version"));
    QVERIFY(!table);
    const std::string own = SCONCE_BIN_DIR "/" + std::string(engine::cudaLibraryName);
    if (!QFile::exists(QString::fromStdString(own))) QSKIP("This build has no library over CUDA: its headers were not found.");
    Dl_info torch{};
    QVERIFY(dladdr(reinterpret_cast<void*>(&at::get_cpu_capability), &torch) != 0);
    const QString beside = QString::fromUtf8(torch.dli_fname);
    if (!dlopen(qPrintable(beside.left(beside.lastIndexOf('/')) + "/libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL)) QSKIP("LibTorch's CUDA part cannot be loaded here: NVIDIA's libraries are missing.");
    const std::string whyNot = engine::loadCudaPart(own, &table);
    QVERIFY2(whyNot.empty(), whyNot.c_str());
    QVERIFY(table && table->makeStepGraph && table->prepareMasks && table->fillMask);
}

/// On a real GPU: steps captured, alone and four at a time, and as many eager ones come to the same numbers, and masks are the processor's.
void CudaTest::onAGpu()
{
    const auto device = engine::resolveDevice("cuda:0");
    if (!device) QSKIP(qPrintable("There is no GPU to try it on: " + QString::fromStdString(device.error().message)));
    if (!engine::cudaPart().table) QSKIP(engine::cudaPart().whyNot.c_str());
    DropoutOp op;
    op.key = "layer";
    op.rate = 0.3;
    engine::RunContext context;
    context.seed = 5;
    context.step = 77;
    const at::Tensor onProcessor = engine::dropoutMask(at::empty({33, 65}), op, context);
    const at::Tensor onGpu = engine::dropoutMask(at::empty({33, 65}, at::TensorOptions().device(at::kCUDA)), op, context);
    QVERIFY(at::equal(onGpu.cpu(), onProcessor));

    SessionSpec spec = capturable();
    spec.device = *device;
    spec.step.deterministic = true; // so that nothing but the way differs
    for (const bool inOnePiece : {true, false}) sameOnAGpu(spec, stripes(inOnePiece)); // kept there, and copied there batch by batch
    SessionSpec augmented = spec;
    augmented.augmentation = {.shift = 2, .rotate = 20, .leftRight = Augmentation::Flip::Alternating, .contrast = 0.3, .cutOut = 3};
    augmented.stepsPerEpoch = 6;
    for (const bool inOnePiece : {true, false}) sameOnAGpu(augmented, stripes(inOnePiece));
    // And as a run begins: tried, and said.
    auto tried = opened(spec, Json());
    qInfo("on this GPU: %s", tried->choices().value("step_because", "").c_str());
    QVERIFY(!tried->choices().value("step_because", "").empty());
}

void CudaTest::sameOnAGpu(const SessionSpec& spec, const DatasetPtr& data)
{
    Json choices{{"step", "captured"}, {"steps_per_replay", 4}};
    auto captured = opened(spec, choices, data);
    QVERIFY2(captured->choices()["step"] == "captured", captured->choices().value("step_because", "").c_str());
    QCOMPARE(captured->choices()["steps_per_replay"], 4);
    choices["step"] = "eager";
    auto eager = opened(spec, choices, data);
    for (Session* each : {captured.get(), eager.get()}) {
        variedSteps(*each, 3, 30); // every fourth batch is a smaller one, the first too: they go one by one
        train(*each, 30, 61);      // four at a time, and three that are left
    }
    const auto told = *captured->takeMetrics(), expected = *eager->takeMetrics();
    QCOMPARE(told.size(), expected.size());
    for (std::size_t i = 0; i < told.size(); ++i) QVERIFY(std::abs(told[i].loss - expected[i].loss) <= 1e-4 * std::abs(expected[i].loss));
    const State a = stateOf(*captured), b = stateOf(*eager);
    for (std::size_t i = 0; i < a.weights.size(); ++i) {
        const auto x = floatsOf(a.weights[i]), y = floatsOf(b.weights[i]);
        for (std::size_t j = 0; j < x.size(); ++j) QVERIFY2(std::abs(x[j] - y[j]) <= 1e-4f + 1e-3f * std::abs(y[j]), a.weights[i].name.c_str());
    }
}

QTEST_GUILESS_MAIN(CudaTest)
#include "cuda_test.moc"

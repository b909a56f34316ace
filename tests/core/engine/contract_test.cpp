// SPDX-License-Identifier: GPL-3.0-or-later
// The contract of the layer catalogue: for every entry, many settings and many inputs, against LibTorch's own modules
// (reference_layers.h). Declared shape = real shape, declared parameters = real parameters, equal outputs and gradients,
// JSON and file round trips, help, and problems instead of exceptions. An entry that is not covered fails.

#include "engine_support.h"
#include "reference_layers.h"

#include "core/engine/backend/executor.h"
#include "core/formats/safetensors.h"

#include <QTemporaryDir>
#include <QtTest>

#include <cmath>
#include <set>

using namespace sconce;
using namespace sconce::test;

namespace {

constexpr double tolerance = 1e-5;
constexpr int settingsPerInput = 40;      // drawn for each entry and input, at most
constexpr std::int64_t largestRun = 1 << 17; // elements; larger settings are judged but not run

/// What to draw a parameter's value from, as JSON. Choices and switches are taken from the entry itself.
const std::map<std::string, std::vector<const char*>>& candidates()
{
    static const std::map<std::string, std::vector<const char*>> all{
        {"units", {"1", "3", "10"}},
        {"filters", {"1", "4", "6"}},
        {"kernel", {"1", "2", "3", "[2,3]", "[3,1]", "[5,4]", "30"}},
        {"stride", {"1", "2", "3", "[1,2]", "[2,3]"}},
        {"pad", {"0", "1", "2", "[0,1]", "[1,2]", "[0,1,2,3]", "[1,1,0,0]"}},
        {"output_padding", {"0", "1", "[1,0]"}},
        {"dilation", {"1", "2", "[1,2]"}},
        {"groups", {"1", "2", "3", "4"}},
        {"multiplier", {"1", "2"}},
        {"rate", {"0", "0.3", "0.5"}},
        {"slope", {"0", "0.01", "0.3", "1"}},
        {"alpha", {"0.5", "1", "2.5"}},
        {"epsilon", {"0.001", "0.00001", "0.1"}},
        {"momentum", {"0.01", "0.1", "1"}},
        {"axes", {"0", "1", "2", "3"}},
        {"symbols", {"5", "6", "9"}},
        {"width", {"1", "4", "6"}},
        {"spread", {"0.001", "0.02", "0.1", "0.5", "1"}},
        {"heads", {"1", "2", "3", "4", "5"}},
        {"attention_dropout", {"0", "0.2", "0.5"}},
        {"shape", {"[-1]", "[2,-1]", "[3,4,-1]", "[-1,2,5]", "[0]", "[7,-1]", "[-1,-1]"}},
    };
    return all;
}

/// What blocks hold. Names are given, so that the reference finds the weights.
const std::vector<const char*>& branchesOf(const std::string& type)
{
    static const std::vector<const char*> residual{
        R"([[{"type":"dense","units":12,"activation":"relu"},{"type":"dense","units":12}]])",
        R"([[{"type":"dense","units":5}]])",
        R"([[{"type":"conv2d","filters":4,"padding":"same","activation":"relu"},{"type":"batch_norm"}]])",
        R"([[{"type":"conv2d","filters":6,"stride":2,"padding":"same"}]])",
        R"([[{"type":"conv1d","filters":3,"padding":"same"}]])",
        R"([[{"type":"residual","branches":[[{"type":"relu"}]]},{"type":"parallel","join":"add","branches":[[{"type":"tanh"}],[]]}]])",
        R"([[]])",
        R"([[{"type":"layer_norm"},{"type":"self_attention","heads":2}]])"};
    static const std::vector<const char*> parallel{
        R"([[{"type":"dense","units":4}],[{"type":"dense","units":4,"activation":"tanh"}]])",
        R"([[{"type":"conv2d","filters":3,"kernel":1}],[{"type":"conv2d","filters":3,"padding":"same"},{"type":"relu"}]])",
        R"([[{"type":"max_pool2d"}],[{"type":"conv2d","stride":2,"filters":2,"kernel":2}],[{"type":"average_pool2d"}]])",
        R"([[],[{"type":"sigmoid"}]])",
        R"([[],[]])"};
    static const std::vector<const char*> none;
    return type == "residual" ? residual : type == "parallel" ? parallel : none;
}

std::vector<ValueType> inputs()
{
    return {featuresType(12), featuresType(1), sequenceType(4, 10), sequenceType(1, 3), imageType(1, 9, 9), imageType(4, 8, 7), imageType(2, 12, 5),
            imageType(6, 5, 5), symbolsType(13), symbolsType(20), positionsType(6, 12), positionsType(5, 4)};
}

/// One layer as JSON, drawn from the candidates by number.
Result<std::string> draw(const LayerEntry& entry, const Philox& random, std::uint64_t& at)
{
    const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(random.below(at++, count)); };
    std::string json = R"([{"id":"l1","type":")" + entry.id + R"(","name":"layer")";
    for (const ParamDescriptor& param : entry.params) {
        std::string value;
        if (param.kind == ParamKind::Bool) value = pick(2) ? "true" : "false";
        else if (param.kind == ParamKind::Choice) value = "\"" + param.choices[pick(param.choices.size())].id + "\"";
        else {
            const auto found = candidates().find(param.id);
            if (found == candidates().end())
                return Error{ErrorCode::Internal, "The contract test has no values for " + entry.id + "." + param.id, {}, {}};
            std::vector<std::string> fitting; // lists go to lists of their length, numbers anywhere but to lists of free length
            for (const char* text : found->second) {
                const std::string candidate = text;
                const auto count = static_cast<int>(std::count(candidate.begin(), candidate.end(), ',')) + 1;
                const bool list = candidate[0] == '[';
                if (param.kind == ParamKind::Ints ? (list ? count >= param.minCount && count <= param.maxCount : param.minCount == param.maxCount) : !list)
                    fitting.push_back(candidate);
            }
            if (fitting.empty()) return Error{ErrorCode::Internal, "No value fits " + entry.id + "." + param.id, {}, {}};
            value = fitting[pick(fitting.size())];
        }
        json += ",\"" + param.id + "\":" + value;
    }
    if (const auto& branches = branchesOf(entry.id); !branches.empty()) json += std::string(",\"branches\":") + branches[pick(branches.size())];
    return json + "}]";
}

torch::Tensor randomTensor(at::IntArrayRef sizes, std::uint64_t key, double low, double high)
{
    torch::Tensor tensor = torch::empty(sizes, torch::kFloat);
    Philox(11, Purpose::Test, key).fillUniform(low, high, std::span(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())));
    return tensor;
}

/// Numbers, or indices of symbols as numbers.
torch::Tensor randomInput(const ValueType& input, std::int64_t batch, std::uint64_t key)
{
    std::vector<std::int64_t> sizes = input.sizes();
    sizes.insert(sizes.begin(), batch);
    return isSymbols(input) ? randomTensor(sizes, key, 0, 4.99).floor() : randomTensor(sizes, key, -2, 2);
}

/// Random values for every parameter and buffer of a plan; variances are positive.
Weights weightsFor(const Plan& plan, std::uint64_t key)
{
    Weights weights;
    for (const ParameterSpec& spec : plan.parameters) weights[spec.name] = randomTensor(spec.shape, ++key, -0.5, 0.5);
    for (const BufferSpec& spec : plan.buffers) weights[spec.name] = randomTensor(spec.shape, ++key, 0.5, 1.5);
    return weights;
}

std::vector<HostTensor> hostTensors(const Weights& weights)
{
    std::vector<HostTensor> result;
    for (const auto& [name, tensor] : weights) {
        const torch::Tensor packed = tensor.detach().contiguous();
        HostTensor host{name, DType::F32, packed.sizes().vec(), std::vector<std::byte>(packed.nbytes())};
        std::memcpy(host.bytes.data(), packed.data_ptr(), host.bytes.size());
        result.push_back(std::move(host));
    }
    return result;
}

/// Empty if equal; else where they differ.
std::string difference(std::span<const float> ours, const torch::Tensor& theirs, double allowed = tolerance)
{
    const torch::Tensor packed = theirs.detach().contiguous();
    const float* expected = packed.data_ptr<float>();
    if (static_cast<std::int64_t>(ours.size()) != packed.numel()) return "different number of values";
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (ours[i] == expected[i]) continue; // also two infinities
        const double gap = std::abs(static_cast<double>(ours[i]) - expected[i]);
        if (!(gap <= allowed * std::max(1.0, std::abs(static_cast<double>(expected[i])))))
            return "value " + std::to_string(i) + " is " + std::to_string(ours[i]) + ", LibTorch has " + std::to_string(expected[i]);
    }
    return {};
}

std::vector<std::int64_t> withBatch(const ValueType& type, std::int64_t batch)
{
    std::vector<std::int64_t> sizes = type.sizes();
    sizes.insert(sizes.begin(), batch);
    return sizes;
}

SessionSpec inferenceSpec(const Plan& plan, std::uint64_t seed)
{
    SessionSpec spec = specOf(plan, "", {}, seed);
    return spec;
}

#define QVERIFY_SAYS(condition, text) QVERIFY2(condition, std::string(text).c_str())

} // namespace

class ContractTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() { torch::set_num_threads(1); }
    void describesItself_data() { entries(); }
    void describesItself();
    void agreesWithLibTorch_data() { entries(); }
    void agreesWithLibTorch();
    void oneStepAgreesWithLibTorch_data() { entries(); }
    void oneStepAgreesWithLibTorch();
    void symbolsLearnAsInLibTorch();
    void wrongSettingsAreProblems_data() { entries(); }
    void wrongSettingsAreProblems();
    void dropoutDropsItsShare_data();
    void dropoutDropsItsShare();
    void everyPrimitiveIsReached();

  private:
    void entries();
    void checkOne(const LayerEntry& entry, const std::string& json, const Layer& layer, const ValueType& input, const LayerReport& report,
                  std::uint64_t key, bool alsoFile);
    std::set<std::string> m_primitives;
    QTemporaryDir m_folder;
};

void ContractTest::entries()
{
    QTest::addColumn<QString>("id");
    for (const LayerEntry& entry : layerCatalogue()) QTest::newRow(entry.id.c_str()) << QString::fromStdString(entry.id);
}

void ContractTest::describesItself()
{
    QFETCH(QString, id);
    const LayerEntry* entry = findLayerEntry(id.toStdString());
    QVERIFY(entry && entry->shape && entry->lower && entry->summary);
    QVERIFY(!entry->title.empty() && !entry->icon.empty() && !entry->nameStem.empty() && !entry->keywords.empty());
    QVERIFY(entry->help.size() > 30 && std::string(".?").find(entry->help.back()) != std::string::npos);
    std::set<std::string> ids;
    for (const ParamDescriptor& param : entry->params) {
        QVERIFY_SAYS(ids.insert(param.id).second, param.id + " is declared twice");
        QVERIFY_SAYS(!param.title.empty() && param.help.size() > 10 && param.help.back() == '.', param.id + " has no help");
        QVERIFY_SAYS(checkParam(param, param.defaultValue).empty(), param.id + ": its default is not allowed");
        for (const ForeignNames* names : {&entry->keras, &entry->pytorch}) {
            const auto named = std::any_of(names->arguments.begin(), names->arguments.end(), [&](const auto& pair) { return pair.first == param.id; });
            QVERIFY_SAYS(named, param.id + " says nothing of its counterpart in Keras or PyTorch");
        }
    }
    for (const ForeignNames* names : {&entry->keras, &entry->pytorch})
        for (const auto& [ours, theirs] : names->arguments) QVERIFY_SAYS(ids.contains(ours), ours + " is mapped but not declared");
    Stack stack;
    stack.layers.push_back(makeLayer(stack, entry->id));
    QVERIFY(!entry->summary(LayerView(*entry, stack.layers[0])).empty());
}

void ContractTest::agreesWithLibTorch()
{
    QFETCH(QString, id);
    const LayerEntry& entry = *findLayerEntry(id.toStdString());
    std::set<std::string> seen;
    int valid = 0, refused = 0;
    std::uint64_t key = 0;
    for (const ValueType& input : inputs()) {
        const Philox random(5, Purpose::Test, textKey(entry.id), key++);
        std::uint64_t at = 0;
        for (int i = 0; i < settingsPerInput; ++i) {
            const auto drawn = draw(entry, random, at);
            QVERIFY_SAYS(drawn.ok(), drawn.ok() ? "" : drawn.error().message);
            if (!seen.insert(*drawn + input.text()).second) continue;
            std::string problem;
            const Stack stack = stackOf(*drawn, &problem);
            QVERIFY_SAYS(problem.empty(), *drawn + ": " + problem);

            // JSON round trip: nothing is lost, nothing is added.
            std::vector<JsonProblem> problems;
            const Stack again = stackFromJson(stackToJson(stack), "/layers", problems);
            QVERIFY(problems.empty() && again == stack && stackToJson(again) == stackToJson(stack));

            const StackReport report = analyse(stack, input);
            const auto plan = lower(stack, input);
            QCOMPARE(plan.ok(), report.ok());
            if (!report.ok()) {
                const LayerReport& first = *std::find_if(report.layers.begin(), report.layers.end(), [](const LayerReport& l) { return l.problem.has_value(); });
                QVERIFY_SAYS(!first.problem->expects.empty() || !first.problem->because.empty(), *drawn + " is refused without a word");
                QVERIFY(!plan.error().message.empty());
                ++refused;
                continue;
            }
            ++valid;
            if (report.output->elements() > largestRun || plan->parameterCount() > largestRun) continue;
            checkOne(entry, *drawn, stack.layers[0], input, report.layers[0], key * 1000 + static_cast<std::uint64_t>(i) * 17, valid <= 3);
            if (QTest::currentTestFailed()) return;
        }
    }
    QVERIFY_SAYS(valid >= 8 || valid >= static_cast<int>(seen.size()) / 2, "only " + std::to_string(valid) + " settings could be run");
    qInfo("%d settings and inputs compared, %d refused", valid, refused);
}

void ContractTest::checkOne(const LayerEntry& entry, const std::string& json, const Layer& layer, const ValueType& input, const LayerReport& report,
                            std::uint64_t key, bool alsoFile)
{
    const std::string where = json + " on " + input.text();
    Stack stack;
    stack.layers.push_back(layer);
    const auto plan = lower(stack, input);
    for (const Step& step : plan->steps) m_primitives.insert(primitiveName(step.op));
    const Weights weights = weightsFor(*plan, key);
    const torch::Tensor x = randomInput(input, 3, key + 999);

    Reference reference(weights, false);
    reference.positions = hasPositions(input);
    torch::Tensor expected;
    try {
        const torch::NoGradGuard noGrad;
        expected = reference.layer(layer, isSymbols(input) ? x.to(torch::kLong) : x);
    } catch (const std::exception& e) {
        QFAIL(("LibTorch refuses " + where + ": " + e.what()).c_str());
    }
    QVERIFY_SAYS(reference.unknown.empty(), "reference_layers.h does not know " + reference.unknown);

    QVERIFY_SAYS(expected.sizes() == at::IntArrayRef(withBatch(*report.output, 3)), where + ": declared " + report.output->text());
    QVERIFY_SAYS(report.parameters == reference.parameters && plan->parameterCount() == reference.parameters,
                 where + ": declared " + std::to_string(report.parameters) + " parameters, LibTorch has " + std::to_string(reference.parameters));

    auto session = Session::open(inferenceSpec(*plan, 1));
    QVERIFY_SAYS(session.ok(), where + ": " + (session.ok() ? "" : session.error().text()));
    const auto host = hostTensors(weights);
    QVERIFY_SAYS((*session)->setWeights(viewsOf(host)).ok(), where);
    const std::span<const float> values(x.data_ptr<float>(), static_cast<std::size_t>(x.numel()));
    const auto ours = (*session)->run(values, 3, false);
    QVERIFY_SAYS(ours.ok(), where + ": " + (ours.ok() ? "" : ours.error().detail));
    QVERIFY_SAYS(difference(*ours, expected).empty(), where + ": " + difference(*ours, expected));

    if (!alsoFile) return;
    const std::string path = m_folder.filePath(QString::fromStdString(entry.id) + ".safetensors").toStdString();
    const auto saved = *(*session)->weights();
    QVERIFY(writeSafetensors(path, viewsOf(saved), {}).ok());
    const auto file = SafetensorsFile::open(path);
    QVERIFY(file.ok());
    auto loaded = Session::open(inferenceSpec(*plan, 2));
    QVERIFY((*loaded)->setWeights(file->tensors()).ok());
    QCOMPARE(*(*loaded)->run(values, 3, false), *ours);
}

/// Behind the layer a dense one makes classes of it; one step of plain SGD must move every weight as autograd over LibTorch's
/// own modules says, running statistics included.
void ContractTest::oneStepAgreesWithLibTorch()
{
    QFETCH(QString, id);
    const LayerEntry& entry = *findLayerEntry(id.toStdString());
    if (entry.takesSymbols) return; // see symbolsLearnAsInLibTorch
    int done = 0;
    std::uint64_t key = 0;
    for (const ValueType& input : inputs()) {
        if (input.elements() < 12 || isSymbols(input)) continue;
        const Philox random(6, Purpose::Test, textKey(entry.id), ++key);
        std::uint64_t at = 0;
        int here = 0;
        for (int i = 0; i < settingsPerInput && here < 4; ++i) {
            auto drawn = draw(entry, random, at);
            QVERIFY(drawn.ok());
            drawn->pop_back();
            const std::string json = *drawn + R"(,{"id":"l8","type":"flatten"},{"id":"l9","type":"dense","units":3,"name":"head"}])";
            const Stack stack = stackOf(json);
            const auto plan = lower(stack, input);
            if (!plan.ok() || plan->parameterCount() > largestRun) continue;
            const std::string where = json + " on " + input.text();

            const auto data = std::make_shared<StripesDataset>(input, 12, 3, 3);
            const std::vector<std::int64_t> rows{0, 4, 8, 1, 5, 9};
            SessionSpec spec = specOf(*plan, "sgd", {{"momentum", 0.0}});
            auto session = Session::open(std::move(spec));
            QVERIFY_SAYS(session.ok(), where);
            Weights weights = weightsFor(*plan, key * 100);
            const auto host = hostTensors(weights);
            QVERIFY((*session)->setWeights(viewsOf(host)).ok() && (*session)->useData(data).ok());
            const auto forward = (*session)->forward(0, rows);
            QVERIFY_SAYS(forward.ok(), where + ": " + (forward.ok() ? "" : forward.error().detail));
            const auto backward = (*session)->backward();
            QVERIFY_SAYS(backward.ok(), where + ": " + (backward.ok() ? "" : backward.error().detail));
            const auto commit = (*session)->commit(0.1);
            QVERIFY_SAYS(commit.ok(), where + ": " + (commit.ok() ? "" : commit.error().text()));
            const double loss = (*session)->takeMetrics()->at(0).loss;
            const auto after = *(*session)->weights();
            ++here;
            ++done;

            bool moved = false;
            for (std::size_t t = 0; t < after.size(); ++t) {
                const auto before = std::find_if(host.begin(), host.end(), [&](const HostTensor& h) { return h.name == after[t].name; });
                moved = moved || before->bytes != after[t].bytes;
            }
            QVERIFY_SAYS(moved, where + ": one step changed nothing");
            if (entry.id.find("dropout") != std::string::npos) continue; // draws a mask: see dropoutDropsItsShare

            for (const ParameterSpec& parameter : plan->parameters) weights[parameter.name].set_requires_grad(true);
            std::vector<std::uint8_t> bytes(rows.size() * static_cast<std::size_t>(input.elements()));
            data->gather(Part::Training, rows, bytes);
            const torch::Tensor x = torch::from_blob(bytes.data(), withBatch(input, static_cast<std::int64_t>(rows.size())), torch::kByte).to(torch::kFloat) / 255.0;
            std::vector<std::int64_t> labels;
            for (std::int64_t row : rows) labels.push_back(data->labels(Part::Training)[static_cast<std::size_t>(row)]);
            Reference reference(weights, true);
            reference.positions = hasPositions(input);
            reference.drops = [](const torch::Tensor& like, double rate, const std::string& layer) {
                engine::RunContext context;
                context.seed = 3; // specOf()'s; and the first step
                return engine::dropoutMask(like, {rate, layer}, context);
            };
            const torch::Tensor theirs = torch::nn::functional::cross_entropy(reference.stack(stack, x), torch::tensor(labels));
            theirs.backward();
            QVERIFY_SAYS(std::abs(theirs.item<double>() - loss) < tolerance * std::max(1.0, loss), where + ": the losses differ");
            for (const HostTensor& ours : after) {
                torch::Tensor expected;
                if (const auto statistics = reference.runningStatistics.find(ours.name); statistics != reference.runningStatistics.end()) expected = statistics->second;
                else {
                    const torch::Tensor& weight = weights.at(ours.name);
                    expected = weight.grad().defined() ? weight.detach() - 0.1 * weight.grad() : weight.detach();
                }
                const std::string gap = difference(floatsOf(ours), expected, 5e-5);
                QVERIFY_SAYS(gap.empty(), where + ": " + ours.name + " after the step: " + gap);
            }
        }
    }
    QVERIFY_SAYS(done >= 3, "only " + std::to_string(done) + " settings could be stepped");
}

/// Symbols do not come from a data set of pictures: gradients of what takes them are those of the executor itself.
void ContractTest::symbolsLearnAsInLibTorch()
{
    int done = 0;
    for (const LayerEntry& entry : layerCatalogue()) {
        if (!entry.takesSymbols) continue;
        const Philox random(7, Purpose::Test, textKey(entry.id));
        std::uint64_t at = 0;
        for (int i = 0; i < 6; ++i) {
            auto drawn = draw(entry, random, at);
            QVERIFY(drawn.ok());
            drawn->pop_back();
            const ValueType input = symbolsType(13);
            const Stack stack = stackOf(*drawn + R"(,{"id":"l8","type":"flatten"},{"id":"l9","type":"dense","units":3,"name":"head"}])");
            const auto plan = lower(stack, input);
            QVERIFY_SAYS(plan.ok(), *drawn);
            Weights weights = weightsFor(*plan, 50 + static_cast<std::uint64_t>(i));
            for (auto& [name, tensor] : weights) tensor.set_requires_grad(true);
            const torch::Tensor x = randomInput(input, 4, static_cast<std::uint64_t>(i)).to(torch::kLong), labels = torch::tensor({0, 1, 2, 1}, torch::kLong);

            std::vector<torch::Tensor> parameters;
            for (const ParameterSpec& spec : plan->parameters) parameters.push_back(weights.at(spec.name).detach().clone().set_requires_grad(true));
            engine::RunContext context;
            context.parameters = parameters;
            context.training = true;
            torch::nn::functional::cross_entropy(engine::runPlan(prepare(*plan, {}), x, context), labels).backward();
            Reference reference(weights, true);
            torch::nn::functional::cross_entropy(reference.stack(stack, x), labels).backward();
            for (std::size_t p = 0; p < parameters.size(); ++p) {
                const torch::Tensor ours = parameters[p].grad().contiguous(), theirs = weights.at(plan->parameters[p].name).grad();
                const std::string gap = difference(std::span(ours.data_ptr<float>(), static_cast<std::size_t>(ours.numel())), theirs);
                QVERIFY_SAYS(gap.empty(), *drawn + ": gradient of " + plan->parameters[p].name + ": " + gap);
                QVERIFY(ours.abs().sum().item<double>() > 0);
            }
            ++done;
        }
    }
    QVERIFY(done >= 6);
}

void ContractTest::wrongSettingsAreProblems()
{
    QFETCH(QString, id);
    const LayerEntry& entry = *findLayerEntry(id.toStdString());
    const auto problemsOf = [&](const std::string& param, const std::string& value) {
        std::string json = R"([{"type":")" + entry.id + "\",\"" + param + "\":" + value;
        // A setting that counts only beside another ("padding=explicit|…") is tried beside it.
        const ParamDescriptor* descriptor = findParam(entry.params, param);
        if (descriptor && !descriptor->onlyWhen.empty()) {
            const std::string& when = descriptor->onlyWhen;
            const std::size_t equals = when.find('=');
            json += ",\"" + when.substr(0, equals) + "\":\"" + when.substr(equals + 1, when.find('|') - equals - 1) + "\"";
        }
        if (const auto& branches = branchesOf(entry.id); !branches.empty()) json += std::string(",\"branches\":") + branches[0];
        std::vector<JsonProblem> problems;
        const auto parsed = parseJson(json + "}]", "test");
        if (!parsed.ok()) qFatal("%s", json.c_str());
        const Stack stack = stackFromJson(*parsed, "/layers", problems);
        // Whatever was read can be judged: no exception, no crash.
        for (const ValueType& input : inputs()) {
            const StackReport report = analyse(stack, input);
            if (lower(stack, input).ok() != report.ok()) qFatal("analyse and lower disagree");
        }
        return problems;
    };
    for (const ParamDescriptor& param : entry.params) {
        std::vector<std::string> wrong{"null", "{}", "\"no such choice\"", "[[1]]"};
        if (param.kind != ParamKind::Bool && param.kind != ParamKind::Choice && param.kind != ParamKind::Text) {
            wrong.push_back("\"three\"");
            wrong.push_back(std::to_string(static_cast<std::int64_t>(std::floor(param.min)) - 1));
            wrong.push_back(std::to_string(static_cast<std::int64_t>(std::ceil(param.max)) + 1));
            wrong.push_back("1e300");
        }
        if (param.kind == ParamKind::Int || param.kind == ParamKind::Ints) wrong.push_back("1.5");
        if (param.kind == ParamKind::Ints) {
            wrong.push_back("[]");
            wrong.push_back("[1,1,1,1,1,1]");
        }
        if (param.kind == ParamKind::Bool) wrong.push_back("2");
        for (const std::string& value : wrong) {
            const auto problems = problemsOf(param.id, value);
            QVERIFY_SAYS(!problems.empty(), entry.id + "." + param.id + " = " + value + " was accepted");
            QVERIFY_SAYS(problems[0].path.find(param.id) != std::string::npos && !problems[0].message.empty(), problems[0].path);
        }
        // The largest allowed value may be nonsense, but it is answered.
        if (param.kind == ParamKind::Int) (void)problemsOf(param.id, std::to_string(static_cast<std::int64_t>(param.max)));
    }
    QVERIFY(!problemsOf("no_such_setting", "1").empty());
}

void ContractTest::dropoutDropsItsShare_data()
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<double>("rate");
    QTest::addColumn<bool>("counted");
    for (const char* type : {"dropout", "spatial_dropout2d"})
        for (double rate : {0.0, 0.2, 0.5, 0.9})
            for (bool counted : {true, false}) QTest::addRow("%s %g%s", type, rate, counted ? "" : " by torch's generator") << QString(type) << rate << counted;
}

void ContractTest::dropoutDropsItsShare()
{
    QFETCH(QString, type);
    QFETCH(double, rate);
    const ValueType input = imageType(40, 6, 6);
    const std::string json = R"([{"type":")" + type.toStdString() + R"(","rate":)" + std::to_string(rate) + "}]";
    QFETCH(bool, counted);
    SessionSpec spec = inferenceSpec(*planOf(json, input), 3);
    spec.step.countedDropout = counted;
    auto session = Session::open(std::move(spec));
    QVERIFY(session.ok());
    const std::int64_t batch = 50, channels = batch * 40, pixels = 36;
    const torch::Tensor x = randomTensor(withBatch(input, batch), 1, 1, 2);
    const std::span<const float> values(x.data_ptr<float>(), static_cast<std::size_t>(x.numel()));
    QVERIFY(difference(*(*session)->run(values, batch, false), x, 0).empty()); // at rest nothing is dropped
    const auto y = *(*session)->run(values, batch, true);
    std::int64_t dropped = 0, wholeChannels = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
        std::int64_t here = 0;
        for (std::int64_t p = c * pixels; p < (c + 1) * pixels; ++p) {
            const auto i = static_cast<std::size_t>(p);
            if (y[i] == 0) ++here;
            else QVERIFY(std::abs(y[i] - values[i] / (1 - rate)) < 1e-4 * values[i] / (1 - rate));
        }
        dropped += here;
        wholeChannels += here == pixels;
        if (type == "spatial_dropout2d") QVERIFY(here == 0 || here == pixels);
    }
    const double share = type == "dropout" ? static_cast<double>(dropped) / static_cast<double>(channels * pixels) : static_cast<double>(wholeChannels) / static_cast<double>(channels);
    const double draws = static_cast<double>(type == "dropout" ? channels * pixels : channels);
    QVERIFY_SAYS(std::abs(share - rate) <= 5 * std::sqrt(rate * (1 - rate) / draws), "dropped " + std::to_string(share));
}

/// Runs last: the catalogue must have led the executor through every primitive that a layer can ask for today.
void ContractTest::everyPrimitiveIsReached()
{
    for (const char* name : {"conv", "conv_transpose", "linear", "pool", "global_pool", "activation", "softmax", "dropout", "batch_norm", "layer_norm",
                             "group_norm", "reshape", "add", "concat", "pad", "embedding", "offset", "attention"})
        QVERIFY_SAYS(m_primitives.contains(name), std::string(name) + " was never run");
}

QTEST_GUILESS_MAIN(ContractTest)
#include "contract_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// evaluate, predict, export, doctor: a trained run at work.
#include "app/cli/cli.h"

#include "core/base/text.h"
#include "core/data/table.h"
#include "core/data/text_dataset.h"
#include "core/engine/devices.h"
#include "core/evaluate/evaluate.h"
#include "core/exchange/weights.h"
#include "core/formats/idx.h"
#include "core/formats/npy.h"
#include "core/training/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace sconce::cli {

namespace {

/// A run's model: its recipe, the weights asked for, and what is known of its data.
struct Trained
{
    RunRow row;
    Recipe recipe;
    Checkpoint checkpoint;
    SafetensorsFile weights;
};

Result<Trained> findTrained(Context& context, const UseArguments& arguments)
{
    auto store = context.store();
    if (!store) return store.error();
    auto id = (*store)->findRun(arguments.run);
    if (!id) return id.error();
    auto row = (*store)->run(*id);
    if (!row) return row.error();
    auto recipe = (*store)->recipe(*id);
    if (!recipe) return recipe.error();
    std::vector<std::string> skipped;
    auto checkpoint = arguments.weights == "best" ? bestCheckpoint(row->folder) : newestValidCheckpoint(row->folder, &skipped);
    for (const auto& sentence : skipped) context.note(sentence);
    if (!checkpoint) return checkpoint.error();
    auto weights = openWeights(*checkpoint);
    if (!weights) return weights.error();
    return Trained{std::move(*row), std::move(*recipe), std::move(*checkpoint), std::move(*weights)};
}

bool isText(const Trained& trained) { return targetOf(trained.recipe.task) == Target::Next; }

/// The data given, or the run's own; where that has changed since, figures would be of something else: said, not hidden.
Result<DatasetPtr> openData(const Context& context, const Trained& trained, const std::string& path)
{
    const std::string& place = !path.empty() ? path : trained.row.datasetLocation.empty() ? std::string(builtinDigitsPath) : trained.row.datasetLocation;
    auto data = openDataset(place, trained.recipe.data.import);
    if (data && isText(trained)) {
        auto symbols = symbolsIn(trained.checkpoint.state.choices);
        if (!symbols) return symbols.error();
        if (auto same = withSymbols(*data, *symbols); !same) return same.error();
        else data = std::move(same);
    }
    if (data && path.empty() && !trained.row.fingerprint.empty() && (*data)->info().fingerprint != trained.row.fingerprint)
        context.note("The data of this run, " + trained.row.datasetTitle + ", has changed since the run began: these are figures of the data as it is now.");
    return data;
}

/// What a model must know of its data to answer for single inputs: from the library where the very set stands in it (nothing is
/// read then, and the data may be gone), else from the data itself.
Result<DatasetInfo> knownData(Context& context, const Trained& trained, const std::string& path)
{
    if (path.empty()) {
        auto store = context.store();
        if (!store) return store.error();
        auto known = (*store)->dataset(trained.row.dataset);
        if (known && *known && (*known)->first.fingerprint == trained.row.fingerprint) return (*known)->first;
    }
    auto data = openData(context, trained, path);
    if (!data) return data.error();
    return (*data)->info();
}

Result<std::unique_ptr<Session>> openSession(const Trained& trained, const DatasetInfo& info, const UseArguments& arguments)
{
    auto device = resolveDevice(arguments.device.empty() ? "cpu" : arguments.device);
    if (!device) return device.error();
    auto scaling = scalingIn(trained.checkpoint.state.choices);
    if (!scaling) return scaling.error();
    return openModel(trained.recipe, factsOf(info).input, trained.weights.tensors(), *device, usableThreads(), *scaling);
}

struct Records
{
    std::vector<std::string> names;
    std::vector<std::uint8_t> bytes;
};

/// Pictures (PNG, JPEG), IDX files of pictures, or rows of tables, each brought to the record that the model was trained on.
Result<Records> readRecords(const Context& context, const std::vector<std::string>& files, const DatasetInfo& info)
{
    Records records;
    const ValueType& sample = info.sample;
    if (info.kind == "table") {
        for (const auto& file : files) {
            auto rows = readRecordsOf(info, file);
            if (!rows) return rows.error();
            for (const auto& problem : rows->problems) context.note(file + ": " + problem);
            for (const std::size_t line : rows->lines) records.names.push_back(file + ":" + std::to_string(line));
            const auto* bytes = reinterpret_cast<const std::uint8_t*>(rows->features.data());
            records.bytes.insert(records.bytes.end(), bytes, bytes + rows->features.size() * sizeof(float));
        }
        return records;
    }
    const auto size = static_cast<std::size_t>(sample.elements());
    for (const auto& file : files) {
        if (looksLikePicture(file)) {
            // Colours mixed while it is read, as the importer does: a JPEG's grey is the one that it holds.
            const bool colour = sample.rank() == 3 && sample.dims[0].size == 3;
            auto picture = readPicture(file, colour ? 3 : 1);
            if (!picture) return picture.error();
            const auto bytes = recordFrom(*picture, sample);
            records.names.push_back(file);
            records.bytes.insert(records.bytes.end(), bytes.begin(), bytes.end());
            continue;
        }
        auto array = readIdx(file);
        if (!array && array.error().code != ErrorCode::Invalid) return array.error();
        if (!array) return Error{ErrorCode::Invalid, "The file " + file + " is neither a PNG or JPEG picture nor an IDX file.", "", array.error().text()};
        std::int64_t sampleBytes = 1;
        for (std::size_t i = 1; i < array->header.shape.size(); ++i) sampleBytes *= array->header.shape[i];
        if (static_cast<std::size_t>(sampleBytes) != size || array->header.dtype != DType::U8)
            return Error{ErrorCode::Invalid, "The file " + file + " holds samples of another size than the model takes (" + sample.text() + ").", "", ""};
        for (std::size_t i = 0; i < array->bytes.size() / size; ++i) records.names.push_back(file + ":" + std::to_string(i));
        records.bytes.insert(records.bytes.end(), array->bytes.begin(), array->bytes.end());
    }
    return records;
}

/// A batch at a time: an IDX file may hold sixty thousand samples, whose activations fill no memory at once.
Result<std::vector<float>> predictAll(Session& session, const Records& records)
{
    constexpr std::size_t batch = 256;
    const std::size_t count = records.names.size(), size = count > 0 ? records.bytes.size() / count : 0;
    std::vector<float> all;
    for (std::size_t first = 0; first < count; first += batch) {
        const std::size_t rows = std::min(batch, count - first);
        auto some = session.predictRecords(std::span(records.bytes).subspan(first * size, rows * size), static_cast<std::int64_t>(rows));
        if (!some) return some.error();
        all.insert(all.end(), some->begin(), some->end());
    }
    return all;
}

/// The names of the network's outputs: it may have more of them than the data has classes.
std::vector<std::string> outputNames(const Configured& task, const DatasetInfo& info, std::size_t outputs)
{
    std::vector<std::string> classes = info.classes;
    if (targetOf(task) == Target::Labels) classes = info.labelNames;
    if (targetOf(task) == Target::Number) classes = {info.target};
    if (targetOf(task) == Target::Input) classes.clear();
    while (classes.size() < outputs) classes.push_back("output " + std::to_string(classes.size()));
    return classes;
}

Result<void> checkOut(const std::string& out)
{
    if (out.empty() || out.ends_with(".csv") || out.ends_with(".json") || out.ends_with(".npy")) return {};
    return Error{ErrorCode::Invalid, "Predictions are written as .csv, .json or .npy, not to " + out + ".", "Give --out a name with one of these endings.", ""};
}

Result<void> writePredictions(const std::string& out, const Records& records, const std::vector<float>& probabilities, const std::vector<std::string>& classes,
                              const char* what)
{
    const auto count = records.names.size(), width = classes.size();
    if (out.ends_with(".npy")) {
        const std::array<std::int64_t, 2> shape{static_cast<std::int64_t>(count), static_cast<std::int64_t>(width)};
        return writeNpy(out, probabilities, shape);
    }
    std::string text;
    if (out.ends_with(".json")) {
        Json all = Json::array();
        for (std::size_t i = 0; i < count; ++i) {
            Json one{{"file", records.names[i]}};
            for (std::size_t c = 0; c < width; ++c) one[what][classes[c]] = probabilities[i * width + c];
            all.push_back(std::move(one));
        }
        text = all.dump(2) + "\n";
    } else {
        // A spreadsheet would run a cell that begins with one of these.
        const auto cell = [](std::string value) {
            if (!value.empty() && std::string("=+-@").find(value[0]) != std::string::npos) value = "'" + value;
            std::string quoted = "\"";
            for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
            return quoted + "\"";
        };
        text = "file";
        for (const auto& name : classes) text += "," + cell(name);
        text += "\n";
        for (std::size_t i = 0; i < count; ++i) {
            text += cell(records.names[i]);
            for (std::size_t c = 0; c < width; ++c) text += "," + realText(probabilities[i * width + c], 9);
            text += "\n";
        }
    }
    return writeFileDurably(out, text);
}

void printLabels(const Context& context, const EvaluationReport& report)
{
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < report.labels.size(); ++i) {
        const ClassMetrics& label = report.perClass[i];
        rows.push_back({report.labels[i], groupedInt(label.count), percentText(label.precision, 1), percentText(label.recall, 1), percentText(label.f1, 1)});
    }
    context.print(table({"label", "samples", "precision", "recall", "F1"}, rows, {false, true, true, true, true}));
}

/// Of each label how probable it is, and those that are said.
void answerLabels(const Context& context, const Configured& task, const std::string& name, std::span<const float> row, const std::vector<std::string>& labels)
{
    const double threshold = 1 / (1 + std::exp(-labelCut(task)));
    Json all = Json::object(), said = Json::array();
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
        all[labels[i]] = number(row[i]);
        if (static_cast<double>(row[i]) <= threshold) continue;
        said.push_back(labels[i]);
        text += (text.empty() ? "" : ", ") + labels[i] + " " + percentText(row[i], 1);
    }
    context.emit({{"file", name}, {"labels", std::move(said)}, {"probabilities", std::move(all)}});
    context.print(name + ": " + (text.empty() ? "none" : text));
}

} // namespace

int evaluate(Context& context, const UseArguments& arguments)
{
    auto trained = findTrained(context, arguments);
    if (!trained) return context.fail(trained.error());
    auto data = openData(context, *trained, arguments.data);
    if (!data) return context.fail(data.error());
    auto session = openSession(*trained, (*data)->info(), arguments);
    if (!session) return context.fail(session.error());
    auto report = evaluateModel(**session, trained->recipe, *data, arguments.split, {});
    if (!report) return context.fail(report.error());
    Json json = report->toJson();
    json["run"] = trained->row.id;
    json["checkpoint"] = trained->checkpoint.path;
    context.emit(json);
    std::string figures;
    for (const auto& [id, value] : report->metrics)
        if (const MetricEntry* metric = findMetric(id)) figures += metric->brief + " " + metricText(*metric, value) + ", ";
    if (std::isfinite(report->top5)) figures += "among the first five " + percentText(report->top5) + ", ";
    if (std::isfinite(report->macroF1)) figures += "macro F1 " + percentText(report->macroF1) + ", ";
    context.print(trained->row.name + " on " + report->part + ": " + figures + "loss " + realText(report->loss) + ", " + plural(report->count, isText(*trained) ? "symbol" : "sample", isText(*trained) ? "symbols" : "samples") + ", " +
                  durationText(report->seconds));
    if (!report->labels.empty()) printLabels(context, *report);
    if (report->classes.empty()) return Done;
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < report->classes.size(); ++i) {
        std::vector<std::string> row{report->classes[i], percentText(report->perClass[i].precision, 1), percentText(report->perClass[i].recall, 1), percentText(report->perClass[i].f1, 1)};
        for (const auto count : report->confusion[i]) row.push_back(groupedInt(count));
        rows.push_back(std::move(row));
    }
    std::vector<std::string> header{"class", "precision", "recall", "F1"};
    for (const auto& name : report->classes) header.push_back("→" + name);
    context.print(table(header, rows, std::vector<bool>(header.size(), true)));
    return Done;
}

namespace {

/// A model of texts writes on, shown as it is written.
int writeOn(Context& context, const Trained& trained, const UseArguments& arguments)
{
    if (!arguments.files.empty()) return context.failUsage(Error{ErrorCode::Invalid, "This model continues texts; it has no answer to files.", "Give it a beginning: --prompt \"Once upon a time\".", ""});
    if (!arguments.prompt) return context.failUsage(Error{ErrorCode::Invalid, "This model continues texts, and needs a beginning.", "Give it one: --prompt \"Once upon a time\".", ""});
    if (!arguments.out.empty() && !arguments.out.ends_with(".txt")) return context.failUsage(Error{ErrorCode::Invalid, "A text is written as .txt, not to " + arguments.out + ".", "Give --out a name with this ending.", ""});
    auto symbols = symbolsIn(trained.checkpoint.state.choices);
    if (!symbols) return context.fail(symbols.error());
    if (auto known = encodeText(*symbols, *arguments.prompt); !known) return context.fail(known.error());
    const DatasetInfo info = textInfo(*symbols, trained.recipe.data.import);
    auto session = openSession(trained, info, arguments);
    if (!session) return context.fail(session.error());
    const double start = Clock::system().monotonicSeconds();
    bool begun = false;
    auto text = continueText(**session, *symbols, info.sample.elements(), *arguments.prompt, arguments.writing, [&](std::string_view piece) {
        if (!begun) context.printPiece(*arguments.prompt);
        begun = true;
        context.printPiece(piece);
        return true;
    });
    if (!text) return context.fail(text.error());
    context.print("");
    if (!arguments.out.empty())
        if (auto written = writeFileDurably(arguments.out, *arguments.prompt + *text); !written) return context.fail(written.error());
    context.emit({{"run", trained.row.id}, {"prompt", *arguments.prompt}, {"text", *text}, {"length", arguments.writing.length}, {"temperature", arguments.writing.temperature},
                  {"seed", arguments.writing.seed}, {"seconds", Clock::system().monotonicSeconds() - start}});
    return Done;
}

} // namespace

int predict(Context& context, const UseArguments& arguments)
{
    auto trained = findTrained(context, arguments);
    if (trained && isText(*trained)) return writeOn(context, *trained, arguments);
    if (arguments.files.empty() && !arguments.prompt) return context.failUsage(Error{ErrorCode::Invalid, "The command “predict” needs files after it.", "See: sconce predict --help", ""});
    if (auto fits = checkOut(arguments.out); !fits) return context.fail(fits.error());
    if (!trained) return context.fail(trained.error());
    if (arguments.prompt) return context.failUsage(Error{ErrorCode::Invalid, "This model does not continue texts, so there is nothing to do with a prompt.", "Give it files, or choose a run of the task “Next symbol”.", ""});
    auto info = knownData(context, *trained, arguments.data);
    if (!info) return context.fail(info.error());
    auto records = readRecords(context, arguments.files, *info);
    if (!records) return context.fail(records.error());
    auto session = openSession(*trained, *info, arguments);
    if (!session) return context.fail(session.error());
    auto probabilities = predictAll(**session, *records);
    if (!probabilities) return context.fail(probabilities.error());
    const std::size_t width = records->names.empty() ? 0 : probabilities->size() / records->names.size();
    const auto classes = outputNames(trained->recipe.task, *info, width);
    const bool chances = targetOf(trained->recipe.task) == Target::Class || targetOf(trained->recipe.task) == Target::Flag;
    const bool labels = targetOf(trained->recipe.task) == Target::Labels;
    if (!arguments.out.empty())
        if (auto written = writePredictions(arguments.out, *records, *probabilities, classes, chances || labels ? "probabilities" : "values"); !written) return context.fail(written.error());
    for (std::size_t i = 0; i < records->names.size(); ++i) {
        const float* row = probabilities->data() + i * width;
        if (labels) {
            answerLabels(context, trained->recipe.task, records->names[i], {row, width}, classes);
            continue;
        }
        if (!chances) {
            Json values = Json::array();
            for (std::size_t c = 0; c < width; ++c) values.push_back(number(row[c]));
            context.emit({{"file", records->names[i]}, {"values", std::move(values)}});
            context.print(records->names[i] + ": " + (width == 1 ? classes[0] + " " + realText(row[0], 6) : plural(static_cast<std::int64_t>(width), "number", "numbers") + " given back"));
            continue;
        }
        const auto best = static_cast<std::size_t>(std::max_element(row, row + width) - row);
        Json all = Json::object();
        for (std::size_t c = 0; c < width; ++c) all[classes[c]] = number(row[c]);
        context.emit({{"file", records->names[i]}, {"class", classes[best]}, {"probability", number(row[best])}, {"probabilities", all}});
        context.print(records->names[i] + ": " + classes[best] + ", " + percentText(row[best], 1));
    }
    return Done;
}

int exportModel(Context& context, const UseArguments& arguments)
{
    const auto formats = exportFormats();
    if (std::find(formats.begin(), formats.end(), arguments.format) == formats.end()) {
        std::string list;
        for (const auto& format : formats) list += (list.empty() ? "" : ", ") + format;
        return context.failUsage("Models are written as " + list + ", not as “" + arguments.format + "”.");
    }
    auto trained = findTrained(context, arguments);
    if (!trained) return context.fail(trained.error());
    auto store = context.store();
    DatasetInfo info;
    info.id = trained->row.dataset;
    info.fingerprint = trained->row.fingerprint;
    if (auto known = (*store)->dataset(info.id); known && *known) info = (*known)->first;
    if (isText(*trained))
        if (auto symbols = symbolsIn(trained->checkpoint.state.choices)) info.symbols = *symbols;
    if (auto written = exportWeights(arguments.out, trained->weights.tensors(), trained->recipe, info); !written) return context.fail(written.error());
    context.emit({{"run", trained->row.id}, {"format", arguments.format}, {"out", arguments.out}, {"checkpoint", trained->checkpoint.path}});
    context.print("Written to " + arguments.out + ".");
    return Done;
}

int doctor(Context& context, bool mend)
{
    auto store = context.store();
    if (!store) return context.fail(store.error());
    auto report = (*store)->doctor(mend);
    if (!report) return context.fail(report.error());
    context.emit({{"ok", report->ok}, {"store", (*store)->folder()}, {"opened", (*store)->opened().message}, {"found", report->found}, {"mended", report->mended}});
    context.print("Store: " + (*store)->folder());
    for (const auto& line : report->found) context.print("found: " + line);
    for (const auto& line : report->mended) context.print("mended: " + line);
    context.print(report->ok ? "Everything is in order." : "Something is not in order; run doctor without --check to mend it.");
    return report->ok ? Done : Failed;
}

} // namespace sconce::cli

// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/dataset.h"

#include "core/data/memory_dataset.h"
#include "core/data/text_dataset.h"
#include "core/formats/picture.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace sconce {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> axisNames{"feature", "channel", "length", "depth", "height", "width"};

Json sampleToJson(const ValueType& type)
{
    Json dims = Json::array();
    for (const Dim& dim : type.dims) dims.push_back(Json{{"axis", axisNames[static_cast<std::size_t>(dim.axis)]}, {"size", dim.size}});
    return Json{{"dtype", name(type.dtype)}, {"dims", std::move(dims)}};
}

ValueType sampleFromJson(const Json& json, const std::string& path, std::vector<JsonProblem>& problems)
{
    ValueType type;
    JsonReader reader(json, path, problems);
    const std::string dtype = reader.text("dtype", "U8");
    if (const auto known = dtypeFromName(dtype)) type.dtype = *known;
    else reader.problem("dtype", "“" + dtype + "” is not an element type.");
    const Json* dims = reader.raw("dims");
    if (!dims || !dims->is_array() || dims->empty() || dims->size() > 6) {
        reader.problem("dims", "The shape of a sample must be a list of one to six sides.");
        return type;
    }
    for (std::size_t i = 0; i < dims->size(); ++i) {
        JsonReader side((*dims)[i], path + "/dims/" + std::to_string(i), problems);
        const std::string axis = side.text("axis", "");
        Dim dim{Axis::Feature, side.integer("size", 1, 1, 1 << 30)};
        std::size_t found = 0;
        while (found < axisNames.size() && axisNames[found] != axis) ++found;
        if (found == axisNames.size()) side.problem("axis", "“" + axis + "” is not an axis.");
        else dim.axis = static_cast<Axis>(found);
        type.dims.push_back(dim);
    }
    return type;
}

std::vector<std::string> textsFromJson(JsonReader& reader, std::string_view key)
{
    std::vector<std::string> texts;
    const Json* list = reader.raw(key);
    if (!list) return texts;
    if (!list->is_array()) reader.problem(key, "This must be a list of texts.");
    else {
        for (const Json& entry : *list) {
            if (entry.is_string()) texts.push_back(entry.get<std::string>());
            else reader.problem(key, "This must be a list of texts.");
        }
    }
    return texts;
}

std::vector<std::int64_t> countsFromJson(JsonReader& reader, std::string_view key)
{
    std::vector<std::int64_t> counts;
    const Json* list = reader.raw(key);
    if (!list) return counts;
    if (!list->is_array()) reader.problem(key, "This must be a list of counts.");
    else {
        for (const Json& entry : *list) {
            if (entry.is_number_integer() && entry.get<std::int64_t>() >= 0) counts.push_back(entry.get<std::int64_t>());
            else reader.problem(key, "This must be a list of counts.");
        }
    }
    return counts;
}

Json columnsToJson(const std::vector<TableColumn>& columns)
{
    Json list = Json::array();
    for (const TableColumn& column : columns) list.push_back(Json{{"name", column.name}, {"words", column.words}, {"missing", column.missing}});
    return list;
}

std::vector<TableColumn> columnsFromJson(JsonReader& reader, std::vector<JsonProblem>& problems)
{
    std::vector<TableColumn> columns;
    const Json* list = reader.raw("columns");
    if (!list) return columns;
    if (!list->is_array()) reader.problem("columns", "This must be a list of columns.");
    else {
        for (const Json& entry : *list) {
            JsonReader one(entry, "/columns/" + std::to_string(columns.size()), problems);
            TableColumn column;
            column.name = one.text("name", "");
            column.words = textsFromJson(one, "words");
            column.missing = one.integer("missing", 0, 0, INT64_MAX);
            columns.push_back(std::move(column));
        }
    }
    return columns;
}

} // namespace

Json DatasetInfo::toJson() const
{
    Json json{{"id", id},
                {"title", title},
                {"kind", kind},
                {"location", location},
                {"sample", sampleToJson(sample)},
                {"training_count", trainingCount},
                {"test_count", testCount},
                {"validation_count", validationCount},
                {"classes", classes},
                {"training_per_class", trainingPerClass},
                {"test_per_class", testPerClass},
                {"fingerprint", fingerprint},
                {"bytes", bytes},
                {"problems", problems},
                {"mean", mean},
                {"deviation", deviation}};
    if (kind == "text") json["symbols"] = symbols;
    if (!labelNames.empty()) {
        json["label_names"] = labelNames;
        json["training_per_label"] = trainingPerLabel;
        json["test_per_label"] = testPerLabel;
    }
    if (kind != "table") return json;
    json["columns"] = columnsToJson(columns);
    json["column_names"] = columnNames;
    json["yes_no_columns"] = yesNoColumns;
    json["target"] = target;
    json["numbers"] = numbers;
    json["target_mean"] = targetMean;
    json["target_deviation"] = targetDeviation;
    json["target_least"] = targetLeast;
    json["target_most"] = targetMost;
    return json;
}

Result<DatasetInfo> DatasetInfo::fromJson(const Json& json)
{
    std::vector<JsonProblem> wrong;
    JsonReader reader(json, "", wrong);
    DatasetInfo info;
    info.id = reader.text("id", "");
    info.title = reader.text("title", "");
    info.kind = reader.text("kind", "");
    info.location = reader.text("location", "");
    const Json* sample = reader.raw("sample");
    if (sample) info.sample = sampleFromJson(*sample, "/sample", wrong);
    else reader.problem("sample", "The shape of a sample is missing.");
    info.trainingCount = reader.integer("training_count", 0, 0, INT64_MAX);
    info.testCount = reader.integer("test_count", 0, 0, INT64_MAX);
    info.validationCount = reader.integer("validation_count", 0, 0, info.trainingCount);
    info.classes = textsFromJson(reader, "classes");
    info.trainingPerClass = countsFromJson(reader, "training_per_class");
    info.testPerClass = countsFromJson(reader, "test_per_class");
    info.fingerprint = reader.text("fingerprint", "");
    info.bytes = static_cast<std::uint64_t>(reader.integer("bytes", 0, 0, INT64_MAX));
    info.problems = textsFromJson(reader, "problems");
    info.mean = reader.real("mean", 0, -1e300, 1e300);
    info.deviation = reader.real("deviation", 1, 0, 1e300);
    info.labelNames = textsFromJson(reader, "label_names");
    info.trainingPerLabel = countsFromJson(reader, "training_per_label");
    info.testPerLabel = countsFromJson(reader, "test_per_label");
    info.yesNoColumns = textsFromJson(reader, "yes_no_columns");
    info.columns = columnsFromJson(reader, wrong);
    info.columnNames = textsFromJson(reader, "column_names");
    info.target = reader.text("target", "");
    info.symbols = textsFromJson(reader, "symbols");
    info.numbers = reader.boolean("numbers", false);
    info.targetMean = reader.real("target_mean", 0, -1e300, 1e300);
    info.targetDeviation = reader.real("target_deviation", 1, 0, 1e300);
    info.targetLeast = reader.real("target_least", 0, -1e300, 1e300);
    info.targetMost = reader.real("target_most", 0, -1e300, 1e300);
    if (!wrong.empty()) {
        return Error{ErrorCode::Invalid, "The description of a data set is wrong at " + wrong.front().path + ": " + wrong.front().message, "", ""};
    }
    return info;
}

std::size_t Dataset::recordBytes() const
{
    return static_cast<std::size_t>(m_info.sample.elements()) * sizeOf(m_info.sample.dtype) + (m_info.symbols.empty() ? 0 : 1);
}

Json ImportOptions::toJson() const
{
    return Json{{"width", width}, {"height", height}, {"channels", channels}, {"target", target}, {"labels", labels}, {"header", header}, {"context", context}};
}

ImportOptions ImportOptions::fromJson(const Json& json)
{
    std::vector<JsonProblem> ignored; // an option that makes no sense is as if it were not given
    JsonReader reader(json, "", ignored);
    ImportOptions options;
    options.width = static_cast<int>(reader.integer("width", 0, 0, 4096));
    options.height = static_cast<int>(reader.integer("height", 0, 0, 4096));
    options.channels = static_cast<int>(reader.integer("channels", 0, 0, 3));
    if (options.channels == 2) options.channels = 0;
    options.target = reader.text("target", "");
    options.labels = textsFromJson(reader, "labels");
    options.header = reader.text("header", "auto", 8);
    if (options.header != "yes" && options.header != "no") options.header = "auto";
    options.context = static_cast<int>(reader.integer("context", 0, 0, mostContext));
    return options;
}

namespace {

/// A labels.csv beside folders of classes may be about something else, such as what the classes are called.
Result<DatasetPtr> openWithLabels(const std::string& path, const ImportOptions& options, const ProgressFn& progress)
{
    auto labelled = openLabelledPictures(path, options, progress);
    if (labelled || labelled.error().code != ErrorCode::Invalid) return labelled;
    auto folders = openPictureFolder(path, options, progress);
    return folders || folders.error().code == ErrorCode::Cancelled ? folders : labelled;
}

} // namespace

Result<DatasetPtr> openDataset(const std::string& path, const ImportOptions& options, const ProgressFn& progress)
{
    try {
        if (path == builtinDigitsPath) {
            if (progress && !progress(0, "Drawing digits")) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
            DatasetPtr digits = builtinDigits();
            if (progress) progress(1, "Drawing digits");
            return digits;
        }
        std::error_code failure;
        const fs::file_status status = fs::status(path, failure);
        if (status.type() == fs::file_type::not_found || path.empty()) {
            return Error{ErrorCode::NotFound, "There is no data at “" + path + "”.", "Check the path, or use the built-in digits (builtin:digits).", ""};
        }
        if (failure) return Error{ErrorCode::Permission, "The data at " + path + " cannot be looked at.", "Check its permissions.", failure.message()};
        if (fs::is_directory(status)) return holdsIdx(path) ? openIdx(path, progress) : holdsLabels(path) ? openWithLabels(path, options, progress) : holdsTexts(path) ? openText(path, options, progress) : openPictureFolder(path, options, progress);
        if (looksLikePicture(path)) {
            return Error{ErrorCode::Invalid, "The file " + path + " is a single picture.", "Choose the folder that holds one folder of pictures for each class.", ""};
        }
        if (looksLikeTable(path)) return openTable(path, options, progress);
        if (looksLikeText(path)) return openText(path, options, progress);
        return openIdx(path, progress);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, "There is not enough memory for the data at " + path + ".", "Close other programs, or use smaller pictures.", ""};
    } catch (const std::exception& failure) {
        return Error{ErrorCode::Io, "The data at " + path + " could not be read.", "Check the path and its permissions.", failure.what()};
    }
}

DatasetId libraryId(const DatasetInfo& info, std::span<const DatasetInfo> known)
{
    const auto free = [&](const DatasetId& id) {
        return std::none_of(known.begin(), known.end(), [&](const DatasetInfo& k) { return k.id == id && k.fingerprint != info.fingerprint && k.location != info.location; });
    };
    DatasetId id = info.id;
    for (int n = 2; !free(id); ++n) id = info.id + "-" + std::to_string(n);
    return id;
}

std::span<const DataKind> dataKinds()
{
    static const std::array<DataKind, 6> kinds{{
        {"digits", "Built-in digits", "Handwritten-looking digits that Sconce draws itself; nothing is downloaded.", "builtin:digits"},
        {"idx", "IDX files", "The format of MNIST: a folder with train-images…, train-labels…, t10k-images… and t10k-labels…, plain or .gz.", "mnist/train-images-idx3-ubyte.gz"},
        {"picture-folder", "Folder of pictures", "One folder of PNG or JPEG pictures for each class; train and test folders above them if there are any.", "flowers/train/rose/1.jpg"},
        {"labelled-pictures", "Pictures with labels", "A folder of PNG or JPEG pictures with a labels.csv that says what is on each: any number of labels at once, in a column for each label (1 or 0), or as a list behind the name of the file.", "photos/labels.csv"},
        {"table", "Table", "A CSV file: numbers and words, one sample a line, one column to predict, or several of yes and no at once. Separated by commas, semicolons or tabs, with or without names in the first line.", "penguins.csv"},
        {"text", "Text", "A .txt file in UTF-8, or a folder of them: a network learns to say which symbol comes next. Symbols are its characters where there are at most 256, else its bytes.", "shakespeare.txt"},
    }};
    return kinds;
}

} // namespace sconce

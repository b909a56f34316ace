// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Data in three parts (rule 13). Here: *Samples*, fixed-size records (bytes of pictures, 32-bit floats of a table, symbols of a
// text) gathered
// into the caller's memory, and what a data set says about itself. *Order* is core/data/order.h; *Feed* belongs to the engine. A Dataset is immutable once
// opened and may be read by any number of threads.

#include "core/base/ids.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/shape.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sconce {

/// The parts in which a data set is stored. Validation is split off training by the recipe (core/data/split.h).
enum class Part { Training, Test };

/// A column of a table that the network is fed: a number, or words with one feature for each.
struct TableColumn
{
    std::string name;
    std::vector<std::string> words; ///< empty: a number. "" stands for a missing entry where there are any
    std::int64_t missing = 0;       ///< entries that are missing
    bool operator==(const TableColumn&) const = default;
};

/// What is known without reading the samples again; stored in the library and in every run.
struct DatasetInfo
{
    DatasetId id;              ///< "mnist", "digits"
    std::string title;         ///< "MNIST", "Built-in digits"
    std::string kind;          ///< "idx", "picture-folder", "table", "text", "digits" (ids of DataKind)
    std::string location;      ///< path as given; empty for the built-in set
    ValueType sample;          ///< of one input, as stored: 1×28×28 of U8; a table's features are F32; of a text as many symbols as the network sees at once
    std::int64_t trainingCount = 0;
    std::int64_t testCount = 0;                 ///< 0: no test part of its own
    std::int64_t validationCount = 0;           ///< the last so many of the training part are a validation part of its own (a folder val/)
    std::vector<std::string> classes;           ///< names in label order
    std::vector<std::int64_t> trainingPerClass; ///< counts
    std::vector<std::int64_t> testPerClass;
    std::string fingerprint;   ///< SHA-256 over samples, labels and class names: same data = same fingerprint, wherever it lies
    std::uint64_t bytes = 0;   ///< decoded, in memory
    std::vector<std::string> problems; ///< sentences: "3 pictures could not be read: …"
    double mean = 0, deviation = 1;    ///< of training pixels scaled to 0…1 (over all channels)
    std::vector<TableColumn> columns;  ///< of a table, as the network is fed: without the target and what was left out
    std::vector<std::string> columnNames; ///< all of a table's, in the order of the file
    std::string target;                ///< name of a table's target column
    bool numbers = false;              ///< every sample has a number to be predicted
    std::vector<std::string> labelNames;         ///< that a sample may have, any number of them at once, each there or not; empty where it has a class or a number instead
    std::vector<std::int64_t> trainingPerLabel;  ///< how many samples have each
    std::vector<std::int64_t> testPerLabel;
    std::vector<std::string> yesNoColumns;       ///< of a table, those that hold nothing but yes and no (or 1 and 0, true and false): these may be labels
    std::vector<std::string> symbols;  ///< of a text, by their indices: characters, or "<E4>" for a byte that is none (text_dataset.h)
    double targetMean = 0, targetDeviation = 1, targetLeast = 0, targetMost = 0; ///< of those numbers

    Json toJson() const;
    static Result<DatasetInfo> fromJson(const Json& json);
};

class Dataset
{
  public:
    virtual ~Dataset() = default;
    const DatasetInfo& info() const { return m_info; }
    std::int64_t count(Part part) const { return part == Part::Training ? m_info.trainingCount : m_info.testCount; }
    /// Of one sample. A text's has the symbol behind its own, too: inputs are all but the last, the truths all but the first.
    std::size_t recordBytes() const;
    /// Copies the records of `rows` one after the other into out (rows.size() × recordBytes()), channels first.
    virtual void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const = 0;
    /// Class index per row; empty where samples have no class.
    virtual std::span<const std::int32_t> labels(Part part) const = 0;
    /// The number to be predicted per row; empty where there is none.
    virtual std::span<const float> targets(Part part) const { (void)part; return {}; }
    /// Which labels each row has, row-major [rows, labelNames]: 1 where it has one, else 0. Empty where samples have none.
    virtual std::span<const std::uint8_t> labelSets(Part part) const { (void)part; return {}; }
    /// All records of a part where they lie contiguously in memory, else empty.
    virtual std::span<const std::uint8_t> contiguous(Part part) const { (void)part; return {}; }

  protected:
    DatasetInfo m_info;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// "dog, ball": those of a row's labels that are there; "none" where none is.
std::string labelsText(std::span<const std::string> names, std::span<const std::uint8_t> has);

/// Called with 0…1 while a data set is read, from the reading thread; return false to cancel.
using ProgressFn = std::function<bool(double share, const std::string& what)>;

/// That a sample may have at once.
inline constexpr std::size_t mostLabels = 1000;

/// How pictures of different sizes are brought to one, and how a table or a text is read.
struct ImportOptions
{
    int width = 0, height = 0; ///< 0: the commonest size of the first pictures, at most 64
    int channels = 0;          ///< 1 grey, 3 colour, 0: as the pictures are
    std::string target;        ///< a table's column to predict, by name, or by place from 1 ("12"); empty: the last
    std::vector<std::string> labels; ///< a table's columns to predict at once, each yes or no, named as `target` is; empty: `target` alone is predicted
    std::string header = "auto"; ///< does a table's first line name its columns? "auto", "yes", "no"
    int context = 0;           ///< of a text: symbols that the network sees at once, 1…4096; 0: 64
    bool operator==(const ImportOptions&) const = default;
    Json toJson() const;
    static ImportOptions fromJson(const Json& json);
};

/// Opens a data set: "builtin:digits", an IDX file or folder (MNIST naming: train-images…, t10k-labels…, plain or .gz), a
/// folder of pictures (one folder a class; train/, val/ and test/ above them if present), a folder of
/// pictures with a labels.csv (core/data/labelled_pictures.cpp), a table (.csv, .tsv), or a text (.txt, or a folder
/// of them). NotFound, Corrupt or Invalid with a
/// sentence otherwise.
Result<DatasetPtr> openDataset(const std::string& path, const ImportOptions& options = {}, const ProgressFn& progress = {});

/// The built-in digits: drawn from strokes, distorted, deterministic for a seed; 10,000 training and 2,000 test pictures 28×28.
inline constexpr const char* builtinDigitsPath = "builtin:digits";
DatasetPtr builtinDigits(std::uint64_t seed = 1);

/// The id under which a data set goes into a library that knows `known`: its own, unless that stands for other data already (two
/// folders of one name), then the first free of "name-2", "name-3", …. Data that changed where it lies keeps its id.
DatasetId libraryId(const DatasetInfo& info, std::span<const DatasetInfo> known);

/// A data kind as help, dialogs and `data inspect` list it.
struct DataKind { std::string id, title, help, example; };
std::span<const DataKind> dataKinds();

} // namespace sconce

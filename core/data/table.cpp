// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/table.h"

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/data/memory_dataset.h"
#include "core/formats/csv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

namespace sconce {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t mostWords = 256;          ///< a column with more tells samples apart, not kinds of them
constexpr std::size_t mostClasses = 1000;
constexpr std::size_t mostNumberClasses = 20;   ///< whole numbers that may as well be classes: grades, yes and no as 1 and 0
constexpr std::uint64_t mostBytes = std::uint64_t{8} << 30; ///< of records in memory

bool isMissing(std::string_view text)
{
    static constexpr std::array<std::string_view, 9> known{"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};
    return std::find(known.begin(), known.end(), text) != known.end();
}

/// A finite number that a float holds; with a decimal comma where commas part nothing.
bool numberFrom(std::string_view text, char separator, double& value)
{
    const auto finite = [&] { return std::isfinite(value) && std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()); };
    if (text.size() > 64) return false;
    if (text.starts_with('+')) text.remove_prefix(1);
    if (parseReal(text, value)) return finite();
    const auto comma = text.find(',');
    if (separator == ',' || comma == std::string_view::npos || text.find('.') != std::string_view::npos) return false;
    std::string point(text);
    point[comma] = '.';
    return parseReal(point, value) && finite();
}

/// Of the entries that are not missing.
bool isYesNo(const CsvTable& table, std::size_t column, std::size_t first)
{
    bool any = false;
    for (std::size_t row = first; row < table.rows(); ++row) {
        const std::string_view text = table.at(row, column);
        if (isMissing(text)) continue;
        if (!yesOrNo(text)) return false;
        any = true;
    }
    return any;
}

/// One column of the file, once it is known which rows are samples.
struct Column
{
    std::string name;
    bool number = true;
    std::int64_t missing = 0;
    std::set<std::string, std::less<>> words; ///< different entries of a column of words; at most one more than may be
};

Column lookAt(const CsvTable& table, std::size_t column, std::size_t first, std::size_t mostDifferent)
{
    Column facts;
    bool any = false;
    double value = 0;
    for (std::size_t row = first; row < table.rows(); ++row) {
        const std::string_view text = table.at(row, column);
        if (isMissing(text)) {
            ++facts.missing;
            continue;
        }
        any = true;
        if (numberFrom(text, table.separator(), value)) continue;
        facts.number = false;
        break;
    }
    if (facts.number && any) return facts;
    facts.missing = 0;
    facts.number = false;
    for (std::size_t row = first; row < table.rows(); ++row) {
        const std::string_view text = table.at(row, column);
        if (isMissing(text)) ++facts.missing;
        else if (facts.words.size() <= mostDifferent && !facts.words.contains(text)) facts.words.emplace(text);
    }
    return facts;
}

/// A first line of names: nothing in it is a number or missing, no name stands twice, and some column has numbers below it; or, in a
/// table of words alone, no name is found again in its own column.
bool hasHeader(const CsvTable& table)
{
    if (table.rows() < 2) return false;
    std::set<std::string_view> names;
    double value = 0;
    for (std::size_t c = 0; c < table.columns(); ++c) {
        const std::string_view name = table.at(0, c);
        if (isMissing(name) || numberFrom(name, table.separator(), value) || !names.insert(name).second) return false;
    }
    bool again = false;
    for (std::size_t c = 0; c < table.columns(); ++c) {
        const Column below = lookAt(table, c, 1, mostWords);
        if (below.number) return true;
        again = again || below.words.contains(table.at(0, c));
    }
    return !again;
}

class TableDataset final : public Dataset
{
  public:
    TableDataset(DatasetInfo info, std::vector<float> records, std::vector<std::int32_t> labels, std::vector<float> targets, std::vector<std::uint8_t> labelSets)
        : m_records(std::move(records)), m_labels(std::move(labels)), m_targets(std::move(targets)), m_labelSets(std::move(labelSets))
    {
        m_info = std::move(info);
        m_info.bytes = m_records.size() * sizeof(float);
        m_info.trainingPerClass.assign(m_info.classes.size(), 0);
        m_info.testPerClass.assign(m_info.classes.size(), 0);
        for (const std::int32_t label : m_labels) ++m_info.trainingPerClass[static_cast<std::size_t>(label)];
        m_info.trainingPerLabel.assign(m_info.labelNames.size(), 0);
        m_info.testPerLabel.assign(m_info.labelNames.size(), 0);
        for (std::size_t i = 0; i < m_labelSets.size(); ++i) m_info.trainingPerLabel[i % m_info.labelNames.size()] += m_labelSets[i];
        targetFacts();
        m_info.fingerprint = fingerprint();
        m_info.id = slugFor(m_info.title, m_info.fingerprint);
    }

    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        const std::size_t record = recordBytes();
        std::uint8_t* to = out.data();
        for (const std::int64_t row : rows) {
            const bool known = part == Part::Training && row >= 0 && row < m_info.trainingCount;
            if (known) std::memcpy(to, reinterpret_cast<const std::uint8_t*>(m_records.data()) + static_cast<std::size_t>(row) * record, record);
            else std::memset(to, 0, record);
            to += record;
        }
    }
    std::span<const std::int32_t> labels(Part part) const override { return part == Part::Training ? std::span<const std::int32_t>(m_labels) : std::span<const std::int32_t>(); }
    std::span<const float> targets(Part part) const override { return part == Part::Training ? std::span<const float>(m_targets) : std::span<const float>(); }
    std::span<const std::uint8_t> labelSets(Part part) const override { return part == Part::Training ? std::span<const std::uint8_t>(m_labelSets) : std::span<const std::uint8_t>(); }
    std::span<const std::uint8_t> contiguous(Part part) const override
    {
        if (part == Part::Test) return {};
        return {reinterpret_cast<const std::uint8_t*>(m_records.data()), m_records.size() * sizeof(float)};
    }

  private:
    void targetFacts()
    {
        if (m_targets.empty()) return;
        double sum = 0, squares = 0;
        for (const float value : m_targets) sum += static_cast<double>(value);
        m_info.targetMean = sum / static_cast<double>(m_targets.size());
        for (const float value : m_targets) squares += (static_cast<double>(value) - m_info.targetMean) * (static_cast<double>(value) - m_info.targetMean);
        m_info.targetDeviation = std::sqrt(squares / static_cast<double>(m_targets.size()));
        const auto [least, most] = std::minmax_element(m_targets.begin(), m_targets.end());
        m_info.targetLeast = static_cast<double>(*least);
        m_info.targetMost = static_cast<double>(*most);
    }

    std::string fingerprint() const
    {
        Sha256 hash;
        const auto add = [&](std::string_view text) {
            hash.add(std::to_string(text.size()) + ":");
            hash.add(text);
        };
        add("sconce-table-1");
        for (const TableColumn& column : m_info.columns) {
            add(column.name);
            add(std::to_string(column.words.size()));
            for (const std::string& word : column.words) add(word);
        }
        add(m_info.target);
        for (const std::string& name : m_info.classes) add(name);
        hash.add(std::as_bytes(std::span(m_records)));
        hash.add(std::as_bytes(std::span(m_labels)));
        hash.add(std::as_bytes(std::span(m_targets)));
        for (const std::string& name : m_info.labelNames) add(name); // a table without labels is what it was
        hash.add(std::as_bytes(std::span(m_labelSets)));
        return hash.hex();
    }

    std::vector<float> m_records;
    std::vector<std::int32_t> m_labels;
    std::vector<float> m_targets;
    std::vector<std::uint8_t> m_labelSets;
};

/// One-hot or number: writes an entry's features.
void encode(const TableColumn& column, std::string_view text, char separator, float* to)
{
    if (column.words.empty()) {
        double value = 0;
        *to = !isMissing(text) && numberFrom(text, separator, value) ? static_cast<float>(value) : missing;
        return;
    }
    if (isMissing(text)) text = {};
    const auto found = std::lower_bound(column.words.begin(), column.words.end(), text);
    if (found != column.words.end() && *found == text) to[found - column.words.begin()] = 1;
}

std::size_t width(const TableColumn& column) { return std::max<std::size_t>(1, column.words.size()); }

/// The file on its way to a data set.
class TableReader
{
  public:
    TableReader(const std::string& path, const ImportOptions& options, CsvTable table)
        : m_name(std::filesystem::path(path).filename().string()), m_options(options), m_table(std::move(table))
    {
        m_info.kind = "table";
        m_info.location = path;
        m_info.title = std::filesystem::path(path).stem().string();
        if (char& first = m_info.title[0]; first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A'); // it begins sentences
    }

    Result<DatasetPtr> read()
    {
        m_first = m_options.header == "yes" || (m_options.header == "auto" && hasHeader(m_table)) ? 1 : 0;
        if (m_table.rows() <= m_first) return wrong("has no rows.");
        nameColumns();
        SCONCE_TRY(chooseTargets());
        chooseRows();
        if (m_rows.empty()) return wrong("has nothing in " + whatIsPredicted() + ".", m_targets.size() == 1 ? "Choose another column." : "Choose other columns.");
        if (m_rows.size() < 2) return wrong("has a single row.", "There is nothing to learn from one; a line of names alone is none.");
        if (m_options.labels.empty()) SCONCE_TRY(readTarget());
        else SCONCE_TRY(readLabels());
        chooseColumns();
        if (m_features == 0) return wrong(m_targets.size() == 1 ? "has no column besides “" + m_info.columnNames[m_targets.front()] + "” to learn from." : "has no column besides those to be predicted to learn from.");
        if (static_cast<std::uint64_t>(m_rows.size()) * m_features > mostBytes / sizeof(float))
            return wrong("would take " + bytesText(static_cast<std::uint64_t>(m_rows.size()) * m_features * sizeof(float)) + " of memory, with " + groupedInt(static_cast<std::int64_t>(m_features)) + " features a row.",
                         "Leave out columns with many different words.");
        std::vector<float> records = encodeRows();
        m_info.sample = featuresType(static_cast<std::int64_t>(m_features));
        m_info.trainingCount = static_cast<std::int64_t>(m_rows.size());
        return DatasetPtr(std::make_shared<TableDataset>(std::move(m_info), std::move(records), std::move(m_labels), std::move(m_numbers), std::move(m_labelSets)));
    }

  private:
    Error wrong(const std::string& why, const std::string& remedy = {}) const { return {ErrorCode::Invalid, "The table " + m_name + " " + why, remedy, {}}; }

    /// Every column has a name, and no two the same.
    void nameColumns()
    {
        std::set<std::string> used;
        for (std::size_t c = 0; c < m_table.columns(); ++c) {
            std::string name = m_first > 0 ? std::string(m_table.at(0, c)) : std::string();
            if (name.empty()) name = "column " + std::to_string(c + 1);
            const std::string base = name;
            for (int k = 2; !used.insert(name).second; ++k) name = base + " (" + std::to_string(k) + ")";
            m_info.columnNames.push_back(name);
        }
    }

    Result<std::size_t> columnCalled(const std::string& wanted) const
    {
        const auto& names = m_info.columnNames;
        const auto found = std::find(names.begin(), names.end(), wanted);
        std::int64_t place = 0;
        if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
        if (parseInt(wanted, place) && place >= 1 && place <= static_cast<std::int64_t>(names.size())) return static_cast<std::size_t>(place - 1);
        const std::string near = nearest(wanted, names);
        return wrong("has no column “" + wanted + "”." + (near.empty() ? "" : " Did you mean “" + near + "”?"), "Name one of its columns, or its place from 1.");
    }

    /// One column, the last where none is named; or those that are labels, in the order of the file.
    Result<void> chooseTargets()
    {
        for (std::size_t c = 0; c < m_table.columns(); ++c)
            if (isYesNo(m_table, c, m_first)) m_info.yesNoColumns.push_back(m_info.columnNames[c]);
        if (m_options.labels.empty()) {
            m_targets = {m_table.columns() - 1};
            if (!m_options.target.empty()) {
                auto column = columnCalled(m_options.target);
                if (!column) return column.error();
                m_targets = {*column};
            }
            m_info.target = m_info.columnNames[m_targets.front()];
            return {};
        }
        for (const std::string& name : m_options.labels) {
            auto column = columnCalled(name);
            if (!column) return column.error();
            if (std::find(m_targets.begin(), m_targets.end(), *column) != m_targets.end()) return wrong("has the column “" + m_info.columnNames[*column] + "” twice among those to be predicted.", "Name it once.");
            m_targets.push_back(*column);
        }
        std::sort(m_targets.begin(), m_targets.end());
        if (m_targets.size() > mostLabels) return wrong("has " + groupedInt(static_cast<std::int64_t>(m_targets.size())) + " columns to be predicted, more than " + groupedInt(static_cast<std::int64_t>(mostLabels)) + ".", "Choose fewer.");
        for (const std::size_t column : m_targets) m_info.labelNames.push_back(m_info.columnNames[column]);
        return {};
    }

    std::string whatIsPredicted() const
    {
        return m_targets.size() == 1 ? "its column “" + m_info.columnNames[m_targets.front()] + "”, which is to be predicted" : "all of the columns that are to be predicted";
    }
    bool isTarget(std::size_t column) const { return std::binary_search(m_targets.begin(), m_targets.end(), column); }

    void chooseRows()
    {
        for (std::size_t row = m_first; row < m_table.rows(); ++row)
            if (std::none_of(m_targets.begin(), m_targets.end(), [&](std::size_t column) { return isMissing(m_table.at(row, column)); })) m_rows.push_back(row);
        const auto left = static_cast<std::int64_t>(m_table.rows() - m_first - m_rows.size());
        if (left > 0) m_info.problems.push_back(plural(left, "row is", "rows are") + " left out: nothing stands in " + (m_targets.size() == 1 ? "“" + m_info.columnNames[m_targets.front()] + "”, which is to be predicted." : "one of the columns that are to be predicted."));
    }

    /// Words are classes; numbers are numbers, and classes too if they are few and whole.
    Result<void> readTarget()
    {
        const std::size_t target = m_targets.front();
        const Column facts = lookAt(m_table, target, m_first, mostClasses);
        if (!facts.number) {
            if (facts.words.size() > mostClasses)
                return wrong("has more than " + groupedInt(static_cast<std::int64_t>(mostClasses)) + " different words in its column “" + m_info.target + "”, which is to be predicted.", "Choose another column.");
            m_info.classes.assign(facts.words.begin(), facts.words.end());
            for (const std::size_t row : m_rows) {
                const auto found = std::lower_bound(m_info.classes.begin(), m_info.classes.end(), m_table.at(row, target));
                m_labels.push_back(static_cast<std::int32_t>(found - m_info.classes.begin()));
            }
            return {};
        }
        m_info.numbers = true;
        std::set<double> different;
        for (const std::size_t row : m_rows) {
            double value = 0;
            numberFrom(m_table.at(row, target), m_table.separator(), value);
            m_numbers.push_back(static_cast<float>(value));
            if (different.size() <= mostNumberClasses) different.insert(value);
        }
        const bool classes = different.size() <= mostNumberClasses && std::all_of(different.begin(), different.end(), [](double v) { return v == std::floor(v) && std::abs(v) < 1e6; });
        if (!classes) return {};
        for (const double value : different) m_info.classes.push_back(std::to_string(static_cast<std::int64_t>(value)));
        for (const float value : m_numbers) m_labels.push_back(static_cast<std::int32_t>(std::distance(different.begin(), different.find(static_cast<double>(value)))));
        return {};
    }

    /// Each column a label: yes or no.
    Result<void> readLabels()
    {
        m_labelSets.reserve(m_rows.size() * m_targets.size());
        for (const std::size_t row : m_rows)
            for (const std::size_t column : m_targets) {
                const std::string_view text = m_table.at(row, column);
                const auto has = yesOrNo(text);
                if (!has) return wrong("has “" + std::string(text.substr(0, 40)) + "” in line " + groupedInt(static_cast<std::int64_t>(m_table.line(row))) + ", column “" + m_info.columnNames[column] + "”, but a label is there or not.", "Choose columns of yes and no, 1 and 0, or true and false.");
                m_labelSets.push_back(*has);
            }
        return {};
    }

    void chooseColumns()
    {
        std::int64_t numbersMissing = 0, wordsMissing = 0;
        std::vector<std::string> many, empty;
        for (std::size_t c = 0; c < m_table.columns(); ++c) {
            if (isTarget(c)) continue;
            const Column facts = lookAt(m_table, c, m_first, mostWords);
            const std::string& name = m_info.columnNames[c];
            if (!facts.number && facts.words.empty()) {
                empty.push_back(name);
                continue;
            }
            if (facts.words.size() > mostWords) {
                many.push_back(name);
                continue;
            }
            TableColumn column{name, {facts.words.begin(), facts.words.end()}, facts.missing};
            if (!facts.number && facts.missing > 0) column.words.insert(column.words.begin(), "");
            (facts.number ? numbersMissing : wordsMissing) += facts.missing;
            m_features += width(column);
            m_places.push_back(c);
            m_info.columns.push_back(std::move(column));
        }
        const auto list = [](const std::vector<std::string>& names) {
            std::string text;
            for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i) text += (i ? ", “" : "“") + names[i] + "”";
            return text + (names.size() > 5 ? ", …" : "");
        };
        if (!many.empty()) m_info.problems.push_back("Left out for having more than " + groupedInt(static_cast<std::int64_t>(mostWords)) + " different words, as names and numbers of tickets have: " + list(many) + ".");
        if (!empty.empty()) m_info.problems.push_back("Left out for being empty: " + list(empty) + ".");
        if (numbersMissing > 0) m_info.problems.push_back(plural(numbersMissing, "number is", "numbers are") + " missing; the median of the training rows stands for them.");
        if (wordsMissing > 0) m_info.problems.push_back(plural(wordsMissing, "word is", "words are") + " missing; they count as a kind of their own.");
    }

    std::vector<float> encodeRows() const
    {
        std::vector<float> records(m_rows.size() * m_features, 0);
        float* to = records.data();
        for (const std::size_t row : m_rows)
            for (std::size_t i = 0; i < m_places.size(); ++i) {
                encode(m_info.columns[i], m_table.at(row, m_places[i]), m_table.separator(), to);
                to += width(m_info.columns[i]);
            }
        return records;
    }

    const std::string m_name;
    const ImportOptions m_options;
    const CsvTable m_table;
    std::size_t m_first = 0, m_features = 0;
    std::vector<std::size_t> m_targets;        ///< columns that are predicted, in the order of the file
    std::vector<std::size_t> m_rows, m_places; ///< samples; columns that are fed
    std::vector<std::int32_t> m_labels;
    std::vector<float> m_numbers;
    std::vector<std::uint8_t> m_labelSets;
    DatasetInfo m_info;
};

} // namespace

std::optional<bool> yesOrNo(std::string_view text)
{
    if (text.empty() || text.size() > 5) return std::nullopt;
    std::string word(text);
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const char* yes : {"1", "yes", "true", "y", "t", "1.0"})
        if (word == yes) return true;
    for (const char* no : {"0", "no", "false", "n", "f", "0.0"})
        if (word == no) return false;
    return std::nullopt;
}

bool looksLikeTable(const std::string& path)
{
    std::string ending = std::filesystem::path(path).extension().string();
    for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return ending == ".csv" || ending == ".tsv";
}

Result<DatasetPtr> openTable(const std::string& path, const ImportOptions& options, const ProgressFn& progress)
{
    const std::string what = "Reading " + std::filesystem::path(path).filename().string();
    const Error cancelled{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    if (progress && !progress(0, what)) return cancelled;
    auto table = readCsv(path);
    if (!table) return table.error();
    if (progress && !progress(0.5, what)) return cancelled;
    auto data = TableReader(path, options, std::move(*table)).read();
    if (!data) return data.error();
    if (progress && !progress(1, what)) return cancelled;
    return data;
}

std::string labelsText(std::span<const std::string> names, std::span<const std::uint8_t> has)
{
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), has.size()); ++i)
        if (has[i]) text += (text.empty() ? "" : ", ") + names[i];
    return text.empty() ? "none" : text;
}

std::vector<std::string> tableRow(const Dataset& data, Part part, std::int64_t row)
{
    const DatasetInfo& info = data.info();
    std::vector<float> record(static_cast<std::size_t>(info.sample.elements()));
    data.gather(part, std::span(&row, 1), {reinterpret_cast<std::uint8_t*>(record.data()), record.size() * sizeof(float)});
    std::vector<std::string> texts;
    const float* at = record.data();
    for (const TableColumn& column : info.columns) {
        std::string text = "–";
        if (column.words.empty()) {
            if (!std::isnan(*at)) text = realText(static_cast<double>(*at), 7);
        } else {
            const auto hot = static_cast<std::size_t>(std::find(at, at + column.words.size(), 1.0f) - at);
            if (hot < column.words.size() && !column.words[hot].empty()) text = column.words[hot];
        }
        texts.push_back(std::move(text));
        at += width(column);
    }
    const auto numbers = data.targets(part);
    const auto labels = data.labels(part);
    if (!numbers.empty()) texts.push_back(realText(static_cast<double>(numbers[static_cast<std::size_t>(row)]), 7));
    else if (!info.labelNames.empty()) texts.push_back(labelsText(info.labelNames, data.labelSets(part).subspan(static_cast<std::size_t>(row) * info.labelNames.size(), info.labelNames.size())));
    else if (!labels.empty()) texts.push_back(info.classes[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])]);
    return texts;
}

Result<TableRecords> readRecordsOf(const DatasetInfo& info, const std::string& path)
{
    auto table = readCsv(path);
    if (!table) return table.error();
    const auto wrong = [&](const std::string& why) { return Error{ErrorCode::Invalid, "The table " + path + " " + why, "It needs the columns of " + info.title + ".", {}}; };
    // By name: the first line holds all that are needed. By place: as many columns as the data set, with the target or without.
    std::map<std::string_view, std::size_t> names;
    for (std::size_t c = 0; c < table->columns(); ++c) names.emplace(table->at(0, c), c);
    const auto named = std::count_if(info.columns.begin(), info.columns.end(), [&](const TableColumn& column) { return names.contains(column.name); });
    const bool header = named > 0;
    std::vector<std::size_t> places;
    for (const TableColumn& column : info.columns) {
        if (header) {
            const auto found = names.find(column.name);
            if (found == names.end()) return wrong("has no column “" + column.name + "”.");
            places.push_back(found->second);
            continue;
        }
        const auto at = static_cast<std::size_t>(std::find(info.columnNames.begin(), info.columnNames.end(), column.name) - info.columnNames.begin());
        // Those to be predicted may be left out, all of them.
        const auto isTarget = [&](const std::string& name) { return info.labelNames.empty() ? name == info.target : std::find(info.labelNames.begin(), info.labelNames.end(), name) != info.labelNames.end(); };
        const auto targets = static_cast<std::size_t>(std::count_if(info.columnNames.begin(), info.columnNames.end(), isTarget));
        const auto before = static_cast<std::size_t>(std::count_if(info.columnNames.begin(), info.columnNames.begin() + static_cast<std::ptrdiff_t>(at), isTarget));
        const bool without = table->columns() + targets == info.columnNames.size();
        if (!without && table->columns() != info.columnNames.size())
            return wrong("has " + plural(static_cast<std::int64_t>(table->columns()), "column", "columns") + " instead of " + groupedInt(static_cast<std::int64_t>(info.columnNames.size())) + ".");
        places.push_back(without ? at - before : at);
    }
    TableRecords records;
    const std::size_t features = static_cast<std::size_t>(info.sample.elements()), first = header ? 1 : 0;
    if ((table->rows() - first) > mostBytes / sizeof(float) / std::max<std::size_t>(1, features)) return wrong("has too many rows to take at once.");
    records.features.assign((table->rows() - first) * features, 0);
    std::int64_t unknown = 0;
    float* to = records.features.data();
    for (std::size_t row = first; row < table->rows(); ++row) {
        records.lines.push_back(table->line(row));
        for (std::size_t i = 0; i < places.size(); ++i) {
            const TableColumn& column = info.columns[i];
            const std::string_view text = table->at(row, places[i]);
            double value = 0;
            if (column.words.empty() && !isMissing(text) && !numberFrom(text, table->separator(), value))
                return wrong("has “" + std::string(text.substr(0, 40)) + "” in line " + groupedInt(static_cast<std::int64_t>(table->line(row))) + ", where “" + column.name + "” wants a number.");
            encode(column, text, table->separator(), to);
            unknown += !column.words.empty() && std::find(to, to + column.words.size(), 1.0f) == to + column.words.size();
            to += width(column);
        }
    }
    if (unknown > 0) records.problems.push_back(plural(unknown, "entry is a word", "entries are words") + " that the model has never seen; they count as none of those it knows.");
    return records;
}

} // namespace sconce

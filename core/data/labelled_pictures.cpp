// SPDX-License-Identifier: GPL-3.0-or-later
// A folder of pictures with a labels.csv: one line a picture, first the name of its file (below the folder; its ending may be left
// out), then what is on it. Either a column for each label, with 1 or 0 (yes or no), named in the first line:
//     file,dog,ball
//     a.jpg,1,0
// or the labels themselves, in as many columns as it takes, or in one, parted by | or ; (by blanks, where neither stands in it):
//     file,labels
//     a.jpg,dog|ball
// Pictures in a folder test/ are the test part, those in val/ or valid/ the validation part.
#include "core/data/order.h"
#include "core/data/picture_reading.h"

#include "core/base/text.h"
#include "core/formats/csv.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace sconce {
namespace {

namespace fs = std::filesystem;

constexpr const char* labelsFile = "labels.csv";

std::string lowered(std::string_view text)
{
    std::string word(text);
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return word;
}

template <class Words> bool isOneOf(const std::string& word, const Words& words) { return std::find(std::begin(words), std::end(words), word) != std::end(words); }

/// What stands between characters of `separators`, without blanks around it.
std::vector<std::string> parts(std::string_view text, std::string_view separators)
{
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.size(), text.find_first_of(separators));
        std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
        while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

/// What labels.csv says: of each picture where it is and which labels it has.
struct Listed
{
    std::vector<std::string> labels;
    std::vector<fs::path> paths;               ///< as written
    std::vector<std::vector<std::size_t>> has; ///< places in `labels`
};

class LabelReader
{
  public:
    LabelReader(const CsvTable& table, std::string path) : m_table(table), m_path(std::move(path)) {}

    Result<Listed> read()
    {
        if (m_table.columns() < 2) return wrong("names no labels.", "Write the name of a picture's file, then its labels.");
        static constexpr std::array<const char*, 11> heads{"file", "filename", "file_name", "image", "image_name", "image_id", "picture", "path", "name", "id", "img"};
        m_first = isOneOf(lowered(m_table.at(0, 0)), heads) ? 1 : 0;
        if (m_table.rows() <= m_first) return wrong("has no lines.", "");
        if (columnsAreLabels()) readColumns();
        else readLists();
        if (m_listed.labels.empty()) return wrong("names no labels.", "Write the name of a picture's file, then its labels.");
        if (m_listed.labels.size() > mostLabels)
            return wrong("names " + groupedInt(static_cast<std::int64_t>(m_listed.labels.size())) + " labels, more than " + groupedInt(static_cast<std::int64_t>(mostLabels)) + ".", "Are the columns as they should be? First the file, then its labels.");
        return std::move(m_listed);
    }

  private:
    Error wrong(const std::string& why, const std::string& remedy) const { return {ErrorCode::Invalid, "The list " + m_path + " " + why, remedy, {}}; }

    bool columnsAreLabels() const
    {
        bool any = false;
        for (std::size_t row = m_first; row < m_table.rows(); ++row)
            for (std::size_t c = 1; c < m_table.columns(); ++c) {
                if (m_table.at(row, c).empty()) continue;
                if (!yesOrNo(m_table.at(row, c))) return false;
                any = true;
            }
        return any;
    }

    /// A column for each label; nothing in it is no.
    void readColumns()
    {
        for (std::size_t c = 1; c < m_table.columns(); ++c) {
            const std::string name = m_first > 0 ? std::string(m_table.at(0, c)) : std::string();
            m_listed.labels.push_back(name.empty() ? "label " + std::to_string(c) : name);
        }
        for (std::size_t row = m_first; row < m_table.rows(); ++row) {
            std::vector<std::size_t> has;
            for (std::size_t c = 1; c < m_table.columns(); ++c)
                if (yesOrNo(m_table.at(row, c)).value_or(false)) has.push_back(c - 1);
            add(row, std::move(has));
        }
    }

    void readLists()
    {
        std::string separators = "|;";
        bool parted = m_table.columns() > 2;
        for (std::size_t row = m_first; row < m_table.rows(); ++row) parted = parted || m_table.at(row, 1).find_first_of(separators) != std::string_view::npos;
        if (!parted) separators += ' ';
        std::vector<std::set<std::string>> words;
        std::set<std::string> all;
        for (std::size_t row = m_first; row < m_table.rows(); ++row) {
            std::set<std::string>& own = words.emplace_back();
            for (std::size_t c = 1; c < m_table.columns(); ++c)
                for (std::string& word : parts(m_table.at(row, c), separators)) own.insert(std::move(word));
            all.insert(own.begin(), own.end());
        }
        m_listed.labels.assign(all.begin(), all.end());
        for (std::size_t i = 0; i < words.size(); ++i) {
            std::vector<std::size_t> has;
            for (const std::string& word : words[i]) has.push_back(static_cast<std::size_t>(std::lower_bound(m_listed.labels.begin(), m_listed.labels.end(), word) - m_listed.labels.begin()));
            add(m_first + i, std::move(has));
        }
    }

    void add(std::size_t row, std::vector<std::size_t> has)
    {
        m_listed.paths.emplace_back(std::string(m_table.at(row, 0)));
        m_listed.has.push_back(std::move(has));
    }

    const CsvTable& m_table;
    const std::string m_path;
    std::size_t m_first = 0;
    Listed m_listed;
};

/// Where a picture lies: below the folder and nowhere else, with its ending or without.
std::optional<fs::path> placeOf(const fs::path& folder, const fs::path& name)
{
    const fs::path plain = name.lexically_normal();
    if (plain.empty() || plain.is_absolute() || *plain.begin() == "..") return std::nullopt;
    for (const char* ending : {"", ".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"}) {
        fs::path path = folder / plain;
        path += ending;
        std::error_code ignored;
        if (fs::is_regular_file(path, ignored)) return path;
    }
    return std::nullopt;
}

/// Mixed, always in the same way: lists are often sorted, and the last tenth is validation.
std::vector<PictureFile> mixed(std::vector<PictureFile> files)
{
    std::vector<PictureFile> result;
    if (files.empty()) return result;
    const SampleOrder order(static_cast<std::int64_t>(files.size()), 0, 0, true);
    for (std::size_t i = 0; i < files.size(); ++i) result.push_back(std::move(files[static_cast<std::size_t>(order.at(static_cast<std::int64_t>(i)))]));
    return result;
}

/// From the places in the list, which readPictures() hands on as labels, to the labels themselves.
void takeSets(PartContent& part, const Listed& listed)
{
    part.labelSets.assign(part.labels.size() * listed.labels.size(), 0);
    for (std::size_t i = 0; i < part.labels.size(); ++i)
        for (const std::size_t label : listed.has[static_cast<std::size_t>(part.labels[i])]) part.labelSets[i * listed.labels.size() + label] = 1;
    part.labels.clear();
}

} // namespace

bool holdsLabels(const std::string& folder)
{
    std::error_code ignored;
    return fs::is_regular_file(fs::path(folder) / labelsFile, ignored);
}

Result<DatasetPtr> openLabelledPictures(const std::string& path, const ImportOptions& asked, const ProgressFn& progress)
{
    const Error cancelled{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    if (progress && !progress(0, "Reading the labels")) return cancelled;
    const std::string list = (fs::path(path) / labelsFile).string();
    CsvLimits limits;
    limits.ragged = true;
    auto table = readCsv(list, limits);
    if (!table) return table.error();
    auto listed = LabelReader(*table, list).read();
    if (!listed) return listed.error();

    std::vector<PictureFile> files[3]; // training, validation, test
    std::int64_t lost = 0;
    std::string first;
    for (std::size_t i = 0; i < listed->paths.size(); ++i) {
        const auto place = placeOf(path, listed->paths[i]);
        if (!place) {
            if (++lost == 1) first = listed->paths[i].string();
            continue;
        }
        const std::string folder = lowered(listed->paths[i].lexically_normal().begin()->string());
        const std::size_t part = isOneOf(folder, std::array{"test", "testing"}) ? 2 : isOneOf(folder, std::array{"val", "valid", "validation"}) ? 1 : 0;
        files[part].push_back({*place, static_cast<std::int32_t>(i)});
    }
    if (files[0].empty())
        return Error{ErrorCode::Invalid, "None of the pictures that " + list + " names is in the folder" + (first.empty() ? "." : ", as “" + first + "”."), "The first column is the name of a file in " + path + ".", ""};
    for (auto& part : files) part = mixed(std::move(part));

    DatasetInfo info;
    info.kind = "labelled-pictures";
    info.location = path;
    info.title = folderName(path);
    info.labelNames = listed->labels;
    ImportOptions options = asked;
    settle(options, files[0]);
    info.sample = imageType(options.channels, options.height, options.width);
    Unreadable unreadable;
    const double all = static_cast<double>(files[0].size() + files[1].size() + files[2].size());
    const double second = static_cast<double>(files[0].size()) / all, third = second + static_cast<double>(files[1].size()) / all;
    auto training = readPictures(files[0], options, progress, 0, second, unreadable);
    if (!training) return training.error();
    auto validation = readPictures(files[1], options, progress, second, third, unreadable);
    if (!validation) return validation.error();
    auto test = readPictures(files[2], options, progress, third, 1, unreadable);
    if (!test) return test.error();
    if (training->labels.empty()) return Error{ErrorCode::Corrupt, "None of the pictures in " + path + " can be read.", "Check the files; PNG and JPEG are read.", unreadable.names.front()};
    info.validationCount = static_cast<std::int64_t>(validation->labels.size());
    training->samples.insert(training->samples.end(), validation->samples.begin(), validation->samples.end());
    training->labels.insert(training->labels.end(), validation->labels.begin(), validation->labels.end());
    *validation = {}; // its memory
    takeSets(*training, *listed);
    takeSets(*test, *listed);
    addUnreadable(info, unreadable);
    if (lost > 0) info.problems.push_back(plural(lost, "picture of labels.csv is", "pictures of labels.csv are") + " not in the folder and left out: “" + first + "”" + (lost > 1 ? ", …" : "."));
    auto data = std::make_shared<MemoryDataset>(std::move(info), std::move(*training), std::move(*test));
    data->setIdentity(slugFor(data->info().title, data->info().fingerprint), data->info().title);
    if (progress && !progress(1, "Reading pictures")) return cancelled;
    return DatasetPtr(std::move(data));
}

} // namespace sconce

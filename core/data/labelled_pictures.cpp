// SPDX-License-Identifier: GPL-3.0-or-later
// A folder of pictures with a labels.csv: one line a picture, first the name of its file (below the folder; its ending may be left
// out), then what is on it. Either a column for each label, with 1 or 0 (yes or no), named in the first line:
//     file,dog,ball
//     a.jpg,1,0
// or the labels themselves, in as many columns as it takes, or in one, parted by | or ; (by blanks, where neither stands in it):
//     file,labels
//     a.jpg,dog|ball
// A picture that is named again has the labels of all its lines. Pictures in a folder test/ are the test part, those in val/ or valid/ the validation part.
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

/// Which pictures there are, by part, and which of the list there are not.
struct Places
{
    std::array<std::vector<PictureFile>, 3> files; ///< training, validation, test; label: the place in the list
    std::int64_t lost = 0;
    std::string first; ///< of the lost
};

/// A picture that is named again gives its labels to the first line that named it: each is taken once, however long the list.
Places placesOf(const fs::path& folder, Listed& listed)
{
    Places places;
    std::map<fs::path, std::size_t> known; // the line
    std::set<fs::path> missing;
    for (std::size_t i = 0; i < listed.paths.size(); ++i) {
        const auto place = placeOf(folder, listed.paths[i]);
        if (!place) {
            if (missing.insert(listed.paths[i].lexically_normal()).second && ++places.lost == 1) places.first = listed.paths[i].string();
            continue;
        }
        if (const auto [before, isNew] = known.try_emplace(*place, i); !isNew) {
            listed.has[before->second].insert(listed.has[before->second].end(), listed.has[i].begin(), listed.has[i].end());
            continue;
        }
        const fs::path in = listed.paths[i].lexically_normal().parent_path();
        const std::string below = in.empty() ? std::string() : lowered(in.begin()->string());
        const std::size_t part = isOneOf(below, std::array{"test", "testing"}) ? 2 : isOneOf(below, std::array{"val", "valid", "validation"}) ? 1 : 0;
        places.files[part].push_back({*place, static_cast<std::int32_t>(i)});
    }
    for (auto& part : places.files) part = mixed(std::move(part)); // lists are often sorted
    return places;
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

    const Places places = placesOf(path, *listed);
    if (places.files[0].empty())
        return Error{ErrorCode::Invalid, "None of the pictures that " + list + " names is in the folder" + (places.first.empty() ? "." : ", as “" + places.first + "”."), "The first column is the name of a file in " + path + ".", ""};
    DatasetInfo info;
    info.kind = "labelled-pictures";
    info.location = path;
    info.title = folderName(path);
    info.labelNames = listed->labels;
    ImportOptions options = asked;
    settle(options, places.files[0]);
    info.sample = imageType(options.channels, options.height, options.width);
    Unreadable unreadable;
    auto parts = readParts(places.files, path, options, progress, unreadable);
    if (!parts) return parts.error();
    info.validationCount = parts->validation;
    takeSets(parts->training, *listed);
    takeSets(parts->test, *listed);
    addUnreadable(info, unreadable);
    if (places.lost > 0) info.problems.push_back(plural(places.lost, "picture of labels.csv is", "pictures of labels.csv are") + " not in the folder and left out: “" + places.first + "”" + (places.lost > 1 ? ", …" : "."));
    auto data = std::make_shared<MemoryDataset>(std::move(info), std::move(parts->training), std::move(parts->test));
    data->setIdentity(slugFor(data->info().title, data->info().fingerprint), data->info().title);
    if (progress && !progress(1, "Reading pictures")) return cancelled;
    return DatasetPtr(std::move(data));
}

} // namespace sconce

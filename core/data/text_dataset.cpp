// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/data/text_dataset.h"

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/data/memory_dataset.h"
#include "core/formats/utf8.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <map>

namespace sconce {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mostBytes = std::size_t{1} << 30; ///< of a text; in memory it takes up to twice that
constexpr std::size_t mostSymbols = 256;                ///< an index is a byte
constexpr std::size_t mostFiles = 100'000;
constexpr std::string_view mark = "\xEF\xBB\xBF";

/// "<E4>": no character is written with four ASCII letters, so nothing else looks like it.
bool namesByte(const std::string& symbol) { return symbol.size() == 4 && symbol.front() == '<'; }

std::string byteName(unsigned char byte)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {'<', digits[byte >> 4], digits[byte & 15], '>'};
}

bool ofBytes(std::span<const std::string> symbols) { return std::any_of(symbols.begin(), symbols.end(), namesByte); }

std::string quotedSymbol(const std::string& symbol) { return "“" + symbolTitle(symbol) + "”"; }

class TextDataset final : public Dataset
{
  public:
    TextDataset(DatasetInfo info, std::vector<std::uint8_t> records, std::string fingerprint) : m_records(std::move(records))
    {
        m_info = std::move(info);
        m_info.bytes = m_records.size();
        m_info.trainingCount = static_cast<std::int64_t>(m_records.size() / recordBytes());
        m_info.fingerprint = std::move(fingerprint);
    }

    void gather(Part part, std::span<const std::int64_t> rows, std::span<std::uint8_t> out) const override
    {
        const std::size_t record = recordBytes();
        std::uint8_t* to = out.data();
        for (const std::int64_t row : rows) {
            const bool known = part == Part::Training && row >= 0 && row < m_info.trainingCount;
            if (known) std::memcpy(to, m_records.data() + static_cast<std::size_t>(row) * record, record);
            else std::memset(to, 0, record);
            to += record;
        }
    }
    std::span<const std::int32_t> labels(Part) const override { return {}; }
    std::span<const std::uint8_t> contiguous(Part part) const override { return part == Part::Training ? std::span<const std::uint8_t>(m_records) : std::span<const std::uint8_t>(); }

  private:
    std::vector<std::uint8_t> m_records;
};

/// Symbols and the text in their indices.
struct Encoded
{
    std::vector<std::string> symbols;
    std::vector<std::uint8_t> indices;
};

/// Nothing if there are more characters than an index can tell apart.
Encoded byCharacters(std::string_view text)
{
    std::vector<std::int16_t> places(0x110000, -1);
    std::vector<char32_t> characters;
    for (std::size_t at = 0; at < text.size(); at += static_cast<std::size_t>(characterBytes(text, at))) {
        const char32_t character = characterAt(text, at);
        if (places[character] >= 0) continue;
        if (characters.size() == mostSymbols) return {};
        places[character] = 0;
        characters.push_back(character);
    }
    std::sort(characters.begin(), characters.end());
    Encoded result;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        places[characters[i]] = static_cast<std::int16_t>(i);
        result.symbols.push_back(characterText(characters[i]));
    }
    result.indices.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); at += static_cast<std::size_t>(characterBytes(text, at))) result.indices.push_back(static_cast<std::uint8_t>(places[characterAt(text, at)]));
    return result;
}

Encoded byBytes(std::string_view text)
{
    std::array<std::int16_t, 256> places;
    places.fill(-1);
    for (const char c : text) places[static_cast<unsigned char>(c)] = 0;
    Encoded result;
    for (std::size_t byte = 0; byte < places.size(); ++byte) {
        if (places[byte] < 0) continue;
        places[byte] = static_cast<std::int16_t>(result.symbols.size());
        result.symbols.push_back(byte < 0x80 ? std::string(1, static_cast<char>(byte)) : byteName(static_cast<unsigned char>(byte)));
    }
    result.indices.reserve(text.size());
    for (const char c : text) result.indices.push_back(static_cast<std::uint8_t>(places[static_cast<unsigned char>(c)]));
    return result;
}

/// Each window a record: its symbols, and the one behind them.
std::vector<std::uint8_t> windowsOf(std::span<const std::uint8_t> indices, std::size_t context)
{
    const std::size_t windows = (indices.size() - 1) / context;
    std::vector<std::uint8_t> records(windows * (context + 1));
    for (std::size_t i = 0; i < windows; ++i) std::memcpy(records.data() + i * (context + 1), indices.data() + i * context, context + 1);
    return records;
}

std::string fingerprintOf(const Encoded& text, std::size_t context)
{
    Sha256 hash;
    const auto add = [&](std::string_view part) {
        hash.add(std::to_string(part.size()) + ":");
        hash.add(part);
    };
    add("sconce-text-1");
    add(std::to_string(context));
    for (const std::string& symbol : text.symbols) add(symbol);
    hash.add(std::as_bytes(std::span(text.indices)));
    return hash.hex();
}

Error wrong(const std::string& name, const std::string& why, const std::string& remedy) { return {ErrorCode::Invalid, "The text " + name + " " + why, remedy, {}}; }

/// One file, without its mark and known to be characters.
Result<std::string> readText(const fs::path& path, std::size_t most)
{
    const std::string name = path.filename().string();
    auto text = readTextFile(path.string(), most);
    if (!text) return text.error();
    if (text->starts_with("\xFF\xFE") || text->starts_with("\xFE\xFF")) return wrong(name, "is written in UTF-16.", "Save it in UTF-8.");
    if (text->starts_with(mark)) text->erase(0, mark.size());
    const std::size_t nul = text->find('\0'), broken = std::min(nul, firstNoCharacter(*text));
    if (broken == std::string::npos) return text;
    const auto line = 1 + std::count(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(broken), '\n');
    if (broken == nul) return wrong(name, "has bytes in line " + groupedInt(line) + " that are no text.", "Choose a file of plain text.");
    return wrong(name, "is not written in UTF-8: see line " + groupedInt(line) + ".", "Open it in an editor and save it in UTF-8.");
}

/// Files of text directly in a folder, by name.
std::vector<fs::path> textsIn(const std::string& folder)
{
    std::vector<fs::path> files;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end && files.size() <= mostFiles; it.increment(failure)) {
        std::error_code ignored;
        if (it->is_regular_file(ignored) && looksLikeText(it->path().string()) && !it->path().filename().string().starts_with('.')) files.push_back(it->path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Result<std::string> readAll(const std::string& path, const ProgressFn& progress)
{
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return readText(path, mostBytes);
    const std::vector<fs::path> files = textsIn(path);
    if (files.size() > mostFiles) return wrong(folderName(path), "has too many files.", "Join them into fewer.");
    std::string all;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (progress && !progress(0.5 * static_cast<double>(i) / static_cast<double>(files.size()), "Reading " + files[i].filename().string())) return Error{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
        auto text = readText(files[i], mostBytes - all.size());
        if (!text) return text.error();
        all += *text;
    }
    return all;
}

} // namespace

std::string symbolBytes(const std::string& symbol)
{
    if (!namesByte(symbol)) return symbol;
    const auto digit = [](char c) { return c >= 'A' ? c - 'A' + 10 : c - '0'; };
    return {static_cast<char>(digit(symbol[1]) * 16 + digit(symbol[2]))};
}

std::string symbolTitle(const std::string& symbol)
{
    if (symbol == "\n") return "⏎";
    if (symbol == "\r") return "␍";
    if (symbol == "\t") return "⇥";
    if (symbol == " ") return "␣";
    const bool hidden = symbol.size() == 1 && (static_cast<unsigned char>(symbol[0]) < 0x20 || symbol[0] == 0x7F);
    return hidden ? byteName(static_cast<unsigned char>(symbol[0])) : symbol;
}

int contextOf(const ImportOptions& options) { return options.context > 0 ? std::min(options.context, mostContext) : defaultContext; }

Result<std::vector<std::string>> symbolsIn(const Json& choices)
{
    std::vector<std::string> symbols;
    const Json* list = choices.is_object() && choices.contains("symbols") ? &choices["symbols"] : nullptr;
    bool good = list && list->is_array() && !list->empty() && list->size() <= mostSymbols;
    for (std::size_t i = 0; good && i < list->size(); ++i) {
        good = (*list)[i].is_string() && !(*list)[i].get_ref<const std::string&>().empty();
        if (good) symbols.push_back((*list)[i].get<std::string>());
    }
    if (good) return symbols;
    return Error{ErrorCode::Corrupt, "The checkpoint does not say which symbols the model knows.", "Use an older checkpoint of this run.", {}};
}

DatasetInfo textInfo(std::vector<std::string> symbols, const ImportOptions& options)
{
    DatasetInfo info;
    info.kind = "text";
    info.sample = ValueType{DType::U8, {{Axis::Length, contextOf(options)}}};
    info.symbols = std::move(symbols);
    return info;
}

Result<std::vector<std::uint8_t>> encodeText(std::span<const std::string> symbols, std::string_view text)
{
    const bool bytes = ofBytes(symbols);
    std::map<std::string, std::uint8_t, std::less<>> places;
    for (std::size_t i = 0; i < std::min(symbols.size(), mostSymbols); ++i) places.emplace(symbolBytes(symbols[i]), static_cast<std::uint8_t>(i));
    std::vector<std::uint8_t> indices;
    for (std::size_t at = 0; at < text.size();) {
        const auto size = static_cast<std::size_t>(std::max(1, characterBytes(text, at)));
        const std::string_view character = text.substr(at, size);
        for (std::size_t k = 0; k < size; k += bytes ? 1 : size) {
            const auto found = places.find(bytes ? character.substr(k, 1) : character);
            if (found == places.end())
                return Error{ErrorCode::Invalid, quotedSymbol(withoutBrokenCharacters(character)) + " is not among the " + groupedInt(static_cast<std::int64_t>(symbols.size())) + " symbols that the model knows.",
                             "Leave it out: the model has never seen it.", {}};
            indices.push_back(found->second);
        }
        at += size;
    }
    return indices;
}

std::string decodeText(std::span<const std::string> symbols, std::span<const std::uint8_t> indices)
{
    std::string text;
    for (const std::uint8_t index : indices)
        if (index < symbols.size()) text += symbolBytes(symbols[index]);
    return text;
}

Result<DatasetPtr> withSymbols(const DatasetPtr& text, std::span<const std::string> symbols)
{
    const DatasetInfo& info = text->info();
    if (info.symbols.empty()) return Error{ErrorCode::Invalid, info.title + " is no text.", "The model continues texts: choose one.", {}};
    if (std::equal(info.symbols.begin(), info.symbols.end(), symbols.begin(), symbols.end())) return text;
    const auto strange = [&](const std::string& symbol) {
        return Error{ErrorCode::Invalid, info.title + " has " + quotedSymbol(symbol) + ", which the model has never seen.", "Choose a text with the symbols that it was trained on.", {}};
    };
    std::vector<std::uint8_t> places;
    for (const std::string& symbol : info.symbols) {
        const auto found = std::find(symbols.begin(), symbols.end(), symbol);
        if (found == symbols.end() || found - symbols.begin() >= static_cast<std::ptrdiff_t>(mostSymbols)) return strange(symbol);
        places.push_back(static_cast<std::uint8_t>(found - symbols.begin()));
    }
    const auto all = text->contiguous(Part::Training);
    std::vector<std::uint8_t> records(all.begin(), all.end());
    for (std::uint8_t& index : records) index = places[index];
    DatasetInfo other = info;
    other.symbols.assign(symbols.begin(), symbols.end());
    return DatasetPtr(std::make_shared<TextDataset>(std::move(other), std::move(records), info.fingerprint));
}

std::vector<std::int64_t> symbolCounts(const Dataset& text, std::span<const std::int64_t> rows)
{
    std::vector<std::int64_t> counts(text.info().symbols.size(), 0);
    const auto all = text.contiguous(Part::Training);
    const std::size_t record = text.recordBytes();
    for (const std::int64_t row : rows)
        for (const std::uint8_t index : all.subspan(static_cast<std::size_t>(row) * record + 1, record - 1)) ++counts[index];
    return counts;
}

bool looksLikeText(const std::string& path)
{
    const std::string ending = fs::path(path).extension().string();
    return ending == ".txt" || ending == ".TXT";
}

bool holdsTexts(const std::string& folder)
{
    std::error_code failure;
    bool any = false;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
        std::error_code ignored;
        const bool hidden = it->path().filename().string().starts_with('.');
        if (it->is_directory(ignored) && !hidden) return false; // folders are classes
        any = any || (!hidden && looksLikeText(it->path().string()) && it->is_regular_file(ignored));
    }
    return any;
}

Result<DatasetPtr> openText(const std::string& path, const ImportOptions& options, const ProgressFn& progress)
{
    std::error_code ignored;
    const bool folder = fs::is_directory(path, ignored);
    const std::string name = folder ? folderName(path) : fs::path(path).filename().string(), what = "Reading " + name;
    const Error cancelled{ErrorCode::Cancelled, "Opening the data was cancelled.", "", ""};
    if (progress && !progress(0, what)) return cancelled;
    auto text = readAll(path, progress);
    if (!text) return text.error();
    if (text->empty()) return wrong(name, "is empty.", "Choose a file with text in it.");
    if (progress && !progress(0.5, what)) return cancelled;
    Encoded encoded = byCharacters(*text);
    if (encoded.symbols.empty()) encoded = byBytes(*text);
    text = std::string(); // its memory
    const auto context = static_cast<std::size_t>(contextOf(options));
    if (encoded.indices.size() < 2 * context + 1)
        return wrong(name, "has " + plural(static_cast<std::int64_t>(encoded.indices.size()), "symbol", "symbols") + ", too few for windows of " + groupedInt(static_cast<std::int64_t>(context)) + ".",
                     "Take a longer text, or a smaller context.");
    if (progress && !progress(0.8, what)) return cancelled;
    DatasetInfo info = textInfo(encoded.symbols, options);
    info.location = path;
    info.title = folder ? name : fs::path(path).stem().string();
    if (char& first = info.title[0]; first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A'); // it begins sentences
    std::string fingerprint = fingerprintOf(encoded, context);
    info.id = slugFor(info.title, fingerprint);
    std::vector<std::uint8_t> records = windowsOf(encoded.indices, context);
    if (progress && !progress(1, what)) return cancelled;
    return DatasetPtr(std::make_shared<TextDataset>(std::move(info), std::move(records), std::move(fingerprint)));
}

} // namespace sconce

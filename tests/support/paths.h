// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where tests find real data and put their files. Real data lies outside the project: SCONCE_TEST_DATA, else ../shared/data
// beside the checkout; a test that needs it skips itself where it is missing.

#include <QTemporaryDir>
#include <QTest>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sconce::test {

/// The folder of the real data, or "" where there is none.
inline std::string testDataFolder()
{
    std::error_code ignored;
    if (const char* set = std::getenv("SCONCE_TEST_DATA"); set && *set) return std::filesystem::is_directory(set, ignored) ? set : "";
    const std::filesystem::path beside = std::filesystem::path(SCONCE_SOURCE_DIR) / ".." / "shared" / "data";
    return std::filesystem::is_directory(beside, ignored) ? beside.lexically_normal().string() : "";
}

/// A path below the real data, or "" where it does not exist.
inline std::string testData(const std::string& below)
{
    const std::string folder = testDataFolder();
    std::error_code ignored;
    const std::string path = folder.empty() ? "" : folder + "/" + below;
    return !path.empty() && std::filesystem::exists(path, ignored) ? path : "";
}

/// A folder of the test's own, removed at its end.
class TemporaryFolder
{
  public:
    std::string path() const { return m_dir.path().toStdString(); }
    std::string operator/(const std::string& name) const { return path() + "/" + name; }

  private:
    QTemporaryDir m_dir;
};

} // namespace sconce::test

/// Declares `variable` as the path of real data, and skips the test where that is missing.
#define SCONCE_NEEDS_DATA(variable, below)                                                                             \
    const std::string variable = sconce::test::testData(below);                                                        \
    if (variable.empty())                                                                                              \
    QSKIP("Real data " below " is missing: set SCONCE_TEST_DATA to the folder that holds it.")

/// A Result that must be good; its sentence where it is not.
#define SCONCE_VERIFY_OK(result) QVERIFY2((result).ok(), (result).ok() ? "" : ((result).error().text() + " " + (result).error().detail).c_str())

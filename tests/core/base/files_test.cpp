// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/files.h"

#include "tests/support/paths.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sconce;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> namesIn(const std::string& folder)
{
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

class FilesTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void cleanup() { writeFault = nullptr; }

    void writesWhole()
    {
        const sconce::test::TemporaryFolder folder;
        const std::string a = "ab", b = "cde";
        const std::array<std::span<const std::byte>, 3> chunks{std::as_bytes(std::span(a)), {}, std::as_bytes(std::span(b))};
        QVERIFY(writeFileDurably(folder / "f", chunks).ok());
        QCOMPARE(*readTextFile(folder / "f", 100), std::string("abcde"));
        SCONCE_VERIFY_OK(writeFileDurably(folder / "f", "new"));
        QCOMPARE(*readTextFile(folder / "f", 3), std::string("new"));
        QCOMPARE(namesIn(folder.path()), std::vector<std::string>{"f"});
        QVERIFY(readTextFile(folder / "f", 2).error().code == ErrorCode::Invalid);
        QVERIFY(writeFileDurably(folder / "no/f", "x").error().code == ErrorCode::NotFound);
    }
    void faultAtEveryStepLeavesAWholeFile()
    {
        const sconce::test::TemporaryFolder folder;
        SCONCE_VERIFY_OK(writeFileDurably(folder / "f", "the old content"));
        for (const WriteStep step : {WriteStep::Open, WriteStep::Write, WriteStep::Sync, WriteStep::Close, WriteStep::Rename, WriteStep::SyncFolder}) {
            int hits = 0;
            writeFault = [&](WriteStep at, const std::string&) { return at == step && ++hits ? ENOSPC : 0; };
            const auto written = writeFileDurably(folder / "f", "something new");
            QVERIFY(!written.ok());
            QVERIFY(written.error().code == ErrorCode::DiskFull);
            QVERIFY(QString::fromStdString(written.error().message).contains("no space is left on the disk"));
            QCOMPARE(hits, 1);
            // After the rename only its own durability is in doubt: the file is the new one, whole.
            QCOMPARE(*readTextFile(folder / "f", 100), std::string(step == WriteStep::SyncFolder ? "something new" : "the old content"));
            QCOMPARE(namesIn(folder.path()), std::vector<std::string>{"f"});
        }
    }
    void stagedFolder()
    {
        const sconce::test::TemporaryFolder folder;
        const auto write = [&](const std::string& text, bool commit) {
            auto staged = StagedFolder::create(folder / "c/10");
            if (!staged) return false;
            if (!staged->write("w", text)) return false;
            return !commit || staged->commit().ok();
        };
        QVERIFY(write("never", false));
        QVERIFY(namesIn(folder / "c").empty());
        QVERIFY(write("one", true));
        QVERIFY(write("two", true)); // the same name again: exchanged, the old one gone
        QCOMPARE(*readTextFile(folder / "c/10/w", 9), std::string("two"));
        QCOMPARE(namesIn(folder / "c"), std::vector<std::string>{"10"});
        fs::create_directories(folder / "c/10.incomplete/old");
        for (const WriteStep step : {WriteStep::Open, WriteStep::Rename}) {
            writeFault = [&](WriteStep at, const std::string& path) { return at == step && path.find("/w") == std::string::npos ? EIO : 0; };
            QVERIFY(!write("three", true));
            QCOMPARE(*readTextFile(folder / "c/10/w", 9), std::string("two"));
            QCOMPARE(namesIn(folder / "c"), std::vector<std::string>{"10"});
        }
    }
    /// A journal's entry for all files instead of several for each, and still: the name last, when everything is synced.
    void aStagedFolderSyncsBeforeItsName()
    {
        const sconce::test::TemporaryFolder folder;
        SCONCE_VERIFY_OK(makeFolders(folder / "c"));
        std::vector<std::string> seen;
        writeFault = [&](WriteStep step, const std::string& path) {
            constexpr const char* names[] = {"open", "write", "sync", "close", "rename", "folder"};
            seen.push_back(std::string(names[static_cast<int>(step)]) + " " + path.substr(folder.path().size() + 1));
            return 0;
        };
        {
            auto staged = StagedFolder::create(folder / "c/7");
            SCONCE_VERIFY_OK(staged);
            QVERIFY(staged->write("a", "first").ok());
            QVERIFY(staged->write("b", "second").ok());
            QVERIFY(!fs::exists(folder / "c/7"));
            QVERIFY(staged->commit().ok());
        }
        std::string all;
        for (const std::string& each : seen) all += each + "; ";
        QCOMPARE(QString::fromStdString(all), QString("open c/7.incomplete; open c/7.incomplete/a; write c/7.incomplete/a; open c/7.incomplete/b; write c/7.incomplete/b; sync c/7.incomplete/a; "
                                  "close c/7.incomplete/a; sync c/7.incomplete/b; close c/7.incomplete/b; folder c/7.incomplete; rename c/7; folder c; "));
        QCOMPARE(*readTextFile(folder / "c/7/a", 9) + *readTextFile(folder / "c/7/b", 9), std::string("firstsecond"));
    }
    /// Whatever step fails: the old folder or the new, and no descriptor and no file left over.
    void aStagedFolderThatFails()
    {
        const auto descriptors = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
        const sconce::test::TemporaryFolder folder;
        const auto write = [&](const std::string& text) -> Result<void> {
            auto staged = StagedFolder::create(folder / "7");
            if (!staged) return staged.error();
            SCONCE_TRY(staged->write("a", text));
            SCONCE_TRY(staged->write("b", text));
            return staged->commit();
        };
        QVERIFY(write("old").ok());
        const auto before = descriptors();
        int at = 0;
        for (bool hit = true; hit; ++at) {
            int calls = 0;
            writeFault = [&](WriteStep, const std::string&) { return calls++ == at ? ENOSPC : 0; };
            const auto written = write("new");
            writeFault = nullptr;
            hit = calls > at;
            QCOMPARE(written.ok(), !hit);
            if (hit) QVERIFY(written.error().code == ErrorCode::DiskFull);
            QCOMPARE(descriptors(), before);
            QCOMPARE(namesIn(folder.path()), std::vector<std::string>{"7"});
            const std::string a = *readTextFile(folder / "7/a", 9);
            QVERIFY(a == "old" || (a == "new" && calls >= 12)); // only the sync of the name's own folder comes after it
            QCOMPARE(*readTextFile(folder / "7/b", 9), a);
            QVERIFY(write("old").ok());
        }
        QCOMPARE(at, 13);
        auto staged = StagedFolder::create(folder / "8");
        SCONCE_VERIFY_OK(staged);
        QVERIFY(staged->write("a", "x").ok());
        QVERIFY(!staged->write("a", "y")); // each name once
    }
    /// Who does not look at what write() said, and commits all the same, is told again: half a folder never gets its name.
    void aFailedWriteCannotBeCommitted()
    {
        const auto descriptors = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
        const sconce::test::TemporaryFolder folder;
        const auto before = descriptors();
        for (const WriteStep step : {WriteStep::Open, WriteStep::Write, WriteStep::Sync, WriteStep::Close})
            for (const char* name : {"/a", "/b", "/c"}) {
                auto staged = StagedFolder::create(folder / "7");
                SCONCE_VERIFY_OK(staged);
                writeFault = [&](WriteStep at, const std::string& path) { return at == step && path.ends_with(name) ? ENOSPC : 0; };
                int failed = 0;
                for (const char* file : {"a", "b", "c"}) failed += staged->write(file, std::string_view("text")) ? 0 : 1;
                QCOMPARE(failed, step == WriteStep::Open || step == WriteStep::Write ? 1 : 0);
                for (int attempt = 0; attempt < 3; ++attempt) { // nor when the disk has room again: what failed once counts as lost
                    const auto committed = staged->commit();
                    QVERIFY(!committed && committed.error().code == ErrorCode::DiskFull);
                    QVERIFY2(committed.error().message.find(std::string("7.incomplete") + name) != std::string::npos, committed.error().message.c_str());
                    writeFault = nullptr;
                }
                *staged = *StagedFolder::create(folder / "8");
                QVERIFY(staged->write("a", std::string_view("other")).ok() && staged->commit().ok());
                QVERIFY(removeTree(folder / "8").ok());
            }
        QVERIFY(namesIn(folder.path()).empty());
        QCOMPARE(descriptors(), before);
    }
    /// More chunks than the system takes at once, some of them empty.
    void manyChunks()
    {
        const sconce::test::TemporaryFolder folder;
        std::vector<std::string> texts;
        std::string whole;
        for (int i = 0; i < 3000; ++i) whole += texts.emplace_back(i % 7 == 0 ? "" : std::to_string(i) + std::string(static_cast<std::size_t>(i), '.'));
        std::vector<std::span<const std::byte>> chunks;
        for (const std::string& text : texts) chunks.push_back(std::as_bytes(std::span(text.data(), text.size())));
        QVERIFY(writeFileDurably(folder / "f", chunks).ok());
        QVERIFY(*readTextFile(folder / "f", 1 << 24) == whole);
        auto staged = StagedFolder::create(folder / "g");
        SCONCE_VERIFY_OK(staged);
        QVERIFY(staged->write("f", chunks).ok());
        QVERIFY(staged->commit().ok());
        QVERIFY(*readTextFile(folder / "g/f", 1 << 24) == whole);
        SCONCE_VERIFY_OK(writeFileDurably(folder / "f", std::span<const std::span<const std::byte>>()));
        QCOMPARE(fs::file_size(folder / "f"), std::uintmax_t(0));
    }
    void locks()
    {
        const sconce::test::TemporaryFolder folder;
        const std::string path = folder / "lock";
        QVERIFY(!FileLock::isHeld(path));
        {
            auto lock = FileLock::acquire(path, false);
            SCONCE_VERIFY_OK(lock);
            QVERIFY(lock->held() && FileLock::isHeld(path));
            QVERIFY(FileLock::acquire(path, false).error().code == ErrorCode::Busy);
            FileLock moved = std::move(*lock);
            QVERIFY(FileLock::isHeld(path));
            // A child that runs another program does not keep it alive.
            const int flags = std::system("sleep 1 & exit 0");
            QCOMPARE(flags, 0);
        }
        QVERIFY(!FileLock::isHeld(path));
        // Somebody who only looks does not make an owner fail.
        std::atomic<bool> stop{false};
        std::jthread looker([&] {
            while (!stop) (void)FileLock::isHeld(path);
        });
        for (int i = 0; i < 200; ++i) SCONCE_VERIFY_OK(FileLock::acquire(path, false));
        stop = true;
    }
    void lockEndsWithItsProcess()
    {
        const sconce::test::TemporaryFolder folder;
        const std::string path = folder / "lock";
        int ready[2];
        QCOMPARE(pipe(ready), 0);
        const pid_t child = fork();
        if (child == 0) {
            auto lock = FileLock::acquire(path, false);
            (void)!write(ready[1], lock.ok() ? "y" : "n", 1);
            pause();
            _exit(0);
        }
        char answer = 0;
        QCOMPARE(read(ready[0], &answer, 1), ssize_t(1));
        QCOMPARE(answer, 'y');
        QVERIFY(FileLock::isHeld(path));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        QVERIFY(!FileLock::isHeld(path));
        close(ready[0]), close(ready[1]);
    }
    void smallThings()
    {
        const sconce::test::TemporaryFolder folder;
        SCONCE_VERIFY_OK(makeFolders(folder / "a/b/c"));
        std::ofstream(folder / "a/b/f") << std::string(1000, 'x');
        QCOMPARE(folderBytes(folder / "a"), std::uint64_t(1000));
        QVERIFY(*freeBytes(folder / "not/there/yet") > 0);
        fs::create_directory_symlink(folder / "a", folder / "link");
        SCONCE_VERIFY_OK(removeTree(folder / "link"));
        QVERIFY(fs::exists(folder / "a/b/f")); // the link went, not what it led to
        SCONCE_VERIFY_OK(removeTree(folder / "a"));
        QVERIFY(!fs::exists(folder / "a"));
        QVERIFY(!readTextFile(folder.path(), 10).ok());
        QCOMPARE(mkfifo((folder / "pipe").c_str(), 0600), 0);
        QVERIFY(!readTextFile(folder / "pipe", 10).ok()); // and does not hang
        QVERIFY(!readTextFile("/proc/self/status", 1 << 20)->empty());
        QVERIFY(ioError("write", "x", EACCES).code == ErrorCode::Permission);
    }
};

QTEST_GUILESS_MAIN(FilesTest)
#include "files_test.moc"

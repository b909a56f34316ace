// SPDX-License-Identifier: GPL-3.0-or-later
// A store in trouble: damaged, lost, newer, read-only, out of step with its folders; and backups and copies.
#include "helpers.h"

#include "core/history/sqlite.h"

#include <QDir>
#include <QFile>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace testing;

namespace {

/// Writes over the middle of a file.
bool damage(const QString& path, qint64 at, qint64 bytes)
{
    QFile file(path);
    return file.open(QIODevice::ReadWrite) && file.seek(at) && file.write(QByteArray(int(bytes), '\x5a')) == bytes;
}

/// Makes the store whose dump is a fixture: `care_test --child fixture FOLDER`, then `sqlite3 FOLDER/sconce.db .dump`, with the
/// lines PRAGMA application_id and PRAGMA user_version put in front.
int fixtureChild(const std::string& folder)
{
    auto store = Store::open(folder);
    if (!store) return 1;
    const auto first = (*store)->createRun(newRun("first")), second = (*store)->createRun(newRun("second"));
    if (!first || !second || !attemptFrom(**store, *first, 0)) return 1;
    (void)(*store)->record(*first, 1, said(stepsFrom(0, 5000)));
    (void)(*store)->record(*first, 1, said(LogLine{"info", 5, "a line"}));
    RunEnded end;
    end.summary.steps = 5000;
    end.summary.testAccuracy = 0.5;
    (void)(*store)->record(*first, 1, said(end));
    if (!(*store)->flush() || !(*store)->setTags(*first, {"kept"})) return 1;
    store = Error{};
    // One series will do.
    auto raw = Database::open(folder + "/sconce.db", Database::Mode::ReadWrite);
    return raw && (*raw)->execute("DELETE FROM series WHERE key <> 'train/loss'") ? 0 : 1;
}

/// Opens a folder that belongs to somebody else.
int readOnlyChild(const std::string& folder)
{
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 77;
    const auto store = Store::open(folder);
    if (store) return 1;
    std::fprintf(stderr, "%s\n", store.error().text().c_str());
    return store.error().code == ErrorCode::Permission && store.error().message.find(folder) != std::string::npos ? 0 : 2;
}

} // namespace

class CareTest : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    QString path() const { return m_dir->path() + "/store"; }
    QString db() const { return path() + "/sconce.db"; }
    Result<std::shared_ptr<Store>> open() const { return Store::open(path().toStdString()); }

    /// A finished run of 1,000 steps with a checkpoint on the disk; the store is closed again.
    RunId filled(const std::string& name = "run")
    {
        auto store = open();
        if (!store) return {};
        const auto id = (*store)->createRun(newRun(name));
        if (!id || !attemptFrom(**store, *id, 0)) return {};
        (void)(*store)->record(*id, 1, said(stepsFrom(0, 1000)));
        RunEnded end;
        end.summary.steps = 1000;
        end.summary.testAccuracy = 0.5;
        (void)(*store)->record(*id, 1, said(end));
        return (*store)->flush() ? *id : RunId();
    }

  private Q_SLOTS:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void everyReleasedSchemaOpens_data()
    {
        QTest::addColumn<QString>("file");
        const QDir fixtures(QStringLiteral(SCONCE_SOURCE_DIR) + "/tests/fixtures/history");
        for (const QString& name : fixtures.entryList({"*.sql"})) QTest::newRow(qPrintable(name)) << fixtures.filePath(name);
    }
    void everyReleasedSchemaOpens()
    {
        QFETCH(QString, file);
        QFile dump(file);
        QVERIFY(dump.open(QIODevice::ReadOnly));
        QDir().mkpath(path());
        {
            auto raw = Database::open(db().toStdString(), Database::Mode::ReadWrite);
            VERIFY_OK(raw);
            VERIFY_OK((*raw)->execute("PRAGMA foreign_keys = OFF;" + dump.readAll().toStdString()));
        }
        auto store = open();
        VERIFY_OK(store);
        QVERIFY((*store)->opened().how == StoreOpened::How::Opened || (*store)->opened().how == StoreOpened::How::Migrated);
        const auto rows = (*store)->runs();
        VERIFY_OK(rows);
        QCOMPARE(rows->size(), std::size_t(2));
        QCOMPARE(rows->front().name, std::string("second"));
        QVERIFY(rows->front().status == RunStatus::Queued);
        const RunRow& first = rows->back();
        QVERIFY(first.status == RunStatus::Finished);
        QCOMPARE(first.summary.steps, std::int64_t(5000));
        QCOMPARE(first.summary.testAccuracy, 0.5);
        QVERIFY(std::isnan(first.summary.valLoss));
        QCOMPARE(first.tags, std::vector<std::string>{"kept"});
        QVERIFY(first.errorCode.empty() && first.detail.empty());
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(first.id, series::trainLoss), 5000)), QString());
        QCOMPARE((*store)->logLines(first.id)->size(), std::size_t(1));
        VERIFY_OK(attemptFrom(**store, first.id, 5000));
        VERIFY_OK((*store)->record(first.id, 2, said(stepsFrom(5000, 10))));
        VERIFY_OK((*store)->flush());
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(first.id, series::trainLoss), 5010)), QString());
    }

    void damagedDatabase_data()
    {
        QTest::addColumn<qint64>("at");
        QTest::addColumn<qint64>("bytes");
        QTest::newRow("head") << qint64(0) << qint64(100);
        QTest::newRow("schema") << qint64(100) << qint64(3000);
        QTest::newRow("middle") << qint64(-1) << qint64(4096 * 6);
    }
    void damagedDatabase()
    {
        QFETCH(qint64, at);
        QFETCH(qint64, bytes);
        const RunId first = filled("first");   // backed up when its store was closed
        const RunId second = filled("second"); // a backup a day: not in it
        QVERIFY(!first.empty() && !second.empty());
        QCOMPARE(QDir(path() + "/backups").entryList({"sconce-*.db"}).size(), 1);
        const qint64 size = QFile(db()).size();
        QVERIFY(damage(db(), at >= 0 ? at : size / 2, std::min(bytes, size / 2)));
        auto store = open();
        VERIFY_OK(store);
        QVERIFY((*store)->opened().how == StoreOpened::How::Rebuilt);
        QVERIFY((*store)->opened().message.find("damaged") != std::string::npos);
        qInfo("%s", (*store)->opened().message.c_str());
        const QStringList aside = QDir(path()).entryList({"corrupt-*"}, QDir::Dirs);
        QCOMPARE(aside.size(), 1);
        QCOMPARE(QFile(path() + "/" + aside.front() + "/sconce.db").size(), size);
        const auto rows = (*store)->runs();
        VERIFY_OK(rows);
        QCOMPARE(rows->size(), std::size_t(2));
        QCOMPARE((*store)->run(second)->name, std::string("second"));
        QVERIFY((*store)->run(second)->status == RunStatus::Finished);
        QCOMPARE((*store)->run(second)->summary.testAccuracy, 0.5);
        QCOMPARE((*store)->run(second)->number, std::int64_t(2));
        // From the backup: with its curves.
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(first, series::trainLoss), 1000)), QString());
        QVERIFY((*store)->recipe(second)->name == "recipe of second");
        VERIFY_OK((*store)->createRun(newRun("third")));
        QCOMPARE((*store)->runs()->front().number, std::int64_t(3));
        store = Error{};
        auto again = open();
        VERIFY_OK(again);
        QVERIFY((*again)->opened().how == StoreOpened::How::Opened);
    }

    void damageSeenLaterIsMendedAtTheNextStart()
    {
        const RunId id = filled();
        QVERIFY(!id.empty());
        auto store = open();
        VERIFY_OK(store);
        // In the midst of use (the pages are not in the cache of the connection that will read them).
        QVERIFY(damage(db(), 4096 * 3, QFile(db()).size() - 4096 * 4));
        const auto health = (*store)->doctor(false);
        QVERIFY(!health.ok() || !health->ok);
        store = Error{};
        auto again = open();
        VERIFY_OK(again);
        QVERIFY((*again)->opened().how == StoreOpened::How::Rebuilt);
        QVERIFY((*again)->run(id).ok());
    }

    /// The backup is of a day ago; what has ended since must not seem interrupted.
    void aBackupLearnsFromTheFoldersWhatHappenedSince()
    {
        RunId finished, killed;
        {
            auto store = open();
            VERIFY_OK(store);
            finished = *(*store)->createRun(newRun("finished"));
            killed = *(*store)->createRun(newRun("killed"));
            for (const RunId& id : {finished, killed}) {
                VERIFY_OK(attemptFrom(**store, id, 0));
                VERIFY_OK((*store)->record(id, 1, said(stepsFrom(0, 422))));
            }
            VERIFY_OK((*store)->flush());
        } // backed up here
        QCOMPARE(QDir(path() + "/backups").entryList({"sconce-*.db"}).size(), 1);
        {
            auto store = open();
            VERIFY_OK(store);
            VERIFY_OK(attemptFrom(**store, finished, 422));
            VERIFY_OK((*store)->renameRun(finished, "well named"));
            RunEnded end;
            end.summary.steps = 1000;
            end.summary.epochs = 2;
            end.summary.testAccuracy = 0.5;
            VERIFY_OK((*store)->record(finished, 2, said(end)));
            VERIFY_OK((*store)->flush());
        }
        const std::string manifest = path().toStdString() + "/runs/" + killed + "/checkpoints/step-000000800";
        VERIFY_OK(makeFolders(manifest));
        VERIFY_OK(writeFileDurably(manifest + "/manifest.json", R"({"reason": "time", "state": {"step": 800, "epoch": 1, "summary": {"steps": 800, "epochs": 1, "val_accuracy": 0.75}}})"));
        for (const char* file : {"sconce.db", "sconce.db-wal", "sconce.db-shm"}) QFile::remove(path() + "/" + file);

        auto store = open();
        VERIFY_OK(store);
        QVERIFY2((*store)->opened().message.find("2 runs were brought up to date") != std::string::npos, (*store)->opened().message.c_str());
        const auto done = (*store)->run(finished);
        VERIFY_OK(done);
        QVERIFY(done->status == RunStatus::Finished);
        QCOMPARE(done->name, std::string("well named"));
        QCOMPARE(done->attempts, 2);
        QCOMPARE(done->summary.testAccuracy, 0.5);
        QCOMPARE(done->summary.steps, std::int64_t(1000));
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*store)->series(finished, series::trainLoss), 422)), QString());
        const auto cut = (*store)->run(killed);
        VERIFY_OK(cut);
        QVERIFY(cut->status == RunStatus::Interrupted);
        QCOMPARE(cut->summary.steps, std::int64_t(800));
        QCOMPARE(cut->summary.valAccuracy, 0.75);
        QCOMPARE((*store)->checkpoints(killed)->size(), std::size_t(1));
    }

    /// Damage that only the writer meets asks for a thorough look at the next start, as damage met by readers does.
    void damageMetByTheWriterIsRemembered()
    {
        const RunId id = filled();
        QVERIFY(!id.empty());
        auto store = open();
        VERIFY_OK(store);
        {
            // Another program's write makes the writer forget the pages it has read.
            auto other = Database::open(db().toStdString(), Database::Mode::ReadWrite);
            VERIFY_OK(other);
            VERIFY_OK((*other)->execute("INSERT INTO timings VALUES ('other', 1, 1)"));
        }
        QVERIFY(damage(db(), 4096 * 3, QFile(db()).size() - 4096 * 4));
        QVERIFY(!attemptFrom(**store, id, 500).ok());
        QVERIFY(QFile::exists(path() + "/check-needed"));
    }

    void aLostDatabaseIsRebuilt()
    {
        const RunId id = filled();
        const QString manifest = path() + "/runs/" + QString::fromStdString(id) + "/checkpoints/step-000001200";
        QVERIFY(QDir().mkpath(manifest));
        VERIFY_OK(writeFileDurably((manifest + "/manifest.json").toStdString(),
                                   R"({"reason": "time", "state": {"step": 1200, "epoch": 2, "summary": {"steps": 1200, "epochs": 2, "val_accuracy": 0.75}}})"));
        QVERIFY(QDir(path() + "/backups").removeRecursively());
        for (const char* file : {"sconce.db", "sconce.db-wal", "sconce.db-shm"}) QFile::remove(path() + "/" + file);
        auto store = open();
        VERIFY_OK(store);
        QVERIFY((*store)->opened().how == StoreOpened::How::Rebuilt);
        const auto row = (*store)->run(id);
        VERIFY_OK(row);
        QCOMPARE(row->summary.steps, std::int64_t(1200));
        QCOMPARE(row->summary.valAccuracy, 0.75);
        QCOMPARE(row->summary.checkpoint, manifest.toStdString());
        QCOMPARE((*store)->checkpoints(id)->size(), std::size_t(1));
        QCOMPARE((*store)->opened().message.empty(), false);
    }

    void aNewerStoreMayOnlyBeRead()
    {
        const RunId id = filled();
        {
            auto raw = Database::open(db().toStdString(), Database::Mode::ReadWrite);
            VERIFY_OK(raw);
            VERIFY_OK((*raw)->execute("PRAGMA user_version = 99"));
        }
        auto store = open();
        VERIFY_OK(store);
        QVERIFY((*store)->opened().how == StoreOpened::How::ReadOnlyNewer);
        QVERIFY(!(*store)->opened().message.empty());
        QCOMPARE((*store)->runs()->size(), std::size_t(1));
        QCOMPARE((*store)->series(id, series::trainLoss)->step.size(), std::size_t(1000));
        QVERIFY((*store)->createRun(newRun("x")).error().code == ErrorCode::TooNew);
        QVERIFY((*store)->record(id, 1, said(TestDone{})).error().code == ErrorCode::TooNew);
        QVERIFY((*store)->renameRun(id, "x").error().code == ErrorCode::TooNew);
        QVERIFY((*store)->doctor(true)->ok);
    }

    void aReadOnlyFolderGetsASentence()
    {
        // As somebody who may not write there: root may write everywhere, and becomes nobody for this.
        QVERIFY(!filled().empty());
        ::chmod(m_dir->path().toLocal8Bit().constData(), 0755);
        ::chmod(path().toLocal8Bit().constData(), 0555);
        auto process = child({"read-only", path()});
        QVERIFY(process->waitForFinished(30'000));
        ::chmod(path().toLocal8Bit().constData(), 0755);
        if (process->exitCode() == 77) QSKIP("This machine does not let a test become another user.");
        QCOMPARE(process->exitCode(), 0);
        QVERIFY(open().ok());
    }

    void anotherProgramsDatabaseIsLeftAlone()
    {
        QDir().mkpath(path());
        {
            auto raw = Database::open(db().toStdString(), Database::Mode::ReadWrite);
            VERIFY_OK(raw);
            VERIFY_OK((*raw)->execute("CREATE TABLE cakes (name TEXT); INSERT INTO cakes VALUES ('apple')"));
        }
        QFile file(db());
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray before = file.readAll();
        file.close();
        const auto store = open();
        QVERIFY(!store.ok() && store.error().code == ErrorCode::Invalid);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), before);
    }

    void doctorBringsRowsAndFoldersTogether()
    {
        const RunId lost = filled("lost folder"), stray = filled("stray folder");
        auto store = open();
        VERIFY_OK(store);
        QVERIFY((*store)->doctor(false)->ok);
        QVERIFY((*store)->doctor(false)->found.empty());
        QVERIFY(QDir(path() + "/runs/" + QString::fromStdString(lost)).removeRecursively());
        {
            auto raw = Database::open(db().toStdString(), Database::Mode::ReadWrite);
            VERIFY_OK(raw);
            VERIFY_OK((*raw)->execute("DELETE FROM runs WHERE id = '" + stray + "'"));
        }
        const QString leftover = path() + "/runs/" + QString::fromStdString(stray) + "/checkpoints/step-000000007.incomplete";
        QVERIFY(QDir().mkpath(leftover));
        const auto seen = (*store)->doctor(false);
        VERIFY_OK(seen);
        QVERIFY(!seen->ok);
        QCOMPARE(seen->found.size(), std::size_t(3));
        QVERIFY(seen->mended.empty());
        {
            // A live trainer's half-written checkpoint is its own affair.
            auto owner = FileLock::acquire(ownerFile(path().toStdString() + "/runs/" + stray), false);
            VERIFY_OK(owner);
            QCOMPARE((*store)->doctor(false)->found.size(), std::size_t(2));
        }
        const auto mended = (*store)->doctor(true);
        VERIFY_OK(mended);
        QVERIFY(mended->ok);
        QCOMPARE(mended->mended.size(), std::size_t(3));
        QVERIFY(!QDir(leftover).exists());
        QVERIFY((*store)->run(stray)->name == "stray folder");
        QVERIFY(QFile::exists(path() + "/runs/" + QString::fromStdString(lost) + "/recipe.json"));
        QVERIFY((*store)->doctor(false)->found.empty());
    }

    /// What a run's recipe names stays, and so does what was put there today; the rest takes room and goes.
    void doctorRemovesWeightsThatNoRunStartsFrom()
    {
        const std::string weights = path().toStdString() + "/weights/", named(64, 'a'), unnamed(64, 'b'), fresh(64, 'c');
        {
            auto store = open();
            VERIFY_OK(store);
            NewRun run = newRun("starts from weights");
            setOption(run.recipe.training, "start", "weights", std::string("of another"));
            setOption(run.recipe.training, "start", "sha256", named);
            VERIFY_OK((*store)->createRun(run));
        }
        VERIFY_OK(makeFolders(weights));
        for (const std::string& hash : {named, unnamed, fresh}) {
            VERIFY_OK(writeFileDurably(weights + hash + ".safetensors", std::string(2048, 'w')));
            QFile file(QString::fromStdString(weights + hash + ".safetensors"));
            QVERIFY(file.open(QIODevice::ReadWrite));
            QVERIFY(file.setFileTime(QDateTime::currentDateTime().addSecs(hash == fresh ? -3600 : -2 * 86400), QFileDevice::FileModificationTime));
        }
        auto store = open();
        VERIFY_OK(store);
        const auto seen = (*store)->doctor(false);
        VERIFY_OK(seen);
        QVERIFY(seen->ok && seen->mended.empty());
        QCOMPARE(seen->found.size(), std::size_t(1));
        QVERIFY2(seen->found.front().find(unnamed) != std::string::npos && seen->found.front().find("(2 KiB)") != std::string::npos, seen->found.front().c_str());
        const auto mended = (*store)->doctor(true);
        VERIFY_OK(mended);
        QVERIFY(mended->ok);
        QCOMPARE(mended->mended.size(), std::size_t(1));
        QCOMPARE(QDir(QString::fromStdString(weights)).entryList(QDir::Files).size(), 2);
        QVERIFY(!QFile::exists(QString::fromStdString(weights + unnamed + ".safetensors")));
        QVERIFY((*store)->doctor(false)->found.empty());
    }

    void backupsRotate()
    {
        const RunId id = filled();
        const QDir backups(path() + "/backups");
        QCOMPARE(backups.entryList({"sconce-*.db"}).size(), 1);
        QVERIFY(!filled("again").empty()); // not twice a day
        QCOMPARE(backups.entryList({"sconce-*.db"}).size(), 1);
        for (int i = 0; i < 5; ++i) {
            // Two days pass.
            for (const QString& name : backups.entryList({"sconce-*.db"})) {
                QFile file(backups.filePath(name));
                QVERIFY(file.open(QIODevice::ReadWrite));
                QVERIFY(file.setFileTime(QDateTime::currentDateTime().addDays(-2), QFileDevice::FileModificationTime));
                file.close();
                if (!name.startsWith("sconce-202001")) QVERIFY(file.rename(backups.filePath(QString("sconce-2020010%1T000000Z.db").arg(i + 1))));
            }
            QVERIFY(!filled("day " + std::to_string(i)).empty());
        }
        const QStringList kept = backups.entryList({"sconce-*.db"});
        QCOMPARE(kept.size(), 3);
        auto newest = Database::open(backups.filePath(kept.back()).toStdString(), Database::Mode::ReadOnly);
        VERIFY_OK(newest);
        QCOMPARE(*(*newest)->check(true), std::string());
        QCOMPARE(*(*newest)->number("SELECT count(*) FROM runs"), std::int64_t(7));
        Q_UNUSED(id);
    }

    void theStoreIsCopiedWhole()
    {
        const RunId id = filled();
        auto store = open();
        VERIFY_OK(store);
        const QString folder = path() + "/runs/" + QString::fromStdString(id);
        VERIFY_OK(writeFileDurably(folder.toStdString() + "/weights.bin", std::string(3'000'000, 'w')));
        const std::string target = m_dir->path().toStdString() + "/copy", start = "/weights/" + std::string(64, 'a') + ".safetensors";
        VERIFY_OK(makeFolders(path().toStdString() + "/weights"));
        VERIFY_OK(writeFileDurably(path().toStdString() + start, "to start from"));
        {
            auto owner = FileLock::acquire(ownerFile(folder.toStdString()), false);
            VERIFY_OK(owner);
            QVERIFY((*store)->copyTo(target, {}).error().code == ErrorCode::Busy);
        }
        QVERIFY((*store)->copyTo(path().toStdString() + "/inside", {}).error().code == ErrorCode::Invalid);
        QVERIFY((*store)->copyTo(path().toStdString(), {}).error().code == ErrorCode::Invalid);
        QVERIFY((*store)->copyTo(target + "-cancelled", [](double, const std::string&) { return false; }).error().code == ErrorCode::Cancelled);
        double share = 0;
        VERIFY_OK((*store)->copyTo(target, [&](double done, const std::string&) { share = done; return true; }));
        QCOMPARE(share, 1.0);
        QVERIFY((*store)->copyTo(target, {}).error().code == ErrorCode::Invalid); // not empty any more
        QVERIFY((*store)->run(id).ok());
        auto copy = Store::open(target);
        VERIFY_OK(copy);
        QVERIFY((*copy)->opened().how == StoreOpened::How::Opened);
        QCOMPARE(QString::fromStdString(wrongWithLosses(*(*copy)->series(id, series::trainLoss), 1000)), QString());
        QCOMPARE(folderBytes(target + "/runs/" + id) , folderBytes(folder.toStdString()));
        QVERIFY((*copy)->run(id)->folder.starts_with(target));
        QVERIFY(QFile::exists(QString::fromStdString(target + start)));
        QVERIFY((*copy)->doctor(false)->found.empty());
    }
};

int main(int argc, char** argv)
{
    if (argc > 3 && std::string(argv[1]) == "--child" && std::string(argv[2]) == "fixture") return fixtureChild(argv[3]);
    if (argc > 3 && std::string(argv[1]) == "--child") return readOnlyChild(argv[3]);
    QCoreApplication application(argc, argv);
    CareTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "care_test.moc"

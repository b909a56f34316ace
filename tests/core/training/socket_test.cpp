// SPDX-License-Identifier: GPL-3.0-or-later
// The trainer's socket when the process has no file descriptor left for who knocks: it waits instead of spinning, and answers as
// soon as there is one.
#include "core/training/socket_server.h"
#include "tests/core/training/training_support.h"

#include <QTest>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace sconce;
using namespace sconce::test;

namespace {

/// The number that the next descriptor would get.
int nextDescriptor()
{
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
}

} // namespace

class SocketTest : public QObject
{
    Q_OBJECT

  private Q_SLOTS:
    void waitsWithoutDescriptors()
    {
        QTemporaryDir dir{scratch()};
        const std::string folder = dir.path().toStdString();
        CommandQueue commands;
        auto server = SocketServer::open(folder, commands);
        SCONCE_VERIFY(server);
        std::error_code error;
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::string found;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error))
            if (entry.is_socket()) found = entry.path().string();
        QVERIFY(!found.empty() && found.size() < sizeof address.sun_path);
        std::strncpy(address.sun_path, found.c_str(), sizeof address.sun_path - 1);

        rlimit before{};
        getrlimit(RLIMIT_NOFILE, &before);
        const rlimit none{static_cast<rlim_t>(nextDescriptor()), before.rlim_max};
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &none), 0);
        const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const double from = processSeconds();
        std::this_thread::sleep_for(std::chrono::milliseconds(600));
        const double spent = processSeconds() - from;
        const bool full = ::dup(0) < 0;
        setrlimit(RLIMIT_NOFILE, &before);
        QVERIFY(connected && full);
        QVERIFY2(spent < 0.1, qPrintable(QString("%1 s of CPU time in 0.6 s").arg(spent)));

        // Now there is one: the client is heard, without knocking again.
        const std::string line = "{\"type\":\"attach\",\"after\":0}\n";
        QCOMPARE(::send(fd, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
        Event event;
        event.sequence = 1;
        event.body = LogLine{"info", 0, "heard"};
        (*server)->publish(event);
        timeval patience{5, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        char buffer[4096];
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        QVERIFY(got > 0);
        QVERIFY(std::string_view(buffer, static_cast<std::size_t>(got)).find("heard") != std::string_view::npos);
        ::close(fd);
    }
};

QTEST_GUILESS_MAIN(SocketTest)
#include "socket_test.moc"

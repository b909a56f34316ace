// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Another program, run to its end: a peer, or ourselves from a cold start. Any thread; it waits, and asks ten times a second whether to.

#include "app/bench/benches.h"

namespace sconce::bench {

struct Said
{
    std::string out, err;
    int status = 0;     ///< as waitpid() has it; 0: it ended well
    double seconds = 0; ///< from its start to its end
};

/// words.front() is a path, or a name in PATH. NotFound if it cannot be run; Cancelled, and the program ended, when it is not to go on.
Result<Said> runProgram(const std::vector<std::string>& words, const KeepGoing& keepGoing);
/// The last line that says anything.
std::string lastLine(std::string text);

} // namespace sconce::bench

# Writes OUTPUT, a source file that knows the commit of SOURCE; leaves it alone where it knows already.
cmake_policy(VERSION 3.25)
execute_process(COMMAND git -C "${SOURCE}" describe --always --dirty --exclude=* --abbrev=9 OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(commit "")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT
"// Written by the build.
#include \"app/bench/commit.h\"

const char* const sconce::bench::builtFrom = \"@commit@\";
")

# The few functions that every folder of the house uses, so that a target is one line and its link list is the proof
# of what it may know (DESIGN: app → ui → core).

find_program(SCONCE_CCACHE ccache)
if(SCONCE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SCONCE_CCACHE}")
endif()
find_program(SCONCE_MOLD mold)
if(SCONCE_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_link_options(-fuse-ld=mold)
endif()

add_library(sconce_options INTERFACE)
target_compile_options(sconce_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers $<$<BOOL:${SCONCE_WERROR}>:-Werror>)
target_compile_definitions(sconce_options INTERFACE QT_NO_KEYWORDS SCONCE_VERSION="${PROJECT_VERSION}"
    $<$<CONFIG:Release>:_GLIBCXX_ASSERTIONS>)
target_include_directories(sconce_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(sconce_options INTERFACE -fstack-protector-strong)

# One static library per folder: sconce_core_<name> over every .cpp of the folder. ARGN: what it may know.
function(sconce_library target)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
    file(GLOB nested CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/layers/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/layers/*.h")
    set(code ${sources} ${nested})
    list(FILTER code INCLUDE REGEX "\\.cpp$")
    if(NOT code)
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE sconce_options ${ARGN})
        return()
    endif()
    add_library(${target} STATIC ${sources} ${nested})
    target_link_libraries(${target} PUBLIC sconce_options ${ARGN})
endfunction()

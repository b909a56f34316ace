# Imported targets of our own for the torch wheel: no find_package(Torch), which demands a CUDA toolkit, Python and MKL
# (facts: it enables the CUDA language and runs programs). SCONCE_LIBTORCH is the folder that holds torch/ and nvidia/.
if(NOT SCONCE_LIBTORCH OR NOT EXISTS "${SCONCE_LIBTORCH}/torch/lib/libtorch_cpu.so")
    message(FATAL_ERROR "LibTorch was not found. Run ./installer/setup.sh once, or set SCONCE_LIBTORCH to the folder "
        "that holds torch/lib and torch/include (the site-packages of a torch 2.11.0 wheel). SCONCE_LIBTORCH is now "
        "'${SCONCE_LIBTORCH}'.")
endif()
set(torch_lib "${SCONCE_LIBTORCH}/torch/lib")
foreach(name c10 torch_cpu)
    add_library(sconce_${name}_so SHARED IMPORTED GLOBAL)
    set_target_properties(sconce_${name}_so PROPERTIES IMPORTED_LOCATION "${torch_lib}/lib${name}.so" IMPORTED_NO_SONAME OFF)
endforeach()
add_library(sconce_libtorch INTERFACE)
target_include_directories(sconce_libtorch SYSTEM INTERFACE "${SCONCE_LIBTORCH}/torch/include"
    "${SCONCE_LIBTORCH}/torch/include/torch/csrc/api/include")
target_link_libraries(sconce_libtorch INTERFACE sconce_torch_cpu_so sconce_c10_so Threads::Threads ${CMAKE_DL_LIBS})
# libtorch_cpu names CUDA's run-time libraries; they are found through its own RPATH at run time.
# Only who calls torch is to depend on it.
target_link_options(sconce_libtorch INTERFACE "LINKER:--allow-shlib-undefined" "LINKER:--as-needed")

# at::parallel_for is a template that runs on one thread only unless its user is compiled with OpenMP. The library must be the one that
# LibTorch brings: two of them in a process would each have threads of their own. ThreadSanitizer cannot see its barriers, and Clang
# would want another library: there our loops stay on one thread (torch's own do not), which changes no number.
add_library(sconce_torch_openmp INTERFACE)
file(GLOB torch_gomp "${torch_lib}/libgomp*.so*")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND torch_gomp AND NOT CMAKE_CXX_FLAGS_DEBUG MATCHES "sanitize=thread")
    list(GET torch_gomp 0 torch_gomp)
    set(SCONCE_PARALLEL_LOOPS ON CACHE INTERNAL "The engine's own loops run on all threads")
    target_compile_options(sconce_torch_openmp INTERFACE -fopenmp)
    target_link_libraries(sconce_torch_openmp INTERFACE "${torch_gomp}")
else()
    set(SCONCE_PARALLEL_LOOPS OFF CACHE INTERNAL "")
    message(STATUS "The engine's own loops run on one thread in this build")
endif()

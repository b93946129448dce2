# One place for every flag. Release is -O2: -O3 gave no measurable gain on the request line.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-designated-field-initializers -Wno-deprecated-declarations)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# Unoptimized, with lines only: enough for a sanitizer's report, and a third of -O1's compile time where coroutines are many.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only -fno-omit-frame-pointer")
add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION  # asio is compiled once, in cmake/asio.cc
  BOOST_ASIO_NO_DEPRECATED
  # Coroutine frames by operator new: aligned_alloc goes round glibc's thread cache, and nothing of ours is over-aligned.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC
  BOOST_ASIO_DISABLE_BOOST_ALIGN
  SPDLOG_COMPILED_LIB)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # so that ccache can reuse what a PCH went into
  add_link_options(-fuse-ld=lld-19)
endif()
# Release builds are laid out by a profile of the request line (bench/profile/README.md). Functions that have changed since it was
# taken, and all that it never saw, are compiled as without one.
option(AJAR_PROFILE "use the profile of the request line in release builds" ON)
if(AJAR_PROFILE AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
  file(ARCHIVE_EXTRACT INPUT ${CMAKE_SOURCE_DIR}/bench/profile/request_line.tar.xz DESTINATION ${CMAKE_BINARY_DIR}/profile)
  add_compile_options(-fprofile-use=${CMAKE_BINARY_DIR}/profile/request_line.profdata "SHELL:-mllvm -static-func-full-module-prefix=false"
    -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled -Wno-backend-plugin)
endif()
# What fuzzers exercise counts its edges. HOT folders are optimized as well, though that is most of their compile time: the engine,
# whose tests are the longest, and what everything stands on.
set(AJAR_FUZZED_OPTIONS "")
set(AJAR_HOT_OPTIONS "")
if(AJAR_FUZZ)
  set(AJAR_ASAN ON)
  set(AJAR_FUZZED_OPTIONS -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)  # as -fsanitize=fuzzer-no-link
  set(AJAR_HOT_OPTIONS -O1)
endif()
set(AJAR_SANITIZERS "")
if(AJAR_ASAN)
  set(AJAR_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(AJAR_SANITIZED)
endif()
if(AJAR_TSAN)
  set(AJAR_SANITIZERS -fsanitize=thread)
  add_link_options(-fsanitize=thread)
  # Races are looked for in what starts threads, not in each instruction set's loops: those were a sixth of the time of this build.
  add_compile_definitions(AJAR_SANITIZED AJAR_PORTABLE_KERNELS)
endif()
add_compile_options(${AJAR_SANITIZERS})
set(AJAR_CODE_OF_PCH OFF)
if(AJAR_SANITIZERS AND CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(AJAR_CODE_OF_PCH ON)
endif()
if(AJAR_LTO)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin)
endif()
option(AJAR_UNITY "compile several files at once: the whole in a third of the time, a changed file with its neighbours" OFF)

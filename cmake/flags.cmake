# One place for every flag. Release is -O2: -O3 gave no measurable gain on the request line.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-designated-field-initializers -fno-omit-frame-pointer)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")  # enough for a sanitizer's report, and quicker
add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION  # asio is compiled once, in net/asio_impl.cc
  BOOST_ASIO_NO_DEPRECATED
  # Coroutine frames by operator new: aligned_alloc goes round glibc's thread cache, and nothing of ours is over-aligned.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC
  BOOST_ASIO_DISABLE_BOOST_ALIGN
  SPDLOG_COMPILED_LIB)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # so that ccache can reuse what a PCH went into
  add_link_options(-fuse-ld=lld-19)
endif()
if(AJAR_FUZZ)
  set(AJAR_ASAN ON)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(AJAR_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(AJAR_SANITIZED)
endif()
if(AJAR_TSAN)
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(AJAR_SANITIZED)
endif()
if(AJAR_LTO)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin)
endif()

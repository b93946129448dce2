# ajar_embed(path): makes a text file part of the binary. `#include "embed/<file name>.h"` then gives
# ajar::embed::<name with _> as a std::string_view.
set(AJAR_GENERATED ${CMAKE_BINARY_DIR}/generated)
function(ajar_embed path)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${path})
    return()
  endif()
  get_filename_component(file ${path} NAME)
  string(REGEX REPLACE "[^a-zA-Z0-9]" "_" symbol ${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${path})
  file(READ ${CMAKE_SOURCE_DIR}/${path} EMBED_TEXT)
  set(EMBED_SYMBOL ${symbol})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.h.in ${AJAR_GENERATED}/embed/${file}.h @ONLY)
endfunction()

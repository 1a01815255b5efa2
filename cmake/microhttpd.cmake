# SPDX-License-Identifier: Apache-2.0
#
# libmicrohttpd >= 1.0.10: older releases let request smuggling through. The one that ./dev built
# comes first, then the system's. The thread-sanitizer build has its own copy, instrumented.

set(PAIL_MHD_MINIMUM 0x01001000)

set(mhd_roots ${PAIL_MHD_ROOT})
if(PAIL_SANITIZE STREQUAL "thread")
    list(APPEND mhd_roots "${CMAKE_CURRENT_SOURCE_DIR}/build/deps/microhttpd-tsan")
endif()
list(APPEND mhd_roots "${CMAKE_CURRENT_SOURCE_DIR}/build/deps/microhttpd")

# Looked for anew each time: ./dev may have built the library since the last configuration.
unset(MHD_HEADER_DIR CACHE)
unset(MHD_LIBRARY CACHE)
find_path(MHD_HEADER_DIR microhttpd.h PATHS ${mhd_roots} PATH_SUFFIXES include NO_DEFAULT_PATH)
if(MHD_HEADER_DIR)
    get_filename_component(mhd_root "${MHD_HEADER_DIR}" DIRECTORY)
    find_library(MHD_LIBRARY NAMES libmicrohttpd.a PATHS "${mhd_root}/lib" NO_DEFAULT_PATH REQUIRED)
else()
    find_path(MHD_HEADER_DIR microhttpd.h)
    find_library(MHD_LIBRARY microhttpd)
endif()

if(NOT MHD_HEADER_DIR OR NOT MHD_LIBRARY)
    message(FATAL_ERROR
        "libmicrohttpd was not found. Run ./dev build: it provides libmicrohttpd 1.0.10 or newer.")
endif()

file(STRINGS "${MHD_HEADER_DIR}/microhttpd.h" mhd_line REGEX "#define +MHD_VERSION +0x[0-9a-fA-F]+")
string(REGEX MATCH "0x[0-9a-fA-F]+" mhd_version "${mhd_line}")
if(NOT mhd_version)
    message(FATAL_ERROR "${MHD_HEADER_DIR}/microhttpd.h names no MHD_VERSION.")
endif()
math(EXPR mhd_number "${mhd_version}")
math(EXPR mhd_minimum "${PAIL_MHD_MINIMUM}")
if(mhd_number LESS mhd_minimum)
    message(FATAL_ERROR
        "The libmicrohttpd in ${MHD_HEADER_DIR} is ${mhd_version}, older than 1.0.10 "
        "(${PAIL_MHD_MINIMUM}), and lets request smuggling through. "
        "Run ./dev build: it provides a newer one.")
endif()
message(STATUS "libmicrohttpd ${mhd_version}: ${MHD_LIBRARY}")

add_library(Pail::Microhttpd UNKNOWN IMPORTED)
set_target_properties(Pail::Microhttpd PROPERTIES
    IMPORTED_LOCATION "${MHD_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${MHD_HEADER_DIR}"
    INTERFACE_LINK_LIBRARIES "PkgConfig::GNUTLS;Threads::Threads")

# What the library refuses by itself is answered in our form: server/http/refusal.c. Only a static
# library's own calls can be redirected; with a shared one its HTML pages go out.
if(MHD_LIBRARY MATCHES "\\.a$")
    set_property(TARGET Pail::Microhttpd APPEND PROPERTY
        INTERFACE_LINK_OPTIONS "LINKER:--wrap=MHD_create_response_from_buffer_static;LINKER:-u,__wrap_MHD_create_response_from_buffer_static")
endif()

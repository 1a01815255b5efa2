# SPDX-License-Identifier: Apache-2.0
#
# The libraries pail stands on. Each is linked PRIVATE by the one layer that may see it.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(SQLite3 3.40 REQUIRED)
find_package(LibXml2 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)

# Its headers alone: the library is loaded when somebody is to be called (server/client/).
pkg_check_modules(CURL REQUIRED libcurl>=7.85)
add_library(pail_curl_headers INTERFACE)
target_include_directories(pail_curl_headers SYSTEM INTERFACE ${CURL_INCLUDE_DIRS})

# ISA-L makes CRC32 and CRC32C faster where it exists; zlib and a table do otherwise.
pkg_check_modules(ISAL IMPORTED_TARGET libisal)
if(ISAL_FOUND)
    set(PAIL_ISAL_LIB PkgConfig::ISAL)
endif()

if(PAIL_TESTS AND NOT PAIL_FUZZ)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()

include(microhttpd)

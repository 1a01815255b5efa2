# SPDX-License-Identifier: Apache-2.0
#
# Compiler flags. Everything that is ours is compiled by the target pail_flags, linked PRIVATE.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu17
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

# A bare "cmake -B build" is a usable, optimised build.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_C_FLAGS)
    set(CMAKE_C_FLAGS "-O2 -g")
endif()

# assert() is for our own mistakes and stays on in a release.
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()

add_library(pail_flags INTERFACE)
target_include_directories(pail_flags INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}")
target_compile_definitions(pail_flags INTERFACE
    _GNU_SOURCE
    _FILE_OFFSET_BITS=64
    PAIL_VERSION="${PROJECT_VERSION}")

# -Wnull-dereference is left off: it needs -O2 to say anything, and then GCC 12 reports paths
# through inlined asserts and cleanup handlers that cannot happen.
target_compile_options(pail_flags INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla
    -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wformat=2
    -Wcast-qual -Wwrite-strings
    -fno-common -fvisibility=hidden -ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=)
if(PAIL_WERROR)
    target_compile_options(pail_flags INTERFACE -Werror)
endif()

if(PAIL_ARENA_DEBUG)
    target_compile_definitions(pail_flags INTERFACE ARENA_DEBUG)
endif()

if(PAIL_CLOCK_CONTROL)
    target_compile_definitions(pail_flags INTERFACE PAIL_CLOCK_CONTROL)
endif()

# The flags below must reach every object and every link, so they are set for the directory.
if(PAIL_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(PAIL_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
elseif(NOT PAIL_SANITIZE STREQUAL "")
    message(FATAL_ERROR "PAIL_SANITIZE is '${PAIL_SANITIZE}': give address, thread or nothing.")
endif()
if(sanitize)
    # Some distributions fortify by default; that hides accesses from the sanitizers.
    add_compile_options(${sanitize} -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
    add_link_options(${sanitize})
endif()

if(PAIL_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "The fuzz preset needs Clang; this compiler is ${CMAKE_C_COMPILER_ID}.")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(PAIL_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()

if(PAIL_HARDEN)
    add_compile_options(
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
        -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
        add_compile_options(-fcf-protection)
    endif()
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    endif()
endif()

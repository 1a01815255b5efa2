# SPDX-License-Identifier: Apache-2.0
#
# C tests. Every file is its own program and its own ctest test:
#
#   tests/unit/<layer>/test_*.c   linked with that layer and those below it only; label quick.
#                                 Other .c files in the folder are helpers of all its tests.
#   tests/unit/columns/test_*.c   linked with a storage layer that has the columns of more.def as
#                                 well, and with the helpers of tests/unit/storage/; label quick.
#   tests/unit/documents/test_*.c linked with an s3 layer that has the documents of more.def as well;
#                                 label quick.
#   tests/fuzz/fuzz_*.c           libFuzzer targets in the fuzz preset; elsewhere replayed over
#                                 tests/fuzz/corpus/<name>/ with tests/fuzz/replay.c; label quick.
#   tests/tools/*.c tests/fault/*.c   helper programs, linked with everything.
#
# Tests run in the root of the tree, so that tests/vectors/... can be opened by that name.

set(pail_test_environment
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=0:exitcode=66:second_deadlock_stack=1")

add_library(pail_test_flags INTERFACE)
target_link_libraries(pail_test_flags INTERFACE pail_flags)

function(pail_add_test name label)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES
        LABELS ${label} TIMEOUT 120 ENVIRONMENT "${pail_test_environment}")
endfunction()

if(NOT PAIL_FUZZ)
    foreach(layer base storage http xml select policy auth client notify sts records duties s3 server)
        get_target_property(type pail_${layer} TYPE)
        pail_glob(sources tests/unit/${layer}/*.c)
        set(helpers ${sources})
        list(FILTER helpers EXCLUDE REGEX "/test_[^/]*\\.c$")
        list(FILTER sources INCLUDE REGEX "/test_[^/]*\\.c$")
        if(sources AND type STREQUAL "INTERFACE_LIBRARY")
            message(STATUS "layer ${layer}: has tests but no sources yet")
            continue()
        endif()
        foreach(source IN LISTS sources)
            get_filename_component(stem "${source}" NAME_WE)
            set(program unit_${layer}_${stem})
            add_executable(${program} "${source}" ${helpers})
            # The functions of a test are named in its table, not declared; a flag of the source
            # comes after those of its libraries.
            set_source_files_properties("${source}" PROPERTIES
                COMPILE_OPTIONS -Wno-missing-prototypes)
            target_link_libraries(${program} PRIVATE pail_${layer} pail_inside_${layer}
                pail_test_flags PkgConfig::CMOCKA Threads::Threads)
            set_target_properties(${program} PROPERTIES
                OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/unit/${layer}")
            pail_add_test(unit/${layer}/${stem} quick ${program})
        endforeach()
    endforeach()
endif()

if(NOT PAIL_FUZZ)
    get_target_property(sources pail_storage SOURCES)
    add_library(pail_storage_more STATIC ${sources})
    add_dependencies(pail_storage_more pail_storage) # the generated header is made once
    target_compile_definitions(pail_storage_more
        PUBLIC "PAIL_MORE_ROWS=\"tests/unit/columns/more.def\"")
    target_link_libraries(pail_storage_more PUBLIC pail_base PRIVATE pail_flags pail_inside_storage)
    pail_glob(sources tests/unit/columns/test_*.c)
    pail_glob(helpers tests/unit/storage/*.c)
    list(FILTER helpers EXCLUDE REGEX "/test_[^/]*\\.c$")
    foreach(source IN LISTS sources)
        get_filename_component(stem "${source}" NAME_WE)
        add_executable(unit_columns_${stem} "${source}" ${helpers})
        set_source_files_properties("${source}" PROPERTIES
            COMPILE_OPTIONS -Wno-missing-prototypes)
        target_link_libraries(unit_columns_${stem} PRIVATE pail_storage_more pail_inside_storage
            pail_test_flags PkgConfig::CMOCKA Threads::Threads)
        set_target_properties(unit_columns_${stem} PROPERTIES
            OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/unit/columns")
        pail_add_test(unit/columns/${stem} quick unit_columns_${stem})
    endforeach()
endif()

if(NOT PAIL_FUZZ)
    get_target_property(sources pail_s3 SOURCES)
    add_library(pail_s3_more STATIC ${sources})
    target_compile_definitions(pail_s3_more
        PUBLIC "PAIL_MORE_DOCUMENTS=\"tests/unit/documents/more.def\"")
    get_target_property(libs pail_s3 INTERFACE_LINK_LIBRARIES)
    target_link_libraries(pail_s3_more PUBLIC ${libs} PRIVATE pail_flags pail_inside_s3)
    pail_glob(sources tests/unit/documents/test_*.c)
    foreach(source IN LISTS sources)
        get_filename_component(stem "${source}" NAME_WE)
        add_executable(unit_documents_${stem} "${source}")
        set_source_files_properties("${source}" PROPERTIES
            COMPILE_OPTIONS -Wno-missing-prototypes)
        target_link_libraries(unit_documents_${stem} PRIVATE pail_s3_more pail_inside_s3
            pail_test_flags PkgConfig::CMOCKA Threads::Threads)
        set_target_properties(unit_documents_${stem} PROPERTIES
            OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/unit/documents")
        pail_add_test(unit/documents/${stem} quick unit_documents_${stem})
    endforeach()
endif()

pail_glob(fuzz_sources tests/fuzz/fuzz_*.c)
set(replay "${CMAKE_CURRENT_SOURCE_DIR}/tests/fuzz/replay.c")
pail_glob(replay_found tests/fuzz/replay.c)
foreach(source IN LISTS fuzz_sources)
    get_filename_component(stem "${source}" NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" target "${stem}")
    if(PAIL_FUZZ)
        add_executable(${stem} "${source}")
        target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    elseif(replay_found)
        add_executable(${stem} "${source}" "${replay}")
    else()
        continue()
    endif()
    target_link_libraries(${stem} PRIVATE pail_server pail_test_flags)
    set_target_properties(${stem} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/fuzz")
    set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/tests/fuzz/corpus/${target}")
    if(NOT PAIL_FUZZ AND IS_DIRECTORY "${corpus}")
        pail_add_test(replay/${target} quick ${stem} "${corpus}")
    endif()
endforeach()

if(NOT PAIL_FUZZ)
    pail_glob(helper_sources tests/tools/*.c tests/fault/*.c)
    foreach(source IN LISTS helper_sources)
        get_filename_component(stem "${source}" NAME_WE)
        get_filename_component(folder "${source}" DIRECTORY)
        get_filename_component(folder "${folder}" NAME)
        add_executable(${folder}_${stem} "${source}")
        target_link_libraries(${folder}_${stem} PRIVATE pail_server pail_test_flags Threads::Threads)
        set_target_properties(${folder}_${stem} PROPERTIES
            OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/${folder}")
    endforeach()
endif()

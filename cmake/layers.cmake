# SPDX-License-Identifier: Apache-2.0
#
# pail_layer(NAME SOURCES glob... [EXCEPT file...] [LIBS pail_x...] [PRIVATE_LIBS lib...]
#            [SQL glob...])
#
# The static library pail_NAME. PRIVATE_LIBS are seen by this layer's files only. Each SQL file
# x.sql becomes the generated header catalog_x.h with the string catalog_x_sql. While no source
# exists the layer is an empty interface, so that the layers above can already name it.
function(pail_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;EXCEPT;LIBS;PRIVATE_LIBS;SQL")
    pail_glob(sources ${arg_SOURCES})
    foreach(file IN LISTS arg_EXCEPT)
        list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    endforeach()

    # What only this layer sees, for its own unit tests.
    add_library(pail_inside_${name} INTERFACE)
    target_link_libraries(pail_inside_${name} INTERFACE ${arg_PRIVATE_LIBS})
    target_include_directories(pail_inside_${name} INTERFACE "${CMAKE_CURRENT_BINARY_DIR}/generated")

    if(NOT sources)
        message(STATUS "layer ${name}: no sources yet")
        add_library(pail_${name} INTERFACE)
        target_link_libraries(pail_${name} INTERFACE ${arg_LIBS})
        return()
    endif()

    add_library(pail_${name} STATIC ${sources})
    target_link_libraries(pail_${name} PUBLIC ${arg_LIBS}
        PRIVATE pail_flags pail_inside_${name})
    if("PkgConfig::ISAL" IN_LIST arg_PRIVATE_LIBS)
        target_compile_definitions(pail_${name} PRIVATE HAVE_ISAL)
    endif()

    pail_glob(sql_files ${arg_SQL})
    foreach(sql IN LISTS sql_files)
        get_filename_component(stem "${sql}" NAME_WE)
        set(header "${CMAKE_CURRENT_BINARY_DIR}/generated/catalog_${stem}.h")
        add_custom_command(
            OUTPUT "${header}"
            COMMAND "${CMAKE_COMMAND}" -DINPUT=${sql} -DOUTPUT=${header}
                    -DNAME=catalog_${stem}_sql -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed_sql.cmake"
            DEPENDS "${sql}" "${CMAKE_CURRENT_SOURCE_DIR}/cmake/embed_sql.cmake"
            COMMENT "Embedding ${stem}.sql"
            VERBATIM)
        target_sources(pail_${name} PRIVATE "${header}")
    endforeach()
endfunction()

# pail_program(NAME SOURCES glob... [LIBS lib...]): an executable, or nothing while it has no source.
function(pail_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    pail_glob(sources ${arg_SOURCES})
    if(NOT sources)
        message(STATUS "program ${name}: no sources yet")
        return()
    endif()
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE pail_flags ${arg_LIBS})
endfunction()

# pail_glob(OUT glob...): the files that match now, watched for change at every build.
function(pail_glob out)
    set(found)
    if(ARGN)
        list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE globs)
        file(GLOB found CONFIGURE_DEPENDS ${globs})
    endif()
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

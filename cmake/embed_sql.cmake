# SPDX-License-Identifier: Apache-2.0
#
# cmake -DINPUT=schema.sql -DOUTPUT=catalog_schema.h -DNAME=catalog_schema_sql -P embed_sql.cmake
#
# Writes an SQL file as one C string, a literal per line, so that the program carries its schema.
# @NAME@ in it becomes the macro NAME, a literal too, which whoever includes the header has defined.

file(READ "${INPUT}" text)
get_filename_component(source "${INPUT}" NAME)
get_filename_component(guard "${OUTPUT}" NAME)
string(MAKE_C_IDENTIFIER "${guard}" guard)
string(TOUPPER "${guard}" guard)

string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REGEX REPLACE "@([A-Z_]+)@" "\" \\1 \"" text "${text}")
string(REGEX REPLACE "\r?\n" "\\\\n\"\n    \"" text "${text}")

file(WRITE "${OUTPUT}" "/* Made from ${source} by cmake/embed_sql.cmake: do not edit. */
#ifndef ${guard}
#define ${guard}

static const char ${NAME}[] =
    \"${text}\";

#endif
")

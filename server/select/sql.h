/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL of S3 Select: a statement read into a tree, all of it in one arena.
 *
 *   SELECT { * | expression [AS name], ... } FROM S3Object[path] [AS alias] [WHERE ...] [LIMIT n]
 *
 * (1) No tree is deeper than SQL_DEPTH_MAX, so whoever walks it may recurse. A chain of AND, of OR, of
 *     items of IN is one node, however long.
 * (2) An accepted statement has aggregates in all columns it selects that name anything, or in none.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-select.html
 */
#ifndef SERVER_SELECT_SQL_H
#define SERVER_SELECT_SQL_H

#include "server/select/timestamp.h"

#define SQL_BYTES_MAX (256u * 1024u)
#define SQL_DEPTH_MAX 64
#define SQL_COLUMNS_MAX 1024 /* selected */
#define SQL_STEPS_MAX 32     /* of a path */

enum sql_kind {
    SQL_LITERAL,
    SQL_PATH,
    SQL_NOT,
    SQL_AND,
    SQL_OR,
    SQL_COMPARE, /* token is the operator's */
    SQL_BETWEEN, /* value, low, high */
    SQL_IN,      /* value, items */
    SQL_LIKE,    /* value, pattern, [escape] */
    SQL_IS_NULL,
    SQL_IS_MISSING,
    SQL_ARITHMETIC, /* token is the operator's; one argument: its negative */
    SQL_CONCAT,
    SQL_CASE, /* [operand], (when, then)..., [else]: see has_operand, has_else */
    SQL_CAST,
    SQL_CALL,
    SQL_AGGREGATE, /* no argument: COUNT(*) */
};

enum sql_function {
    SQL_COALESCE,
    SQL_NULLIF,
    SQL_CHAR_LENGTH,
    SQL_LOWER,
    SQL_UPPER,
    SQL_TRIM, /* text, [characters] */
    SQL_SUBSTRING,
    SQL_UTCNOW,
    SQL_TO_TIMESTAMP,
    SQL_TO_STRING, /* timestamp, pattern */
    SQL_DATE_ADD,  /* of part: quantity, timestamp */
    SQL_DATE_DIFF, /* of part: from, to */
    SQL_EXTRACT,   /* part of it */
};

enum sql_trim { SQL_TRIM_BOTH, SQL_TRIM_LEADING, SQL_TRIM_TRAILING };
enum sql_aggregate { SQL_COUNT, SQL_SUM, SQL_AVG, SQL_MIN, SQL_MAX };
enum sql_type {
    SQL_TYPE_BOOL,
    SQL_TYPE_INT,
    SQL_TYPE_STRING,
    SQL_TYPE_FLOAT,
    SQL_TYPE_DECIMAL,
    SQL_TYPE_TIMESTAMP,
};

enum sql_operator {
    SQL_NO_OPERATOR,
    SQL_EQ = '=',
    SQL_LT = '<',
    SQL_GT = '>',
    SQL_NE = 'n',
    SQL_LE = 'l',
    SQL_GE = 'g',
    SQL_BARS = '|', /* || */
};

struct sql_step {
    bool all;       /* [*] or .* */
    bool is_index;  /* [n] */
    bool is_quoted; /* the case of name counts */
    size_t index;
    struct str name;
};

struct sql_path {
    const struct sql_step *steps;
    size_t count;
};

struct sql_expr {
    enum sql_kind kind;
    int op; /* enum sql_operator, sql_function, sql_aggregate or sql_type, by kind */
    bool negated;
    bool has_operand;
    bool has_else;
    enum sql_trim trim;
    enum time_part part;
    unsigned depth;
    struct value literal;
    struct sql_path path; /* without the table's alias */
    struct str name;      /* of a path: its last name as it is written */
    size_t column;        /* of a path into a record of columns: 1 for the first; see bind.h */
    size_t slot;          /* of an aggregate */
    struct sql_expr **args;
    size_t count;
    bool in_aggregate; /* a path: below an aggregate, or in WHERE */
    bool in_where;
    struct sql_expr *next_path; /* of the statement */
};

struct sql_column {
    struct sql_expr *expr;
    struct str name; /* STR_NONE: it has none, and is called by its number */
};

struct sql_statement {
    bool all; /* the whole record */
    struct sql_column *columns;
    size_t column_count;
    struct sql_path from; /* behind S3Object and the [*] that is said of the object's records */
    struct str alias;     /* STR_NONE: none */
    bool alias_is_quoted;
    struct sql_expr *where; /* NULL: all */
    bool has_limit;
    uint64_t limit;
    size_t aggregates;
    struct sql_expr *paths; /* all of them */
};

/*
 * Read a statement.
 *
 * text   borrowed by the statement.
 * Returns S3_OK or the error that S3 Select has for what is wrong; S3_SlowDown: the arena is full.
 */
MUST_CHECK enum s3_error sql_parse(struct str text, struct arena *arena,
                                   struct sql_statement *ret_statement);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FROM, WHERE, SELECT and LIMIT for each record; see rows.h.
 */
#include "server/select/rows.h"

/* ---- before the first --------------------------------------------------------------------------- */

enum s3_error rows_open(struct rows *rows, const struct select_settings *settings,
                        struct arena *arena)
{
    struct sql_statement *statement = &rows->statement;
    enum s3_error err = sql_parse(settings->expression, arena, statement);

    if (err != S3_OK)
        return err;
    rows->settings = settings;
    rows->done = statement->has_limit && statement->limit == 0;
    rows->names = arena_array(arena, statement->column_count + 1, sizeof(*rows->names));
    rows->aggregates = arena_zalloc(arena, (statement->aggregates + 1) * sizeof(*rows->aggregates));
    if (rows->names == NULL || rows->aggregates == NULL)
        return S3_SlowDown;
    for (size_t i = 0; i < statement->column_count; i++) {
        rows->names[i] = statement->columns[i].name;
        if (!str_present(rows->names[i]))
            rows->names[i] = arena_printf(arena, "_%zu", i + 1);
        if (!str_present(rows->names[i]))
            return S3_SlowDown;
    }
    if (settings->input == SELECT_CSV && statement->from.count > 0)
        return S3_InvalidKeyPath;
    return S3_OK;
}

/* By its name as it is written; by its name in another case, which has to be one alone. */
static enum s3_error find_column(const struct sql_step *step, const struct str *names, size_t count,
                                 size_t *ret_column)
{
    size_t found = 0;

    for (size_t i = 0; names != NULL && i < count; i++) {
        bool same = step->is_quoted ? str_eq(names[i], step->name)
                                    : str_eq_nocase(names[i], step->name);

        if (same && found > 0)
            return S3_AmbiguousFieldName;
        if (same)
            found = i + 1;
    }
    if (found == 0)
        found = value_column_number(step->name);
    if (found == 0)
        return names != NULL ? S3_MissingHeaders : S3_InvalidColumnIndex;
    *ret_column = found;
    return S3_OK;
}

enum s3_error rows_bind(struct rows *rows, const struct str *names, size_t count)
{
    for (struct sql_expr *path = rows->statement.paths; path != NULL; path = path->next_path) {
        enum s3_error err;

        if (path->path.count == 0)
            continue;
        if (path->path.count > 1)
            return S3_InvalidTableAlias;
        if (!str_present(path->path.steps[0].name))
            return S3_InvalidKeyPath;
        err = find_column(&path->path.steps[0], names, count, &path->column);
        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

/* ---- rows --------------------------------------------------------------------------------------- */

static enum s3_error write_row(struct rows *rows, const struct value *row)
{
    struct buf *out = rows->out;
    size_t before = out->len;

    if (rows->settings->output == SELECT_CSV) {
        csv_write(out, &rows->settings->write, row);
    } else {
        value_write_json(out, row);
        buf_str(out, rows->settings->json_end);
    }
    if (out->failed || out->len - before > VALUE_RECORD_BYTES_MAX)
        return S3_OverMaxRecordSize;
    rows->written++;
    rows->done = rows->statement.has_limit && rows->written >= rows->statement.limit;
    return S3_OK;
}

static enum s3_error select_columns(struct rows *rows, const struct evaluation *in)
{
    const struct sql_statement *statement = &rows->statement;
    struct value row = {
        .type = VALUE_STRUCT,
        .names = rows->names,
        .count = statement->column_count,
        .items = arena_array(rows->arena, statement->column_count, sizeof(struct value)),
    };

    if (row.items == NULL)
        return S3_OverMaxRecordSize;
    for (size_t i = 0; i < row.count; i++) {
        enum s3_error err = evaluate(in, statement->columns[i].expr, &row.items[i]);

        if (err != S3_OK)
            return err;
    }
    return write_row(rows, &row);
}

/* All columns: the record, or a row of one column with what is none. */
static enum s3_error select_all(struct rows *rows, const struct value *record)
{
    struct value item = *record;
    struct value row = { .type = VALUE_STRUCT, .items = &item, .count = 1 };

    return write_row(rows, record->type == VALUE_STRUCT ? record : &row);
}

static enum s3_error aggregate(struct rows *rows, const struct evaluation *in)
{
    for (size_t i = 0; i < rows->statement.column_count; i++) {
        enum s3_error err =
            evaluate_aggregates(in, rows->statement.columns[i].expr, rows->aggregates);

        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

/* What FROM's path leads to. */
static enum s3_error take_one(struct rows *rows, const struct value *record, uint64_t *work)
{
    struct evaluation in = {
        .record = record, .arena = rows->arena, .work = work, .now_us = rows->settings->now_us
    };
    bool wanted = true;
    enum s3_error err = S3_OK;

    if (rows->done)
        return S3_OK;
    if (rows->statement.where != NULL)
        err = evaluate_is_true(&in, rows->statement.where, &wanted);
    if (err != S3_OK || !wanted)
        return err;
    if (rows->statement.all)
        return select_all(rows, record);
    return rows->statement.aggregates > 0 ? aggregate(rows, &in) : select_columns(rows, &in);
}

/* The path from `at` on; as deep as it has steps. [*] of what is no list is nothing, once. */
static enum s3_error take_path(struct rows *rows, const struct value *value, size_t at,
                               uint64_t *work)
{
    const struct sql_path *from = &rows->statement.from;
    struct value next = { 0 };

    if (at == from->count)
        return take_one(rows, value, work);
    if (!from->steps[at].all) {
        next = path_step(value, &from->steps[at]);
        return take_path(rows, &next, at + 1, work);
    }
    if (value->type != VALUE_LIST)
        return take_path(rows, &next, at + 1, work);
    for (size_t i = 0; i < value->count; i++) {
        enum s3_error err = take_path(rows, &value->items[i], at + 1, work);

        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

enum s3_error rows_take(struct rows *rows, const struct value *record)
{
    uint64_t work = 0;
    enum s3_error err = take_path(rows, record, 0, &work);

    rows->work += work;
    return err;
}

enum s3_error rows_finish(struct rows *rows)
{
    const struct value nothing = { 0 };
    uint64_t work = 0;
    struct evaluation in = {
        .record = &nothing,
        .arena = rows->arena,
        .aggregates = rows->aggregates,
        .work = &work,
        .now_us = rows->settings->now_us,
    };

    if (rows->statement.aggregates == 0 || rows->done)
        return S3_OK;
    return select_columns(rows, &in);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming multipart/form-data; see form.h.
 *
 * (1) The delimiter CRLF "--" boundary is searched with its failure table (Knuth-Morris-Pratt):
 *     linear time, and of a possible delimiter only its length has to be remembered, since its
 *     bytes are the delimiter's own.
 * (2) The text before the first delimiter counts as if a CRLF preceded the body.
 *
 *   preamble --delimiter--> tail --CRLF--> part header --empty line--> field or file --delimiter--> tail
 *                             \--"--"--> epilogue
 */
#include "server/http/parse/form.h"

#define DELIMITER_BYTES_MAX (FORM_BOUNDARY_BYTES_MAX + 4)

enum form_state {
    FORM_PREAMBLE,
    FORM_TAIL,   /* after a delimiter: CRLF, "--", or blanks before them */
    FORM_HEADER, /* lines of a part's header */
    FORM_FIELD,
    FORM_FILE,
    FORM_SKIP, /* parts after the file */
    FORM_EPILOGUE,
};

struct form {
    struct form_events events;
    enum form_state state;
    enum form_result failed;
    bool file_seen;

    size_t delimiter_len;
    size_t matched;
    char delimiter[DELIMITER_BYTES_MAX];
    unsigned char failure[DELIMITER_BYTES_MAX];

    size_t line_len, header_bytes;
    char line[FORM_PART_HEADER_BYTES_MAX];

    struct str part_name, part_filename, part_type;
    size_t field_count;
    size_t bytes_used; /* of text: names and values */
    size_t value_from;
    struct form_field fields[FORM_FIELDS_MAX];
    char text[FORM_FIELDS_BYTES_MAX];
};

/* ---- boundary ----------------------------------------------------------------------------- */

static bool is_boundary_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

/* The next "; name=value" of a header; value without quotes, escapes left in. */
static bool param_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str s = str_trim(*rest);
    size_t end;

    if (s.len == 0 || s.p[0] != ';')
        return false;
    s = str_trim(str_skip(s, 1));
    end = str_find_char(s, '=');
    if (end == SIZE_MAX)
        return false;
    *ret_name = str_trim(str_slice(s, 0, end));
    s = str_trim(str_skip(s, end + 1));
    if (s.len > 0 && s.p[0] == '"') {
        /* Browsers escape a quote as %22 and leave backslashes alone: "C:\a" is no escape. */
        for (end = 1; end < s.len && s.p[end] != '"'; end++) {
            if (s.p[end] == '\\' && end + 1 < s.len && s.p[end + 1] == '"')
                end++;
        }
        if (end >= s.len)
            return false;
        *ret_value = str_slice(s, 1, end - 1);
        *rest = str_skip(s, end + 1);
        return true;
    }
    end = str_find_char(s, ';');
    *ret_value = str_trim(str_slice(s, 0, end == SIZE_MAX ? s.len : end));
    *rest = end == SIZE_MAX ? STR("") : str_skip(s, end);
    return true;
}

bool form_boundary(struct str content_type, struct str *ret_boundary)
{
    struct str rest = str_trim(content_type);
    size_t end = str_find_char(rest, ';');
    struct str name;
    struct str value;

    if (end == SIZE_MAX ||
        !str_eq_nocase(str_trim(str_slice(rest, 0, end)), STR("multipart/form-data")))
        return false;
    rest = str_skip(rest, end);
    while (param_next(&rest, &name, &value)) {
        if (!str_eq_nocase(name, STR("boundary")))
            continue;
        if (value.len == 0 || value.len > FORM_BOUNDARY_BYTES_MAX || value.p[value.len - 1] == ' ')
            return false;
        for (size_t i = 0; i < value.len; i++) {
            if (!is_boundary_char(value.p[i]))
                return false;
        }
        *ret_boundary = value;
        return true;
    }
    return false;
}

struct form *form_open(struct arena *arena, struct str boundary, const struct form_events *events)
{
    struct form *form;
    size_t matched = 0;

    if (boundary.len == 0 || boundary.len > FORM_BOUNDARY_BYTES_MAX)
        return NULL;
    form = arena_alloc(arena, sizeof(*form));
    if (form == NULL)
        return NULL;
    memset(form, 0, offsetof(struct form, fields));
    form->events = *events;
    memcpy(form->delimiter, "\r\n--", 4);
    memcpy(form->delimiter + 4, boundary.p, boundary.len);
    form->delimiter_len = boundary.len + 4;
    form->matched = 2; /* rule 2 */

    for (size_t i = 1; i < form->delimiter_len; i++) {
        while (matched > 0 && form->delimiter[i] != form->delimiter[matched])
            matched = form->failure[matched - 1];
        if (form->delimiter[i] == form->delimiter[matched])
            matched++;
        form->failure[i] = (unsigned char)matched;
    }
    return form;
}

/* ---- parts -------------------------------------------------------------------------------- */

static enum form_result text_keep(struct form *form, struct str s, struct str *ret_kept)
{
    if (s.len > FORM_FIELDS_BYTES_MAX - form->bytes_used)
        return FORM_TOO_LONG;
    memcpy(form->text + form->bytes_used, s.p, s.len);
    *ret_kept = str_make(form->text + form->bytes_used, s.len);
    form->bytes_used += s.len;
    return FORM_OK;
}

/* \" becomes "; in place, in text that is ours. */
static struct str unescape_quotes(struct str s)
{
    char *text = (char *)(uintptr_t)s.p;
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (text[i] == '\\' && i + 1 < s.len && text[i + 1] == '"')
            i++;
        text[len++] = text[i];
    }
    return str_make(text, len);
}

static enum form_result disposition(struct form *form, struct str value)
{
    size_t end = str_find_char(value, ';');
    struct str rest;
    struct str name;
    struct str text;
    enum form_result result = FORM_OK;

    if (end == SIZE_MAX || !str_eq_nocase(str_trim(str_slice(value, 0, end)), STR("form-data")))
        return FORM_MALFORMED;
    if (str_present(form->part_name))
        return FORM_MALFORMED;
    rest = str_skip(value, end);
    while (result == FORM_OK && param_next(&rest, &name, &text)) {
        if (str_eq_nocase(name, STR("name")) && !str_present(form->part_name)) {
            result = text_keep(form, text, &form->part_name);
            if (result == FORM_OK)
                form->part_name = unescape_quotes(form->part_name);
        } else if (str_eq_nocase(name, STR("filename")) && !str_present(form->part_filename)) {
            result = text_keep(form, text, &form->part_filename);
            if (result == FORM_OK)
                form->part_filename = unescape_quotes(form->part_filename);
        }
    }
    if (result == FORM_OK && str_trim(rest).len > 0)
        return FORM_MALFORMED;
    return result;
}

static enum form_result header_line(struct form *form, struct str line)
{
    struct str name;
    struct str value;

    if (!str_cut(line, ':', &name, &value) || name.len == 0)
        return FORM_MALFORMED;
    if (str_eq_nocase(name, STR("content-disposition")))
        return disposition(form, str_trim(value));
    if (str_eq_nocase(name, STR("content-type")) && !str_present(form->part_type))
        return text_keep(form, str_trim(value), &form->part_type);
    return FORM_OK;
}

static enum form_result part_begin(struct form *form)
{
    if (form->file_seen) {
        form->state = FORM_SKIP;
        return FORM_OK;
    }
    if (!str_present(form->part_name))
        return FORM_MALFORMED;
    if (str_eq_nocase(form->part_name, STR("file"))) {
        form->file_seen = true;
        form->state = FORM_FILE;
        if (!str_present(form->part_filename))
            form->part_filename = STR("");
        return form->events.file_begin(form->events.context, form->part_filename, form->part_type)
                   ? FORM_OK
                   : FORM_REFUSED;
    }
    if (form->field_count == FORM_FIELDS_MAX)
        return FORM_TOO_MANY;
    form->state = FORM_FIELD;
    form->value_from = form->bytes_used;
    return FORM_OK;
}

static enum form_result part_data(struct form *form, const char *bytes, size_t len)
{
    struct str kept;

    if (len == 0)
        return FORM_OK;
    if (form->state == FORM_FIELD)
        return text_keep(form, str_make(bytes, len), &kept);
    if (form->state == FORM_FILE)
        return form->events.file_data(form->events.context, bytes, len) ? FORM_OK : FORM_REFUSED;
    return FORM_OK;
}

/* A delimiter ended what came before it. */
static enum form_result part_end(struct form *form)
{
    enum form_state state = form->state;

    form->state = FORM_TAIL;
    form->line_len = 0;
    if (state == FORM_FIELD) {
        form->fields[form->field_count++] = (struct form_field){
            form->part_name,
            str_make(form->text + form->value_from, form->bytes_used - form->value_from),
        };
    }
    if (state == FORM_FILE) {
        if (!form->events.file_end(form->events.context))
            return FORM_REFUSED;
    }
    return FORM_OK;
}

/* ---- bytes -------------------------------------------------------------------------------- */

/*
 * Hand on the first `to` bytes of the delimiter's first `carried` bytes followed by this input:
 * a match that began in an earlier input and broke off is data after all.
 */
static enum form_result emit(struct form *form, const char *bytes, size_t carried, size_t to)
{
    enum form_result result = part_data(form, form->delimiter, size_min(carried, to));

    if (result == FORM_OK && to > carried)
        result = part_data(form, bytes, to - carried);
    return result;
}

/* Data up to and including the next delimiter. */
static enum form_result feed_data(struct form *form, const char *bytes, size_t len,
                                  size_t *ret_used)
{
    size_t carried = form->matched;
    size_t matched = carried;
    size_t i = 0;
    enum form_result result;

    while (i < len && matched < form->delimiter_len) {
        if (matched == 0) {
            const char *cr = memchr(bytes + i, '\r', len - i);

            i = cr == NULL ? len : (size_t)(cr - bytes) + 1;
            matched = cr != NULL;
            continue;
        }
        while (matched > 0 && bytes[i] != form->delimiter[matched])
            matched = form->failure[matched - 1];
        matched += bytes[i] == form->delimiter[matched];
        i++;
    }

    *ret_used = i;
    form->matched = matched < form->delimiter_len ? matched : 0;
    result = emit(form, bytes, carried, carried + i - matched);
    if (result == FORM_OK && matched == form->delimiter_len)
        result = part_end(form);
    return result;
}

/* A line of a part's header, or what follows a delimiter, up to LF. */
static enum form_result feed_line(struct form *form, const char *bytes, size_t len,
                                  size_t *ret_used, bool *ret_complete)
{
    const char *lf = memchr(bytes, '\n', len);
    size_t take = lf != NULL ? (size_t)(lf - bytes) + 1 : len;

    *ret_used = take;
    *ret_complete = false;
    if (take > sizeof(form->line) - form->line_len)
        return FORM_TOO_LONG;
    memcpy(form->line + form->line_len, bytes, take);
    form->line_len += take;
    if (lf == NULL)
        return FORM_OK;
    if (form->line_len < 2 || form->line[form->line_len - 2] != '\r')
        return FORM_MALFORMED;
    form->line_len -= 2;
    *ret_complete = true;
    return FORM_OK;
}

static enum form_result feed_header(struct form *form, const char *bytes, size_t len,
                                    size_t *ret_used)
{
    bool complete;
    enum form_result result = feed_line(form, bytes, len, ret_used, &complete);
    struct str line = str_make(form->line, form->line_len);

    if (result != FORM_OK || !complete)
        return result;
    form->header_bytes += form->line_len + 2;
    form->line_len = 0;
    if (form->header_bytes > FORM_PART_HEADER_BYTES_MAX)
        return FORM_TOO_LONG;
    if (line.len == 0)
        return part_begin(form);
    return form->file_seen ? FORM_OK : header_line(form, line);
}

/* "--" ends the form, CRLF begins a part; blanks may come before either. */
static enum form_result feed_tail(struct form *form, const char *bytes, size_t *ret_used)
{
    char c = bytes[0];

    *ret_used = 1;
    if (form->line_len == 0 && (c == ' ' || c == '\t'))
        return FORM_OK;
    form->line[form->line_len++] = c;
    if (form->line_len == 1)
        return c == '-' || c == '\r' ? FORM_OK : FORM_MALFORMED;

    form->line_len = 0;
    if (form->line[0] == '-' && c == '-') {
        form->state = FORM_EPILOGUE;
        return FORM_OK;
    }
    if (form->line[0] != '\r' || c != '\n')
        return FORM_MALFORMED;
    form->state = FORM_HEADER;
    form->header_bytes = 0;
    form->part_name = STR_NONE;
    if (!form->file_seen) {
        form->part_filename = STR_NONE;
        form->part_type = STR_NONE;
    }
    return FORM_OK;
}

enum form_result form_feed(struct form *form, const void *input, size_t len)
{
    const char *bytes = input;

    while (len > 0 && form->failed == FORM_OK) {
        size_t used = len;

        switch (form->state) {
        case FORM_PREAMBLE:
        case FORM_FIELD:
        case FORM_FILE:
        case FORM_SKIP:
            form->failed = feed_data(form, bytes, len, &used);
            break;
        case FORM_TAIL:
            form->failed = feed_tail(form, bytes, &used);
            break;
        case FORM_HEADER:
            form->failed = feed_header(form, bytes, len, &used);
            break;
        case FORM_EPILOGUE:
            break;
        }
        bytes += used;
        len -= used;
    }
    return form->failed;
}

enum form_result form_finish(struct form *form)
{
    if (form->failed == FORM_OK && (form->state != FORM_EPILOGUE || !form->file_seen))
        form->failed = FORM_MALFORMED;
    return form->failed;
}

const struct form_field *form_fields(const struct form *form, size_t *ret_count)
{
    *ret_count = form->field_count;
    return form->fields;
}

struct str form_field_value(const struct form *form, struct str name)
{
    for (size_t i = 0; i < form->field_count; i++) {
        if (str_eq_nocase(form->fields[i].name, name))
            return form->fields[i].value;
    }
    return STR_NONE;
}

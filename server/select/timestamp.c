/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timestamps: read, written and counted with; see timestamp.h.
 */
#include "server/select/timestamp.h"

#include <stdlib.h>

#include "base/calendar.h"

#define DAY_S INT64_C(86400)
#define YEAR_MAX 9999
#define NANOS_PER_S 1000000000
#define OFFSET_UNKNOWN INT16_MIN
#define OFFSET_MAX_MIN (24 * 60)

/* As it is told: at its offset. */
struct fields {
    unsigned year, month, day;
    int64_t hour, minute, second;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static int offset_of(const struct value *time)
{
    return time->time.offset_min == OFFSET_UNKNOWN ? 0 : time->time.offset_min;
}

static struct fields fields_at(int64_t second)
{
    int64_t days = floor_div(second, DAY_S);
    int64_t rest = second - days * DAY_S;
    struct fields f = { .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60 };

    calendar_date(days, &f.year, &f.month, &f.day);
    return f;
}

static struct fields fields_of(const struct value *time)
{
    return fields_at(time->whole + (int64_t)offset_of(time) * 60);
}

static int64_t second_of(const struct fields *f)
{
    return calendar_day(f->year, f->month, f->day) * DAY_S + f->hour * 3600 + f->minute * 60 +
           f->second;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* So many digits; what stands behind them is *text then. */
static bool take_number(struct str *text, size_t digits, int64_t *ret_number)
{
    uint64_t number;

    if (text->len < digits || !str_to_u64(str_slice(*text, 0, digits), &number))
        return false;
    for (size_t i = 0; i < digits; i++)
        if (text->p[i] < '0' || text->p[i] > '9')
            return false;
    *ret_number = (int64_t)number;
    *text = str_skip(*text, digits);
    return true;
}

static bool take_char(struct str *text, char c)
{
    if (text->len == 0 || text->p[0] != c)
        return false;
    *text = str_skip(*text, 1);
    return true;
}

/* Z, +hh:mm or -hh:mm; -00:00, and nothing, say that it is not known. */
static bool read_offset(struct str text, int16_t *ret_offset)
{
    bool negative = text.len > 0 && text.p[0] == '-';
    int64_t hours;
    int64_t minutes;

    *ret_offset = text.len == 0 ? OFFSET_UNKNOWN : 0;
    if (text.len == 0 || str_eq(text, STR("Z")))
        return true;
    if (!take_char(&text, negative ? '-' : '+') || !take_number(&text, 2, &hours) ||
        !take_char(&text, ':') || !take_number(&text, 2, &minutes) || text.len > 0 || hours > 23 ||
        minutes > 59)
        return false;
    *ret_offset = (int16_t)((negative ? -1 : 1) * (hours * 60 + minutes));
    if (negative && hours == 0 && minutes == 0)
        *ret_offset = OFFSET_UNKNOWN;
    return true;
}

static bool read_fraction(struct str *text, struct value_time *time)
{
    uint32_t scale = NANOS_PER_S / 10;
    uint8_t digits = 0;
    int64_t digit;

    while (digits < 9 && take_number(text, 1, &digit)) {
        time->nanos += (uint32_t)digit * scale;
        scale /= 10;
        digits++;
    }
    time->digits = digits;
    return digits > 0;
}

/* hh:mm[:ss[.fraction]] and the offset. */
static bool read_clock(struct str text, struct fields *f, struct value_time *time)
{
    if (!take_number(&text, 2, &f->hour) || !take_char(&text, ':') ||
        !take_number(&text, 2, &f->minute) || f->hour > 23 || f->minute > 59)
        return false;
    time->precision = TIME_MINUTE;
    if (take_char(&text, ':')) {
        if (!take_number(&text, 2, &f->second) || f->second > 59)
            return false;
        time->precision = TIME_SECOND;
        if (take_char(&text, '.') && !read_fraction(&text, time))
            return false;
    }
    return read_offset(text, &time->offset_min);
}

/* YYYY[-MM[-DD]]; what stands behind it is *text then. */
static bool read_date(struct str *text, struct fields *f, struct value_time *time)
{
    int64_t number;

    if (!take_number(text, 4, &number) || number == 0)
        return false;
    f->year = (unsigned)number;
    if (!take_char(text, '-'))
        return true;
    time->precision = TIME_MONTH;
    if (!take_number(text, 2, &number) || number < 1 || number > 12)
        return false;
    f->month = (unsigned)number;
    if (!take_char(text, '-'))
        return true;
    time->precision = TIME_DAY;
    if (!take_number(text, 2, &number) || number < 1 ||
        number > calendar_days_of_month(f->year, f->month))
        return false;
    f->day = (unsigned)number;
    return true;
}

bool time_read(struct str text, struct value *ret_value)
{
    struct fields f = { .month = 1, .day = 1 };
    struct value value = { .type = VALUE_TIME, .time.offset_min = OFFSET_UNKNOWN };
    bool has_t;

    if (!read_date(&text, &f, &value.time))
        return false;
    has_t = take_char(&text, 'T');
    if (!has_t && (text.len > 0 || value.time.precision != TIME_DAY))
        return false;
    if (text.len > 0 && (value.time.precision != TIME_DAY || !read_clock(text, &f, &value.time)))
        return false;
    value.whole = second_of(&f) - (int64_t)offset_of(&value) * 60;
    *ret_value = value;
    return true;
}

struct value time_of_us(int64_t us)
{
    int64_t ms = floor_div(us, 1000);
    int64_t second = floor_div(ms, 1000);

    return (struct value){ .type = VALUE_TIME,
                           .whole = second,
                           .time = { .nanos = (uint32_t)(ms - second * 1000) * 1000000,
                                     .precision = TIME_SECOND,
                                     .digits = 3 } };
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_offset(struct buf *out, const struct value *time)
{
    int offset = offset_of(time);

    if (time->time.offset_min == 0)
        buf_char(out, 'Z');
    else
        buf_printf(out, "%c%02d:%02d",
                   offset < 0 || time->time.offset_min == OFFSET_UNKNOWN ? '-' : '+',
                   abs(offset) / 60, abs(offset) % 60);
}

/* The first digits of the fraction. */
static void write_fraction(struct buf *out, uint32_t nanos, size_t digits)
{
    uint32_t scale = NANOS_PER_S / 10;

    for (size_t i = 0; i < digits && i < 9; i++, scale /= 10)
        buf_char(out, (char)('0' + nanos / scale % 10));
}

void time_write(struct buf *out, const struct value *time)
{
    struct fields f = fields_of(time);
    unsigned precision = time->time.precision;

    buf_printf(out, "%04d", (int)f.year);
    if (precision >= TIME_MONTH)
        buf_printf(out, "-%02d", (int)f.month);
    if (precision >= TIME_DAY)
        buf_printf(out, "-%02d", (int)f.day);
    if (precision != TIME_DAY)
        buf_char(out, 'T');
    if (precision < TIME_MINUTE)
        return;
    buf_printf(out, "%02d:%02d", (int)f.hour, (int)f.minute);
    if (precision == TIME_SECOND)
        buf_printf(out, ":%02d", (int)f.second);
    if (time->time.digits > 0) {
        buf_char(out, '.');
        write_fraction(out, time->time.nanos, time->time.digits);
    }
    write_offset(out, time);
}

/* ---- counting ----------------------------------------------------------------------------- */

bool time_part_from_name(struct str name, enum time_part *ret_part)
{
    static const char *const names[] = {
        [TIME_YEAR] = "year",
        [TIME_MONTH] = "month",
        [TIME_DAY] = "day",
        [TIME_MINUTE] = "minute",
        [TIME_SECOND] = "second",
        [TIME_HOUR] = "hour",
        [TIME_OFFSET_HOUR] = "timezone_hour",
        [TIME_OFFSET_MINUTE] = "timezone_minute",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_nocase(name, str_from_cstr(names[i]))) {
            *ret_part = (enum time_part)i;
            return true;
        }
    return false;
}

int64_t time_extract(const struct value *time, enum time_part part)
{
    struct fields f = fields_of(time);

    switch (part) {
    case TIME_YEAR:
        return f.year;
    case TIME_MONTH:
        return f.month;
    case TIME_DAY:
        return f.day;
    case TIME_HOUR:
        return f.hour;
    case TIME_MINUTE:
        return f.minute;
    case TIME_SECOND:
        return f.second;
    case TIME_OFFSET_HOUR:
        return offset_of(time) / 60;
    case TIME_OFFSET_MINUTE:
        return offset_of(time) % 60;
    }
    return 0;
}

static int64_t seconds_of_part(enum time_part part)
{
    return part == TIME_DAY ? DAY_S : part == TIME_HOUR ? 3600 : part == TIME_MINUTE ? 60 : 1;
}

static bool is_in_range(const struct value *time)
{
    int64_t local = time->whole + (int64_t)offset_of(time) * 60;

    return local >= calendar_day(1, 1, 1) * DAY_S &&
           local < calendar_day(YEAR_MAX + 1, 1, 1) * DAY_S;
}

static enum s3_error add_months(const struct value *time, int64_t months, struct value *ret_value)
{
    struct fields f = fields_of(time);
    int64_t total;

    if (__builtin_add_overflow((int64_t)f.year * 12 + f.month - 1, months, &total) || total < 12 ||
        total >= (int64_t)(YEAR_MAX + 1) * 12)
        return S3_IllegalSqlFunctionArgument;
    f.year = (unsigned)(total / 12);
    f.month = (unsigned)(total % 12 + 1);
    if (f.day > calendar_days_of_month(f.year, f.month))
        f.day = calendar_days_of_month(f.year, f.month);
    *ret_value = *time;
    ret_value->whole = second_of(&f) - (int64_t)offset_of(time) * 60;
    return S3_OK;
}

enum s3_error time_add(const struct value *time, enum time_part part, int64_t quantity,
                       struct value *ret_value)
{
    struct value value = *time;
    unsigned precision = part == TIME_HOUR ? TIME_MINUTE : (unsigned)part;
    int64_t amount;
    enum s3_error err = S3_OK;

    if (part == TIME_YEAR || part == TIME_MONTH) {
        if (__builtin_mul_overflow(quantity, part == TIME_YEAR ? 12 : 1, &amount))
            return S3_IllegalSqlFunctionArgument;
        err = add_months(time, amount, &value);
    } else if (__builtin_mul_overflow(quantity, seconds_of_part(part), &amount) ||
               __builtin_add_overflow(time->whole, amount, &value.whole) ||
               value.whole > INT64_MAX - OFFSET_MAX_MIN * 60 ||
               value.whole < INT64_MIN + OFFSET_MAX_MIN * 60) {
        return S3_IllegalSqlFunctionArgument;
    }
    if (err == S3_OK && !is_in_range(&value))
        err = S3_IllegalSqlFunctionArgument;
    if (err != S3_OK)
        return err;
    if (value.time.precision < precision)
        value.time.precision = (uint8_t)precision;
    *ret_value = value;
    return S3_OK;
}

/* Behind the month's beginning, at UTC. */
static bool is_earlier_in_month(const struct fields *a, uint32_t a_nanos, const struct fields *b,
                                uint32_t b_nanos)
{
    int64_t first = ((a->day * 24 + a->hour) * 60 + a->minute) * 60 + a->second;
    int64_t second = ((b->day * 24 + b->hour) * 60 + b->minute) * 60 + b->second;

    return first != second ? first < second : a_nanos < b_nanos;
}

static int64_t diff_months(const struct value *a, const struct value *b)
{
    struct fields from = fields_at(a->whole);
    struct fields to = fields_at(b->whole);
    int64_t months = ((int64_t)to.year - from.year) * 12 + to.month - from.month;

    if (months > 0 && is_earlier_in_month(&to, b->time.nanos, &from, a->time.nanos))
        months--;
    else if (months < 0 && is_earlier_in_month(&from, a->time.nanos, &to, b->time.nanos))
        months++;
    return months;
}

int64_t time_diff(const struct value *a, const struct value *b, enum time_part part)
{
    int64_t seconds = b->whole - a->whole;

    if (part == TIME_YEAR || part == TIME_MONTH)
        return diff_months(a, b) / (part == TIME_YEAR ? 12 : 1);
    if (seconds > 0 && b->time.nanos < a->time.nanos)
        seconds--;
    else if (seconds < 0 && b->time.nanos > a->time.nanos)
        seconds++;
    return seconds / seconds_of_part(part);
}

/* ---- patterns ----------------------------------------------------------------------------- */

static const char *const months[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };

/* One digit or more, two, or (four) a year. */
static bool write_padded(struct buf *out, int64_t number, size_t count, size_t count_max)
{
    if (count > count_max)
        return false;
    buf_printf(out, "%0*d", (int)count, (int)number);
    return true;
}

static bool write_year(struct buf *out, int64_t year, size_t count)
{
    if (count == 2)
        return write_padded(out, year % 100, 2, 2);
    return count != 3 && write_padded(out, year, count, 4);
}

static bool write_month(struct buf *out, unsigned month, size_t count)
{
    struct str name = str_from_cstr(months[month - 1]);

    if (count <= 2)
        return write_padded(out, month, count, 2);
    if (count > 5)
        return false;
    buf_str(out, count == 3 ? str_slice(name, 0, 3) : count == 4 ? name : str_slice(name, 0, 1));
    return true;
}

/* X is Z at UTC, x is not. Counts: hours, hours and minutes, the same with a colon, and the last two again. */
static bool write_offset_as(struct buf *out, const struct value *time, bool zulu, size_t count)
{
    int offset = offset_of(time);
    int minutes = abs(offset) % 60;

    if (count > 5)
        return false;
    if (zulu && offset == 0) {
        buf_char(out, 'Z');
        return true;
    }
    buf_printf(out, "%c%02d", offset < 0 ? '-' : '+', abs(offset) / 60);
    if (count == 3 || count == 5)
        buf_printf(out, ":%02d", minutes);
    else if (count > 1 || minutes > 0)
        buf_printf(out, "%02d", minutes);
    return true;
}

static bool write_half(struct buf *out, int64_t hour, size_t count)
{
    if (count != 1)
        return false;
    buf_str(out, hour < 12 ? STR("AM") : STR("PM"));
    return true;
}

static bool write_nanos(struct buf *out, uint32_t nanos, size_t count)
{
    if (count != 1)
        return false;
    buf_printf(out, "%u", nanos);
    return true;
}

/* A letter that stands count times. *ret_known false: it means nothing. */
static bool write_letter(struct buf *out, const struct value *time, char letter, size_t count,
                         bool *ret_known)
{
    struct fields f = fields_of(time);

    switch (letter) {
    case 'y':
        return write_year(out, f.year, count);
    case 'M':
        return write_month(out, f.month, count);
    case 'd':
        return write_padded(out, f.day, count, 2);
    case 'a':
        return write_half(out, f.hour, count);
    case 'h':
        return write_padded(out, f.hour % 12 == 0 ? 12 : f.hour % 12, count, 2);
    case 'H':
        return write_padded(out, f.hour, count, 2);
    case 'm':
        return write_padded(out, f.minute, count, 2);
    case 's':
        return write_padded(out, f.second, count, 2);
    case 'S':
        write_fraction(out, time->time.nanos, count);
        return count <= 9;
    case 'n':
        return write_nanos(out, time->time.nanos, count);
    case 'X':
    case 'x':
        return write_offset_as(out, time, letter == 'X', count);
    default:
        *ret_known = false;
        return false;
    }
}

/* Text between quotes, of which two are one; '' alone is one too. */
static enum s3_error write_quoted(struct buf *out, struct str *pattern)
{
    struct str rest = str_skip(*pattern, 1);

    if (take_char(&rest, '\'')) {
        buf_char(out, '\'');
        *pattern = rest;
        return S3_OK;
    }
    while (rest.len > 0) {
        bool quote = take_char(&rest, '\'');

        if (quote && !take_char(&rest, '\'')) {
            *pattern = rest;
            return S3_OK;
        }
        buf_char(out, quote ? '\'' : rest.p[0]);
        if (!quote)
            rest = str_skip(rest, 1);
    }
    return S3_EvaluatorUnterminatedTimestampFormatPatternToken;
}

static enum s3_error write_pattern(struct buf *out, const struct value *time, struct str pattern)
{
    while (pattern.len > 0) {
        char c = pattern.p[0];
        size_t count = 0;
        bool known = true;
        enum s3_error err = S3_OK;

        if (c == '\'') {
            err = write_quoted(out, &pattern);
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            while (count < pattern.len && pattern.p[count] == c)
                count++;
            if (!write_letter(out, time, c, count, &known))
                err = known ? S3_EvaluatorInvalidTimestampFormatPatternToken
                            : S3_EvaluatorInvalidTimestampFormatPatternSymbol;
            pattern = str_skip(pattern, count);
        } else {
            buf_char(out, c);
            pattern = str_skip(pattern, 1);
        }
        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

enum s3_error time_format(const struct value *time, struct str pattern, struct arena *arena,
                          struct str *ret_text)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(VALUE_RECORD_BYTES_MAX);
    enum s3_error err = write_pattern(&out, time, pattern);

    if (err != S3_OK)
        return err;
    *ret_text = out.failed ? STR_NONE : arena_dup(arena, buf_view(&out));
    return str_present(*ret_text) ? S3_OK : S3_OverMaxRecordSize;
}

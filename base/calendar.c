/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The date formats S3 uses, and the calendar behind them; see clock.h, calendar.h.
 *
 * Calendar arithmetic is our own (proleptic Gregorian, no leap seconds): libc's depends on TZ and
 * locale. Formats cover the years 1 to 9999; a time outside is shown as the nearest one inside.
 */
#include "base/calendar.h"

#include "base/clock.h"

#define DAY_S INT64_C(86400)
#define YEAR_1_S INT64_C(-62135596800)    /* 0001-01-01T00:00:00Z */
#define YEAR_9999_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* A moment taken apart. */
struct civil {
    unsigned year;
    unsigned month; /* 1..12 */
    unsigned day;   /* 1..31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned micros;
    unsigned weekday; /* 0 = Sunday */
};

static const char weekday_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const weekday_long_names[7] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/*
 * Years begin in March here, so that the leap day is the last of its year.
 * https://howardhinnant.github.io/date_algorithms.html
 */
int64_t calendar_day(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void calendar_date(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;

    *ret_day = (unsigned)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *ret_month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    *ret_year = (unsigned)(year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0));
}

unsigned calendar_days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap_year ? 1u : 0u);
}

static void date_from_days(int64_t days, struct civil *civil)
{
    calendar_date(days, &civil->year, &civil->month, &civil->day);
    /* 1970-01-01 was a Thursday; 700000 weeks keep the dividend positive. */
    civil->weekday = (unsigned)((days + 4 + 7 * INT64_C(700000)) % 7);
}

/* A moment as days since year 1 and microseconds of that day. */
struct moment {
    int64_t day;
    int64_t us;
};

static struct moment moment_from_us(int64_t us)
{
    if (us < YEAR_1_S * US_PER_S)
        us = YEAR_1_S * US_PER_S;
    if (us > YEAR_9999_S * US_PER_S + (US_PER_S - 1))
        us = YEAR_9999_S * US_PER_S + (US_PER_S - 1);

    /* From year 1, so that division never meets a negative number. */
    us -= YEAR_1_S * US_PER_S;
    return (struct moment){ .day = us / (DAY_S * US_PER_S), .us = us % (DAY_S * US_PER_S) };
}

static void time_from_moment(struct moment moment, struct civil *civil)
{
    unsigned second = (unsigned)(moment.us / US_PER_S);

    civil->micros = (unsigned)(moment.us % US_PER_S);
    civil->hour = second / 3600;
    civil->minute = second / 60 % 60;
    civil->second = second % 60;
}

static struct civil civil_from_us(int64_t us)
{
    struct moment moment = moment_from_us(us);
    struct civil civil = { 0 };

    time_from_moment(moment, &civil);
    date_from_days(moment.day + YEAR_1_S / DAY_S, &civil);
    return civil;
}

/* False when a field is out of its range. A second of 60 is taken as the next minute's first. */
static bool civil_to_us(const struct civil *civil, int64_t *ret_us)
{
    if (civil->year < 1 || civil->year > 9999 || civil->month < 1 || civil->month > 12)
        return false;
    if (civil->day < 1 || civil->day > calendar_days_of_month(civil->year, civil->month))
        return false;
    if (civil->hour > 23 || civil->minute > 59 || civil->second > 60)
        return false;

    *ret_us = (calendar_day(civil->year, civil->month, civil->day) * DAY_S +
               (int64_t)(civil->hour * 3600 + civil->minute * 60 + civil->second)) *
                  US_PER_S +
              civil->micros;
    return true;
}

/* Exactly `count` decimal digits, leading zeros included; answers the place behind them. */
static char *put_digits(char *out, unsigned value, unsigned count)
{
    for (unsigned i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }

    return out + count;
}

static char *put_char(char *out, char c)
{
    *out = c;
    return out + 1;
}

static char *put_name(char *out, const char name[4])
{
    memcpy(out, name, 3);
    return out + 3;
}

/* hh:mm:ss */
static char *put_time(char *out, const struct civil *civil)
{
    out = put_digits(out, civil->hour, 2);
    out = put_char(out, ':');
    out = put_digits(out, civil->minute, 2);
    out = put_char(out, ':');
    return put_digits(out, civil->second, 2);
}

/* yyyy-mm-dd */
static void put_date(int64_t days, char out[10])
{
    struct civil civil = { 0 };

    date_from_days(days, &civil);
    out = put_digits(out, civil.year, 4);
    out = put_char(out, '-');
    out = put_digits(out, civil.month, 2);
    out = put_char(out, '-');
    (void)put_digits(out, civil.day, 2);
}

/* yyyy-mm-ddThh:mm:ss.mmmZ */
static void put_iso8601(const char date[10], const struct civil *civil, unsigned millis, char *out)
{
    memcpy(out, date, 10);
    out = put_char(out + 10, 'T');
    out = put_time(out, civil);
    out = put_char(out, '.');
    out = put_digits(out, millis, 3);
    out = put_char(out, 'Z');
    *out = '\0';
}

void clock_format_s3(int64_t us, struct clock_day *day, char out[CLOCK_ISO8601_LEN + 1])
{
    struct moment moment = moment_from_us(us);
    struct civil civil = { 0 };

    if (day->number != moment.day + 1) {
        put_date(moment.day + YEAR_1_S / DAY_S, day->text);
        day->number = moment.day + 1;
    }
    time_from_moment(moment, &civil);
    put_iso8601(day->text, &civil, /* millis= */ 0, out);
}

void clock_format_iso8601(int64_t us, char out[CLOCK_ISO8601_LEN + 1])
{
    struct moment moment = moment_from_us(us);
    struct civil civil = { 0 };
    char date[10];

    put_date(moment.day + YEAR_1_S / DAY_S, date);
    time_from_moment(moment, &civil);
    put_iso8601(date, &civil, civil.micros / 1000, out);
}

void clock_format_http(int64_t us, char out[CLOCK_HTTP_LEN + 1])
{
    struct civil civil = civil_from_us(us);

    out = put_name(out, weekday_names[civil.weekday]);
    out = put_char(out, ',');
    out = put_char(out, ' ');
    out = put_digits(out, civil.day, 2);
    out = put_char(out, ' ');
    out = put_name(out, month_names[civil.month - 1]);
    out = put_char(out, ' ');
    out = put_digits(out, civil.year, 4);
    out = put_char(out, ' ');
    out = put_time(out, &civil);
    memcpy(out, " GMT", sizeof(" GMT"));
}

void clock_format_amz(int64_t us, char out[CLOCK_AMZ_LEN + 1])
{
    struct civil civil = civil_from_us(us);

    out = put_digits(out, civil.year, 4);
    out = put_digits(out, civil.month, 2);
    out = put_digits(out, civil.day, 2);
    out = put_char(out, 'T');
    out = put_digits(out, civil.hour, 2);
    out = put_digits(out, civil.minute, 2);
    out = put_digits(out, civil.second, 2);
    out = put_char(out, 'Z');
    *out = '\0';
}

/* Reading: each take_… advances `s` over what it names, or answers false. */

static bool take(struct str *s, struct str literal)
{
    if (!str_starts(*s, literal))
        return false;

    *s = str_skip(*s, literal.len);
    return true;
}

static bool take_digits(struct str *s, unsigned count, unsigned *ret_value)
{
    uint64_t value;

    if (s->len < count || !str_to_u64(str_slice(*s, 0, count), &value))
        return false;

    *s = str_skip(*s, count);
    *ret_value = (unsigned)value;
    return true;
}

static bool take_month_name(struct str *s, unsigned *ret_month)
{
    for (unsigned i = 0; i < COUNT_OF(month_names); i++) {
        if (take(s, str_make(month_names[i], 3))) {
            *ret_month = i + 1;
            return true;
        }
    }

    return false;
}

/* hh:mm:ss */
static bool take_time(struct str *s, struct civil *civil)
{
    return take_digits(s, 2, &civil->hour) && take(s, STR(":")) &&
           take_digits(s, 2, &civil->minute) && take(s, STR(":")) &&
           take_digits(s, 2, &civil->second);
}

/*
 * The zone of RFC 1123 dates. HTTP says GMT; Amazon's own examples for signature version 2 say
 * +0000, and Python's formatdate says -0000.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
static bool take_zone(struct str *s)
{
    return take(s, STR("GMT")) || take(s, STR("UTC")) || take(s, STR("+0000")) ||
           take(s, STR("-0000"));
}

/* " 06 Nov 1994 08:49:37 GMT"; RFC 1123 allows one digit for the day. */
static bool read_rfc1123(struct str s, struct civil *civil)
{
    return take(&s, STR(" ")) &&
           (take_digits(&s, 2, &civil->day) || take_digits(&s, 1, &civil->day)) &&
           take(&s, STR(" ")) && take_month_name(&s, &civil->month) && take(&s, STR(" ")) &&
           take_digits(&s, 4, &civil->year) && take(&s, STR(" ")) && take_time(&s, civil) &&
           take(&s, STR(" ")) && take_zone(&s) && s.len == 0;
}

/* " 06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(struct str s, struct civil *civil)
{
    /* Of the system's time: what two digits mean is a matter of decades. */
    unsigned this_year = civil_from_us(clock_now_us(&clock_of_system)).year;
    unsigned year;

    if (!take(&s, STR(" ")) || !take_digits(&s, 2, &civil->day) || !take(&s, STR("-")) ||
        !take_month_name(&s, &civil->month) || !take(&s, STR("-")) || !take_digits(&s, 2, &year) ||
        !take(&s, STR(" ")) || !take_time(&s, civil) || !take(&s, STR(" GMT")) || s.len != 0)
        return false;

    /* RFC 9110, 5.6.7: more than 50 years ahead means the past century. */
    year += this_year - this_year % 100;
    civil->year = year > this_year + 50 ? year - 100 : year;
    return true;
}

/* " Nov  6 08:49:37 1994" */
static bool read_asctime(struct str s, struct civil *civil)
{
    return take(&s, STR(" ")) && take_month_name(&s, &civil->month) && take(&s, STR(" ")) &&
           (take(&s, STR(" ")) ? take_digits(&s, 1, &civil->day)
                               : take_digits(&s, 2, &civil->day)) &&
           take(&s, STR(" ")) && take_time(&s, civil) && take(&s, STR(" ")) &&
           take_digits(&s, 4, &civil->year) && s.len == 0;
}

bool clock_parse_http(struct str s, int64_t *ret_us)
{
    struct civil civil = { 0 };
    bool read = false;

    /* The weekday is read and not believed: clients compute it wrongly, the date decides. */
    for (size_t i = 0; i < COUNT_OF(weekday_names) && !read; i++) {
        struct str rest = s;

        if (take(&rest, str_from_cstr(weekday_long_names[i])))
            read = take(&rest, STR(",")) && read_rfc850(rest, &civil);
        else if (take(&rest, str_make(weekday_names[i], 3)))
            read = take(&rest, STR(",")) ? read_rfc1123(rest, &civil) : read_asctime(rest, &civil);
    }

    return read && civil_to_us(&civil, ret_us);
}

bool clock_parse_amz(struct str s, int64_t *ret_us)
{
    struct civil civil = { 0 };

    return take_digits(&s, 4, &civil.year) && take_digits(&s, 2, &civil.month) &&
           take_digits(&s, 2, &civil.day) && take(&s, STR("T")) &&
           take_digits(&s, 2, &civil.hour) && take_digits(&s, 2, &civil.minute) &&
           take_digits(&s, 2, &civil.second) && take(&s, STR("Z")) && s.len == 0 &&
           civil_to_us(&civil, ret_us);
}

/* ".5", up to nine digits; what is finer than a microsecond is dropped. Absent is fine. */
static bool take_fraction(struct str *s, unsigned *ret_micros)
{
    unsigned micros = 0;
    unsigned digits = 0;
    unsigned digit;

    if (!take(s, STR(".")))
        return true;

    for (; take_digits(s, 1, &digit); digits++) {
        if (digits < 6)
            micros = micros * 10 + digit;
    }
    if (digits < 1 || digits > 9)
        return false;
    for (; digits < 6; digits++)
        micros *= 10;

    *ret_micros = micros;
    return true;
}

bool clock_parse_iso8601(struct str s, int64_t *ret_us)
{
    struct civil civil = { 0 };

    return take_digits(&s, 4, &civil.year) && take(&s, STR("-")) &&
           take_digits(&s, 2, &civil.month) && take(&s, STR("-")) &&
           take_digits(&s, 2, &civil.day) && take(&s, STR("T")) && take_time(&s, &civil) &&
           take_fraction(&s, &civil.micros) && take(&s, STR("Z")) && s.len == 0 &&
           civil_to_us(&civil, ret_us);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a run; see report.h.
 */
#include "tests/bench/report.h"

#include <math.h>
#include <stdio.h>

#define VALUES_MAX 32

struct value {
    const char *name;
    struct str text; /* STR_NONE: a number */
    double number;   /* NAN: not measured */
    int digits;      /* after the point */
};

struct values {
    struct value item[VALUES_MAX];
    size_t count;
};

static void text(struct values *values, const char *name, struct str value)
{
    values->item[values->count++] = (struct value){ .name = name, .text = value };
}

static void number(struct values *values, const char *name, double value, int digits)
{
    values->item[values->count++] =
        (struct value){ .name = name, .number = value, .digits = digits };
}

static void json_text(struct str s)
{
    (void)putchar('"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            (void)putchar('\\');
        (void)putchar(s.p[i] >= 0 && s.p[i] < 0x20 ? ' ' : s.p[i]);
    }
    (void)putchar('"');
}

static void print_json(const struct values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct value *value = &values->item[i];

        (void)printf("%s\"%s\": ", i == 0 ? "{" : ", ", value->name);
        if (str_present(value->text))
            json_text(value->text);
        else if (isnan(value->number))
            (void)printf("null");
        else
            (void)printf("%.*f", value->digits, value->number);
    }
    (void)printf("}\n");
}

static void print_tsv(const struct values *values)
{
    static bool has_head;

    for (size_t i = 0; i < values->count && !has_head; i++)
        (void)printf("%s%s", values->item[i].name, i + 1 < values->count ? "\t" : "\n");
    has_head = true;
    for (size_t i = 0; i < values->count; i++) {
        const struct value *value = &values->item[i];

        if (str_present(value->text))
            (void)printf("%.*s", STR_ARG(value->text));
        else if (isnan(value->number))
            (void)printf("-");
        else
            (void)printf("%.*f", value->digits, value->number);
        (void)printf(i + 1 < values->count ? "\t" : "\n");
    }
}

static void print(const struct options *options, const struct values *values)
{
    if (options->report == REPORT_JSON)
        print_json(values);
    else
        print_tsv(values);
    (void)fflush(stdout);
}

static double us(const struct histogram *histogram, double share)
{
    return histogram->count > 0 ? (double)histogram_quantile_ns(histogram, share) / 1e3 : NAN;
}

/* whole: all operations of the run together, which alone have bytes, errors and CPU time. */
static void line(const struct options *options, const struct result *result, struct str name,
                 const struct histogram *latency, bool whole)
{
    double seconds = result->elapsed_s;
    double count = (double)latency->count;
    bool server = whole && result->server.known && latency->count > 0;
    struct values values = { 0 };

    text(&values, "label", options->label);
    text(&values, "operation", name);
    number(&values, "size", (double)options->size_bytes, 0);
    number(&values, "connections", (double)options->connections, 0);
    number(&values, "threads", (double)options->threads, 0);
    text(&values, "auth", str_from_cstr(options_auth_name(options->auth)));
    text(&values, "payload", str_from_cstr(options_payload_name(options->payload)));
    number(&values, "rate_asked", options->rate, 0);
    number(&values, "seconds", seconds, 3);
    number(&values, "samples", count, 0);
    number(&values, "errors", whole ? (double)result->errors : NAN, 0);
    number(&values, "reconnects", whole ? (double)result->reconnects : NAN, 0);
    number(&values, "exhausted", result->exhausted ? 1 : 0, 0);
    number(&values, "per_s", seconds > 0 ? count / seconds : NAN, 1);
    number(&values, "mb_per_s",
           whole && seconds > 0 ? (double)result->payload_bytes / seconds / 1e6 : NAN, 2);
    number(&values, "mean_us", count > 0 ? (double)latency->sum_ns / count / 1e3 : NAN, 1);
    number(&values, "p50_us", us(latency, 0.5), 1);
    number(&values, "p90_us", us(latency, 0.9), 1);
    number(&values, "p99_us", us(latency, 0.99), 1);
    number(&values, "p999_us", us(latency, 0.999), 1);
    number(&values, "max_us", count > 0 ? (double)latency->max_ns / 1e3 : NAN, 1);
    number(&values, "client_busy", whole ? result->client_busy : NAN, 3);
    number(&values, "server_busy", server && seconds > 0 ? result->server.cpu_s / seconds : NAN, 3);
    number(&values, "server_cpu_us", server ? result->server.cpu_s * 1e6 / count : NAN, 2);
    number(&values, "server_rss_kib", server ? (double)result->server.rss_kib : NAN, 0);
    number(&values, "server_hwm_kib", server ? (double)result->server.hwm_kib : NAN, 0);
    print(options, &values);
}

void report_result(const struct options *options, const struct plan *plan,
                   const struct result *result, const char *step)
{
    struct histogram *all = mem_zalloc(sizeof(*all));

    if (all == NULL)
        return;
    for (size_t i = 0; i < plan->lane_count; i++)
        histogram_merge(all, &result->latency[i]);
    line(options, result, step != NULL ? str_from_cstr(step) : options->command_name, all, true);
    for (size_t i = 0; i < plan->lane_count && plan->lane_count > 1; i++)
        line(options, result, plan->shapes[plan->requests[plan->lanes[i].first].shape].operation,
             &result->latency[i], false);
    mem_free(all);
}

void report_figure(const struct options *options, const char *name, double value, const char *unit)
{
    struct values values = { 0 };

    text(&values, "label", options->label);
    text(&values, "figure", str_from_cstr(name));
    number(&values, "value", value, 3);
    text(&values, "unit", str_from_cstr(unit));
    print(options, &values);
}

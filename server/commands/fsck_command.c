/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail fsck DIR: checks a store that no process has open.
 *
 * Exit code 0: clean, or all was repaired; 1: errors were found, or remain; 2: the check could not run; 3: the store is served.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/digest/digest.h"
#include "base/text/text.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "storage/store.h"

#define LINE_BYTES_MAX 8192

enum fsck_code { FSCK_CLEAN = 0, FSCK_ERRORS = 1, FSCK_NOT_RUN = 2, FSCK_IN_USE = 3 };

struct fsck_request {
    const char *dir;
    struct fsck_options options;
    bool repair;
    bool dry_run;
    bool json;
    bool help;
    size_t findings; /* printed so far */
};

static bool parse(char *const *words, struct fsck_request *request, struct fault *fault)
{
    struct arguments arguments = ARGUMENTS(words);
    enum argument kind;
    struct str word;

    while ((kind = arguments_next(&arguments, &word)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPERAND) {
            if (request->dir != NULL)
                return fault_false(fault, "fsck takes one directory");
            request->dir = word.p;
            continue;
        }
        if (str_eq(word, STR("--read-data")))
            request->options.read_data = true;
        else if (str_eq(word, STR("--repair")))
            request->repair = true;
        else if (str_eq(word, STR("--dry-run")))
            request->dry_run = true;
        else if (str_eq(word, STR("--json")))
            request->json = true;
        else if (str_eq(word, STR("--help")) || str_eq(word, STR("-h")))
            request->help = true;
        else
            return fault_false(fault, "unknown option '%.*s'", STR_ARG(word));
        if (!arguments_no_value(&arguments, word, fault))
            return false;
    }

    if (request->help)
        return true;
    if (request->dry_run && !request->repair)
        return fault_false(fault, "--dry-run goes with --repair");
    if (request->repair) {
        request->options.mode = request->dry_run ? FSCK_PLAN : FSCK_REPAIR;
        request->options.read_data = true; /* what is marked has been looked at */
    }
    return request->dir != NULL || fault_false(fault, "fsck needs the directory of a store");
}

/* Findings leave as they are found: a damaged store may have more than fit in memory. */
static void print_finding(void *context, const char *line)
{
    struct fsck_request *request = context;
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(LINE_BYTES_MAX);

    if (!request->json) {
        buf_printf(&text, "%s\n", line);
    } else {
        buf_str(&text, request->findings == 0 ? STR("{\"findings\":[\n") : STR(",\n"));
        text_json(&text, str_from_cstr(line));
    }
    request->findings++;
    command_write(STDOUT_FILENO, &text);
}

/* What a repair does not bring back. */
static bool errors_remain(const struct fsck_request *request, const struct fsck_report *report)
{
    return report->errors > (request->options.mode == FSCK_REPAIR ? report->rows : 0);
}

/* What was found means that, and that can be done. */
static void print_verdict(struct buf *text, const struct fsck_request *request,
                          const struct fsck_report *report)
{
    bool repaired = request->options.mode == FSCK_REPAIR;

    if (report->errors == 0) {
        buf_lit(text, "clean\n");
        return;
    }
    buf_str(text, errors_remain(request, report) ? STR("ERRORS were found\n") : STR("repaired\n"));
    if (report->damaged > 0)
        buf_lit(text,
                "\nDamaged: DATA IS LOST unless there is another copy. Objects that need these "
                "bytes\nanswer an error; no wrong byte is served as a good one. Upload the "
                "same content\nagain, under any key of the same owner: that mends every object "
                "that shares it. Or\nrestore the store from a backup.\n");
    if (report->rows > 0 && !repaired)
        buf_lit(text, "\nRows: left over or miscounted. NO DATA IS AT RISK: no object's bytes are "
                      "touched by\nthem. pail fsck --repair DIR puts them right; --dry-run says "
                      "how.\n");
    if (report->errors > report->damaged + report->rows)
        buf_lit(text, "\nThe catalog contradicts itself: DATA MAY BE LOST. Keep a copy of the "
                      "directory, and\nrestore the store from a backup; --repair does not touch "
                      "this.\n");
}

static void print_report(const struct fsck_request *request, const struct fsck_report *report)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        { "buckets", report->buckets },
        { "versions", report->versions },
        { "uploads", report->uploads },
        { "blobs", report->blobs },
        { "inline_bodies", report->inline_bodies },
        { "bytes_read", report->bytes_read },
        { "errors", report->errors },
        { "damaged", report->damaged },
        { "rows", report->rows },
        { "repairs", report->repairs },
        { "orphans", report->orphans },
    };
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(LINE_BYTES_MAX);

    if (request->json)
        buf_str(&text, request->findings == 0 ? STR("{\"findings\":[") : STR("\n"));
    if (request->json)
        buf_lit(&text, "]");
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        buf_printf(&text, request->json ? ",\"%s\":%llu" : "%-14s %llu\n", counts[i].name,
                   (unsigned long long)counts[i].value);
    if (request->json)
        buf_lit(&text, "}\n");
    else
        print_verdict(&text, request, report);

    command_write(STDOUT_FILENO, &text);
}

static int print_help(void)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(LINE_BYTES_MAX);

    buf_lit(&text,
            "Usage: pail fsck [--read-data] [--repair [--dry-run]] [--json] DIR\n"
            "\n"
            "Checks a store that nobody serves, and says what errors mean.\n"
            "\n"
            "  --read-data   also read every body and compare its hash\n"
            "  --repair      read all; mark damaged bodies, so that they answer an error and\n"
            "                an upload of the same bytes mends them; remove rows that nothing\n"
            "                needs, put counts right. Deletes no bytes: they are copied into\n"
            "                DIR/quarantine first\n"
            "  --dry-run     with --repair: only say what would be done\n"
            "  --json        one JSON object: findings and counts\n"
            "\n"
            "Exit codes: 0 clean or repaired, 1 errors were found (with --repair:\n"
            "damage remains), 2 the check could not run,\n"
            "3 the directory is in use.\n");
    command_write(STDOUT_FILENO, &text);
    return FSCK_CLEAN;
}

int command_fsck(char *const *words)
{
    struct fsck_request request = { 0 };
    struct fsck_report report = { 0 };
    struct fault fault = { 0 };
    struct fault cause = { 0 };
    enum store_status status;

    if (!parse(words, &request, &fault))
        return command_usage("fsck", &fault);
    if (request.help)
        return print_help();
    if (!digest_init()) {
        fault_note(&fault, "the crypto library lacks an algorithm that S3 needs");
        return command_failed(FSCK_NOT_RUN, &fault);
    }

    status = store_fsck(request.dir, &request.options, print_finding, &request, &report, &cause);
    if (status == STORE_LOCKED)
        fault_note(&fault, "'%s' is in use: stop its server before checking", request.dir);
    else if (status != STORE_OK)
        fault_note(&fault, "can not check '%s': %s", request.dir,
                   cause.text[0] != '\0' ? cause.text : store_status_name(status));
    if (status != STORE_OK)
        return command_failed(status == STORE_LOCKED ? FSCK_IN_USE : FSCK_NOT_RUN, &fault);

    print_report(&request, &report);
    return errors_remain(&request, &report) ? FSCK_ERRORS : FSCK_CLEAN;
}

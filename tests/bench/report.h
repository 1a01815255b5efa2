/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a run: a line of TSV under a head, or a line of JSON.
 *
 * A mixed run has a line for each operation after the one for all. Figures not measured are "-" in
 * TSV and null in JSON.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/run.h"

/* step: names the line when a command makes several; NULL: the command's name. */
void report_result(const struct options *options, const struct plan *plan,
                   const struct result *result, const char *step);
/* A figure of its own: "md5" 0.89 "GB/s". */
void report_figure(const struct options *options, const char *name, double value, const char *unit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: what is done to one folder becomes a trace.
 *
 * It stands between the program with all its libraries and libc (disk.h), so it hears of SQLite's calls
 * too. The same program opens stores from states it has made; then nothing is recorded.
 */
#ifndef TESTS_FAULT_POWER_RECORD_H
#define TESTS_FAULT_POWER_RECORD_H

#include "tests/fault/power/trace.h"

/* Once, before there are threads. */
void record_install(void);
/* What is in the folder is taken as safe; from now on all that changes it is put into the trace. */
void record_start(struct trace *trace, const char *scene, const char *folder);
void record_stop(void);
/* ACT_BEGIN or ACT_ACK of an operation, at this place of the trace. Any thread. */
void record_mark(enum act act, uint32_t op);
/* How many syncs of that kind there were since record_start. Any thread. */
uint64_t record_syncs(enum target target);
/* How many writes of the log's first bytes: how often it was begun anew. Any thread. */
uint64_t record_log_starts(void);
/* The bytes that are said to be free on every file system. */
void record_set_free(uint64_t bytes);

#endif

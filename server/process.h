/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a serving process sets for itself, and the signals that steer it.
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include "base/scope.h"

/*
 * Once, before threads and files: umask 077, no SIGPIPE, as many descriptors as allowed, signals
 * blocked for process_wait.
 *
 * dumpable   false: no core file and no debugger of the same user can show keys.
 */
void process_prepare(bool dumpable);

enum process_event { PROCESS_RELOAD, PROCESS_STOP };

/*
 * Sleep until a signal; no wake-ups in between. Main thread. SIGHUP asks for a reload, SIGTERM,
 * SIGINT and the end of the terminal for a stop.
 */
enum process_event process_wait(void);

/*
 * Give back the pages of program and library text that only starting up needed: they are clean and
 * come back from the page cache when used. Nothing of what a request needs is lost, only resident
 * memory: 13.7 MiB became 4.4 MiB where this was measured (Debian 12).
 */
void process_release_startup_pages(void);

/* After PROCESS_STOP: from now on a second SIGTERM or SIGINT ends the process at once. */
void process_stopping(void);

#endif

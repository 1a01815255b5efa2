/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk as a power cut may leave it after the first n events of a trace.
 *
 * What is taken for possible:
 *
 * (1) A file's bytes, size and holes are safe once a sync of that file has returned; the names in a
 *     directory once a sync of that directory has. Nothing else makes anything safe: a synced file may
 *     have lost its name, a name may belong to a file that is empty.
 * (2) What is not safe may be on the disk or not, whatever its order. Of a file each sector of 512
 *     bytes is as it was after some write since the last sync, or at that sync. So writes are dropped,
 *     torn and reordered; but no sector has half of a write, or a mix that the page cache never held.
 * (3) A file's size may have changed without its bytes (they are zeros, or what the disk had there
 *     before) and the bytes without the size (they are not seen). A hole is punched, or not, block by
 *     block. Cutting a file to a size, with the zeros behind it, is one step.
 * (4) A name is made or not, removed or not, each for itself. A rename inside a directory is one
 *     step; one to another directory may leave both names, never neither.
 * (5) A file whose last name is gone is gone.
 *
 * A real file system with a journal allows less than (2) to (4).
 */
#ifndef TESTS_FAULT_POWER_CUT_H
#define TESTS_FAULT_POWER_CUT_H

#include "tests/fault/power/choice.h"
#include "tests/fault/power/trace.h"

struct cut; /* a disk that goes through a trace */

/* planted: a kind of sync that does nothing, to see that this is found; TARGETS: none. */
struct cut *cut_open(const struct trace *trace, enum target planted);
void cut_close(struct cut *cut);
/* The next event happens. False: that was all. */
bool cut_advance(struct cut *cut);
/* How many events have happened. */
size_t cut_position(const struct cut *cut);
/* What is not safe now: numbers of events, ascending. Borrowed until the next cut_advance. */
size_t cut_unsafe(struct cut *cut, const uint32_t **ret_events);
/* Of these the last that writes to a file; false: none. */
bool cut_last_write(struct cut *cut, uint32_t *ret_event);

/*
 * Make that state in memory; it lives until the next call. Its sum tells it from every other. What it
 * costs is what is not safe, not what the disk holds.
 */
uint64_t cut_state(struct cut *cut, const struct choice *choice);
/* Write the state made last into an empty folder. */
void cut_write(const struct cut *cut, const char *folder);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogs that earlier programs have left: tests/vectors/catalogs/schema-N.sql, each made by the
 * program that knew schema N.
 *
 * In all of them the bucket has versioning, and these keys:
 *   a       three versions: "first" (null), "second", "third"
 *   attrs   empty; every attribute a put could give then
 *   b       "gone", below a delete marker
 *   multi   completed of parts 1 and 3, "one " and "two"; headers "h"
 *   open    an upload with headers "h" and part 1, "part"
 */
#ifndef TESTS_UNIT_STORAGE_KEPT_H
#define TESTS_UNIT_STORAGE_KEPT_H

#include "fixture.h"

#include <sqlite3.h>

#define KEPT_SCHEMA 9 /* the newest; there is one of each from 1 on */

/* Put the kept catalog of that schema in the place of the store's; the store is stopped. */
void kept_take(struct fixture *f, int schema);
/* The catalog, opened by SQLite alone. The caller closes it. */
sqlite3 *kept_sqlite(struct fixture *f);
/* All that is in a kept catalog is found through the store, and the upload can be completed. */
void kept_assert_content(struct fixture *f);
/* What the tables are now: their columns and indexes, a line each, in the arena. */
struct str kept_shape(struct fixture *f, sqlite3 *db);

#endif

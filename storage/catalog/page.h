/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page of a listing: where it starts and ends, common prefixes, and when it is full.
 *
 * A scan offers rows in key order; the page says what each is. When many rows fall under one
 * common prefix the page asks the scan to start again behind it. A new search costs as much as
 * about a dozen rows, so at first the page sits through a few; once a prefix turned out to be
 * long the next ones are taken to be long too, and now and then one is tried again in full.
 */
#ifndef STORAGE_CATALOG_PAGE_H
#define STORAGE_CATALOG_PAGE_H

#include "storage/store.h"

struct key_buf {
    size_t len;
    char bytes[STORE_KEY_BYTES_MAX + 1];
};

static inline struct str key_view(const struct key_buf *key)
{
    return str_make(key->bytes, key->len);
}

enum page_step {
    PAGE_SKIP,   /* belongs to the common prefix that was last given */
    PAGE_KEY,    /* an entry of its own */
    PAGE_PREFIX, /* the first of a common prefix */
    PAGE_RESEEK, /* start again at page->lower */
    PAGE_END,    /* nothing more can follow, or the page is full (page->truncated) */
    PAGE_YIELD,  /* let others go first; go on at page->lower */
};

struct page {
    struct str prefix;
    struct str delimiter;
    uint32_t max;
    uint32_t entries;
    uint32_t repeats;  /* rows skipped under the last common prefix */
    uint32_t patience; /* of how many before a new search */
    uint32_t searches; /* so far */
    bool searched;     /* the last common prefix was cut short by a new search */
    uint32_t hidden;   /* rows that are no entries, since the page was started or taken up again */
    bool last_is_prefix;
    bool truncated;
    bool empty;           /* the bounds enclose nothing */
    bool marker_applies;  /* the marker key itself is not passed over */
    struct key_buf lower; /* keys >= */
    struct key_buf upper; /* keys < */
    struct key_buf last;  /* last entry given */
};

enum page_after {
    PAGE_AFTER_TOKEN, /* an entry of an earlier page: its whole common prefix is done */
    PAGE_AFTER_KEY,   /* start-after: only keys count */
};

void page_start(struct page *page, struct str prefix, struct str delimiter, struct str after,
                enum page_after how, uint32_t max);
/* ret_prefix is set for PAGE_PREFIX, borrowed from key. */
enum page_step page_offer(struct page *page, struct str key, struct str *ret_prefix);
/* After PAGE_PREFIX was served: PAGE_SKIP to take the next row, PAGE_RESEEK or PAGE_END. */
enum page_step page_after_prefix(struct page *page);
/*
 * A row that is no entry. PAGE_SKIP; PAGE_RESEEK or PAGE_END, as with entries under one prefix; after
 * STORE_LIST_HIDDEN_MAX of them PAGE_YIELD: a copy of the page can then be taken up again.
 */
enum page_step page_hidden(struct page *page, struct str key);
void page_take_up(struct page *page);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging and common prefixes; see page.h.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
 */
#include "storage/catalog/page.h"

#define PATIENCE_ROWS 8
/* Of so many long prefixes in a row one is sat through, to see whether they have become short. */
#define SEARCHES_BEFORE_PATIENCE 8

static void key_set(struct key_buf *to, struct str from)
{
    to->len = size_min(from.len, sizeof(to->bytes));
    if (to->len > 0)
        memcpy(to->bytes, from.p, to->len);
}

/* The smallest text greater than every text that starts with prefix. False: there is none. */
static bool key_set_behind(struct key_buf *to, struct str prefix)
{
    key_set(to, prefix);
    while (to->len > 0 && (uint8_t)to->bytes[to->len - 1] == 0xff)
        to->len--;
    if (to->len == 0)
        return false;

    to->bytes[to->len - 1] = (char)((uint8_t)to->bytes[to->len - 1] + 1);
    return true;
}

static void key_set_after(struct key_buf *to, struct str key)
{
    key_set(to, str_slice(key, 0, STORE_KEY_BYTES_MAX));
    to->bytes[to->len++] = '\0';
}

/* Start again behind the common prefix last given. */
static enum page_step search(struct page *page)
{
    page->searched = true;
    page->patience = ++page->searches % SEARCHES_BEFORE_PATIENCE == 0 ? PATIENCE_ROWS : 0;
    return key_set_behind(&page->lower, key_view(&page->last)) ? PAGE_RESEEK : PAGE_END;
}

/* One more row under the common prefix last given. */
static enum page_step repeat(struct page *page)
{
    return page->repeats++ < page->patience ? PAGE_SKIP : search(page);
}

enum page_step page_after_prefix(struct page *page)
{
    return page->patience > 0 ? PAGE_SKIP : search(page);
}

/* The common prefix that key falls under, or STR_NONE. */
static struct str common_prefix(const struct page *page, struct str key)
{
    size_t at;

    if (page->delimiter.len == 0 || !str_starts(key, page->prefix))
        return STR_NONE;

    at = str_find(str_skip(key, page->prefix.len), page->delimiter);
    return at == SIZE_MAX ? STR_NONE
                          : str_slice(key, 0, page->prefix.len + at + page->delimiter.len);
}

static void apply_after(struct page *page, struct str after, enum page_after how)
{
    struct key_buf start;
    struct str rolled = common_prefix(page, after);

    if (str_present(rolled) && how == PAGE_AFTER_TOKEN) {
        if (!key_set_behind(&start, rolled))
            page->empty = true;
    } else {
        key_set_after(&start, after);
        page->marker_applies = str_compare(after, page->prefix) >= 0;
    }
    if (!page->empty && str_compare(key_view(&start), key_view(&page->lower)) > 0)
        key_set(&page->lower, key_view(&start));
}

void page_start(struct page *page, struct str prefix, struct str delimiter, struct str after,
                enum page_after how, uint32_t max)
{
    page->prefix = prefix;
    page->delimiter = delimiter;
    page->max = max;
    page->entries = 0;
    page->repeats = 0;
    page->patience = PATIENCE_ROWS;
    page->searches = 0;
    page->searched = false;
    page->hidden = 0;
    page->last_is_prefix = false;
    page->truncated = false;
    page->marker_applies = false;
    page->last.len = 0;
    page->empty = max == 0 || prefix.len > STORE_KEY_BYTES_MAX;
    if (page->empty)
        return;

    key_set(&page->lower, prefix);
    if (!key_set_behind(&page->upper, prefix)) {
        memset(page->upper.bytes, 0xff, sizeof(page->upper.bytes));
        page->upper.len = sizeof(page->upper.bytes);
    }
    if (str_present(after))
        apply_after(page, after, how);
}

enum page_step page_offer(struct page *page, struct str key, struct str *ret_prefix)
{
    struct str rolled = common_prefix(page, key);

    if (str_present(rolled) && page->last_is_prefix && str_eq(rolled, key_view(&page->last)))
        return repeat(page);
    if (page->entries == page->max) {
        page->truncated = true;
        return PAGE_END;
    }

    /* The prefix before ended while the page still had patience: it was a short one. */
    if (page->last_is_prefix && !page->searched)
        page->patience = PATIENCE_ROWS;
    page->searched = false;
    page->entries++;
    page->repeats = 0;
    page->last_is_prefix = str_present(rolled);
    key_set(&page->last, page->last_is_prefix ? rolled : key);
    if (!page->last_is_prefix)
        return PAGE_KEY;

    *ret_prefix = rolled;
    return PAGE_PREFIX;
}

enum page_step page_hidden(struct page *page, struct str key)
{
    if (page->last_is_prefix && str_starts(key, key_view(&page->last)))
        return repeat(page);
    if (++page->hidden < STORE_LIST_HIDDEN_MAX)
        return PAGE_SKIP;

    key_set_after(&page->lower, key);
    return PAGE_YIELD;
}

void page_take_up(struct page *page)
{
    page->hidden = 0;
}

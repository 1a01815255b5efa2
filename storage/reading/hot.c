/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hot; see hot.h. A hash table with chains, over which the clock's hand goes round.
 */
#include "storage/reading/hot.h"

#include <stdalign.h>

#include "base/text/buf.h"
#include "storage/catalog/columns.h"

#define HEADS 16384u
#define ENTRY_OVERHEAD_BYTES 32 /* what malloc and the table add */
#define VALUE_BYTES_MAX 4096u /* of a bucket or version: long metadata and tags are not worth it */

enum entry_kind { ENTRY_BUCKET, ENTRY_VERSION, ENTRY_BODY };

/* How often the hand passes an entry by that nobody has asked for. */
static const uint8_t chances[] = { [ENTRY_BUCKET] = 4, [ENTRY_VERSION] = 4, [ENTRY_BODY] = 1 };

struct hot_key {
    enum entry_kind kind;
    int64_t id; /* VERSION: the bucket's; BODY: its own */
    struct str name;
    uint64_t hash; /* of the name: whose freshness slot it is */
};

struct entry {
    struct entry *next;
    struct hot_key key;
    uint64_t stamp;
    uint32_t bytes;       /* of this memory */
    uint32_t value_bytes; /* without the name; 0: known to be absent */
    uint8_t chances;
    alignas(8) char value[]; /* struct bucket or version and its texts, or a body; then the name */
};

struct hot {
    const struct freshness *freshness;
    size_t bytes, limit_bytes;
    size_t hand;
    struct entry *evicted;
    struct entry *heads[HEADS];
};

/* ---- texts: a bucket's or version's, behind each other -------------------------------------- */

#define NOTE_BUCKET_TEXT(NAME, KIND, FIELD, ...)                                                   \
    COLUMN_IF_TEXT_##KIND(texts[count++] = &bucket->FIELD;)

static size_t bucket_texts(struct bucket *bucket, struct str *texts[BUCKET_TEXTS])
{
    size_t count = 0;

    texts[count++] = &bucket->name;
    BUCKET_ROWS(NOTE_BUCKET_TEXT);
    return count;
}

#define NOTE_VERSION_TEXT(NAME, KIND, FIELD, ...)                                                  \
    COLUMN_IF_TEXT_##KIND(texts[count++] = &version->FIELD;)
#define NOTE_ATTR_TEXT(NAME, KIND, FIELD, ...)                                                     \
    COLUMN_IF_TEXT_##KIND(texts[count++] = &version->attrs.FIELD;)

static size_t version_texts(struct version *version, struct str *texts[VERSION_TEXTS])
{
    size_t count = 0;

    texts[count++] = &version->key;
    COLUMN_ROWS(NOTE_VERSION_TEXT, COLUMN_NOTHING, NOTE_ATTR_TEXT);
    return count;
}

static size_t texts_bytes(struct str *const texts[], size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += texts[i]->len;
    return bytes;
}

/* Copy the texts to `out` and make them point there. Absent ones stay absent. */
static void texts_move(struct str *const texts[], size_t count, char *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_present(*texts[i]))
            continue;
        if (texts[i]->len > 0)
            memcpy(out, texts[i]->p, texts[i]->len);
        texts[i]->p = out;
        out += texts[i]->len;
    }
}

/* ---- memory ------------------------------------------------------------------------------ */

struct hot *hot_open(const struct freshness *freshness)
{
    struct hot *hot = mem_zalloc(sizeof(*hot));

    if (hot != NULL)
        hot->freshness = freshness;
    return hot;
}

/* Out of the table; its memory stays until hot_free_evicted. */
static void evict(struct hot *hot, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next;
    hot->bytes -= entry->bytes;
    entry->next = hot->evicted;
    hot->evicted = entry;
}

void hot_free_evicted(struct hot *hot)
{
    while (hot->evicted != NULL) {
        struct entry *entry = hot->evicted;

        hot->evicted = entry->next;
        mem_free(entry);
    }
}

void hot_close(struct hot *hot)
{
    if (hot == NULL)
        return;

    for (size_t i = 0; i < HEADS; i++) {
        while (hot->heads[i] != NULL)
            evict(hot, &hot->heads[i]);
    }
    hot_free_evicted(hot);
    mem_free(hot);
}

void hot_limit(struct hot *hot, size_t bytes)
{
    hot->limit_bytes = bytes;
}

size_t hot_bytes(const struct hot *hot)
{
    return hot->bytes;
}

/* The hand looks at one chain and moves on. */
static void clock_step(struct hot *hot)
{
    struct entry **link = &hot->heads[hot->hand];

    hot->hand = (hot->hand + 1) % HEADS;
    while (*link != NULL) {
        if ((*link)->chances == 0) {
            evict(hot, link);
            continue;
        }
        (*link)->chances--;
        link = &(*link)->next;
    }
}

/* ---- the table --------------------------------------------------------------------------- */

static struct hot_key key_of_bucket(const struct hot *hot, struct str name)
{
    return (struct hot_key){ ENTRY_BUCKET, 0, name, freshness_of_bucket(hot->freshness, name) };
}

static struct hot_key key_of_version(const struct hot *hot, int64_t bucket_id, struct str key)
{
    return (struct hot_key){ ENTRY_VERSION, bucket_id, key, freshness_of_key(hot->freshness, key) };
}

static struct hot_key key_of_body(int64_t id)
{
    return (struct hot_key){ ENTRY_BODY, id, STR_NONE, 0 };
}

/* The link that leads to it, or the one at the end of its chain. */
static struct entry **link_of(struct hot *hot, const struct hot_key *key)
{
    uint64_t hash = key->hash ^ (uint64_t)key->id * UINT64_C(0x9e3779b97f4a7c15);
    struct entry **link = &hot->heads[(hash ^ hash >> 32) % HEADS];

    while (*link != NULL &&
           ((*link)->key.hash != key->hash || (*link)->key.id != key->id ||
            (*link)->key.kind != key->kind || !str_eq((*link)->key.name, key->name)))
        link = &(*link)->next;
    return link;
}

/* What still holds; what does not is forgotten. */
static struct entry *find(struct hot *hot, const struct hot_key *key)
{
    struct entry **link = link_of(hot, key);
    struct entry *entry = *link;

    if (entry == NULL)
        return NULL;
    if (key->kind != ENTRY_BODY && freshness_slot(hot->freshness, key->hash) != entry->stamp) {
        evict(hot, link);
        return NULL;
    }
    entry->chances = chances[key->kind];
    return entry;
}

/* Room for an entry in the place of what the key has now; in the table, with its name. */
static struct entry *add(struct hot *hot, const struct hot_key *key, size_t value_bytes)
{
    size_t bytes = sizeof(struct entry) + value_bytes + key->name.len;
    struct entry **link = link_of(hot, key);
    struct entry *entry;

    if (*link != NULL)
        evict(hot, link);
    if (bytes + ENTRY_OVERHEAD_BYTES > hot->limit_bytes)
        return NULL;
    while (hot->bytes + bytes + ENTRY_OVERHEAD_BYTES > hot->limit_bytes)
        clock_step(hot);
    entry = mem_resize(NULL, bytes);
    if (entry == NULL)
        return NULL;

    *entry = (struct entry){ .key = *key,
                             .bytes = (uint32_t)(bytes + ENTRY_OVERHEAD_BYTES),
                             .value_bytes = (uint32_t)value_bytes };
    if (key->name.len > 0)
        memcpy(entry->value + value_bytes, key->name.p, key->name.len);
    entry->key.name = str_make(entry->value + value_bytes, key->name.len);
    hot->bytes += entry->bytes;
    link = link_of(hot, key); /* the hand may have moved it */
    entry->next = *link;
    *link = entry;
    return entry;
}

/* An entry that the newest state agrees with, or NULL: see freshness.h. */
static struct entry *add_fresh(struct hot *hot, const struct hot_key *key, size_t value_bytes,
                               uint64_t published)
{
    uint64_t stamp = freshness_slot(hot->freshness, key->hash);
    struct entry *entry;

    if (stamp > published || value_bytes > VALUE_BYTES_MAX)
        return NULL;
    entry = add(hot, key, value_bytes);
    if (entry != NULL)
        entry->stamp = stamp;
    return entry;
}

/* ---- what is known ------------------------------------------------------------------------- */

enum store_status hot_bucket(struct hot *hot, struct str name, struct arena *arena,
                             struct bucket *ret_bucket)
{
    struct hot_key key = key_of_bucket(hot, name);
    const struct entry *entry = find(hot, &key);
    struct str *texts[BUCKET_TEXTS];
    char *copy;

    if (entry == NULL)
        return STORE_STOPPED;
    if (entry->value_bytes == 0)
        return STORE_NO_BUCKET;
    copy = arena_alloc(arena, entry->value_bytes);
    if (copy == NULL)
        return STORE_NO_MEMORY;
    memcpy(ret_bucket, entry->value, sizeof(*ret_bucket));
    texts_move(texts, bucket_texts(ret_bucket, texts), copy);
    return STORE_OK;
}

enum store_status hot_version(struct hot *hot, int64_t bucket_id, struct str name,
                              struct arena *arena, struct version *ret_version)
{
    struct hot_key key = key_of_version(hot, bucket_id, name);
    const struct entry *entry = find(hot, &key);
    struct str *texts[VERSION_TEXTS];
    char *copy;

    if (entry == NULL)
        return STORE_STOPPED;
    if (entry->value_bytes == 0)
        return STORE_NO_KEY;
    copy = arena_alloc(arena, entry->value_bytes);
    if (copy == NULL)
        return STORE_NO_MEMORY;
    memcpy(ret_version, entry->value, sizeof(*ret_version));
    texts_move(texts, version_texts(ret_version, texts), copy);
    return STORE_OK;
}

struct str hot_body(struct hot *hot, int64_t id)
{
    struct hot_key key = key_of_body(id);
    const struct entry *entry = find(hot, &key);

    return entry != NULL ? str_make(entry->value, entry->value_bytes) : STR_NONE;
}

/* ---- keeping ------------------------------------------------------------------------------- */

void hot_keep_bucket(struct hot *hot, struct str name, const struct bucket *bucket,
                     uint64_t published)
{
    struct hot_key key = key_of_bucket(hot, name);
    struct bucket kept = bucket != NULL ? *bucket : (struct bucket){ 0 };
    struct str *texts[BUCKET_TEXTS];
    size_t count = bucket_texts(&kept, texts);
    size_t bytes = bucket != NULL ? sizeof(kept) + texts_bytes(texts, count) : 0;
    struct entry *entry = add_fresh(hot, &key, bytes, published);

    if (entry == NULL || bucket == NULL)
        return;
    texts_move(texts, count, entry->value + sizeof(kept));
    memcpy(entry->value, &kept, sizeof(kept));
}

void hot_keep_version(struct hot *hot, int64_t bucket_id, struct str name,
                      const struct version *version, uint64_t published)
{
    struct hot_key key = key_of_version(hot, bucket_id, name);
    struct version kept = version != NULL ? *version : (struct version){ 0 };
    struct str *texts[VERSION_TEXTS];
    size_t count = version_texts(&kept, texts);
    size_t bytes = version != NULL ? sizeof(kept) + texts_bytes(texts, count) : 0;
    struct entry *entry = add_fresh(hot, &key, bytes, published);

    if (entry == NULL || version == NULL)
        return;
    texts_move(texts, count, entry->value + sizeof(kept));
    memcpy(entry->value, &kept, sizeof(kept));
}

void hot_keep_body(struct hot *hot, int64_t id, struct str bytes)
{
    struct hot_key key = key_of_body(id);
    struct entry *entry;

    if (bytes.len > HOT_BODY_BYTES_MAX)
        return;
    entry = add(hot, &key, bytes.len);
    if (entry == NULL)
        return;
    memcpy(entry->value, bytes.p, bytes.len);
}

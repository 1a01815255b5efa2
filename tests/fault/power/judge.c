/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging states; rules in judge.h.
 */
#include "tests/fault/power/judge.h"

#include <stdio.h>
#include <sys/stat.h>

#define ARENA_BYTES_MAX (64u << 20)
#define WHY_BYTES_MAX (1u << 20)
#define PATH_BYTES_MAX 512
#define DAMAGED STR(" DAMAGED")

void judge_init(struct judge *judge, const char *folder)
{
    *judge = (struct judge){ .why = BUF_WITH_MAX(WHY_BYTES_MAX) };
    (void)snprintf(judge->folder, sizeof(judge->folder), "%s", folder);
}

void judge_free(struct judge *judge)
{
    buf_free(&judge->why);
}

/* ---- what is heard --------------------------------------------------------------------------- */

static void hear_finding(void *context, const char *line)
{
    buf_printf(context, "    %s\n", line);
}

static void hear_notice(void *context, enum store_notice_kind kind, const char *text)
{
    struct judge *judge = context;
    bool bad = kind == STORE_NOTICE_ERROR;

    /* What is damaged on purpose is told too. Else damage is wrong even where it was mended. */
    if (judge->scene->rotten)
        bad = bad && strncmp(text, "damaged: ", strlen("damaged: ")) != 0;
    else
        bad = bad || strstr(text, "damaged") != NULL;
    if (bad)
        buf_printf(&judge->why, "    it says: %s\n", text);
}

/* False: findings. */
static bool check(struct judge *judge, const char *path, bool may_refuse)
{
    CLEANUP(buf_free) struct buf findings = BUF_WITH_MAX(WHY_BYTES_MAX);
    struct fsck_report report = { 0 };
    struct fault fault = { 0 };
    enum store_status status = store_fsck(path, &(struct fsck_options){ .read_data = true },
                                          hear_finding, &findings, &report, &fault);

    if (may_refuse && status == STORE_FORMAT)
        return true;
    if (status != STORE_OK)
        buf_printf(&judge->why, "the check does not run: %s %s\n", store_status_name(status),
                   fault.text);
    else if (report.errors > 0)
        buf_printf(&judge->why, "the check finds %llu errors:\n%.*s",
                   (unsigned long long)report.errors, STR_ARG(buf_view(&findings)));
    return status == STORE_OK && report.errors == 0;
}

/* ---- views ----------------------------------------------------------------------------------- */

/* A line that is damaged in the view may have been mended: its end is another. */
static bool line_agrees(struct str expected, struct str found)
{
    size_t same;

    if (str_eq(expected, found))
        return true;
    if (expected.len < DAMAGED.len ||
        !str_eq(str_skip(expected, expected.len - DAMAGED.len), DAMAGED))
        return false;
    same = expected.len - DAMAGED.len;
    return found.len > same && memcmp(found.p, expected.p, same) == 0;
}

static bool view_agrees(struct str expected, struct str found)
{
    bool same = true;

    while (same && expected.len > 0 && found.len > 0) {
        struct str expected_line;
        struct str found_line;

        (void)str_cut(expected, '\n', &expected_line, &expected);
        (void)str_cut(found, '\n', &found_line, &found);
        same = line_agrees(expected_line, found_line);
    }
    return same && expected.len == 0 && found.len == 0;
}

static bool find_view(struct judge *judge, struct str found, size_t first, size_t last,
                      size_t *ret_view)
{
    struct str expected = trace_view(judge->trace, first);
    bool agrees = false;

    for (size_t k = last + 1; k-- > first && !agrees;) {
        agrees = view_agrees(trace_view(judge->trace, k), found);
        *ret_view = k;
    }
    if (agrees)
        return true;
    buf_printf(&judge->why,
               "views %zu to %zu are expected; of these the first is\n%.*sfound is\n%.*s", first,
               last, STR_ARG(expected), STR_ARG(found));
    return false;
}

/* ---- looking --------------------------------------------------------------------------------- */

static struct store *open_store(struct judge *judge, const char *path)
{
    CLEANUP(buf_free) struct buf heard = BUF_WITH_MAX(WHY_BYTES_MAX);
    struct store_options options = { .worker_count = 1,
                                     .inline_max_bytes = PLAY_INLINE_BYTES,
                                     .notice = hear_notice,
                                     .notice_context = judge };
    struct store *store = NULL;
    struct fault fault = { 0 };
    enum store_status status = store_open(path, &options, &store, &fault);

    if (status != STORE_OK)
        buf_printf(&judge->why, "it does not open: %s %s\n", store_status_name(status), fault.text);
    return store;
}

/* Writes, closes, opens again: nothing has changed by that. */
static bool goes_on(struct judge *judge, struct store **store, const char *path,
                    struct arena *arena)
{
    struct str before;

    if (!scene_write_on(*store, arena)) {
        buf_lit(&judge->why, "it takes no further writes\n");
        return false;
    }
    before = scene_view(*store, arena);
    store_close(*store);
    *store = open_store(judge, path);
    if (*store == NULL)
        return false;
    if (str_eq(before, scene_view(*store, arena)))
        return true;
    buf_lit(&judge->why, "written to, closed and opened again it is another\n");
    return false;
}

static bool look(struct judge *judge, const char *path, uint64_t sum, size_t first, size_t last,
                 size_t *ret_view)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, ARENA_BYTES_MAX);
    bool rotten = judge->scene->rotten;
    struct store *store;
    bool good;

    if (arena == NULL)
        give_up("look", "memory");
    if (sum % 4 == 1 && !rotten && !check(judge, path, /* may_refuse= */ true))
        return false;
    store = open_store(judge, path);
    if (store == NULL)
        return false;
    good = find_view(judge, scene_view(store, arena), first, last, ret_view);
    if (good && sum % 16 == 2 && !rotten)
        good = goes_on(judge, &store, path, arena);
    store_close(store);
    if (good && !(rotten && *ret_view + 1 < trace_views(judge->trace)))
        good = check(judge, path, /* may_refuse= */ false);
    return good && judge->why.len == 0;
}

bool judge_state(struct judge *judge, const struct cut *cut, uint64_t sum, size_t first,
                 size_t last, size_t *ret_view)
{
    char path[PATH_BYTES_MAX];

    buf_clear(&judge->why);
    folder_remove(judge->folder);
    if (mkdir(judge->folder, 0700) != 0)
        give_up("make a folder", judge->folder);
    cut_write(cut, judge->folder);
    (void)snprintf(path, sizeof(path), "%s/" SCENE_STORE, judge->folder);
    return look(judge, path, sum, first, last, ret_view);
}

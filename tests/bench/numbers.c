/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing list of object numbers; see numbers.h.
 */
#include "tests/bench/numbers.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text/buf.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

void numbers_free(struct numbers *numbers)
{
    mem_free(numbers->item);
    *numbers = (struct numbers){ 0 };
}

bool numbers_add(struct numbers *numbers, uint32_t number)
{
    if (numbers->count == numbers->room) {
        size_t room = numbers->room == 0 ? 1024 : 2 * numbers->room;
        uint32_t *item = mem_resize(numbers->item, room * sizeof(*item));

        if (item == NULL)
            return false;
        numbers->item = item;
        numbers->room = room;
    }
    numbers->item[numbers->count++] = number;
    return true;
}

bool numbers_read(struct numbers *numbers, const char *path, struct fault *fault)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(FILE_BYTES_MAX);
    struct str rest;
    struct str line;
    uint64_t number;

    if (file_read_all(AT_FDCWD, path, &content) < 0)
        return fault_set(fault, false, "'%s' cannot be read", path);
    rest = buf_view(&content);
    while (str_next(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        if (!str_to_u64(line, &number) || number > UINT32_MAX)
            return fault_set(fault, false, "'%s' holds something else than numbers", path);
        if (!numbers_add(numbers, (uint32_t)number))
            return fault_set(fault, false, "no memory");
    }
    return true;
}

bool numbers_write(const struct numbers *numbers, const char *path, struct fault *fault)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(FILE_BYTES_MAX);
    CLEANUP(fd_close) int fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);

    for (size_t i = 0; i < numbers->count; i++) {
        buf_u64(&text, numbers->item[i]);
        buf_char(&text, '\n');
    }
    if (fd < 0 || text.failed || file_write_all(fd, text.p, text.len) < 0)
        return fault_set(fault, false, "'%s' cannot be written", path);
    return true;
}

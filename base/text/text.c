/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as other programs read it; see text.h.
 */
#include "base/text/text.h"

/* Bytes of the UTF-8 character at the start of s; 0 when there is none. */
static size_t utf8_bytes(struct str s)
{
    for (size_t len = 1; len <= 4 && len <= s.len; len++) {
        if (str_is_utf8(str_slice(s, 0, len)))
            return len;
    }

    return 0;
}

void text_json(struct buf *out, struct str s)
{
    buf_char(out, '"');
    while (s.len > 0) {
        unsigned char c = (unsigned char)s.p[0];
        size_t len = utf8_bytes(s);

        if (len == 0)
            buf_lit(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            buf_printf(out, "\\u%04x", c);
        else
            buf_append(out, s.p, len);
        s = str_skip(s, len == 0 ? 1 : len);
    }
    buf_char(out, '"');
}

static bool shell_is_bare(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && str_find_char(STR("-_./:@%+,"), c) == SIZE_MAX)
            return false;
    }

    return s.len > 0;
}

void text_shell(struct buf *out, struct str s)
{
    if (shell_is_bare(s)) {
        buf_str(out, s);
        return;
    }

    buf_char(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\'')
            buf_lit(out, "'\\''");
        else
            buf_char(out, s.p[i]);
    }
    buf_char(out, '\'');
}

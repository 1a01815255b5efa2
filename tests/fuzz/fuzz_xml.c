/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request documents.
 *
 * (1) Time and memory are in proportion to the document: no more than 4 MiB and 0.5 s of processor
 *     time (with sanitizers; a tenth of that without) for each 64 KiB.
 * (2) The tree holds what its header says: depth, number of elements, text within its limits.
 * (3) Written by xml_open, xml_escape and xml_close and parsed again it is the same tree.
 * (4) Of a notification document the rules can be read, whatever they are.
 */
#include <time.h>

#include "server/notify/rules.h"
#include "server/xml/xml.h"
#include "tests/fuzz/fuzz.h"

#define ARENA_BYTES_MAX (64u << 20)
#define PIECE_BYTES 65536
#define CPU_S_PER_PIECE 0.5
#define HEAP_BYTES_PER_PIECE (4u << 20)

static double cpu_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Walks with a depth of its own: recursion is bounded by what is checked. */
static size_t check_tree(const struct xml_node *node, unsigned depth, size_t *text_bytes)
{
    size_t count = 1;

    FUZZ_CHECK(depth <= XML_DEPTH_MAX, "depth %u", depth);
    FUZZ_CHECK(node->name.len > 0 && node->name.len <= XML_TAG_BYTES_MAX, "name of %zu bytes",
               node->name.len);
    FUZZ_CHECK(str_present(node->text), "text absent");
    FUZZ_CHECK(node->text.len <= XML_TEXT_BYTES_MAX, "text of %zu bytes", node->text.len);
    FUZZ_CHECK(str_is_utf8(node->name) && str_is_utf8(node->text), "not UTF-8");
    *text_bytes += node->text.len;
    fuzz_touch(node->type);

    for (const struct xml_node *child = node->children; child != NULL; child = child->next) {
        count += check_tree(child, depth + 1, text_bytes);
        FUZZ_CHECK(xml_child(node, child->name) != NULL, "a child that is not found");
        FUZZ_CHECK(count <= XML_NODES_MAX, "%zu elements", count);
    }
    return count;
}

static void write_tree(struct buf *out, const struct xml_node *node)
{
    xml_open(out, node->name);
    xml_escape(out, node->text);
    for (const struct xml_node *child = node->children; child != NULL; child = child->next)
        write_tree(out, child);
    xml_close(out, node->name);
}

static void check_equal(const struct xml_node *a, const struct xml_node *b)
{
    const struct xml_node *left = a->children;
    const struct xml_node *right = b->children;

    FUZZ_CHECK(str_eq(a->name, b->name), "'%.*s' became '%.*s'", STR_ARG(a->name),
               STR_ARG(b->name));
    FUZZ_CHECK(str_eq(a->text, b->text), "'%.*s' became '%.*s'", STR_ARG(a->text),
               STR_ARG(b->text));
    while (left != NULL && right != NULL) {
        check_equal(left, right);
        left = left->next;
        right = right->next;
    }
    FUZZ_CHECK(left == NULL && right == NULL, "another number of children");
}

static void check_rules(struct str document, struct arena *arena)
{
    struct notify_rules rules;
    struct str a;
    struct str b;

    FUZZ_CHECK(notify_rules_read(document, arena, &rules), "its rules can not be read");
    for (size_t i = 0; i < rules.count; i++) {
        const struct notify_rule *rule = &rules.rules[i];

        for (size_t j = 0; j < rule->event_count; j++)
            (void)notify_event_is_known(rule->events[j]);
        (void)notify_rules_match(&rules, rule->arn, STR("ObjectCreated:Put"), rule->prefix);
        FUZZ_CHECK(notify_rules_overlap(rule, &rules.rules[0], &a, &b) ==
                       notify_rules_overlap(&rules.rules[0], rule, &b, &a),
                   "an overlap from one side");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    CLEANUP(arena_closep) struct arena *arena = arena_open(16384, ARENA_BYTES_MAX);
    CLEANUP(buf_free) struct buf written = BUF_WITH_MAX(ARENA_BYTES_MAX);
    struct str document = str_make(size > 0 ? (const char *)data : "", size);
    size_t pieces = 1 + size / PIECE_BYTES;
    const struct xml_node *root;
    const struct xml_node *again;
    struct fault fault = { 0 };
    size_t text_bytes = 0;
    double begin_s;

    if (!ready)
        xml_init();
    ready = true;
    if (arena == NULL)
        return 0;

    begin_s = cpu_s();
    root = xml_parse(document, STR_NONE, arena, &fault);
    FUZZ_CHECK(cpu_s() - begin_s <= CPU_S_PER_PIECE * (double)pieces, "%.3f s for %zu bytes",
               cpu_s() - begin_s, size);
    FUZZ_CHECK(arena_used(arena) <= HEAP_BYTES_PER_PIECE * pieces, "%zu bytes for %zu",
               arena_used(arena), size);
    if (root == NULL) {
        FUZZ_CHECK(fault.text[0] != '\0', "refused without a reason");
        return 0;
    }

    FUZZ_CHECK(str_find(document, STR("<!DOCTYPE")) == SIZE_MAX ||
                   str_find(document, STR("<![CDATA[")) != SIZE_MAX ||
                   str_find(document, STR("<!--")) != SIZE_MAX ||
                   str_find(document, STR("<?")) != SIZE_MAX,
               "a DOCTYPE was taken");
    (void)check_tree(root, 1, &text_bytes);
    FUZZ_CHECK(text_bytes <= size, "more text than document");

    write_tree(&written, root);
    FUZZ_CHECK(!written.failed, "the tree does not fit %u bytes", ARENA_BYTES_MAX);
    again = xml_parse(buf_view(&written), root->name, arena, &fault);
    FUZZ_CHECK(again != NULL, "its own text is refused (%s): %.*s", fault.text,
               STR_ARG(buf_view(&written)));
    check_equal(root, again);
    if (str_eq(root->name, STR("NotificationConfiguration")))
        check_rules(buf_view(&written), arena);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: every row of routes.def, on the current and on one version, x callers x bucket
 * lists x object owners x object lists x initiators, and x bucket policies, against a model written from
 * S3's pages.
 *
 * The model knows operations by name, people and lists of its own; neither actions.def nor acl.c.
 * What it shares with the server are the packed lists that it hands over. A row it does not know
 * fails.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
#include "bare_op.h"

#include "server/auth/acl.h"
#include "server/policy/policy.h"
#include "server/s3/bucket_config.h"
#include "server/s3/may.h"
#include "server/s3/ops/document.h"
#include "server/s3/routes.h"

#define DECISIONS_MIN 200000
#define LISTS_MAX 64
#define GIVEN_MAX 3
#define WRONG_SHOWN_MAX 10

/* ---- the world ------------------------------------------------------------------------------- */

/* The bucket is the host's; of the others each is one thing at most. */
enum person { HOST, WRITER, NAMED, STRANGER, INITIATOR, UNSIGNED, PEOPLE };

static const char *const person_names[PEOPLE] = { "host",     "writer",    "named",
                                                  "stranger", "initiator", "unsigned" };

#define USER(LETTER, DIGIT)                                                                        \
    {                                                                                              \
        .canonical_id = { LETTER LETTER LETTER LETTER, 4 }, .account = { "00000000000" DIGIT, 12 } \
    }
#define NAMED_ACCOUNT "000000000003"
static const struct user users[PEOPLE] = { USER("h", "1"), USER("w", "2"), USER("n", "3"),
                                           USER("s", "4"), USER("i", "5") };
#undef USER

static const struct user *user_of(enum person person)
{
    return person == UNSIGNED ? NULL : &users[person];
}

static struct str id_of(enum person person)
{
    /* Whom S3 shows as the owner of what the anonymous wrote. */
    return person == UNSIGNED ? STR("65a011a29cdf8ec533ec3d1ccaae921c")
                              : users[person].canonical_id;
}

/* ---- the model: lists -------------------------------------------------------------------------- */

enum whom { THE_OWNER, THE_HOST, THE_WRITER, THE_NAMED, THE_UNSIGNED, ALL, SIGNED, LOGS, WHOMS };
enum right { READ, WRITE, READ_ACP, WRITE_ACP, FULL, RIGHTS };

static const char *const whom_names[WHOMS] = { "owner",    "host", "writer", "named",
                                               "unsigned", "all",  "signed", "logs" };
static const char *const right_names[RIGHTS] = { "READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL" };

struct given {
    enum whom whom;
    enum right right;
};

struct list {
    const char *canned; /* NULL: made of grants */
    struct given given[GIVEN_MAX];
    size_t count;
};

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl */
static const struct list canned_of_bucket[] = {
    { "private", { { THE_OWNER, FULL } }, 1 },
    { "public-read", { { THE_OWNER, FULL }, { ALL, READ } }, 2 },
    { "public-read-write", { { THE_OWNER, FULL }, { ALL, READ }, { ALL, WRITE } }, 3 },
    { "authenticated-read", { { THE_OWNER, FULL }, { SIGNED, READ } }, 2 },
    { "aws-exec-read", { { THE_OWNER, FULL } }, 1 },
    { "log-delivery-write", { { THE_OWNER, FULL }, { LOGS, WRITE }, { LOGS, READ_ACP } }, 3 },
};
static const struct list canned_of_object[] = {
    { "private", { { THE_OWNER, FULL } }, 1 },
    { "public-read", { { THE_OWNER, FULL }, { ALL, READ } }, 2 },
    { "public-read-write", { { THE_OWNER, FULL }, { ALL, READ }, { ALL, WRITE } }, 3 },
    { "authenticated-read", { { THE_OWNER, FULL }, { SIGNED, READ } }, 2 },
    { "aws-exec-read", { { THE_OWNER, FULL } }, 1 },
    { "bucket-owner-read", { { THE_OWNER, FULL }, { THE_HOST, READ } }, 2 },
    { "bucket-owner-full-control", { { THE_OWNER, FULL }, { THE_HOST, FULL } }, 2 },
};

static struct list bucket_lists[LISTS_MAX], object_lists[LISTS_MAX];
static size_t bucket_list_count, object_list_count;

/* The canned ones; no grant at all; each right for each grantee, with and without the owner's own. */
static size_t make_lists(const struct list *canned, size_t count, struct list *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = canned[i];
    out[count++] = (struct list){ .count = 0 };
    for (enum whom whom = THE_OWNER; whom < WHOMS; whom++)
        for (enum right right = READ; right < RIGHTS; right++)
            out[count++] = whom == THE_OWNER
                               ? (struct list){ .given = { { whom, right } }, .count = 1 }
                               : (struct list){ .given = { { THE_OWNER, FULL }, { whom, right } },
                                                .count = 2 };
    out[count++] = (struct list){ .given = { { THE_NAMED, READ }, { ALL, WRITE } }, .count = 2 };
    out[count++] =
        (struct list){ .given = { { SIGNED, READ }, { THE_NAMED, READ_ACP } }, .count = 2 };
    assert_true(count <= LISTS_MAX);
    return count;
}

static bool reaches(enum whom whom, enum person owner, enum person caller)
{
    switch (whom) {
    case THE_OWNER:
        return caller == owner;
    case THE_HOST:
        return caller == HOST;
    case THE_WRITER:
        return caller == WRITER;
    case THE_NAMED:
        return caller == NAMED;
    case THE_UNSIGNED:
        return caller == UNSIGNED;
    case ALL:
        return true;
    case SIGNED:
        return caller != UNSIGNED;
    case LOGS:
    case WHOMS:
        break;
    }
    return false;
}

/* What the bucket's documents say of its lists. */
enum rule { AS_THEY_STAND, PUBLIC_IGNORED, DISABLED, RULES };
static const char *const rule_names[] = { "", " IgnorePublicAcls", " BucketOwnerEnforced" };

static bool gives(const struct list *list, enum rule rule, enum person owner, enum person caller,
                  enum right right)
{
    if (rule == DISABLED)
        return caller == HOST;
    for (size_t i = 0; i < list->count; i++)
        if (!(rule == PUBLIC_IGNORED &&
              (list->given[i].whom == ALL || list->given[i].whom == SIGNED)) &&
            (list->given[i].right == right || list->given[i].right == FULL) &&
            reaches(list->given[i].whom, owner, caller))
            return true;
    return false;
}

/* ---- the model: policies ----------------------------------------------------------------------- */

enum policy_of {
    NO_POLICY,
    ALLOWS_ALL,
    ALLOWS_NAMED,
    ALLOWS_LISTING,
    DENIES_ALL,
    DENIES_NAMED,
    DENIES_LISTING,
    POLICIES
};
static const struct {
    const char *name, *effect, *principal, *action;
} policies[POLICIES] = {
    [ALLOWS_ALL] = { " policy: all may", "Allow", "\"*\"", "s3:*" },
    [ALLOWS_NAMED] = { " policy: named may", "Allow", "{\"AWS\":\"" NAMED_ACCOUNT "\"}", "s3:*" },
    [ALLOWS_LISTING] = { " policy: all may list", "Allow", "\"*\"", "s3:ListBucket*" },
    [DENIES_ALL] = { " policy: nobody may", "Deny", "\"*\"", "s3:*" },
    [DENIES_NAMED] = { " policy: named may not", "Deny", "{\"AWS\":\"" NAMED_ACCOUNT "\"}",
                       "s3:*" },
    [DENIES_LISTING] = { " policy: nobody may list", "Deny", "\"*\"", "s3:ListBucket*" },
};

/* What a question is about, as far as a policy tells it apart. */
enum about { A_THING, A_LISTING, A_FOREIGN_OBJECT };

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
 * A policy closes everything and opens what is the bucket owner's.
 */
static bool judged(enum policy_of policy, enum person caller, enum about about, bool without)
{
    switch (policy) {
    case ALLOWS_ALL:
        return without || about != A_FOREIGN_OBJECT;
    case ALLOWS_NAMED:
        return without || (caller == NAMED && about != A_FOREIGN_OBJECT);
    case ALLOWS_LISTING:
        return without || about == A_LISTING;
    case DENIES_ALL:
        return false;
    case DENIES_NAMED:
        return without && caller != NAMED;
    case DENIES_LISTING:
        return without && about != A_LISTING;
    case NO_POLICY:
    case POLICIES:
        break;
    }
    return without;
}

/* ---- the model: operations --------------------------------------------------------------------- */

enum presence { THERE, MARKED_DELETED, ABSENT, PRESENCES };

struct cell {
    const struct route *row;
    enum rule rule;
    enum policy_of policy;
    bool version; /* asked for one */
    enum person caller;
    const struct list *bucket;
    enum presence presence;
    enum person owner; /* of the object */
    const struct list *object;
    enum person initiator;
};

static bool is_one_of(struct str name, const char *names)
{
    struct str rest = str_from_cstr(names);
    struct str each;

    while (str_next(&rest, ' ', &each))
        if (str_eq(each, name))
            return true;
    return false;
}

#define LISTING "HeadBucket ListObjects ListObjectsV2 ListObjectVersions ListMultipartUploads"
#define WRITING                                                                                    \
    "PutObject PostObject CreateMultipartUpload DeleteObject DeleteObjects CopyObject RenameObject"
#define OF_UPLOAD "UploadPart UploadPartCopy CompleteMultipartUpload AbortMultipartUpload ListParts"
#define COPYING "CopyObject UploadPartCopy RenameObject"
#define READING "GetObject HeadObject GetObjectAttributes SelectObjectContent"
#define TAGGING "GetObjectTagging PutObjectTagging DeleteObjectTagging"
#define LOCKING                                                                                    \
    "GetObjectRetention PutObjectRetention GetObjectLegalHold PutObjectLegalHold "                 \
    "UpdateObjectEncryption RestoreObject"
#define ANNOTATING                                                                                 \
    "GetObjectAnnotation ListObjectAnnotations PutObjectAnnotation DeleteObjectAnnotation"
#define OF_ACCOUNT "ListBuckets CreateBucket"
/* And the documents of a bucket. */
#define OF_HOST                                                                                    \
    "DeleteBucket GetBucketLocation GetBucketVersioning PutBucketVersioning GetBucketTagging "     \
    "GetBucketPolicyStatus ListTagsForResource TagResource UntagResource"

static bool has_object(struct str name)
{
    return is_one_of(name, READING " " TAGGING " " LOCKING " " ANNOTATING
                                   " GetObjectAcl PutObjectAcl " COPYING);
}

static bool question(const struct cell *cell, enum about about, bool without)
{
    return judged(cell->policy, cell->caller, about, without);
}

/* To list is to READ the bucket, and nothing else is. */
static bool bucket_gives(const struct cell *cell, enum right right)
{
    return question(cell, right == READ ? A_LISTING : A_THING,
                    gives(cell->bucket, cell->rule, HOST, cell->caller, right));
}

static bool object_gives(const struct cell *cell, enum right right)
{
    return gives(cell->object, cell->rule, cell->owner, cell->caller, right);
}

static bool may_with_present(const struct cell *cell, struct str name)
{
    bool owner = cell->caller == (cell->rule == DISABLED ? HOST : cell->owner);

    if (is_one_of(name, TAGGING))
        return owner || cell->caller == HOST;
    if (is_one_of(name, LOCKING) || is_one_of(name, ANNOTATING))
        return cell->caller == HOST;
    if (str_eq(name, STR("GetObjectAcl")))
        return owner || object_gives(cell, READ_ACP);
    if (str_eq(name, STR("PutObjectAcl")))
        return owner || object_gives(cell, WRITE_ACP);
    return object_gives(cell, READ);
}

/* Who may list a bucket may know that a key is not in it. */
static bool may_with_object(const struct cell *cell, struct str name)
{
    bool foreign = cell->owner != HOST && cell->rule != DISABLED;

    if (cell->presence != THERE)
        return bucket_gives(cell, READ);
    return question(cell, foreign ? A_FOREIGN_OBJECT : A_THING, may_with_present(cell, name));
}

static bool may_write(const struct cell *cell, struct str name)
{
    bool host = cell->caller == HOST;

    if (str_eq(name, STR("DeleteObject")) && cell->version)
        return question(cell, A_THING, host);
    if (!bucket_gives(cell, WRITE))
        return false;
    if (str_eq(name, STR("DeleteObjects")) && cell->version)
        return question(cell, A_THING, host);
    /* No policy opens somebody else's upload. */
    if (is_one_of(name, OF_UPLOAD) && cell->caller != cell->initiator && !host)
        return false;
    return !is_one_of(name, COPYING) || may_with_object(cell, name);
}

/* The bucket's owner is never locked out of the policy itself. */
#define OF_POLICY "GetBucketPolicy PutBucketPolicy DeleteBucketPolicy"

static bool model_says(const struct cell *cell)
{
    struct str name = cell->row->name;
    bool host = cell->caller == HOST;

    if (host && is_one_of(name, OF_POLICY))
        return true;
    /* What is not there is told to the owner; so is what is not configured. */
    if (route_absent(cell->row))
        return host;
    /* Its action is of another service, which the policies here do not speak of. */
    if (str_eq(name, STR("CreateSession")))
        return host;
    if (cell->row->run == op_document_get)
        return question(cell, A_THING, host);
    if (is_one_of(name, LISTING))
        return bucket_gives(cell, READ);
    if (is_one_of(name, WRITING) || is_one_of(name, OF_UPLOAD))
        return may_write(cell, name);
    if (has_object(name))
        return may_with_object(cell, name);
    if (str_eq(name, STR("GetBucketAcl")))
        return question(cell, A_THING, host || bucket_gives(cell, READ_ACP));
    if (str_eq(name, STR("PutBucketAcl")))
        return question(cell, A_THING, host || bucket_gives(cell, WRITE_ACP));
    if (is_one_of(name, OF_ACCOUNT))
        return cell->caller != UNSIGNED;
    if (!is_one_of(name, OF_HOST) && (cell->row->flags & ROUTE_DOCUMENT) == 0)
        fail_msg("who may %.*s?", STR_ARG(name));
    return question(cell, A_THING, host);
}

/* ---- the server -------------------------------------------------------------------------------- */

static const enum acl_permission permissions[RIGHTS] = { ACL_READ, ACL_WRITE, ACL_READ_ACP,
                                                         ACL_WRITE_ACP, ACL_FULL_CONTROL };

static struct acl_grant grant_of(const struct given *given, enum person owner)
{
    static const enum person people[] = {
        [THE_HOST] = HOST, [THE_WRITER] = WRITER, [THE_NAMED] = NAMED, [THE_UNSIGNED] = UNSIGNED
    };
    static const enum acl_grantee groups[] = {
        [ALL] = ACL_ALL_USERS, [SIGNED] = ACL_AUTHENTICATED_USERS, [LOGS] = ACL_LOG_DELIVERY
    };
    unsigned permission = permissions[given->right];

    if (given->whom >= ALL)
        return (struct acl_grant){ groups[given->whom], permission, STR("") };
    return (struct acl_grant){ ACL_USER, permission,
                               id_of(given->whom == THE_OWNER ? owner : people[given->whom]) };
}

/* Packed lists by list and owner, as the catalog would give them. */
static struct str packed_bucket[LISTS_MAX], packed_object[LISTS_MAX][PEOPLE];

static struct str pack(const struct list *list, enum person owner, enum acl_place place)
{
    struct acl_grant grants[GIVEN_MAX];
    struct acl acl = { grants, list->count };
    struct str packed;

    for (size_t i = 0; i < list->count; i++)
        grants[i] = grant_of(&list->given[i], owner);
    if (list->canned != NULL)
        assert_true(acl_canned(str_from_cstr(list->canned), id_of(owner), id_of(HOST), place,
                               op.arena, &acl));
    assert_true(acl_pack(&acl, id_of(owner), op.arena, &packed));
    return packed;
}

static bool asks_for_upload(const struct op_subject *plain, const struct cell *cell)
{
    struct upload upload = { .initiator = id_of(cell->initiator) };
    struct op_subject subject = *plain;

    subject.upload = &upload;
    return op_require(&op, op_action(&op), &subject) == S3_OK;
}

static bool asks_for_object(enum access_action action, const struct cell *cell)
{
    struct version version = { .delete_marker = cell->presence == MARKED_DELETED };

    version.attrs.owner = id_of(cell->owner);
    version.attrs.acl = packed_object[cell->object - object_lists][cell->owner];
    return op_require_of_object(&op, action, op_subject(&op),
                                cell->presence == ABSENT ? NULL : &version) == S3_OK;
}

/* As bucket_config.c compiles it. */
static struct bucket_config configs[RULES][POLICIES];

static const struct policy *compile(enum policy_of policy)
{
    const struct policy_place place = { .kind = POLICY_OF_BUCKET, .bucket = STR("b") };
    struct str problem;
    struct str text = arena_printf(op.arena,
                                   "{\"Statement\":{\"Effect\":\"%s\",\"Principal\":%s,"
                                   "\"Action\":\"%s\",\"Resource\":"
                                   "[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]}}",
                                   policies[policy].effect, policies[policy].principal,
                                   policies[policy].action);
    const struct policy *compiled = policy_parse(text, &place, op.arena, &problem);

    if (compiled == NULL)
        fail_msg("%s: %.*s", policies[policy].name, STR_ARG(problem));
    return compiled;
}

static void make_configs(void)
{
    for (enum rule rule = AS_THEY_STAND; rule < RULES; rule++)
        for (enum policy_of policy = NO_POLICY; policy < POLICIES; policy++) {
            struct access_rules *access = &configs[rule][policy].access;

            access->blocked = rule == PUBLIC_IGNORED ? IGNORE_PUBLIC_ACLS : 0;
            access->ownership = rule == DISABLED ? OWNERSHIP_OWNER_ENFORCED : OWNERSHIP_UNSET;
            access->policy = policy != NO_POLICY ? compile(policy) : NULL;
        }
}

/* As admit.c, and the operations that ask more, do it. */
static bool server_says(const struct cell *cell)
{
    struct str name = cell->row->name;
    bool account = is_one_of(name, OF_ACCOUNT);
    struct op_subject subject;

    op.route = cell->row;
    op.auth.user = user_of(cell->caller);
    op.bucket.id = account ? 0 : 1;
    op.bucket.owner = id_of(HOST);
    op.bucket.acl = packed_bucket[cell->bucket - bucket_lists];
    op.config = &configs[cell->rule][cell->policy];
    op.asked_version = cell->version && !str_eq(name, STR("DeleteObjects")) &&
                       !is_one_of(name, COPYING);
    op.fault.text[0] = '\0';
    subject = op_subject(&op);
    if (cell->row->flags & ROUTE_OBJECT)
        return asks_for_object(op_action(&op), cell);
    if (op_require(&op, op_action(&op), &subject) != S3_OK)
        return false;
    if (is_one_of(name, OF_UPLOAD) && !asks_for_upload(&subject, cell))
        return false;
    if (cell->row->flags & ROUTE_SOURCE)
        return asks_for_object(cell->version ? ACTION_GetObjectVersion : ACTION_GetObject, cell);
    /* What is not there is not taken away. */
    if (str_eq(name, STR("RenameObject")))
        return asks_for_object(ACTION_GetObject, cell) &&
               (cell->presence != THERE || op_may(&op, ACTION_DeleteObject, &subject));
    if (str_eq(name, STR("DeleteObjects")))
        return op_may(&op, cell->version ? cell->row->version_action : cell->row->action, &subject);
    return true;
}

/* ---- the cross product ------------------------------------------------------------------------- */

static size_t decisions, wrong;

static void show_list(const char *what, const struct list *list)
{
    print_error(" %s=%s", what, list->canned != NULL ? list->canned : "");
    for (size_t i = 0; list->canned == NULL && i < list->count; i++)
        print_error("%s:%s,", whom_names[list->given[i].whom], right_names[list->given[i].right]);
}

static void show(const struct cell *cell, bool server)
{
    print_error("%.*s%s by %s%s%s: %s", STR_ARG(cell->row->name), cell->version ? " (version)" : "",
                person_names[cell->caller], rule_names[cell->rule],
                cell->policy != NO_POLICY ? policies[cell->policy].name : "",
                server ? "allowed" : "refused");
    show_list("bucket", cell->bucket);
    show_list("object", cell->object);
    print_error(" presence=%d owner=%s initiator=%s\n", cell->presence, person_names[cell->owner],
                person_names[cell->initiator]);
}

static void judge(const struct cell *cell)
{
    bool server = server_says(cell);

    decisions++;
    if (server == model_says(cell) &&
        (server || op.fault.text[0] != '\0' || str_eq(cell->row->name, STR("DeleteObjects"))))
        return;
    if (wrong++ < WRONG_SHOWN_MAX)
        show(cell, server);
}

static void judge_objects(struct cell cell)
{
    static const enum person owners[] = { HOST, WRITER, UNSIGNED };
    size_t step = cell.policy == NO_POLICY ? 1 : 5;

    for (size_t i = 0; i < COUNT_OF(owners); i++)
        for (size_t list = 0; list < object_list_count; list += step) {
            cell.owner = owners[i];
            cell.object = &object_lists[list];
            cell.presence = THERE;
            judge(&cell);
        }
    for (cell.presence = MARKED_DELETED; cell.presence < PRESENCES; cell.presence++)
        judge(&cell);
}

static void judge_uploads(struct cell cell)
{
    static const enum person initiators[] = { HOST, INITIATOR, UNSIGNED };
    struct str name = cell.row->name;

    for (size_t i = 0; i < COUNT_OF(initiators); i++) {
        cell.initiator = initiators[i];
        if (has_object(name))
            judge_objects(cell);
        else
            judge(&cell);
        if (!is_one_of(name, OF_UPLOAD))
            return;
    }
}

/* Where the lists do not stand as they are, every third does; beside a policy every fifth. */
static void judge_row(const struct route *row, enum rule rule, enum policy_of policy, bool version)
{
    size_t step = policy != NO_POLICY ? 5 : rule == AS_THEY_STAND ? 1 : 3;

    for (enum person caller = HOST; caller < PEOPLE; caller++)
        for (size_t list = 0; list < bucket_list_count; list += step)
            judge_uploads((struct cell){ .row = row,
                                         .rule = rule,
                                         .policy = policy,
                                         .version = version,
                                         .caller = caller,
                                         .bucket = &bucket_lists[list],
                                         .object = &object_lists[0] });
}

static void judge_versions(const struct route *row, enum rule rule, enum policy_of policy)
{
    judge_row(row, rule, policy, /* version= */ false);
    if (row->version_action != ACTION_NONE || (row->flags & ROUTE_SOURCE))
        judge_row(row, rule, policy, /* version= */ true);
}

static void test_s3_access__follows_the_model_in_every_cell(void **state UNUSED)
{
    make_configs();
    for (size_t i = 0; i < s3_route_count; i++)
        for (enum rule rule = AS_THEY_STAND; rule < RULES; rule++)
            for (enum policy_of policy = NO_POLICY; policy < POLICIES; policy++)
                judge_versions(&s3_routes[i], rule, policy);
    op.config = &bucket_config_none;
    print_message("%zu decisions\n", decisions);
    assert_int_equal(wrong, 0);
    assert_true(decisions >= DECISIONS_MIN);
}

static void test_s3_access__what_needs_a_user_is_not_for_the_unsigned(void **state UNUSED)
{
    static const enum access_action asked[] = { ACTION_OverrideHeaders, ACTION_SeeOwners };
    struct op_subject subject = { .bucket = &op.bucket };

    for (size_t i = 0; i < COUNT_OF(asked); i++)
        for (enum person caller = HOST; caller < PEOPLE; caller++)
            for (size_t list = 0; list < bucket_list_count; list++) {
                op.auth.user = user_of(caller);
                op.bucket.acl = packed_bucket[list];
                assert_int_equal(op_may(&op, asked[i], &subject), caller != UNSIGNED);
            }
}

static int setup(void **state)
{
    if (bare_group_setup(state) != 0)
        return 1;
    bare_request("/b/k?versionId=null", "");
    bucket_list_count = make_lists(canned_of_bucket, COUNT_OF(canned_of_bucket), bucket_lists);
    object_list_count = make_lists(canned_of_object, COUNT_OF(canned_of_object), object_lists);
    for (size_t i = 0; i < bucket_list_count; i++)
        packed_bucket[i] = pack(&bucket_lists[i], HOST, ACL_OF_BUCKET);
    for (size_t i = 0; i < object_list_count; i++)
        for (enum person owner = HOST; owner < PEOPLE; owner++)
            packed_object[i][owner] = pack(&object_lists[i], owner, ACL_OF_OBJECT);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_access__follows_the_model_in_every_cell),
        cmocka_unit_test(test_s3_access__what_needs_a_user_is_not_for_the_unsigned),
    };

    return cmocka_run_group_tests(tests, setup, bare_group_teardown);
}

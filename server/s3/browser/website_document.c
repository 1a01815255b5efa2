/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketWebsite: what a website document may say, and what is compiled of it. It is kept as it came.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
 */
#include "server/s3/browser/website_config.h"

#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

/* ---- judged ------------------------------------------------------------------------------------ */

static enum s3_error check_protocol(struct op *op, const struct xml_node *redirect)
{
    struct str protocol = xml_child_text(redirect, STR("Protocol"));

    if (!str_present(protocol) || str_eq(protocol, STR("http")) || str_eq(protocol, STR("https")))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("Invalid protocol, protocol can be http or https. If not defined the "
                            "protocol will be selected automatically."));
}

static enum s3_error check_redirect_all(struct op *op, const struct xml_node *all)
{
    static const struct xml_expected children[] = { { "HostName", true, false },
                                                    { "Protocol", false, false } };

    if (!xml_has_only(all, children, COUNT_OF(children)) ||
        xml_child_text(all, STR("HostName")).len == 0)
        return op_fail(op, S3_MalformedXML);
    return check_protocol(op, all);
}

static enum s3_error check_index(struct op *op, const struct xml_node *index)
{
    static const struct xml_expected children[] = { { "Suffix", false, false } };
    struct str suffix = index != NULL ? xml_child_text(index, STR("Suffix")) : STR_NONE;

    if (index != NULL && !xml_has_only(index, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (!str_present(suffix))
        return op_fail_argument(op,
                                STR("A value for IndexDocument Suffix must be provided if "
                                    "RedirectAllRequestsTo is empty"),
                                STR("IndexDocument"), STR("null"));
    if (suffix.len == 0 || str_find_char(suffix, '/') != SIZE_MAX)
        return op_fail_argument(op, STR("The IndexDocument Suffix is not well formed"),
                                STR("IndexDocument"), suffix);
    return S3_OK;
}

static enum s3_error check_error(struct op *op, const struct xml_node *error)
{
    static const struct xml_expected children[] = { { "Key", true, false } };

    if (error != NULL && (!xml_has_only(error, children, COUNT_OF(children)) ||
                          xml_child_text(error, STR("Key")).len == 0))
        return op_fail(op, S3_MalformedXML);
    return S3_OK;
}

/* Three digits between two bounds; what is absent is fine. */
static bool status_is_good(struct str text, uint64_t least, uint64_t most)
{
    uint64_t status;

    return !str_present(text) ||
           (text.len == 3 && str_to_u64(text, &status) && status >= least && status <= most);
}

static enum s3_error check_condition(struct op *op, const struct xml_node *condition)
{
    static const struct xml_expected children[] = {
        { "KeyPrefixEquals", false, false }, { "HttpErrorCodeReturnedEquals", false, false }
    };
    struct str status;

    if (condition == NULL)
        return S3_OK;
    if (condition->children == NULL)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Condition cannot be empty. To redirect all requests without a "
                                "condition, the condition element shouldn't be present."));
    if (!xml_has_only(condition, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    status = xml_child_text(condition, STR("HttpErrorCodeReturnedEquals"));
    if (!status_is_good(status, 400, 599))
        return op_fail_text(op, S3_InvalidRequest,
                            arena_printf(op->arena,
                                         "The provided HTTP error code (%.*s) is not valid. Valid "
                                         "codes are 4XX or 5XX.",
                                         STR_ARG(status)));
    return S3_OK;
}

static enum s3_error check_redirect(struct op *op, const struct xml_node *redirect)
{
    static const struct xml_expected children[] = { { "HostName", false, false },
                                                    { "HttpRedirectCode", false, false },
                                                    { "Protocol", false, false },
                                                    { "ReplaceKeyPrefixWith", false, false },
                                                    { "ReplaceKeyWith", false, false } };
    struct str status;

    if (redirect == NULL || redirect->children == NULL ||
        !xml_has_only(redirect, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (xml_child(redirect, STR("ReplaceKeyPrefixWith")) != NULL &&
        xml_child(redirect, STR("ReplaceKeyWith")) != NULL)
        return op_fail_text(
            op, S3_InvalidRequest,
            STR("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
    status = xml_child_text(redirect, STR("HttpRedirectCode"));
    if (!status_is_good(status, 301, 399))
        return op_fail_text(op, S3_InvalidRequest,
                            arena_printf(op->arena,
                                         "The provided HTTP redirect code (%.*s) is not valid. "
                                         "Valid codes are 3XX except 300.",
                                         STR_ARG(status)));
    return check_protocol(op, redirect);
}

static enum s3_error check_rules(struct op *op, const struct xml_node *rules)
{
    static const struct xml_expected list[] = { { "RoutingRule", true, true } };
    static const struct xml_expected rule[] = { { "Condition", false, false },
                                                { "Redirect", true, false } };
    enum s3_error err = S3_OK;
    size_t count;

    if (rules == NULL)
        return S3_OK;
    if (!xml_has_only(rules, list, COUNT_OF(list)))
        return op_fail(op, S3_MalformedXML);
    count = xml_child_count(rules, STR("RoutingRule"));
    if (count > WEBSITE_RULES_MAX)
        return op_fail_text(op, S3_InvalidRequest,
                            arena_printf(op->arena,
                                         "%zu routing rules provided, the number of routing rules "
                                         "in a website configuration is limited to %d.",
                                         count, WEBSITE_RULES_MAX));
    for (const struct xml_node *at = rules->children; at != NULL && err == S3_OK; at = at->next) {
        if (!xml_has_only(at, rule, COUNT_OF(rule)))
            return op_fail(op, S3_MalformedXML);
        err = check_condition(op, xml_child(at, STR("Condition")));
        if (err == S3_OK)
            err = check_redirect(op, xml_child(at, STR("Redirect")));
    }
    return err;
}

enum s3_error website_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "RedirectAllRequestsTo", false, false },
                                                    { "IndexDocument", false, false },
                                                    { "ErrorDocument", false, false },
                                                    { "RoutingRules", false, false } };
    const struct xml_node *all = xml_child(root, STR("RedirectAllRequestsTo"));
    enum s3_error err;

    if (!xml_has_only(root, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (all != NULL && root->children->next != NULL)
        return op_fail_argument(op,
                                STR("RedirectAllRequestsTo cannot be provided in conjunction with "
                                    "other Routing Rules."),
                                STR("RedirectAllRequestsTo"), STR("not null"));
    if (all != NULL) {
        err = check_redirect_all(op, all);
    } else {
        err = check_index(op, xml_child(root, STR("IndexDocument")));
        if (err == S3_OK)
            err = check_error(op, xml_child(root, STR("ErrorDocument")));
        if (err == S3_OK)
            err = check_rules(op, xml_child(root, STR("RoutingRules")));
    }
    return err == S3_OK ? document_read_plain(op, root, ret_stored) : err;
}

/* ---- compiled ---------------------------------------------------------------------------------- */

/* A child's text, or a grandchild's; STR_NONE when there is none. */
static struct str text_in(const struct xml_node *node, struct str child, struct str name)
{
    const struct xml_node *inner = xml_child(node, child);

    return inner != NULL ? xml_child_text(inner, name) : STR_NONE;
}

static int status_of(struct str text)
{
    uint64_t status = 0;

    return str_to_u64(text, &status) && status < 600 ? (int)status : 0;
}

static struct website_redirect redirect_of(const struct xml_node *node)
{
    return (struct website_redirect){
        .protocol = xml_child_text(node, STR("Protocol")),
        .host = xml_child_text(node, STR("HostName")),
        .key = xml_child_text(node, STR("ReplaceKeyWith")),
        .key_prefix = xml_child_text(node, STR("ReplaceKeyPrefixWith")),
        .status = status_of(xml_child_text(node, STR("HttpRedirectCode"))),
    };
}

static bool compile_rules(const struct xml_node *node, struct arena *arena, struct website *website)
{
    size_t count = xml_child_count(node, STR("RoutingRule"));
    struct website_rule *rules = arena_alloc(arena, (count > 0 ? count : 1) * sizeof(*rules));
    size_t used = 0;

    if (rules == NULL)
        return false;
    for (const struct xml_node *at = node->children; at != NULL && used < count; at = at->next) {
        const struct xml_node *redirect = xml_child(at, STR("Redirect"));
        struct str condition = STR("Condition");

        if (redirect != NULL)
            rules[used++] = (struct website_rule){
                .prefix = text_in(at, condition, STR("KeyPrefixEquals")),
                .error = status_of(text_in(at, condition, STR("HttpErrorCodeReturnedEquals"))),
                .to = redirect_of(redirect),
            };
    }
    website->rules = rules;
    website->rule_count = used;
    return true;
}

/* What is kept was read before, so only memory can lack. */
bool website_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, STR("WebsiteConfiguration"), arena, NULL);
    struct website *website = ARENA_NEW(arena, struct website);
    const struct xml_node *all;
    const struct xml_node *rules;

    if (root == NULL || website == NULL)
        return false;
    all = xml_child(root, STR("RedirectAllRequestsTo"));
    rules = xml_child(root, STR("RoutingRules"));
    if (all != NULL) {
        struct website_redirect *redirect = ARENA_NEW(arena, struct website_redirect);

        if (redirect == NULL)
            return false;
        *redirect = redirect_of(all);
        website->all = redirect;
    }
    website->index = text_in(root, STR("IndexDocument"), STR("Suffix"));
    website->error_key = text_in(root, STR("ErrorDocument"), STR("Key"));
    if (rules != NULL && !compile_rules(rules, arena, website))
        return false;
    config->website = website;
    return true;
}

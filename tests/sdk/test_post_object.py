# SPDX-License-Identifier: Apache-2.0
"""POST Object: forms with V2 and V4 policies, and what a policy must refuse.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import base64
import datetime
import hmac
import json

import pytest

from sdk import algorithms, expect
from wire import process, raw


class Form:
    """A POST under construction: fields in order, policy conditions, and how it is signed."""

    def __init__(self, server, bucket, key="key", version="v4", user=None):
        self.server, self.bucket, self.version = server, bucket, version
        self.user = user or server.users["root"]
        self.fields = [("key", key)]
        self.conditions = [{"bucket": bucket}, {"key": key}]
        self.expiration = raw.now() + datetime.timedelta(minutes=10)
        self.document = None
        self.signed = []

    def field(self, name, value, condition=True):
        """A field and a condition that it equals value (or the condition given, or none)."""
        self.fields.append((name, value))
        if condition is True:
            condition = {name: value}
        if condition:
            self.conditions.append(condition)
        return self

    def policy(self):
        if self.document is not None:
            return base64.b64encode(self.document).decode()
        text = {"expiration": self.expiration.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "conditions": self.conditions}
        return base64.b64encode(json.dumps(text).encode()).decode()

    def sign(self):
        """The fields of the signature."""
        if self.version == "v2":
            policy = self.policy()
            mac = hmac.new(self.user.secret_key.encode(), policy.encode(), "sha1").digest()
            self.signed = [("AWSAccessKeyId", self.user.access_key), ("policy", policy),
                           ("signature", base64.b64encode(mac).decode())]  # fmt: skip
            return self.signed
        date = raw.now().strftime("%Y%m%dT%H%M%SZ")
        credential = f"{self.user.access_key}/{date[:8]}/us-east-1/s3/aws4_request"
        extra = [("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", credential), ("x-amz-date", date)]
        self.conditions += [{name: value} for name, value in extra]
        policy = self.policy()
        key = raw.signing_key(self.user.secret_key, date[:8], "us-east-1", "s3")
        self.signed = [*extra, ("policy", policy), ("x-amz-signature", raw.hmac256(key, policy).hex())]
        return self.signed

    def send(self, file=b"posted", **options):
        body, content_type = raw.form_body([*self.fields, *self.sign()], file, **options)
        return self.send_body(body, content_type)

    def send_body(self, body, content_type, target=None):
        return raw.anonymous(self.server.url, "POST", target or f"/{self.bucket}", body, [("Content-Type", content_type)])


@pytest.fixture(params=["v2", "v4"])
def form(request, server, bucket):
    return lambda **options: Form(server, bucket, **{"version": request.param, **options})


@pytest.fixture
def refused_form(server, s3, bucket):
    """refused_form(reply, status, code): the reply refuses and nothing was stored."""

    def check(reply, status, code):
        assert (reply.status, reply.code) == (status, code), reply
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    return check


# ---- accepted -----------------------------------------------------------------------------------------


def test_PostObject__is_204_with_etag_and_location(s3, server, bucket, form):
    reply = form().send()
    assert (reply.status, reply.body) == (204, b""), reply
    assert reply.header("etag") == expect.md5_etag(b"posted")
    assert reply.header("location").endswith(f"/{bucket}/key")
    assert expect.body_of(s3, bucket, "key") == b"posted"


@pytest.mark.parametrize("how", ["default", "s3", "s3v4"])
def test_PostObject__boto3_generates_the_form(cloud, s3, bucket, how):
    client = s3 if how == "default" else cloud.client(signature_version=how)
    post = client.generate_presigned_post(
        Bucket=bucket, Key="uploads/${filename}", Fields={"acl": "public-read", "Content-Type": "text/plain", "x-amz-meta-a": "b"},
        Conditions=[{"acl": "public-read"}, ["starts-with", "$Content-Type", "text/"], {"x-amz-meta-a": "b"},
                    ["content-length-range", 1, 100]])  # fmt: skip
    assert ("x-amz-signature" in post["fields"]) == (how == "s3v4")
    body, content_type = raw.form_body(list(post["fields"].items()), b"posted", filename="my file.txt")
    reply = raw.anonymous(cloud.server.url, "POST", f"/{bucket}", body, [("Content-Type", content_type)])
    assert reply.status == 204, reply
    head = s3.head_object(Bucket=bucket, Key="uploads/my file.txt")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"a": "b"})
    assert len(s3.get_object_acl(Bucket=bucket, Key="uploads/my file.txt")["Grants"]) == 2


def test_PostObject__status_201_has_a_document(server, s3, bucket, form):
    reply = form(key="a b&c").field("success_action_status", "201").send()
    assert reply.status == 201, reply
    assert reply.header("content-type") == "application/xml"
    assert (reply.element("Bucket"), reply.element("Key")) == (bucket, "a b&c")
    assert reply.element("ETag") == expect.md5_etag(b"posted")
    assert reply.element("Location").endswith(f"/{bucket}/a%20b%26c")
    assert expect.body_of(s3, bucket, "a b&c") == b"posted"


@pytest.mark.parametrize("asked,status", [("200", 200), ("204", 204), ("404", 204), ("nonsense", 204)])
def test_PostObject__success_action_status(bucket, form, asked, status):
    assert form().field("success_action_status", asked).send().status == status


def test_PostObject__redirect(bucket, form):
    reply = form().field("success_action_redirect", "http://localhost/done?x=1").send()
    assert reply.status == 303
    location = reply.header("location")
    assert location.startswith("http://localhost/done?x=1&")
    assert f"bucket={bucket}&key=key&etag=%22" in location


def test_PostObject__bad_redirect_is_ignored_or_refused(server, s3, bucket, form):
    for url in ("javascript:alert(1)", "not a url", "//example.com", "http://a/\r\nx-injected: 1"):
        reply = form().field("success_action_redirect", url).send()
        assert reply.status == 204, (url, reply)
        assert reply.header("x-injected") is None


def test_PostObject__field_names_have_no_case(s3, bucket, form):
    post = form().field("Content-Type", "text/x", {"content-type": "text/x"}).field("X-Amz-Meta-A", "b", {"x-amz-meta-a": "b"})
    fields = [(name.upper() if name in ("policy", "signature", "x-amz-signature", "key") else name, value)
              for name, value in [*post.fields, *post.sign()]]  # fmt: skip
    reply = post.send_body(*raw.form_body(fields, b"posted"))
    assert reply.status == 204, reply
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"a": "b"})


def test_PostObject__fields_take_effect(s3, bucket, form):
    post = form().field("Cache-Control", "no-cache").field("Content-Disposition", "inline").field("Content-Type", "text/x")
    post.field("Content-Encoding", "gzip").field("Expires", "Wed, 02 Jan 2030 03:04:05 GMT").field("x-amz-meta-b", "c")
    post.field("x-amz-storage-class", "STANDARD_IA").field("x-amz-server-side-encryption", "AES256")
    post.field("tagging", "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>")
    assert post.send().status == 204
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["CacheControl"], head["ContentDisposition"], head["ContentType"]) == ("no-cache", "inline", "text/x")
    assert (head["ContentEncoding"], head["Metadata"]) == ("gzip", {"b": "c"})
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("STANDARD_IA", "AES256")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [{"Key": "t", "Value": "1"}]


@pytest.mark.parametrize("sent,shown", [
    ("=?UTF-8?Q?actually-ascii?=", "=?UTF-8?Q?actually-ascii?="), ("=?UTF-8?B?YWJj?=", "=?UTF-8?B?YWJj?="),
    ("test_\u2014_file%E2%80%94_\u00e9_2?.pdf", "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?="),
    ("\u00c4M\u00c4Z\u00d5\u00d1 S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="), ("a\tb", "a\tb"), ("a\r\nb", "a  b"),
    ("\x00\x01\x02\x03", "=?UTF-8?B?AAECAw==?="),
])  # fmt: skip
def test_PostObject__metadata_stays_as_sent(server, root_user, bucket, form, sent, shown):
    assert form().field("x-amz-meta-q", sent).send().status == 204
    for method in ("HEAD", "GET"):
        assert raw.signed(server.url, root_user, method, f"/{bucket}/key").header("x-amz-meta-q") == shown


def test_PostObject__system_headers_come_back_in_iso_8859_1(server, root_user, bucket, form):
    post = form().field("Cache-Control", "non-ascii-%E2%80%94_\u2014_\u00e9_").field("Content-Type", "a/\u00e9")
    post.field("Content-Disposition", 'filename="test_\u2014_file%E2%80%94_\u00e9_2-.pdf"').field("Content-Language", "\U0001f600")
    assert post.send().status == 204
    for method in ("HEAD", "GET"):
        reply = raw.signed(server.url, root_user, method, f"/{bucket}/key")
        assert reply.header("cache-control") == "non-ascii-%E2%80%94_ _\u00e9_"
        assert reply.header("content-disposition") == 'filename="test_ _file%E2%80%94_\u00e9_2-.pdf"'
        assert reply.header("content-type") == "a/\u00e9"


@pytest.mark.parametrize("size", [0, 1, 65537, 3 * 1024 * 1024])
def test_PostObject__files_of_every_size(s3, bucket, form, size):
    data = expect.noise(size)
    assert form().send(data).status == 204
    assert expect.body_of(s3, bucket, "key") == data


def test_PostObject__file_holding_almost_a_boundary(s3, bucket, form):
    data = b"\r\n--------pail-test-boundar\r\n----------pail-test-boundarx--\r\n-\r\n--\r\n\r" * 50
    assert form().send(data).status == 204
    assert expect.body_of(s3, bucket, "key") == data


def test_PostObject__fields_after_the_file_are_ignored(s3, bucket, form):
    reply = form().send(after=[("acl", "public-read"), ("x-amz-meta-a", "b"), ("submit", "Upload")])
    assert reply.status == 204, reply
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {}
    assert len(s3.get_object_acl(Bucket=bucket, Key="key")["Grants"]) == 1


def test_PostObject__x_ignore_fields_need_no_condition(s3, bucket, form):
    assert form().field("x-ignore-me", "1", None).send().status == 204
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {}


def test_PostObject__conditions_in_every_form(s3, bucket, form):
    post = form(key="user/eric/file")
    post.conditions = [
        ["eq", "$bucket", bucket], ["starts-with", "$key", "user/eric/"], {"acl": "private"},
        ["starts-with", "$x-amz-meta-tag", ""], ["starts-with", "$Content-Type", "image/"], ["content-length-range", 0, 6],
    ]  # fmt: skip
    post.field("acl", "private", None).field("x-amz-meta-tag", "anything", None).field("Content-Type", "image/png", None)
    assert post.send().status == 204
    assert s3.head_object(Bucket=bucket, Key="user/eric/file")["Metadata"] == {"tag": "anything"}


def test_PostObject__starts_with_checks_every_content_type_in_a_list(s3, bucket, form):
    post = form().field("Content-Type", "image/jpg,image/png", ["starts-with", "$Content-Type", "image/"])
    assert post.send().status == 204


def test_PostObject__filename_is_a_name_not_a_path(s3, bucket, form):
    post = form(key="up/${filename}")
    post.conditions[1] = ["starts-with", "$key", "up/"]
    assert post.send(filename="../../etc/passwd").status == 400
    for key in expect.keys_of(s3.list_objects_v2(Bucket=bucket)):
        assert key.startswith("up/")


def test_PostObject__expiration_without_milliseconds(s3, bucket, form):
    post = form()
    if post.version == "v4":
        date = raw.now().strftime("%Y%m%dT%H%M%SZ")
        post.conditions += [["starts-with", f"$x-amz-{name}", ""] for name in ("algorithm", "credential", "date")]
    post.document = json.dumps({"expiration": (raw.now() + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                                "conditions": post.conditions}).encode()  # fmt: skip
    assert post.send().status == 204


def test_PostObject__content_length_range_borders(s3, bucket, form):
    for size, status in ((4, 204), (6, 204), (3, 400), (7, 400)):
        post = form()
        post.conditions.append(["content-length-range", 4, 6])
        reply = post.send(b"x" * size)
        assert reply.status == status, (size, reply)
        if status == 400:
            assert reply.code == ("EntityTooSmall" if size < 4 else "EntityTooLarge")
            bound = ("MinSizeAllowed", "4") if size < 4 else ("MaxSizeAllowed", "6")
            assert (reply.element("ProposedSize"), reply.element(bound[0])) == (str(size), bound[1])


@pytest.mark.parametrize("size", [1025, 500_000, 5_000_000])
def test_PostObject__large_file_over_the_range_stores_nothing(form, refused_form, size):
    post = form()
    post.conditions.append(["content-length-range", 0, 1024])
    reply = post.send(b"x" * size)
    refused_form(reply, 400, "EntityTooLarge")
    assert (reply.element("ProposedSize"), reply.element("MaxSizeAllowed")) == (str(size), "1024")


def test_PostObject__anonymous_into_a_public_bucket(server, cloud, s3, bucket):
    body, content_type = raw.form_body([("key", "key")], b"posted")
    reply = raw.anonymous(server.url, "POST", f"/{bucket}", body, [("Content-Type", content_type)])
    assert (reply.status, reply.code) == (403, "AccessDenied"), reply
    public = cloud.new_bucket(ACL="public-read-write")
    reply = raw.anonymous(server.url, "POST", f"/{public}", body, [("Content-Type", content_type)])
    assert reply.status == 204, reply


def test_PostObject__checksum_field(s3, bucket, form):
    post = form().field("x-amz-checksum-sha256", algorithms.value("SHA256", b"posted"))
    assert post.send().status == 204
    post = form().field("x-amz-checksum-sha256", algorithms.value("SHA256", b"other"))
    reply = post.send()
    assert (reply.status, reply.code) == (400, "BadDigest"), reply


def test_PostObject__of_a_virtual_host(server, s3, bucket, form):
    post = form()
    body, content_type = raw.form_body([*post.fields, *post.sign()], b"posted")
    port = server.url.rpartition(":")[2]
    request = raw.Request("POST", "/", [("Host", f"{bucket}.{process.BASE}:{port}"), ("Content-Type", content_type)], body)
    assert raw.send(server.url, request).status == 204
    assert expect.body_of(s3, bucket, "key") == b"posted"


def test_PostObject__in_a_versioned_bucket(server, s3, versioned):
    reply = Form(server, versioned).send()
    assert reply.header("x-amz-version-id") == s3.head_object(Bucket=versioned, Key="key")["VersionId"]


@pytest.mark.parametrize("document", [
    "<InvalidXmlTagging></InvalidXmlTagging>", "<Tagging/>", "<Tagging></Tagging>", "<Tagging><TagSet/></Tagging>", "<html><TagSet/></html>",
])  # fmt: skip
def test_PostObject__a_document_without_tags_gives_none(s3, bucket, form, document):
    assert form().field("tagging", document).send().status == 204
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


@pytest.mark.parametrize("bounds", [["1", "10"], ["1", 10], [1, "10"]])
def test_PostObject__bounds_may_be_digits_in_a_string(form, bounds):
    post = form()
    post.conditions.append(["content-length-range", *bounds])
    assert post.send().status == 204


# ---- refused --------------------------------------------------------------------------------------------


def test_PostObject__refuses_an_expired_policy(form, refused_form):
    post = form()
    post.expiration = raw.now() - datetime.timedelta(seconds=5)
    refused_form(post.send(), 403, "AccessDenied")


def test_PostObject__refuses_an_uncovered_field(form, refused_form):
    for name, value in (("acl", "public-read"), ("x-amz-meta-a", "b"), ("Content-Type", "text/html"), ("x-amz-storage-class", "STANDARD"),
                        ("success_action_redirect", "http://localhost/"), ("tagging", "<Tagging/>"), ("foo", "bar")):  # fmt: skip
        reply = form().field(name, value, None).send()
        refused_form(reply, 403, "AccessDenied")
        assert "xtra input fields" in reply.element("Message")


def test_PostObject__refuses_another_value_than_the_condition(form, refused_form):
    refused_form(form().field("acl", "public-read", {"acl": "private"}).send(), 403, "AccessDenied")
    refused_form(form().field("Content-Type", "text/html", ["starts-with", "$Content-Type", "image/"]).send(), 403, "AccessDenied")
    refused_form(form().field("x-amz-meta-a", "B", ["eq", "$x-amz-meta-a", "b"]).send(), 403, "AccessDenied")


@pytest.mark.parametrize("condition,shown", [
    (["eq", "success_action_redirect", "http://a.test/x"], '["eq", "success_action_redirect", "http://a.test/x"]'),
    (["starts-with", "key", ""], '["starts-with", "key", ""]'),
    (["content-length-range", "test", "10"], '["content-length-range", "test", "10"]'),
    (["content-length-range", 1, "test"], '["content-length-range", 1, "test"]'),
    (["ends-with", "$key", "key"], '["ends-with", "$key", "key"]'),
    (["eq", "$success_action_status", 201], '["eq", "$success_action_status", 201]'),
    (["eq", "$Key", 'a"b<\u00e9'], '["eq", "$Key", "a\\"b&lt;\u00e9"]'),
    ({"acl": "private"}, '["eq", "$acl", "private"]'),
    ({"X-Amz-Meta-A": "1"}, '["eq", "$X-Amz-Meta-A", "1"]'),
], ids=str)  # fmt: skip
def test_PostObject__a_failing_condition_is_shown_as_json(form, refused_form, condition, shown):
    post = form()
    post.conditions.append(condition)
    if "success_action_redirect" in condition:
        post.fields.append(("success_action_redirect", "http://a.test/x"))
    reply = post.send()
    refused_form(reply, 403, "AccessDenied")
    # In the raw XML: quotes stand as they are.
    message = f"<Message>Invalid according to Policy: Policy Condition failed: {shown}</Message>"
    assert message.encode() in reply.body


def test_PostObject__refuses_another_key_or_bucket(cloud, form, s3, bucket, refused_form):
    post = form()
    post.fields = [("key", "other")]
    refused_form(post.send(), 403, "AccessDenied")
    other = cloud.new_bucket()
    post = form()
    body, content_type = raw.form_body([*post.fields, *post.sign()], b"posted")
    assert post.send_body(body, content_type, f"/{other}").status == 403
    post = form()
    post.fields.append(("bucket", other))
    reply = post.send()
    assert reply.status == 403, reply
    assert s3.list_objects_v2(Bucket=other)["KeyCount"] == 0


def test_PostObject__refuses_a_condition_without_its_field(form, refused_form):
    post = form()
    post.conditions.append({"x-amz-meta-a": "b"})
    refused_form(post.send(), 403, "AccessDenied")
    post = form()
    post.conditions.append(["starts-with", "$Content-Type", "image/"])
    refused_form(post.send(), 403, "AccessDenied")


def test_PostObject__refuses_a_policy_without_a_condition_for_key_or_bucket(form, refused_form):
    for number in (0, 1):
        post = form()
        del post.conditions[number]
        refused_form(post.send(), 403, "AccessDenied")


def test_PostObject__refuses_a_forged_signature(form, refused_form):
    post = form()
    fields = [*post.fields, *post.sign()]
    name, value = fields[-1]
    other = "y" if value[0] == "x" else "x"
    for forged in (value[:-1], other + value[1:], value.swapcase(), "", "0" * 64):
        reply = post.send_body(*raw.form_body([*fields[:-1], (name, forged)], b"posted"))
        refused_form(reply, 403, "SignatureDoesNotMatch")


def test_PostObject__refuses_a_changed_policy(form, refused_form):
    post = form()
    fields = dict([*post.fields, *post.sign()])
    wide = json.loads(base64.b64decode(fields["policy"]))
    wide["conditions"].append(["starts-with", "$acl", ""])
    fields["policy"] = base64.b64encode(json.dumps(wide).encode()).decode()
    refused_form(post.send_body(*raw.form_body(list(fields.items()), b"posted")), 403, "SignatureDoesNotMatch")


# Where it is not InvalidPolicyDocument: JSON that can be read, with conditions that nothing meets.
POLICY_REFUSALS = {
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["matches", "$key", ""]]}': (403, "AccessDenied"),
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["eq", "key", "key"]]}': (403, "AccessDenied"),
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", -1, "x"]]}': (403, "AccessDenied"),
    b'{"a":' * 5000: (400, "MaxPostPreDataLengthExceededError"),
}


@pytest.mark.parametrize("document", [
    b"", b"{}", b"[]", b"not json", b'{"expiration": "2099-01-01T00:00:00Z"}', b'{"conditions": []}',
    b'{"expiration": "soon", "conditions": []}', b'{"expiration": "2099-01-01T00:00:00Z", "conditions": {}}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["matches", "$key", ""]]}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["eq", "$key"]]}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["eq", "key", "key"]]}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", 10, 1]]}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", -1, "x"]]}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [1]}', b"[" * 5000, b'{"a":' * 5000,
    b'{"expiration": "2099-01-01T00:00:00Z", "expiration": "2099-01-01T00:00:00Z", "conditions": []}',
    b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []} trailing', b'{"expiration": 1, "conditions": []}',
], ids=lambda document: str(document[:60]))  # fmt: skip
def test_PostObject__refuses_a_malformed_policy(form, refused_form, document):
    post = form()
    post.document = document
    reply = post.send()
    refused_form(reply, *POLICY_REFUSALS.get(document, (400, "InvalidPolicyDocument")))


def test_PostObject__refuses_a_policy_that_is_no_base64(form, refused_form):
    post = form()
    fields = [(name, "!!!" if name == "policy" else value) for name, value in [*post.fields, *post.sign()]]
    reply = post.send_body(*raw.form_body(fields, b"posted"))
    refused_form(reply, 403, "SignatureDoesNotMatch")


def must_contain(reply, name):
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    assert reply.element("Message") == (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.")
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == (name, "")


NAMED = {"AWSAccessKeyId": "AWSAccessKeyId", "signature": "Signature", "policy": "policy", "x-amz-algorithm": "X-Amz-Algorithm",
         "x-amz-credential": "X-Amz-Credential", "x-amz-date": "X-Amz-Date", "x-amz-signature": "X-Amz-Signature"}  # fmt: skip


def test_PostObject__refuses_half_an_authentication(form, refused_form):
    post = form()
    fields = [*post.fields, *post.sign()]
    for number, (name, _) in enumerate(fields[1:], 1):
        reply = post.send_body(*raw.form_body([*fields[:number], *fields[number + 1 :]], b"posted"))
        must_contain(reply, NAMED[name])
    refused_form(reply, 400, "InvalidArgument")


@pytest.mark.parametrize("version", ["v4"])
def test_PostObject__names_the_first_of_several_missing_fields(server, bucket, refused_form, version):
    post = Form(server, bucket, version=version)
    fields = [*post.fields, *post.sign()]
    for left_out, name in (
        ({"x-amz-algorithm", "x-amz-credential"}, "X-Amz-Algorithm"), ({"x-amz-algorithm", "x-amz-signature", "x-amz-date"}, "X-Amz-Algorithm"),
        ({"x-amz-credential", "x-amz-date", "x-amz-signature"}, "X-Amz-Credential"), ({"x-amz-date", "x-amz-signature"}, "X-Amz-Date"),
    ):  # fmt: skip
        reply = post.send_body(*raw.form_body([(key, value) for key, value in fields if key not in left_out], b"posted"))
        must_contain(reply, name)
    refused_form(reply, 400, "InvalidArgument")


def test_PostObject__a_policy_that_nobody_signed_is_denied(cloud, bucket, form, refused_form):
    post = form()
    policy = dict(post.sign())["policy"]
    reply = post.send_body(*raw.form_body([*post.fields, ("policy", policy)], b"posted"))
    refused_form(reply, 403, "AccessDenied")
    assert reply.element("Message") == "Access Denied"


def test_PostObject__refuses_an_unknown_key_and_a_stranger(server, bucket, form, refused_form):
    nobody = raw.User("x", "UNKNOWNKEY00EXAMPLE", "x")
    refused_form(form(user=nobody).send(), 403, "InvalidAccessKeyId")
    refused_form(form(user=server.users["alice"]).send(), 403, "AccessDenied")


def test_PostObject__refuses_a_form_without_key_or_file(form, refused_form):
    post = form()
    post.fields = []
    del post.conditions[1]
    must_contain(post.send(), "key")
    post = form(key="")
    reply = post.send()
    refused_form(reply, 400, "InvalidArgument")
    assert reply.element("Message") == "User key must have a length greater than 0."
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("key", "")
    post = form()
    reply = post.send(file=None)
    refused_form(reply, 400, "InvalidArgument")
    assert reply.element("Message") == "POST requires exactly one file upload per request."
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("file", "0")


def test_PostObject__a_form_that_begins_with_its_file_has_no_key(form, refused_form):
    post = form()
    body, content_type = raw.form_body([], b"posted", after=[*post.fields, *post.sign()])
    reply = post.send_body(body, content_type)
    must_contain(reply, "key")
    refused_form(reply, 400, "InvalidArgument")


def test_PostObject__refuses_what_is_no_form(server, bucket, form, refused_form):
    post = form()
    body, content_type = raw.form_body([*post.fields, *post.sign()], b"posted")
    for bad_body, bad_type, code in (
        (body, "multipart/form-data", "PreconditionFailed"), (body, "multipart/form-data; boundary=", "PreconditionFailed"),
        (body[:-20], content_type, "MalformedPOSTRequest"), (body, 'multipart/form-data; boundary="other"', "InvalidArgument"),
        (b"", content_type, "InvalidArgument"), (body, "multipart/form-data; boundary=" + "b" * 71, "PreconditionFailed"),
        (body[: len(body) // 2], content_type, "InvalidArgument"),
        (b"--x\r\n" * 1000, "multipart/form-data; boundary=x", "MalformedPOSTRequest"),
    ):  # fmt: skip
        reply = post.send_body(bad_body, bad_type)
        refused_form(reply, 412 if code == "PreconditionFailed" else 400, code)


def test_PostObject__refuses_other_content_types(server, root_user, bucket, form, refused_form):
    post = form()
    body, _ = raw.form_body([*post.fields, *post.sign()], b"posted")
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
        reply = post.send_body(body, content_type)
        refused_form(reply, 412, "PreconditionFailed")


def test_PostObject__refuses_too_many_bytes_before_the_file(form, refused_form):
    post = form().field("x-ignore-filler", "x" * 21_000, None)
    refused_form(post.send(), 400, "MaxPostPreDataLengthExceededError")
    post = form()
    for number in range(150):
        post.field(f"x-ignore-{number}", "x", None)
    refused_form(post.send(), 400, "MaxPostPreDataLengthExceededError")


def test_PostObject__refuses_two_keys(form, s3, bucket):
    post = form()
    post.fields = [("key", "key"), ("key", "other")]
    reply = post.send()
    assert reply.status == 400, reply
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_PostObject__refuses_bad_values(form, refused_form):
    for name, value, code in (
        ("acl", "everyone", "InvalidArgument"), ("x-amz-storage-class", "COPPER", "InvalidStorageClass"),
        ("tagging", "<Tagging>", "MalformedXML"), ("tagging", "no XML", "MalformedXML"), ("x-amz-meta-a", "x" * 3000, "MetadataTooLarge"),
    ):  # fmt: skip
        refused_form(form().field(name, value).send(), 400, code)
    refused_form(form(key="k" * 1025).send(), 400, "KeyTooLongError")


def test_PostObject__missing_bucket(server, form):
    post = form()
    post.bucket = "no-such-bucket-of-ours"
    post.conditions[0] = {"bucket": post.bucket}
    reply = post.send()
    assert (reply.status, reply.code) == (404, "NoSuchBucket"), reply

# SPDX-License-Identifier: Apache-2.0
"""ListObjects, ListObjectsV2, ListObjectVersions: pages, prefixes, delimiters, order, encoding.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

import email.utils
import re

import pytest

from sdk import expect
from wire import raw

MANY = [f"many/{n:04}" for n in range(2500)]


@pytest.fixture(scope="module")
def many(session_cloud):
    """A bucket with 2,500 keys."""
    name = session_cloud.new_bucket(hint="many")
    server = session_cloud.server
    raw.put_many(server.url, server.users["root"], name, MANY)
    return name


@pytest.fixture(scope="module")
def tree(session_cloud):
    """A bucket with folders, made once for the tests that only read."""
    name = session_cloud.new_bucket(hint="tree")
    for key in TREE:
        session_cloud.client().put_object(Bucket=name, Key=key, Body=key.encode())
    return name


TREE = ["asdf", "boo/bar", "boo/baz/xyzzy", "cquux/thud", "cquux/bla", "foo", "quux", "z//a", "z//b", "z/c"]


def listed(server, user, target):
    reply = raw.signed(server.url, user, "GET", target)
    assert reply.status == 200, reply
    return reply


# ---- 2,500 keys ---------------------------------------------------------------------------------


def test_ListObjectsV2__2500_keys_in_three_pages(s3, many):
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=many))
    assert [page["KeyCount"] for page in pages] == [1000, 1000, 500]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert [key for page in pages for key in expect.keys_of(page)] == MANY
    assert pages[1]["ContinuationToken"] == pages[0]["NextContinuationToken"]
    assert "NextContinuationToken" not in pages[2]


def test_ListObjects__2500_keys_in_three_pages(s3, many):
    found, marker, pages = [], "", 0
    while True:
        page = s3.list_objects(Bucket=many, Marker=marker)
        assert page["Marker"] == marker
        assert "NextMarker" not in page  # only with a delimiter
        found += expect.keys_of(page)
        pages += 1
        if not page["IsTruncated"]:
            break
        marker = found[-1]
    assert (found, pages) == (MANY, 3)


def test_ListObjects__resource_iterates_2500_keys(cloud, many):
    assert [item.key for item in cloud.resource().Bucket(many).objects.all()] == MANY


def test_ListObjectVersions__2500_keys_in_three_pages(s3, many):
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=many))
    assert [len(page["Versions"]) for page in pages] == [1000, 1000, 500]
    assert [item["Key"] for page in pages for item in page["Versions"]] == MANY
    assert {item["VersionId"] for page in pages for item in page["Versions"]} == {"null"}


def test_ListObjectsV2__pages_of_every_size_agree(s3, many):
    for size in (1, 7, 999):
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=many, Prefix="many/01", PaginationConfig={"PageSize": size})
        assert [key for page in pages for key in expect.keys_of(page)] == MANY[100:200]


def test_DeleteObjects__resource_empties_2500_keys_in_three_calls(cloud, server, s3):
    name = cloud.new_bucket()
    raw.put_many(server.url, server.users["root"], name, MANY)
    answers = cloud.resource().Bucket(name).objects.all().delete()
    assert [len(answer["Deleted"]) for answer in answers] == [1000, 1000, 500]
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0
    s3.delete_bucket(Bucket=name)


# ---- shape --------------------------------------------------------------------------------------


def test_ListObjectsV2__empty_bucket(s3, bucket):
    answer = s3.list_objects_v2(Bucket=bucket)
    assert (answer["KeyCount"], answer["IsTruncated"], answer["MaxKeys"]) == (0, False, 1000)
    assert answer["Name"] == bucket
    assert "Contents" not in answer
    assert "CommonPrefixes" not in answer


def test_ListObjectsV2__document(server, root_user, tree):
    reply = listed(server, root_user, f"/{tree}?list-type=2")
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' in reply.body
    assert reply.header("content-type") == "application/xml"
    assert reply.element("Prefix") == ""
    assert reply.element("Contents/Owner") is None
    assert reply.element("EncodingType") is None


TIME = re.compile(rb"<(LastModified|Initiated|CreationDate)>([^<]*)</")
WHOLE_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


@pytest.fixture
def clocked(s3, versioned):
    """A version, a newer one, a marker, an upload with a part: (bucket, upload id)."""
    s3.put_object(Bucket=versioned, Key="key", Body=b"1")
    s3.put_object(Bucket=versioned, Key="key", Body=b"2")
    s3.delete_object(Bucket=versioned, Key="gone")
    upload, _ = expect.upload_parts(s3, versioned, "up", [b"part"])
    return versioned, upload


@pytest.mark.parametrize("target,count", [
    ("/{0}", 1), ("/{0}?list-type=2", 1), ("/{0}?versions", 3), ("/{0}?uploads", 1), ("/{0}/up?uploadId={1}", 1),
    ("/", None), ("/?prefix=versioned", None),
])  # fmt: skip
def test_every_listing__times_are_whole_seconds(server, root_user, clocked, target, count):
    reply = listed(server, root_user, target.format(*clocked))
    times = [text.decode() for _, text in TIME.findall(reply.body)]
    assert len(times) == count if count is not None else times
    assert [text for text in times if not WHOLE_SECOND.fullmatch(text)] == []


def test_ListObjects__last_modified_is_the_second_of_the_header(server, root_user, s3, clocked):
    bucket, _ = clocked
    header = raw.signed(server.url, root_user, "HEAD", f"/{bucket}/key").header("last-modified")
    second = email.utils.parsedate_to_datetime(header).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for query, path in (("", "Contents"), ("?list-type=2", "Contents"), ("?versions&prefix=key", "Version")):
        assert listed(server, root_user, f"/{bucket}{query}").element(f"{path}/LastModified") == second


def test_CopyObject__the_time_in_its_result_is_a_whole_second(server, root_user, clocked):
    bucket, upload = clocked
    source = [("x-amz-copy-source", f"{bucket}/key")]
    for target in (f"/{bucket}/copy", f"/{bucket}/up?partNumber=2&uploadId={upload}"):
        reply = raw.signed(server.url, root_user, "PUT", target, headers=source)
        assert WHOLE_SECOND.fullmatch(reply.element("LastModified")), reply


def test_ListObjects__has_owner_marker_and_prefix(server, root_user, tree, s3):
    reply = listed(server, root_user, f"/{tree}")
    assert reply.element("Marker") == ""
    assert reply.element("Prefix") == ""
    assert reply.element("MaxKeys") == "1000"
    assert reply.element("KeyCount") is None
    assert reply.element("Contents/Owner/ID") == s3.list_buckets()["Owner"]["ID"]


@pytest.mark.parametrize("target", [
    "/", "/{0}", "/{0}?list-type=2&fetch-owner=true", "/{0}?versions", "/{0}?uploads", "/{0}/up?uploadId={1}",
    "/{0}?acl", "/{0}/key?acl",
])  # fmt: skip
def test_every_document__owners_and_grantees_are_ids_alone(server, root_user, s3, clocked, target):
    reply = listed(server, root_user, target.format(*clocked))
    names = {tag.decode() for tag in re.findall(rb"<(?:Owner|Grantee[^>]*)><ID>[0-9a-f]+</ID></(\w+)>", reply.body)}
    assert names == ({"Owner", "Grantee"} if "acl" in target else {"Owner"})
    assert reply.body.count(b"<DisplayName>root</DisplayName>") == reply.body.count(b"<Initiator>")
    assert reply.body.count(b"<DisplayName>") == (1 if "upload" in target else 0)


@pytest.mark.parametrize("query,entries", [
    ("", 1), ("?list-type=2", 1), ("?list-type=2&fetch-owner=true", 1), ("?versions", 3), ("?uploads", 1),
])  # fmt: skip
def test_every_listing__of_a_public_bucket_tells_the_anonymous_no_owner(server, s3, clocked, query, entries):
    bucket, _ = clocked
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    reply = raw.anonymous(server.url, "GET", f"/{bucket}{query}")
    assert (reply.status, reply.body.count(b"<Key>")) == (200, entries), reply
    for name in (b"Owner", b"Initiator", b"<ID>", b"DisplayName"):
        assert name not in reply.body
    alice = raw.signed(server.url, server.users["alice"], "GET", f"/{bucket}{query}")
    assert alice.body.count(b"<Owner>") == (0 if query == "?list-type=2" else entries)


def test_ListObjectsV2__fetch_owner(s3, tree):
    with_owner = s3.list_objects_v2(Bucket=tree, FetchOwner=True)["Contents"][0]
    assert with_owner["Owner"]["ID"] == s3.list_buckets()["Owner"]["ID"]
    assert "Owner" not in s3.list_objects_v2(Bucket=tree)["Contents"][0]


@pytest.mark.parametrize("target", [
    "/{}/?list-type=2", "/{}?list-type=2&prefix=", "/{}/?delimiter=&max-keys=1000&prefix=",
    "/{}?delimiter=&encoding-type=url&fetch-owner=true&list-type=2&prefix=",
    "/{}/?prefix=&delimiter=&marker=",
])  # fmt: skip
def test_ListObjects__empty_parameters_as_clients_send_them(server, root_user, tree, target):
    reply = listed(server, root_user, target.format(tree))
    assert reply.body.count(b"<Contents>") == len(TREE)


def test_ListObjects__unencoded_slash_in_the_query(server, root_user, tree):
    reply = listed(server, root_user, f"/{tree}/?delimiter=/&max-keys=2&prefix=boo/")
    assert reply.body.count(b"<Contents>") == 1
    assert reply.element("CommonPrefixes/Prefix") == "boo/baz/"


# ---- prefix and delimiter -----------------------------------------------------------------------


@pytest.mark.parametrize("prefix,delimiter,keys,prefixes", [
    ("", "/", ["asdf", "foo", "quux"], ["boo/", "cquux/", "z/"]),
    ("boo/", "/", ["boo/bar"], ["boo/baz/"]),
    ("boo", "/", [], ["boo/"]),
    ("z/", "/", ["z/c"], ["z//"]),
    ("z//", "/", ["z//a", "z//b"], []),
    ("", "quux", ["asdf", "boo/bar", "boo/baz/xyzzy", "foo", "z//a", "z//b", "z/c"], ["cquux", "quux"]),
    ("", "a", ["foo", "quux", "z/c"], ["a", "boo/ba", "cquux/bla", "z//a"]),
    ("absent", "/", [], []),
    ("q", "", ["quux"], []),
])  # fmt: skip
def test_ListObjectsV2__prefix_and_delimiter(s3, tree, prefix, delimiter, keys, prefixes):
    if delimiter == "a":
        keys = [key for key in sorted(TREE) if "a" not in key]
        prefixes = sorted({key[: key.index("a") + 1] for key in TREE if "a" in key})
    arguments = {"Bucket": tree, "Prefix": prefix}
    if delimiter:
        arguments["Delimiter"] = delimiter
    for call in (s3.list_objects_v2, s3.list_objects):
        answer = call(**arguments)
        assert (expect.keys_of(answer), expect.prefixes_of(answer)) == (keys, prefixes)
        assert answer["Prefix"] == prefix
        assert answer.get("Delimiter", "") == delimiter
    assert s3.list_objects_v2(**arguments)["KeyCount"] == len(keys) + len(prefixes)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ListObjectsV2__a_common_prefix_appears_once_across_pages(s3, tree, size):
    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket=tree, Delimiter="/", PaginationConfig={"PageSize": size}))  # fmt: skip
    assert [key for page in pages for key in expect.keys_of(page)] == ["asdf", "foo", "quux"]
    found = [prefix for page in pages for prefix in expect.prefixes_of(page)]
    assert found == ["boo/", "cquux/", "z/"]
    assert all(page["KeyCount"] <= size for page in pages)
    assert len(pages) == -(-6 // size)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ListObjects__next_marker_with_a_delimiter(s3, tree, size):
    found, marker = [], ""
    for _ in range(20):
        page = s3.list_objects(Bucket=tree, Delimiter="/", MaxKeys=size, Marker=marker)
        entries = sorted(expect.keys_of(page) + expect.prefixes_of(page))
        assert len(entries) <= size
        found += entries
        if not page["IsTruncated"]:
            assert "NextMarker" not in page
            break
        assert page["NextMarker"] == entries[-1]
        marker = page["NextMarker"]
    assert found == ["asdf", "boo/", "cquux/", "foo", "quux", "z/"]


def test_ListObjectsV2__many_keys_below_one_prefix_are_one_entry(s3, many):
    answer = s3.list_objects_v2(Bucket=many, Delimiter="/", MaxKeys=1)
    assert expect.prefixes_of(answer) == ["many/"]
    assert answer["IsTruncated"] is False


def test_ListObjectsV2__start_after(s3, tree):
    answer = s3.list_objects_v2(Bucket=tree, StartAfter="foo")
    assert expect.keys_of(answer) == ["quux", "z//a", "z//b", "z/c"]
    assert answer["StartAfter"] == "foo"
    assert expect.keys_of(s3.list_objects_v2(Bucket=tree, StartAfter="zzz")) == []
    assert expect.keys_of(s3.list_objects_v2(Bucket=tree, StartAfter="fo"))[0] == "foo"


def test_ListObjectsV2__start_after_within_a_prefix_still_shows_it(s3, tree):
    answer = s3.list_objects_v2(Bucket=tree, StartAfter="boo", Delimiter="/")
    assert expect.prefixes_of(answer) == ["boo/", "cquux/", "z/"]
    answer = s3.list_objects_v2(Bucket=tree, StartAfter="boo/bar", Delimiter="/")
    assert expect.prefixes_of(answer)[0] == "boo/"


def test_ListObjects__marker_that_is_no_key(s3, tree):
    assert expect.keys_of(s3.list_objects(Bucket=tree, Marker="bzz"))[0] == "cquux/bla"
    assert expect.keys_of(s3.list_objects(Bucket=tree, Marker="zzz")) == []


def test_ListObjectsV2__continuation_wins_over_start_after(s3, tree):
    first = s3.list_objects_v2(Bucket=tree, MaxKeys=2, StartAfter="asdf")
    second = s3.list_objects_v2(
        Bucket=tree, MaxKeys=2, StartAfter="asdf", ContinuationToken=first["NextContinuationToken"])
    assert expect.keys_of(first) + expect.keys_of(second) == sorted(TREE)[1:5]
    assert first["StartAfter"] == "asdf"
    assert "StartAfter" not in second


def test_ListObjectsV2__an_empty_start_after_is_echoed(server, root_user, tree):
    assert listed(server, root_user, f"/{tree}?list-type=2&start-after=").element("StartAfter") == ""
    assert listed(server, root_user, f"/{tree}?list-type=2").element("StartAfter") is None


# ---- max-keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["list-type=2&", "", "versions&"])
def test_ListObjects__max_keys_0_is_an_empty_complete_page(server, root_user, tree, query):
    reply = listed(server, root_user, f"/{tree}?{query}max-keys=0")
    assert (reply.element("IsTruncated"), reply.element("MaxKeys")) == ("false", "0")
    assert b"<Key>" not in reply.body


@pytest.mark.parametrize("query", ["list-type=2&", "", "versions&"])
def test_ListObjects__max_keys_above_1000_is_1000(server, root_user, many, query):
    reply = listed(server, root_user, f"/{many}?{query}max-keys=1001")
    assert reply.body.count(b"<Key>") == 1000
    assert reply.element("MaxKeys") == "1000"
    assert reply.element("IsTruncated") == "true"


# The parameters of all listings that count: (query, name, name of one below 0). "key" is an upload's.
COUNTS = [
    ("{0}?list-type=2&", "max-keys", "maxKeys"), ("{0}?", "max-keys", "maxKeys"), ("{0}?versions&", "max-keys", None),
    ("{0}?uploads&", "max-uploads", "max-uploads"), ("{0}/up?uploadId={1}&", "max-parts", "max-parts"),
    ("{0}/up?uploadId={1}&", "part-number-marker", "part-number-marker"), ("?", "max-buckets", None),
]  # fmt: skip


@pytest.mark.parametrize("query,name,range_name", COUNTS, ids=lambda value: value)
def test_every_listing__a_count_that_is_none(server, root_user, clocked, query, name, range_name):
    path = "/" + query.format(*clocked)
    for value in ("blah", "1e3", "2147483648", "-2147483649", "99999999999999999999", "1.5", "0x10", "+1", "-"):
        reply = raw.signed(server.url, root_user, "GET", f"{path}{name}={raw.quote(value)}")
        assert reply.refusal() == (
            400, "InvalidArgument", f"Provided {name} not an integer or within integer range",
            {"ArgumentName": name, "ArgumentValue": value})  # fmt: skip
    reply = raw.signed(server.url, root_user, "GET", f"{path}{name}=-01")
    if range_name is None:
        assert reply.element("Message") == f"Provided {name} not an integer or within integer range"
    else:
        assert reply.refusal() == (
            400, "InvalidArgument", f"Argument {range_name} must be an integer between 0 and 2147483647",
            {"ArgumentName": range_name, "ArgumentValue": "-1"})  # fmt: skip


@pytest.mark.parametrize("query,name", [row[:2] for row in COUNTS[:-1]], ids=lambda value: value)
def test_every_listing__an_empty_count_is_none_given(server, root_user, clocked, query, name):
    path = "/" + query.format(*clocked)
    assert listed(server, root_user, f"{path}{name}=").body == listed(server, root_user, path.rstrip("&?")).body


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "nonsense", "%27%20OR%201%3D1", "AA%3D%3D", "AmE%3D", "A" * 2000])
def test_ListObjectsV2__a_bad_continuation_token(server, root_user, tree, token):
    reply = raw.signed(server.url, root_user, "GET", f"/{tree}?list-type=2&continuation-token={token}")
    assert reply.refusal() == (
        400, "InvalidArgument", "The continuation token provided is incorrect", {"ArgumentName": "continuation-token"})


@pytest.mark.parametrize("query", ["", "list-type=2&", "versions&", "uploads&"])
@pytest.mark.parametrize("value", ["", "base64", "url2", " url"])
def test_every_listing__an_encoding_that_is_not_url(server, root_user, tree, query, value):
    reply = raw.signed(server.url, root_user, "GET", f"/{tree}?{query}encoding-type={raw.quote(value)}")
    assert reply.refusal() == (
        400, "InvalidArgument", "Invalid Encoding Method specified in Request",
        {"ArgumentName": "encoding-type", "ArgumentValue": value})  # fmt: skip


@pytest.mark.parametrize("query", ["", "list-type=2&", "versions&", "uploads&"])
def test_every_listing__the_encoding_in_any_case_and_as_sent(server, root_user, tree, query):
    assert listed(server, root_user, f"/{tree}?{query}encoding-type=URL").element("EncodingType") == "URL"


@pytest.mark.parametrize("query,message,value", [
    ("version-id-marker=X", "A version-id marker cannot be specified without a key marker.", "X"),
    ("version-id-marker=", "A version-id marker cannot be specified without a key marker.", ""),
    ("key-marker=a&version-id-marker=", "A version-id marker cannot be empty.", ""),
    ("key-marker=&version-id-marker=", "A version-id marker cannot be empty.", ""),
    ("key-marker=&version-id-marker=bogus", "Invalid version id specified", "bogus"),
    ("key-marker=a&version-id-marker=bogus", "Invalid version id specified", "bogus"),
])  # fmt: skip
def test_ListObjectVersions__a_bad_version_id_marker(server, root_user, tree, query, message, value):
    reply = raw.signed(server.url, root_user, "GET", f"/{tree}?versions&{query}")
    assert reply.refusal() == (
        400, "InvalidArgument", message, {"ArgumentName": "version-id-marker", "ArgumentValue": value})  # fmt: skip


def test_every_listing__empty_markers_start_at_the_first(server, root_user, clocked):
    bucket, _ = clocked
    for query, entries in (("?marker=", 1), ("?versions&key-marker=", 3), ("?uploads&key-marker=", 1),
                           ("?uploads&key-marker=&upload-id-marker=", 1)):  # fmt: skip
        assert listed(server, root_user, f"/{bucket}{query}").body.count(b"<Key>") == entries
    assert b"<Bucket>" in listed(server, root_user, "/?continuation-token=").body


def test_ListObjectsV2__token_of_another_bucket_reveals_nothing(s3, many, tree):
    token = s3.list_objects_v2(Bucket=many, MaxKeys=1)["NextContinuationToken"]
    try:
        answer = s3.list_objects_v2(Bucket=tree, ContinuationToken=token)
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidArgument"
        return
    assert set(expect.keys_of(answer)) <= set(TREE)


# ---- order and encoding -------------------------------------------------------------------------


def test_ListObjectsV2__utf8_byte_order(s3, bucket):
    # U+FF5E sorts before U+10000 in UTF-8 and after it in UTF-16.
    keys = ["a", "A", "b", "a/", "a.", "a0", "ä", "z", "é", "\uff5e", "\U00010000", "\u20ac", "~", " ", "!"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    wanted = sorted(keys, key=lambda key: key.encode())
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == wanted
    assert expect.keys_of(s3.list_objects(Bucket=bucket)) == wanted
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [key for page in pages for key in expect.keys_of(page)] == wanted


STRANGE = ["a b", "a+b", "a%b", "a%2Fb", "a&b", "a<b>", "a'b\"c", "a?b=c", "a#b", "a;b", "ü/ß", "\x01\x1f", "a\nb", "a//b", "/lead", "a\\b", "tail/"]  # fmt: skip


@pytest.fixture
def strange(s3, bucket):
    for key in STRANGE:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def test_ListObjects__strange_keys_come_back_decoded(s3, cloud, strange):
    wanted = sorted(STRANGE, key=lambda key: key.encode())
    assert expect.keys_of(s3.list_objects_v2(Bucket=strange)) == wanted
    assert expect.keys_of(s3.list_objects(Bucket=strange)) == wanted
    versions = s3.list_object_versions(Bucket=strange)["Versions"]
    assert [item["Key"] for item in versions] == wanted
    for item in cloud.resource().Bucket(strange).objects.all():
        assert item.get()["Body"].read() == item.key.encode()


def test_ListObjects__strange_keys_page_by_page(s3, strange):
    wanted = sorted(STRANGE, key=lambda key: key.encode())
    found, marker = [], ""
    while True:
        page = s3.list_objects(Bucket=strange, MaxKeys=1, Marker=marker)
        found += expect.keys_of(page)
        if not page["IsTruncated"]:
            break
        marker = found[-1]
    assert found == wanted


ENCODED = {"a b+c/d%/ü": "a+b%2Bc/d%25/%C3%BC", "plain-_.~*": "plain-_.%7E*", "x!'()@:": "x%21%27%28%29%40%3A"}


@pytest.mark.parametrize("query", ["", "list-type=2&", "versions&"])
def test_every_listing__encoding_type_url_is_that_of_forms(server, root_user, s3, bucket, query):
    for key in ENCODED:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    reply = listed(server, root_user, f"/{bucket}?{query}encoding-type=url")
    assert reply.element("EncodingType") == "url"
    assert [key.decode() for key in re.findall(b"<Key>([^<]*)", reply.body)] == list(ENCODED.values())


@pytest.mark.parametrize("query,path,text", [
    ("?prefix=a%20b%2B", "Prefix", "a+b%2B"), ("?delimiter=%20", "Delimiter", "+"),
    ("?delimiter=b%2B", "CommonPrefixes/Prefix", "a+b%2B"), ("?marker=%20~", "Marker", "+%7E"),
    ("?delimiter=!&max-keys=1", "NextMarker", "a+b%2B1"), ("?list-type=2&start-after=%20%2B", "StartAfter", "+%2B"),
    ("?versions&key-marker=%20~", "KeyMarker", "+%7E"), ("?versions&max-keys=1", "NextKeyMarker", "a+b%2B1"),
    ("?uploads&key-marker=%20~", "KeyMarker", "+%7E"), ("?uploads&max-uploads=1", "NextKeyMarker", "a+b%2B1"),
    ("?uploads", "Upload/Key", "a+b%2B1"), ("?uploads&prefix=a%20b%2B", "Prefix", "a+b%2B"),
    ("?uploads&delimiter=b%2B", "CommonPrefixes/Prefix", "a+b%2B"),
])  # fmt: skip
def test_every_listing__what_is_encoded(server, root_user, s3, bucket, query, path, text):
    for key in ("a b+1", "a b+2"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    joint = "&" if "?" in query else "?"
    assert listed(server, root_user, f"/{bucket}{query}{joint}encoding-type=url").element(path) == text


def test_ListObjectsV2__a_token_is_not_encoded(server, root_user, tree):
    first = listed(server, root_user, f"/{tree}?list-type=2&max-keys=1&encoding-type=url")
    token = first.element("NextContinuationToken")
    assert token.endswith("=")
    reply = listed(server, root_user, f"/{tree}?list-type=2&encoding-type=url&continuation-token={raw.quote(token)}")
    assert reply.element("ContinuationToken") == token


def test_ListObjectsV2__without_encoding_type_keys_are_raw(server, root_user, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b+c&<ü>", Body=b"")
    reply = listed(server, root_user, f"/{bucket}?list-type=2")
    assert reply.element("Contents/Key") == "a b+c&<ü>"
    assert reply.element("EncodingType") is None


def test_ListObjects__markup_in_echoed_parameters_is_escaped(server, root_user, tree):
    reply = listed(server, root_user, f"/{tree}?prefix=%3Cscript%3E%5D%5D%3E%26&delimiter=%3C&marker=%26lt%3B")
    assert reply.element("Prefix") == "<script>]]>&"
    assert reply.element("Delimiter") == "<"
    assert reply.element("Marker") == "&lt;"


def test_ListObjectsV2__folder_object_beside_its_namesakes(s3, bucket):
    for key in ("dir", "dir/", "dir/x"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="application/x-directory")
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["dir", "dir/", "dir/x"]
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert (expect.keys_of(answer), expect.prefixes_of(answer)) == (["dir"], ["dir/"])
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="dir/")
    assert expect.keys_of(answer) == ["dir/", "dir/x"]
    assert expect.body_of(s3, bucket, "dir/") == b"dir/"
    s3.delete_object(Bucket=bucket, Key="dir/")
    with expect.refused(404, "404"):
        s3.head_object(Bucket=bucket, Key="dir/")
    assert expect.body_of(s3, bucket, "dir") == b"dir"


# ---- versions -----------------------------------------------------------------------------------


@pytest.fixture
def history(s3, versioned):
    """Three versions of a, a marker on b over one version, one version of c/d."""
    made = []
    for key, body in (("a", b"1"), ("a", b"22"), ("b", b"1"), ("a", b"333"), ("c/d", b"1")):
        made.append((key, s3.put_object(Bucket=versioned, Key=key, Body=body)["VersionId"]))
    made.append(("b", s3.delete_object(Bucket=versioned, Key="b")["VersionId"]))
    return versioned, made


def test_ListObjectVersions__newest_first_with_markers_among_them(server, root_user, history):
    bucket, made = history
    ids = [version for _, version in made]
    reply = listed(server, root_user, f"/{bucket}?versions")
    found = re.findall(
        rb"<(Version|DeleteMarker)>.*?<Key>([^<]*)</Key>.*?<VersionId>([^<]*)</VersionId>.*?"
        rb"<IsLatest>([^<]*)</IsLatest>", reply.body)  # fmt: skip
    assert [tuple(part.decode() for part in entry) for entry in found] == [
        ("Version", "a", ids[3], "true"), ("Version", "a", ids[1], "false"),
        ("Version", "a", ids[0], "false"), ("DeleteMarker", "b", ids[5], "true"),
        ("Version", "b", ids[2], "false"), ("Version", "c/d", ids[4], "true"),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 4])
def test_ListObjectVersions__pages(s3, history, size):
    bucket, made = history
    pages = list(s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": size}))  # fmt: skip
    found = []
    for page in pages:
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        assert len(entries) <= size
        found += [item["VersionId"] for item in entries]
    assert sorted(found) == sorted(version for _, version in made)
    assert len(pages) == -(-6 // size)


def test_ListObjectVersions__markers(s3, history):
    bucket, made = history
    ids = [version for _, version in made]
    answer = s3.list_object_versions(Bucket=bucket, KeyMarker="a", VersionIdMarker=ids[3])
    assert [item["VersionId"] for item in answer["Versions"]] == [ids[1], ids[0], ids[2], ids[4]]
    assert (answer["KeyMarker"], answer["VersionIdMarker"]) == ("a", ids[3])
    answer = s3.list_object_versions(Bucket=bucket, KeyMarker="a")
    assert [item["VersionId"] for item in answer["Versions"]] == [ids[2], ids[4]]
    answer = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    assert (answer["NextKeyMarker"], answer["NextVersionIdMarker"]) == ("a", ids[3])


def delete_page_by_page(s3, bucket, size):
    """Empty a bucket as everybody does: list a page, delete it, go on. Versions of each page."""
    sizes, markers = [], {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=size, **markers)
        found = [{"Key": item["Key"], "VersionId": item["VersionId"]}
                 for item in page.get("Versions", []) + page.get("DeleteMarkers", [])]  # fmt: skip
        sizes.append(len(found))
        s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        if not page["IsTruncated"]:
            return sizes
        markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


@pytest.mark.parametrize("keys,size,sizes", [
    (["k"] * 5, 3, [3, 2]), (["a", "a", "b", "b", "c", "c"], 3, [3, 3]), (["k"] * 21, 4, [4, 4, 4, 4, 4, 1]),
    (["a", "b", "c", "d"] * 3, 5, [5, 5, 2]), (["k"] * 4, 1, [1, 1, 1, 1]),
])  # fmt: skip
def test_ListObjectVersions__goes_on_when_the_page_before_was_deleted(s3, versioned, keys, size, sizes):
    for n, key in enumerate(keys):
        if n % 3 == 2:
            s3.delete_object(Bucket=versioned, Key=key)
        else:
            s3.put_object(Bucket=versioned, Key=key, Body=b"x")
    assert delete_page_by_page(s3, versioned, size) == sizes
    s3.delete_bucket(Bucket=versioned)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ListObjectVersions__goes_on_behind_a_null_version_that_was_deleted(s3, bucket, size):
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"null again")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    s3.put_object(Bucket=bucket, Key="l", Body=b"3")
    assert sum(delete_page_by_page(s3, bucket, size)) == 4
    s3.delete_bucket(Bucket=bucket)


def test_ListObjectVersions__prefix_and_delimiter(s3, history):
    bucket, made = history
    answer = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert expect.prefixes_of(answer) == ["c/"]
    assert len(answer["Versions"]) == 4
    answer = s3.list_object_versions(Bucket=bucket, Prefix="c/")
    assert [item["Key"] for item in answer["Versions"]] == ["c/d"]
    assert "DeleteMarkers" not in answer


def test_ListObjectVersions__entry(s3, history):
    bucket, _ = history
    answer = s3.list_object_versions(Bucket=bucket, Prefix="a")
    first = answer["Versions"][0]
    assert (first["Size"], first["ETag"], first["StorageClass"]) == (3, expect.md5_etag(b"333"), "STANDARD")
    assert first["Owner"]["ID"] == s3.list_buckets()["Owner"]["ID"]
    marker = s3.list_object_versions(Bucket=bucket, Prefix="b")["DeleteMarkers"][0]
    assert marker["Owner"]["ID"] == first["Owner"]["ID"]
    assert "Size" not in marker


def test_ListObjectsV2__hides_deleted_keys(s3, history):
    bucket, _ = history
    assert expect.keys_of(s3.list_objects_v2(Bucket=bucket)) == ["a", "c/d"]


@pytest.mark.parametrize("query", ["", "?list-type=2", "?versions"])
@pytest.mark.parametrize("value,refused", [
    ("RestoreStatus", False), ("RestoreStatus, RestoreStatus", False), ("ETag", True), ("RestoreStatus,", True),
    ("restorestatus", True), ("", True),
])  # fmt: skip
def test_ListObjectsV2__optional_attributes_are_known_ones(server, root_user, s3, bucket, query, value, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    headers = [("x-amz-optional-object-attributes", value)]
    reply = raw.signed(server.url, root_user, "GET", f"/{bucket}{query}", headers=headers)
    assert (reply.status, reply.code) == ((400, "InvalidArgument") if refused else (200, None))
    assert b"RestoreStatus" not in reply.body or refused  # it was never restored

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests signed by botocore, as C tables for tests/unit/auth.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install botocore==1.44.5
    /tmp/venv/bin/python tests/vectors/make_vectors.py > tests/vectors/auth_vectors.h

botocore signs with its clock stopped, so the output depends on its version only. Nothing is sent.
"""
import datetime
import io
import re
import sys
from unittest import mock
from urllib.parse import urlsplit

import botocore
import botocore.auth
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

NOW = datetime.datetime(2026, 11, 21, 5, 25, 23, tzinfo=datetime.timezone.utc)
NOW_S = int(NOW.timestamp())
KEY, SECRET, TOKEN = "PAILEXAMPLE", "secret/with+odd=chars", "token/with+odd=chars&more"
BASE = "http://127.0.0.1:9000"
VHOST = "http://s3.localhost:9000"

KEYS = [
    "plain",
    "a b+c",
    "ü €🪣",
    "a//b/../c/./",
    "~tilde-_.!*'()",
    "100%",
    "%2F%25",
    ";:@&=+$,?#[]",
    "<>\"\\^`{|}",
]


class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return NOW if tz else NOW.replace(tzinfo=None)


def client(version, token=None, endpoint=BASE, style="path", region="us-east-1"):
    session = botocore.session.Session()
    config = Config(
        signature_version=version,
        s3={"addressing_style": style},
        retries={"max_attempts": 0},
        request_checksum_calculation="when_supported",
    )
    return session.create_client(
        "s3", region_name=region, endpoint_url=endpoint, aws_access_key_id=KEY,
        aws_secret_access_key=SECRET, aws_session_token=token, config=config)


class Vectors:
    def __init__(self):
        self.requests = []
        self.posts = []

    def sent(self, scheme, name, s3, operation, virtual=None, token=None, **params):
        """What the client puts on the wire for an operation."""
        caught = []

        def catch(request, **_):
            caught.append(request)
            raw = mock.Mock()
            raw.stream.return_value = iter([b""])
            raw.read.return_value = b""
            return AWSResponse(request.url, 500, {}, raw)

        s3.meta.events.register_first("before-send.s3", catch)
        try:
            getattr(s3, operation)(**params)
        except Exception:  # the answer is empty: most operations dislike it
            pass
        s3.meta.events.unregister("before-send.s3", catch)
        request = caught[0]
        headers = []
        for header, value in request.headers.items():
            # Unsigned, and different at each run.
            if header.lower() in ("user-agent", "amz-sdk-invocation-id", "amz-sdk-request"):
                continue
            value = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            headers.append((header, value))
        self.add(scheme, name, request.method, request.url, headers, virtual, token)

    def presigned(self, scheme, name, s3, operation, headers=(), virtual=None, token=None,
                  method=None, **params):
        url = s3.generate_presigned_url(operation, Params=params, ExpiresIn=600)
        method = method or {"get": "GET", "put": "PUT", "head": "HEAD", "delete": "DELETE",
                            "upload": "PUT", "list": "GET", "create": "POST",
                            "complete": "POST"}[operation.split("_")[0]]
        self.add(scheme, name, method, url, list(headers), virtual, token)

    def add(self, scheme, name, method, url, headers, virtual, token):
        parts = urlsplit(url)
        if virtual and not parts.netloc.startswith(virtual + "."):
            virtual = None
        target = url[len(parts.scheme) + 3 + len(parts.netloc):] or "/"
        self.requests.append((scheme, name, method, target, parts.netloc, headers, virtual, token))

    def variant(self, name, change):
        """The last request with its target spelt otherwise: the signature must still hold."""
        scheme, old, method, target, host, headers, virtual, token = self.requests[-1]
        changed = change(target)
        assert changed != target, name
        self.requests.append((scheme, f"{old}, {name}", method, changed, host, headers, virtual,
                              token))

    def post(self, scheme, name, s3, token=None, **params):
        made = s3.generate_presigned_post(ExpiresIn=600, **params)
        self.posts.append((scheme, name, params["Bucket"], list(made["fields"].items()), token))


def operations(vectors, scheme, s3, virtual=None, token=None):
    def sent(name, operation, **params):
        vectors.sent(scheme, name, s3, operation, virtual, token, **params)

    sent("list buckets", "list_buckets")
    sent("create bucket", "create_bucket", Bucket="bucket")
    for key in KEYS:
        sent(f"put {key}", "put_object", Bucket="bucket", Key=key, Body=b"hello",
             ContentType="text/plain", Metadata={"a": "1", "B-c": "x  y   z"})
        sent(f"get {key}", "get_object", Bucket="bucket", Key=key)
    sent("get range", "get_object", Bucket="bucket", Key="k", Range="bytes=0-9",
         VersionId="a.b-c_d", ResponseContentType="text/plain; charset=utf-8",
         ResponseContentDisposition='attachment; filename="a b.txt"')
    sent("head", "head_object", Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    sent("put acl header", "put_object", Bucket="bucket", Key="k", Body=b"", ACL="public-read",
         CacheControl="max-age=1", StorageClass="STANDARD", Tagging="a=b&c=d%20e")
    sent("copy", "copy_object", Bucket="bucket", Key="k",
         CopySource={"Bucket": "from", "Key": "a b/ü", "VersionId": "v1"})
    sent("list v2", "list_objects_v2", Bucket="bucket", Prefix="a b+c/ü", Delimiter="/",
         MaxKeys=7, StartAfter="x&y=z", ContinuationToken="a/b+c==")
    sent("list v1", "list_objects", Bucket="bucket", Prefix="up")
    sent("list versions", "list_object_versions", Bucket="bucket")
    sent("delete objects", "delete_objects", Bucket="bucket",
         Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    sent("create multipart", "create_multipart_upload", Bucket="bucket", Key="k")
    sent("upload part", "upload_part", Bucket="bucket", Key="k", PartNumber=7, UploadId="u-1",
         Body=b"part")
    sent("complete", "complete_multipart_upload", Bucket="bucket", Key="k", UploadId="u-1",
         MultipartUpload={"Parts": [{"ETag": '"x"', "PartNumber": 1}]})
    sent("get acl", "get_object_acl", Bucket="bucket", Key="k", VersionId="v1")
    sent("put tagging", "put_object_tagging", Bucket="bucket", Key="k",
         Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    sent("get location", "get_bucket_location", Bucket="bucket")
    sent("get policy", "get_bucket_policy", Bucket="bucket")
    sent("delete", "delete_object", Bucket="bucket", Key="k", VersionId="null")


def collect():
    vectors = Vectors()

    v4 = client("s3v4")
    operations(vectors, "AUTH_V4_HEADER", v4)
    operations(vectors, "AUTH_V4_HEADER", client("s3v4", endpoint=VHOST, style="virtual"),
               virtual="bucket")
    vectors.sent("AUTH_V4_HEADER", "another region", client("s3v4", region="eu-central-1"),
                 "get_object", Bucket="bucket", Key="k")
    vectors.sent("AUTH_V4_HEADER", "session token", client("s3v4", TOKEN), "get_object",
                 token=TOKEN, Bucket="bucket", Key="k")
    # Clients spell targets in ways botocore does not; the signature is over the same key.
    vectors.sent("AUTH_V4_HEADER", "respelt", v4, "get_object", Bucket="bucket", Key="ü /(a)",
                 VersionId="x/y z")
    vectors.variant("lower-case escapes",
                    lambda t: re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), t))
    vectors.variant("plus for a blank", lambda t: t.replace("%20", "+"))
    vectors.variant("path with plain parentheses",
                    lambda t: re.sub("%28a%29", "(a)", t))
    vectors.sent("AUTH_V4_HEADER", "query", v4, "list_objects_v2", Bucket="bucket",
                 Prefix="a b+c/", Delimiter="/")
    vectors.variant("plain slashes", lambda t: t.replace("%2F", "/"))
    vectors.variant("plus for a blank", lambda t: t.replace("%20", "+"))
    vectors.variant("another order",
                    lambda t: t.split("?")[0] + "?" + "&".join(reversed(t.split("?")[1].split("&"))))

    q4 = client("s3v4")
    vectors.presigned("AUTH_V4_QUERY", "get", q4, "get_object", Bucket="bucket", Key="a b/ü")
    vectors.presigned("AUTH_V4_QUERY", "get version, response headers", q4, "get_object",
                      Bucket="bucket", Key="k", VersionId="v1",
                      ResponseContentDisposition='attachment; filename="ü.txt"',
                      ResponseContentType="text/plain")
    vectors.presigned("AUTH_V4_QUERY", "put with headers", q4, "put_object", Bucket="bucket",
                      Key="k", ContentType="image/png", ACL="public-read", Metadata={"a": "b c"},
                      headers=[("Content-Type", "image/png"), ("x-amz-acl", "public-read"),
                               ("x-amz-meta-a", "b c")])
    vectors.presigned("AUTH_V4_QUERY", "upload part", q4, "upload_part", Bucket="bucket", Key="k",
                      UploadId="u", PartNumber=2)
    vectors.presigned("AUTH_V4_QUERY", "virtual", client("s3v4", endpoint=VHOST, style="virtual"),
                      "get_object", virtual="bucket", Bucket="bucket", Key="k")
    vectors.presigned("AUTH_V4_QUERY", "session token", client("s3v4", TOKEN), "get_object",
                      token=TOKEN, Bucket="bucket", Key="k")
    vectors.presigned("AUTH_V4_QUERY", "list", q4, "list_objects_v2", Bucket="bucket",
                      Prefix="a/b")

    operations(vectors, "AUTH_V2_HEADER", client("s3"))
    operations(vectors, "AUTH_V2_HEADER", client("s3", endpoint=VHOST, style="virtual"),
               virtual="bucket")
    vectors.sent("AUTH_V2_HEADER", "session token", client("s3", TOKEN), "get_object",
                 token=TOKEN, Bucket="bucket", Key="k")

    q2 = client("s3-query")
    for key in KEYS:
        vectors.presigned("AUTH_V2_QUERY", f"get {key}", q2, "get_object", Bucket="bucket",
                          Key=key)
    vectors.presigned("AUTH_V2_QUERY", "get version, response headers", q2, "get_object",
                      Bucket="bucket", Key="k", VersionId="v1",
                      ResponseContentDisposition='attachment; filename="ü.txt"',
                      ResponseContentType="text/plain")
    vectors.presigned("AUTH_V2_QUERY", "get, blanks", q2, "get_object", Bucket="bucket", Key="a b",
                      ResponseContentDisposition='attachment; filename="a b.txt"')
    vectors.variant("plus for a blank", lambda t: t.replace("%20", "+"))
    put = dict(Bucket="bucket", Key="k", ContentType="image/png", ACL="public-read",
               Metadata={"a": "b c"}, ServerSideEncryption="AES256", StorageClass="STANDARD",
               ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    vectors.presigned("AUTH_V2_QUERY", "put, hoisted only", q2, "put_object", **put)
    vectors.presigned("AUTH_V2_QUERY", "put, hoisted and sent", q2, "put_object", **put,
                      headers=[("Content-Type", "image/png"), ("X-Amz-Acl", "public-read")])
    vectors.presigned("AUTH_V2_QUERY", "upload part", q2, "upload_part", Bucket="bucket", Key="k",
                      UploadId="u", PartNumber=2)
    vectors.presigned("AUTH_V2_QUERY", "create multipart", q2, "create_multipart_upload",
                      Bucket="bucket", Key="k", ContentType="a/b")
    vectors.presigned("AUTH_V2_QUERY", "virtual",
                      client("s3-query", endpoint=VHOST, style="virtual"), "get_object",
                      virtual="bucket", Bucket="bucket", Key="k")
    vectors.presigned("AUTH_V2_QUERY", "session token", client("s3-query", TOKEN), "get_object",
                      token=TOKEN, Bucket="bucket", Key="k")
    vectors.presigned("AUTH_V2_QUERY", "list", q2, "list_objects_v2", Bucket="bucket",
                      Prefix="a/b")

    for scheme, version in (("AUTH_V4_POST", "s3v4"), ("AUTH_V2_POST", "s3")):
        vectors.post(scheme, "plain", client(version), Bucket="bucket", Key="k")
        vectors.post(scheme, "filename", client(version), Bucket="bucket",
                     Key="user/${filename}")
        vectors.post(scheme, "fields", client(version), Bucket="bucket", Key="k",
                     Fields={"acl": "public-read", "Content-Type": "image/png",
                             "x-amz-meta-a": "ü"},
                     Conditions=[{"acl": "public-read"},
                                 ["starts-with", "$Content-Type", "image/"],
                                 ["eq", "$x-amz-meta-a", "ü"],
                                 ["content-length-range", 1, 10485760]])
        vectors.post(scheme, "session token", client(version, TOKEN), token=TOKEN,
                     Bucket="bucket", Key="k")

    return vectors


def c_string(text):
    if text is None:
        return "NULL"
    out = io.StringIO()
    out.write('"')
    hexed = False
    for byte in text.encode():
        char = chr(byte)
        if char in '"\\':
            out.write("\\" + char)
            hexed = False
        elif char == "\n":
            out.write("\\n")
            hexed = False
        elif 32 <= byte < 127:
            if hexed and char in "0123456789abcdefABCDEF":
                out.write('" "')
            out.write('?" "' if char == "?" else char)  # never a trigraph
            hexed = False
        else:
            out.write(f"\\x{byte:02x}")
            hexed = True
    out.write('"')
    return out.getvalue()


def emit(vectors, out):
    print(f"""/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and forms signed by botocore {botocore.__version__}. Made by make_vectors.py: do not edit.
 */
#ifndef TESTS_VECTORS_AUTH_VECTORS_H
#define TESTS_VECTORS_AUTH_VECTORS_H

#define VECTORS_NOW_S {NOW_S}
#define VECTORS_ACCESS_KEY {c_string(KEY)}
#define VECTORS_SECRET {c_string(SECRET)}
#define VECTORS_TOKEN {c_string(TOKEN)}

struct request_vector {{
    enum auth_scheme scheme;
    const char *name, *method, *target, *host;
    const char *virtual_bucket; /* NULL: path style */
    const char *token;          /* NULL: a permanent key */
    const char *headers;        /* "Name: value\\n"... */
}};

static const struct request_vector request_vectors[] = {{""", file=out)
    for scheme, name, method, target, host, headers, virtual, token in vectors.requests:
        lines = "".join(f"{n}: {v}\n" for n, v in headers)
        print(f"    {{ {scheme}, {c_string(name)}, {c_string(method)},\n"
              f"      {c_string(target)},\n"
              f"      {c_string(host)}, {c_string(virtual)}, {c_string(token)},\n"
              f"      {c_string(lines)} }},", file=out)
    print("""};

struct post_vector {
    enum auth_scheme scheme;
    const char *name, *bucket, *token;
    const char *fields; /* "name: value\\n"... */
};

static const struct post_vector post_vectors[] = {""", file=out)
    for scheme, name, bucket, fields, token in vectors.posts:
        lines = "".join(f"{n}: {v}\n" for n, v in fields)
        print(f"    {{ {scheme}, {c_string(name)}, {c_string(bucket)}, {c_string(token)},\n"
              f"      {c_string(lines)} }},", file=out)
    print("};\n\n#endif", file=out)


def main():
    import time
    with mock.patch("time.time", lambda: float(NOW_S)), \
            mock.patch.object(botocore.auth, "get_current_datetime",
                              lambda remove_tzinfo=True: NOW.replace(tzinfo=None)
                              if remove_tzinfo else NOW), \
            mock.patch("email.utils.datetime.datetime", Fixed), \
            mock.patch("botocore.auth.formatdate",
                       lambda usegmt=True: NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")), \
            mock.patch("botocore.signers.get_current_datetime",
                       lambda remove_tzinfo=True: NOW.replace(tzinfo=None)
                       if remove_tzinfo else NOW):
        del time
        emit(collect(), sys.stdout)


if __name__ == "__main__":
    main()

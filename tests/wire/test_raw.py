# SPDX-License-Identifier: Apache-2.0
"""The signer of these tests against the examples AWS publishes. Needs no server.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

import datetime

from wire import raw

WHEN = datetime.datetime(2013, 5, 24, tzinfo=datetime.timezone.utc)
USER = raw.User("example", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = ("Host", "examplebucket.s3.amazonaws.com")


def test_raw_sign_v4__published_get_object():
    request = raw.Request("GET", "/test.txt", [HOST, ("Range", "bytes=0-9")])
    assert raw.sign_v4(request, USER, when=WHEN).text == (
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


def test_raw_sign_v4__published_list_objects():
    request = raw.Request("GET", "/?max-keys=2&prefix=J", [HOST])
    assert raw.sign_v4(request, USER, when=WHEN).text == (
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")


def test_raw_presign_v4__published_get_object():
    request = raw.Request("GET", "/test.txt", [HOST])
    assert raw.presign_v4(request, USER, 86400, when=WHEN).text == (
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_raw_chunk_signature__published_upload():
    request = raw.Request("PUT", "/examplebucket/chunkObject.txt", [
        ("Host", "s3.amazonaws.com"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("Content-Encoding", "aws-chunked"), ("x-amz-decoded-content-length", "66560"),
        ("Content-Length", "66824")])  # fmt: skip
    signature = raw.sign_v4(request, USER, raw.SIGNED_CHUNKS, when=WHEN)
    assert signature.text == "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    first = raw.chunk_signature(signature, signature.text, b"a" * 65536)
    assert first == "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
    second = raw.chunk_signature(signature, first, b"a" * 1024)
    assert second == "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
    assert len(raw.frame_signed(signature, b"a" * 66560)) == 66824


def test_raw_sign_v2__published_get_object():
    user = raw.User("example", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    request = raw.Request("GET", "/photos/puppy.jpg", [
        ("Host", "awsexamplebucket1.us-west-1.s3.amazonaws.com"),
        ("Date", "Tue, 27 Mar 2007 19:36:42 +0000")])  # fmt: skip
    text = raw.sign_v2(request, user, resource="/awsexamplebucket1/photos/puppy.jpg")
    assert text == ("GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n"
                    "/awsexamplebucket1/photos/puppy.jpg")  # fmt: skip
    assert request.header("Authorization") == "AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g="

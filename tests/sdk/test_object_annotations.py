# SPDX-License-Identifier: Apache-2.0
"""Annotations of objects, as boto3 asks for them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
"""

import hashlib

import pytest

from sdk import expect

LABELS = '{"labels": ["Kätzchen", "猫"]}'.encode()


@pytest.fixture
def annotated(s3, bucket):
    s3.put_object(Bucket=bucket, Key="key", Body=b"data", Metadata={"a": "b"})
    s3.put_object_annotation(Bucket=bucket, Key="key", AnnotationName="ml.labels", AnnotationPayload=LABELS)
    return bucket


def names(s3, bucket, key="key", **arguments):
    found = s3.list_object_annotations(Bucket=bucket, Key=key, **arguments)
    return [entry["AnnotationName"] for entry in found.get("Annotations", [])]


def text(s3, bucket, name, key="key", **arguments):
    return s3.get_object_annotation(Bucket=bucket, Key=key, AnnotationName=name, **arguments)["AnnotationPayload"].read()


def test_PutObjectAnnotation__is_kept_beside_the_object(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"data")
    before = s3.head_object(Bucket=bucket, Key="key")
    made = s3.put_object_annotation(Bucket=bucket, Key="key", AnnotationName="a", AnnotationPayload=LABELS)
    assert made["ETag"] == f'"{hashlib.md5(LABELS).hexdigest()}"'
    assert (made["Key"], made["AnnotationName"], made["ServerSideEncryption"]) == ("key", "a", "AES256")
    assert made["ChecksumType"] == "FULL_OBJECT"
    assert "ObjectVersionId" not in made
    found = s3.get_object_annotation(Bucket=bucket, Key="key", AnnotationName="a", ChecksumMode="ENABLED")
    assert found["AnnotationPayload"].read() == LABELS
    assert (found["ETag"], found["ContentLength"]) == (made["ETag"], len(LABELS))
    after = s3.head_object(Bucket=bucket, Key="key")
    assert (after["ETag"], after["LastModified"]) == (put["ETag"], before["LastModified"])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"data"


def test_PutObjectAnnotation__writes_over_the_one_of_that_name(s3, annotated):
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="ml.labels", AnnotationPayload=b"new")
    assert names(s3, annotated) == ["ml.labels"]
    assert text(s3, annotated, "ml.labels") == b"new"


@pytest.mark.parametrize("size", [1, 65536, 65537, 1 << 20])
def test_GetObjectAnnotation__answers_texts_of_every_size(s3, annotated, size):
    payload = b"x" * size
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="sized", AnnotationPayload=payload)
    assert text(s3, annotated, "sized") == payload
    entry = s3.list_object_annotations(Bucket=annotated, Key="key", AnnotationPrefix="sized")["Annotations"][0]
    assert entry["Size"] == size


def test_GetObjectAnnotation__of_none_by_that_name(s3, annotated):
    with expect.refused(404, "NoSuchAnnotation"):
        text(s3, annotated, "other")
    with expect.refused(404, "NoSuchKey"):
        text(s3, annotated, "ml.labels", key="other")


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_PutObjectAnnotation__keeps_the_checksum_that_was_asked_for(any_s3, annotated, algorithm):
    made = any_s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="sum", AnnotationPayload=LABELS,
                                        ChecksumAlgorithm=algorithm)  # fmt: skip
    found = any_s3.get_object_annotation(Bucket=annotated, Key="key", AnnotationName="sum", ChecksumMode="ENABLED")
    assert found["Checksum" + algorithm] == made["Checksum" + algorithm]
    assert found["AnnotationPayload"].read() == LABELS
    entry = any_s3.list_object_annotations(Bucket=annotated, Key="key", AnnotationPrefix="sum")["Annotations"][0]
    assert entry["ChecksumAlgorithm"] == [algorithm]


def test_DeleteObjectAnnotation__removes_one_and_no_other(s3, annotated):
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="kept", AnnotationPayload=b"1")
    for _ in range(2):
        gone = s3.delete_object_annotation(Bucket=annotated, Key="key", AnnotationName="ml.labels")
        assert expect.status_of(gone) == 204
    assert names(s3, annotated) == ["kept"]
    s3.delete_object_annotation(Bucket=annotated, Key="key", AnnotationName="kept")
    assert names(s3, annotated) == []


def test_ListObjectAnnotations__by_prefix_and_in_pages(s3, annotated):
    for number in range(25):
        s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName=f"page-{number:02}", AnnotationPayload=b"x")
    everything = ["ml.labels"] + [f"page-{number:02}" for number in range(25)]
    assert names(s3, annotated) == everything
    pages = list(s3.get_paginator("list_object_annotations").paginate(
        Bucket=annotated, Key="key", AnnotationPrefix="page-", PaginationConfig={"PageSize": 10}))
    assert [page["AnnotationCount"] for page in pages] == [10, 10, 5]
    assert [entry["AnnotationName"] for page in pages for entry in page["Annotations"]] == everything[1:]
    assert pages[0]["MaxAnnotationResults"] == 10 and pages[0]["AnnotationPrefix"] == "page-"
    assert "NextContinuationToken" not in pages[-1]
    assert names(s3, annotated, AnnotationPrefix="none") == []


def test_ListObjectAnnotations__a_page_that_is_just_full_is_the_last(s3, annotated):
    found = s3.list_object_annotations(Bucket=annotated, Key="key", MaxAnnotationResults=1)
    assert found["AnnotationCount"] == 1 and "NextContinuationToken" not in found
    assert (found["Bucket"], found["Key"]) == (annotated, "key")


def test_PutObjectAnnotation__belongs_to_one_version(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    made = s3.put_object_annotation(Bucket=versioned, Key="key", AnnotationName="a", AnnotationPayload=b"of the first")
    assert made["ObjectVersionId"] == first
    second = s3.put_object(Bucket=versioned, Key="key", Body=b"2")["VersionId"]
    assert names(s3, versioned) == []
    assert names(s3, versioned, VersionId=first) == ["a"]
    s3.put_object_annotation(Bucket=versioned, Key="key", VersionId=first, AnnotationName="b", AnnotationPayload=b"late")
    s3.delete_object(Bucket=versioned, Key="key")
    with expect.refused(404, "NoSuchKey"):
        names(s3, versioned)
    assert names(s3, versioned, VersionId=first) == ["a", "b"]
    assert text(s3, versioned, "b", VersionId=first) == b"late"
    s3.delete_object(Bucket=versioned, Key="key", VersionId=first)
    with expect.refused(404, "NoSuchVersion"):
        names(s3, versioned, VersionId=first)
    assert names(s3, versioned, VersionId=second) == []


def test_PutObjectAnnotation__goes_with_the_object(s3, annotated):
    s3.put_object(Bucket=annotated, Key="key", Body=b"over")
    assert names(s3, annotated) == []
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="a", AnnotationPayload=b"1")
    s3.delete_objects(Bucket=annotated, Delete={"Objects": [{"Key": "key"}]})
    s3.put_object(Bucket=annotated, Key="key", Body=b"anew")
    assert names(s3, annotated) == []


def test_PutObjectAnnotation__on_condition_of_the_objects_etag(s3, annotated):
    etag = s3.head_object(Bucket=annotated, Key="key")["ETag"]
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="a", AnnotationPayload=b"1", ObjectIfMatch=etag)
    with expect.refused(412, "PreconditionFailed"):
        s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="a", AnnotationPayload=b"2",
                                 ObjectIfMatch='"0123"')  # fmt: skip
    with expect.refused(412, "PreconditionFailed"):
        s3.delete_object_annotation(Bucket=annotated, Key="key", AnnotationName="a", ObjectIfMatch='"0123"')
    assert text(s3, annotated, "a") == b"1"
    s3.delete_object_annotation(Bucket=annotated, Key="key", AnnotationName="a", ObjectIfMatch=etag)
    assert names(s3, annotated) == ["ml.labels"]


def test_CopyObject__brings_the_annotations_along(s3, annotated):
    source = {"Bucket": annotated, "Key": "key"}
    s3.put_object_annotation(Bucket=annotated, Key="key", AnnotationName="large", AnnotationPayload=b"x" * 200_000)
    s3.copy_object(Bucket=annotated, Key="copy", CopySource=source)
    s3.copy_object(Bucket=annotated, Key="said", CopySource=source, AnnotationDirective="COPY")
    s3.copy_object(Bucket=annotated, Key="without", CopySource=source, AnnotationDirective="EXCLUDE")
    for key in ("copy", "said"):
        assert names(s3, annotated, key) == ["large", "ml.labels"]
        assert text(s3, annotated, "large", key) == b"x" * 200_000
    assert names(s3, annotated, "without") == []
    s3.delete_object(Bucket=annotated, Key="key")
    assert text(s3, annotated, "ml.labels", "copy") == LABELS


def test_CopyObject__onto_itself_keeps_the_annotations(s3, annotated):
    s3.copy_object(Bucket=annotated, Key="key", CopySource={"Bucket": annotated, "Key": "key"}, MetadataDirective="REPLACE")
    assert text(s3, annotated, "ml.labels") == LABELS
    s3.copy_object(Bucket=annotated, Key="key", CopySource={"Bucket": annotated, "Key": "key"},
                   MetadataDirective="REPLACE", AnnotationDirective="EXCLUDE")  # fmt: skip
    assert names(s3, annotated) == []


@pytest.mark.parametrize("method", ["AES256", "aws:kms"])
def test_CopyObject__wraps_the_annotations_as_the_copy_is_encrypted(s3, annotated, method):
    s3.copy_object(Bucket=annotated, Key="copy", CopySource={"Bucket": annotated, "Key": "key"}, ServerSideEncryption=method)
    found = s3.get_object_annotation(Bucket=annotated, Key="copy", AnnotationName="ml.labels")
    assert (found["ServerSideEncryption"], found["AnnotationPayload"].read()) == (method, LABELS)


def test_CompleteMultipartUpload__has_no_annotations_and_can_get_some(s3, annotated):
    upload = s3.create_multipart_upload(Bucket=annotated, Key="whole")["UploadId"]
    part = s3.upload_part_copy(Bucket=annotated, Key="whole", UploadId=upload, PartNumber=1,
                               CopySource={"Bucket": annotated, "Key": "key"})  # fmt: skip
    s3.complete_multipart_upload(Bucket=annotated, Key="whole", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    assert names(s3, annotated, "whole") == []
    s3.put_object_annotation(Bucket=annotated, Key="whole", AnnotationName="a", AnnotationPayload=b"1")
    assert text(s3, annotated, "a", "whole") == b"1"

# SPDX-License-Identifier: Apache-2.0
"""What Terraform's AWS provider asks of a bucket: each call of the refresh of aws_s3_bucket and of the resources
beside it, of a bucket without documents, with every one, and after they are gone.

An answer that differs from what was put is a plan that never ends: what is read has to be what was put, element by
element and in order, as often as it is read or put again.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import dataclasses

import pytest

from sdk import expect
from sdk.cloud import bucket_name
from tools import documents, routes


@dataclasses.dataclass(frozen=True)
class Document:
    """put_X(Bucket, **put) and get_X(Bucket, **name), whose answer is put again, and what it is without."""

    call: str
    put: dict
    without: object  # the code of the refusal, or the whole answer
    gone: object = True  # delete_X takes it away; a dict: is put instead
    name: dict = dataclasses.field(default_factory=dict)
    delete: str = ""  # where it is called otherwise
    shown: object = None  # what is answered, where that is not what was put
    listed: tuple = ()  # the call and the element of a list


UNSET = "NoSuchConfiguration"
LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
KMS = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/refresh"}, "BucketKeyEnabled": True}
RULES = [
    {"ID": "second", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30},
     "NoncurrentVersionExpiration": {"NoncurrentDays": 7}},
    {"ID": "first", "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "x", "Value": "y"}]}}, "Status": "Disabled",
     "Transitions": [{"Days": 60, "StorageClass": "GLACIER"}, {"Days": 30, "StorageClass": "STANDARD_IA"}]},
    {"ID": "abort", "Filter": {"Prefix": ""}, "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
]  # fmt: skip
CORS = [
    {"ID": "b", "AllowedHeaders": ["x-*", "content-type"], "AllowedMethods": ["PUT", "GET"],
     "AllowedOrigins": ["https://b.example", "https://*.a.example"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3000},
    {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
]  # fmt: skip
WEBSITE = {
    "IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "errors/404.html"},
    "RoutingRules": [{"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}}],
}  # fmt: skip
REPORT = "arn:aws:s3:::reports"
ANALYTICS = {"Id": "all", "Filter": {"Prefix": "a/"}, "StorageClassAnalysis": {"DataExport": {
    "OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": {"Format": "CSV", "Bucket": REPORT, "Prefix": "x"}}}}}  # fmt: skip
INVENTORY = {"Destination": {"S3BucketDestination": {"Bucket": REPORT, "Format": "CSV", "Prefix": "x"}}, "IsEnabled": True, "Id": "all",
             "IncludedObjectVersions": "All", "OptionalFields": ["Size", "ETag"], "Schedule": {"Frequency": "Daily"}}  # fmt: skip
METRICS = {"Id": "all", "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "x", "Value": "y"}]}}}
TOLD = {"QueueConfigurations": [{"Id": "all", "QueueArn": "arn:aws:sqs:us-east-1:000000000000:nobody", "Events": ["s3:ObjectCreated:*"],
                                 "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "a/"}]}}}]}  # fmt: skip
TIERING = {"Id": "all", "Filter": {"Prefix": "a/"}, "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}


def many(call, argument, value):
    return Document(call, {"Id": "all", argument: value}, UNSET, name={"Id": "all"}, shown={argument: value},
                    listed=(f"list_{call}s", f"{argument}List"))  # fmt: skip


def table(bucket, target):
    """By kind. What the provider reads besides, and has no document of its own, is in refresh()."""
    text = documents.policy_of(bucket).decode()
    replication = {"Role": "arn:aws:iam::000000000000:role/replication", "Rules": [
        {"ID": "all", "Priority": 1, "Filter": {"Prefix": ""}, "Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{target}"},
         "DeleteMarkerReplication": {"Status": "Disabled"}}]}  # fmt: skip
    return {
        "policy": Document("bucket_policy", {"Policy": text}, "NoSuchBucketPolicy"),
        "cors": Document("bucket_cors", {"CORSConfiguration": {"CORSRules": CORS}}, "NoSuchCORSConfiguration", shown={"CORSRules": CORS}),
        "website": Document("bucket_website", {"WebsiteConfiguration": WEBSITE}, "NoSuchWebsiteConfiguration", shown=WEBSITE),
        "accelerate": Document("bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}, {},
                               {"AccelerateConfiguration": {"Status": "Suspended"}}, shown={"Status": "Enabled"}),
        "requestPayment": Document("bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}},
                                   {"Payer": "BucketOwner"}, {"RequestPaymentConfiguration": {"Payer": "BucketOwner"}},
                                   shown={"Payer": "Requester"}),
        "logging": Document("bucket_logging", {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "log/"}}},
                            {}, {"BucketLoggingStatus": {}}, shown={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "log/"}}),
        "lifecycle": Document("bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": RULES}},
                              "NoSuchLifecycleConfiguration", delete="bucket_lifecycle",
                              shown={"Rules": RULES, "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"}),
        "replication": Document("bucket_replication", {"ReplicationConfiguration": replication},
                                "ReplicationConfigurationNotFoundError", shown={"ReplicationConfiguration": replication}),
        "encryption": Document("bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [KMS]}},
                               "ServerSideEncryptionConfigurationNotFoundError",
                               shown={"ServerSideEncryptionConfiguration": {"Rules": [KMS]}}),
        "object-lock": Document("object_lock_configuration", {"ObjectLockConfiguration": LOCK},
                                {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
                                {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}, shown={"ObjectLockConfiguration": LOCK}),
        "tagging": Document("bucket_tagging", {"Tagging": {"TagSet": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": ""}]}},
                            "NoSuchTagSet", shown={"TagSet": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": ""}]}),
        "notification": Document("bucket_notification_configuration", {"NotificationConfiguration": TOLD}, {},
                                 {"NotificationConfiguration": {}}, shown=TOLD),
        "ownershipControls": Document("bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
                                      "OwnershipControlsNotFoundError"),
        "publicAccessBlock": Document("public_access_block", {"PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}},
            "NoSuchPublicAccessBlockConfiguration"),
        # Enabled, it would leave PutBucketTagging to TagResource.
        "abac": Document("bucket_abac", {"AbacStatus": {"Status": "Disabled"}}, {"AbacStatus": {"Status": "Disabled"}},
                         {"AbacStatus": {"Status": "Disabled"}}),
        "analytics": many("bucket_analytics_configuration", "AnalyticsConfiguration", ANALYTICS),
        "inventory": many("bucket_inventory_configuration", "InventoryConfiguration", INVENTORY),
        "metrics": many("bucket_metrics_configuration", "MetricsConfiguration", METRICS),
        "intelligent-tiering": many("bucket_intelligent_tiering_configuration", "IntelligentTieringConfiguration", TIERING),
    }  # fmt: skip


KEPT = sorted(set(table("", "")) & routes.kept_documents())


def content(response):
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


class Bucket:
    """One that has a lock from the start, as the provider makes it, and a second one for what names another."""

    def __init__(self, s3):
        self.s3 = s3
        self.name, self.target = bucket_name("refresh"), bucket_name("target")
        s3.create_bucket(Bucket=self.target, ACL="log-delivery-write")
        s3.put_bucket_versioning(Bucket=self.target, VersioningConfiguration={"Status": "Enabled"})
        s3.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=True)
        every = table(self.name, self.target)
        self.documents = {kind: every[kind] for kind in KEPT}

    def call(self, verb, document, **arguments):
        name = document.delete if verb == "delete" and document.delete else document.call
        return getattr(self.s3, f"{verb}_{name}")(Bucket=self.name, **arguments)

    def get(self, document):
        """The answer, or the code of the refusal."""
        try:
            return content(self.call("get", document, **document.name))
        except self.s3.exceptions.ClientError as refusal:
            assert expect.status_of(refusal.response) == 404
            return refusal.response["Error"]["Code"]

    def refresh(self):
        """Every call of the provider, by name."""
        s3, where = self.s3, {"Bucket": self.name}
        assert s3.head_bucket(**where)["BucketRegion"] == "us-east-1"
        found = {kind: self.get(document) for kind, document in self.documents.items()}
        found["location"] = content(s3.get_bucket_location(**where))
        found["acl"] = content(s3.get_bucket_acl(**where))
        found["versioning"] = content(s3.get_bucket_versioning(**where))
        for kind, document in self.documents.items():
            if document.listed:
                call, element = document.listed
                found[f"{kind} listed"] = getattr(s3, call)(**where).get(element, [])
        return found

    def put_all(self):
        for document in self.documents.values():
            self.call("put", document, **document.put)

    def put_away(self):
        for document in self.documents.values():
            if document.gone is True:
                self.call("delete", document, **document.name)
            else:
                self.call("put", document, **document.gone)


@pytest.fixture
def refreshed(s3):
    return Bucket(s3)


def expected(bucket, with_documents):
    found = {}
    for kind, document in bucket.documents.items():
        found[kind] = (document.shown or document.put) if with_documents else document.without
        if document.listed:
            found[f"{kind} listed"] = list(document.shown.values()) if with_documents else []
    return found


def without_the_rest(found):
    return {kind: value for kind, value in found.items() if kind not in ("location", "acl", "versioning")}


def test_refresh__has_every_document_that_is_kept():
    assert set(KEPT) == routes.kept_documents()


def test_refresh__of_a_bucket_without_documents_is_told_so(refreshed):
    found = refreshed.refresh()
    assert without_the_rest(found) == expected(refreshed, with_documents=False)
    assert found["location"] == {"LocationConstraint": None}
    assert found["versioning"] == {"Status": "Enabled"}
    assert [grant["Permission"] for grant in found["acl"]["Grants"]] == ["FULL_CONTROL"]


def test_refresh__is_what_was_put_however_often_it_is_put_and_read(refreshed):
    refreshed.put_all()
    first = refreshed.refresh()
    assert without_the_rest(first) == expected(refreshed, with_documents=True)
    assert refreshed.refresh() == first
    refreshed.put_all()
    assert refreshed.refresh() == first


def test_refresh__of_what_was_read_and_put_again_changes_nothing(refreshed):
    """An import writes what it has read: each answer is a document that can be put."""
    refreshed.put_all()
    first = refreshed.refresh()
    for document in refreshed.documents.values():
        answer = refreshed.get(document)
        (argument,) = set(document.put) - set(document.name)
        value = answer.get(argument, answer)
        extra = {}
        if "TransitionDefaultMinimumObjectSize" in answer:
            extra["TransitionDefaultMinimumObjectSize"] = value.pop("TransitionDefaultMinimumObjectSize")
        refreshed.call("put", document, **document.name, **{argument: value}, **extra)
    assert refreshed.refresh() == first


def test_refresh__after_all_are_gone_is_that_of_a_bucket_without(refreshed):
    before = refreshed.refresh()
    refreshed.put_all()
    refreshed.put_away()
    after = refreshed.refresh()
    if "accelerate" in refreshed.documents:  # it can be suspended and not be unset
        assert after["accelerate"] == {"Status": "Suspended"}
        after["accelerate"] = {}
    assert after == before
    for document in refreshed.documents.values():
        if document.gone is True:
            assert expect.status_of(refreshed.call("delete", document, **document.name)) == 204


def test_refresh__a_bucket_with_every_document_can_be_destroyed(refreshed):
    refreshed.put_all()
    assert expect.status_of(refreshed.s3.delete_bucket(Bucket=refreshed.name)) == 204
    with expect.refused(404, "NoSuchBucket"):
        refreshed.s3.get_bucket_policy(Bucket=refreshed.name)

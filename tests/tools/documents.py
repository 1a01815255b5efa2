# SPDX-License-Identifier: Apache-2.0
"""A valid document of each kind that a bucket can have, for the tests that go over every operation.

A kind that pail begins to keep (server/s3/documents.def) is one line here.
"""

from tools import routes

OWNERSHIP = b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
RETENTION = b"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2126-01-01T00:00:00Z</RetainUntilDate></Retention>"
RECIPE = (b"<ObjectEncryption><SSE-KMS><KMSKeyArn>arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555</KMSKeyArn>"
          b"</SSE-KMS></ObjectEncryption>")  # fmt: skip
HOLD = b"<LegalHold><Status>OFF</Status></LegalHold>"
SELECT = (b"<SelectObjectContentRequest><Expression>SELECT * FROM S3Object</Expression><ExpressionType>SQL</ExpressionType>"
          b"<InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization>"
          b"</SelectObjectContentRequest>")  # fmt: skip
TAG_RESOURCE = b"<TagResourceRequest><Tags><Tag><Key>held</Key><Value>1</Value></Tag></Tags></TagResourceRequest>"
RESTORE = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
TAGS = b"<Tagging><TagSet><Tag><Key>held</Key><Value>1</Value></Tag></TagSet></Tagging>"


def policy_of(bucket):
    """One that says nothing of anybody here."""
    return ('{"Statement": {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject", '
            f'"Resource": "arn:aws:s3:::{bucket}/*"}}}}').encode()  # fmt: skip


KINDS = {  # a function: of the bucket that it names
    "tagging": TAGS,
    "policy": policy_of,
    "cors": b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://a.test</AllowedOrigin>"
            b"</CORSRule></CORSConfiguration>",
    "lifecycle": b"<LifecycleConfiguration><Rule><ID>a</ID><Filter/><Status>Enabled</Status>"
                 b"<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
                 b"</Rule></LifecycleConfiguration>",
    "website": b"<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>",
    "encryption": b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                  b"</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    "object-lock": b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    "ownershipControls": OWNERSHIP,
    "publicAccessBlock": b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>",
    "logging": b"<BucketLoggingStatus/>",
    "notification": b"<NotificationConfiguration><QueueConfiguration><Id>a</Id><Queue>arn:aws:sqs:us-east-1:000000000000:nobody</Queue>"
                    b"<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
    "accelerate": b"<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>",
    "abac": b"<AbacStatus><Status>Disabled</Status></AbacStatus>",
    "replication": b"<ReplicationConfiguration><Role>arn:aws:iam::000000000000:role/r</Role><Rule><ID>a</ID><Prefix>never/</Prefix>"
                   b"<Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::of-samples</Bucket></Destination></Rule></ReplicationConfiguration>",
    "requestPayment": b"<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
}  # fmt: skip
MANY = {  # with the id a
    "inventory": b"<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::elsewhere</Bucket>"
                 b"<Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>a</Id>"
                 b"<IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule>"
                 b"</InventoryConfiguration>",
    "metrics": b"<MetricsConfiguration><Id>a</Id></MetricsConfiguration>",
    "analytics": b"<AnalyticsConfiguration><Id>a</Id><StorageClassAnalysis/></AnalyticsConfiguration>",
    "intelligent-tiering": b"<IntelligentTieringConfiguration><Id>a</Id><Status>Enabled</Status><Tiering>"
                           b"<Days>90</Days><AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>",
}  # fmt: skip


def _of(kind):
    return [route for route in routes.load()
            if route.resource == "BUCKET" and route.selector.partition("&")[0] == kind]  # fmt: skip


PUTS = {route.name: (kind, route) for kind in KINDS | MANY for route in _of(kind) if route.method == "PUT"}
OPERATIONS = {route.name for kind in KINDS | MANY for route in _of(kind)}  # what gets, puts, deletes and lists them


# Of a bucket with versioning only; else what its PUT answers.
OF_VERSIONED = {"PutObjectLockConfiguration": (409, "InvalidBucketState"), "PutBucketReplication": (400, "InvalidRequest")}


def make_destination(s3):
    """The bucket that samples name, where it has to be there and to have versioning."""
    s3.create_bucket(Bucket="of-samples")
    s3.put_bucket_versioning(Bucket="of-samples", VersioningConfiguration={"Status": "Enabled"})


def tags_of(bucket):
    """The path of S3 Control's tags of a bucket."""
    return f"/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A{bucket}"


def body(operation, bucket):
    """What the PUT of that name brings."""
    sample = (KINDS | MANY)[PUTS[operation][0]]
    return sample(bucket) if callable(sample) else sample


def target(operation, bucket):
    kind, _ = PUTS[operation]
    return f"/{bucket}?{kind}" + ("&id=a" if kind in MANY else "")


def status(operation):
    """Of the PUT's success."""
    return PUTS[operation][1].status

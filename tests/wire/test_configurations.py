# SPDX-License-Identifier: Apache-2.0
"""Configurations of which a bucket has many, by id: kept as they came, listed, and refused when malformed.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAnalyticsConfiguration.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketIntelligentTieringConfiguration.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html
"""

import pytest

from sdk import expect
from wire import raw

TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
FILTERS = [None, {"Prefix": "logs/"}, {"Tag": TAGS[0]}, {"And": {"Prefix": "logs/", "Tags": TAGS}}, {"And": {"Tags": TAGS}}]
EXPORT = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": {
    "Format": "CSV", "BucketAccountId": "000000000000", "Bucket": "arn:aws:s3:::elsewhere", "Prefix": "analysis/"}}}  # fmt: skip


def metrics(filter_):
    return {"Filter": filter_} if filter_ else {}


def analytics(filter_):
    return {**metrics(filter_), "StorageClassAnalysis": {"DataExport": EXPORT} if filter_ else {}}


def tiering(filter_):
    tiers = [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}, {"Days": 730, "AccessTier": "DEEP_ARCHIVE_ACCESS"}]
    return {**metrics(filter_), "Status": "Enabled" if filter_ else "Disabled", "Tierings": tiers}


def inventory(filter_):
    """Of the filters it has prefixes alone: with one, all that it can say."""
    place = {"AccountId": "000000000000", "Bucket": "arn:aws:s3:::elsewhere", "Format": "CSV", "Prefix": "reports",
             "Encryption": {"SSEKMS": {"KeyId": "alias/a"}}}  # fmt: skip
    if not filter_:
        del place["AccountId"], place["Prefix"], place["Encryption"]
    more = {"Filter": {"Prefix": " logs/ "}, "OptionalFields": ["ETag", "Size"]} if filter_ else {}
    return {"Destination": {"S3BucketDestination": place}, "IsEnabled": not filter_, **more,
            "IncludedObjectVersions": "All" if filter_ else "Current", "Schedule": {"Frequency": "Weekly" if filter_ else "Daily"}}  # fmt: skip


class Kind:
    """The four calls of one kind."""

    def __init__(self, name, listing, make, sub, root):
        self.name, self.listing, self.make, self.sub, self.root = name, listing, make, sub, root

    def call(self, client, verb, bucket, **arguments):
        return getattr(client, f"{verb}_bucket_{self.name}_configuration{'s' if verb == 'list' else ''}")(Bucket=bucket, **arguments)

    def put(self, client, bucket, id_, filter_=None):
        whole = {"Id": id_, **self.make(filter_)}
        self.call(client, "put", bucket, Id=id_, **{self.root: whole})
        return whole

    def get(self, client, bucket, id_):
        return self.call(client, "get", bucket, Id=id_)[self.root]


KINDS = {
    "metrics": Kind("metrics", "MetricsConfigurationList", metrics, "metrics", "MetricsConfiguration"),
    "analytics": Kind("analytics", "AnalyticsConfigurationList", analytics, "analytics", "AnalyticsConfiguration"),
    "tiering": Kind("intelligent_tiering", "IntelligentTieringConfigurationList", tiering, "intelligent-tiering",
                    "IntelligentTieringConfiguration"),
    "inventory": Kind("inventory", "InventoryConfigurationList", inventory, "inventory", "InventoryConfiguration"),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def round_trip(s3, bucket, kind, filter_):
    whole = kind.put(s3, bucket, "one", filter_)
    assert kind.get(s3, bucket, "one") == whole


@pytest.mark.parametrize("filter_", FILTERS, ids=str)
def test_PutBucketMetricsConfiguration__is_kept_as_it_came(s3, bucket, filter_):
    round_trip(s3, bucket, KINDS["metrics"], filter_)


@pytest.mark.parametrize("filter_", FILTERS, ids=str)
def test_PutBucketAnalyticsConfiguration__is_kept_as_it_came(s3, bucket, filter_):
    round_trip(s3, bucket, KINDS["analytics"], filter_)


@pytest.mark.parametrize("filter_", FILTERS, ids=str)
def test_PutBucketIntelligentTieringConfiguration__is_kept_as_it_came(s3, bucket, filter_):
    round_trip(s3, bucket, KINDS["tiering"], filter_)


@pytest.mark.parametrize("filter_", FILTERS[:2], ids=str)
def test_PutBucketInventoryConfiguration__is_kept_as_it_came(s3, bucket, filter_):
    round_trip(s3, bucket, KINDS["inventory"], filter_)


def by_id(s3, bucket, kind):
    """Each by its own id, the newest of it; none by another."""
    kind.put(s3, bucket, "a", FILTERS[1])
    wholes = {"b": kind.put(s3, bucket, "b"), "a": kind.put(s3, bucket, "a", FILTERS[3])}
    for id_, whole in wholes.items():
        assert kind.get(s3, bucket, id_) == whole
    for absent in ("A", "ab", "c"):
        with expect.refused(404, "NoSuchConfiguration"):
            kind.get(s3, bucket, absent)


def removal(s3, bucket, kind):
    """Of one; it can be repeated."""
    kept = kind.put(s3, bucket, "kept")
    kind.put(s3, bucket, "gone")
    for _ in range(2):
        assert expect.status_of(kind.call(s3, "delete", bucket, Id="gone")) == 204
        with expect.refused(404, "NoSuchConfiguration"):
            kind.get(s3, bucket, "gone")
    assert kind.get(s3, bucket, "kept") == kept


def listing(s3, bucket, kind):
    """By id."""
    assert kind.listing not in kind.call(s3, "list", bucket)
    wholes = {id_: kind.put(s3, bucket, id_, FILTERS[1]) for id_ in ("b", "a", "c.d_e-F")}
    page = kind.call(s3, "list", bucket)
    assert page[kind.listing] == [wholes[id_] for id_ in sorted(wholes)] and page["IsTruncated"] is False


def test_GetBucketMetricsConfiguration__by_its_id(s3, bucket):
    by_id(s3, bucket, KINDS["metrics"])


def test_DeleteBucketMetricsConfiguration__removes_one(s3, bucket):
    removal(s3, bucket, KINDS["metrics"])


def test_ListBucketMetricsConfigurations__are_in_order_of_their_ids(s3, bucket):
    listing(s3, bucket, KINDS["metrics"])


def test_GetBucketAnalyticsConfiguration__by_its_id(s3, bucket):
    by_id(s3, bucket, KINDS["analytics"])


def test_DeleteBucketAnalyticsConfiguration__removes_one(s3, bucket):
    removal(s3, bucket, KINDS["analytics"])


def test_ListBucketAnalyticsConfigurations__are_in_order_of_their_ids(s3, bucket):
    listing(s3, bucket, KINDS["analytics"])


def test_GetBucketIntelligentTieringConfiguration__by_its_id(s3, bucket):
    by_id(s3, bucket, KINDS["tiering"])


def test_DeleteBucketIntelligentTieringConfiguration__removes_one(s3, bucket):
    removal(s3, bucket, KINDS["tiering"])


def test_ListBucketIntelligentTieringConfigurations__are_in_order_of_their_ids(s3, bucket):
    listing(s3, bucket, KINDS["tiering"])


def test_GetBucketInventoryConfiguration__by_its_id(s3, bucket):
    by_id(s3, bucket, KINDS["inventory"])


def test_DeleteBucketInventoryConfiguration__removes_one(s3, bucket):
    removal(s3, bucket, KINDS["inventory"])


def test_ListBucketInventoryConfigurations__are_in_order_of_their_ids(s3, bucket):
    listing(s3, bucket, KINDS["inventory"])


def test_configurations__are_listed_a_hundred_a_page(s3, bucket, kind):
    ids = [f"id-{n:03}" for n in range(205)]
    for id_ in ids:
        kind.put(s3, bucket, id_)
    found, sizes, token = [], [], {}
    while True:
        page = kind.call(s3, "list", bucket, **token)
        found += [whole["Id"] for whole in page[kind.listing]]
        sizes.append(len(page[kind.listing]))
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert (found, sizes) == (ids, [100, 100, 5])


BAD = {
    "metrics": ["", "<Id>a</Id><Status>Enabled</Status>", "<Id>a</Id><Filter/>", "<Id>a</Id><Id>a</Id>",
                "<Id>a</Id><Filter><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></Filter>",
                "<Id>a</Id><Filter><And><Prefix>p</Prefix></And></Filter>", "<Id>a</Id><Filter><Tag><Key>k</Key></Tag></Filter>"],
    "analytics": ["<Id>a</Id>", "<Id>a</Id><StorageClassAnalysis/><StorageClassAnalysis/>",
                  "<Id>a</Id><StorageClassAnalysis><DataExport/></StorageClassAnalysis>",
                  "<Id>a</Id><StorageClassAnalysis><DataExport><OutputSchemaVersion>V_2</OutputSchemaVersion><Destination>"
                  "<S3BucketDestination><Format>CSV</Format><Bucket>arn:aws:s3:::b</Bucket></S3BucketDestination></Destination>"
                  "</DataExport></StorageClassAnalysis>"],
    "tiering": ["<Id>a</Id><Status>Enabled</Status>", "<Id>a</Id><Status>On</Status><Tiering><Days>90</Days>"
                "<AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering>",
                *(f"<Id>a</Id><Status>Enabled</Status><Tiering><Days>{days}</Days><AccessTier>{tier}</AccessTier></Tiering>"
                  for days, tier in ((89, "ARCHIVE_ACCESS"), (731, "ARCHIVE_ACCESS"), (179, "DEEP_ARCHIVE_ACCESS"), (90, "FROZEN")))],
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [(name, content) for name, all_ in BAD.items() for content in all_])
def test_configurations__malformed_are_refused_and_change_nothing(server, root_user, s3, bucket, name, content):
    kind = KINDS[name]
    body = f"<{kind.root}>{content}</{kind.root}>".encode()
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?{kind.sub}&id=a", body)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert kind.listing not in kind.call(s3, "list", bucket)


def inventory_of(**changed):
    """A document whole, with some of its elements (None: left out) otherwise."""
    elements = {
        "Destination": "<S3BucketDestination><Bucket>arn:aws:s3:::elsewhere</Bucket><Format>CSV</Format></S3BucketDestination>",
        "IsEnabled": "true", "Filter": "<Prefix>p</Prefix>", "Id": "a", "IncludedObjectVersions": "All",
        "OptionalFields": "<Field>Size</Field>", "Schedule": "<Frequency>Daily</Frequency>"} | changed  # fmt: skip
    inner = "".join(f"<{name}>{content}</{name}>" for name, content in elements.items() if content is not None)
    return f"<InventoryConfiguration>{inner}</InventoryConfiguration>".encode()


def inventory_to(arn="arn:aws:s3:::elsewhere", format_="CSV", more=""):
    return inventory_of(Destination=f"<S3BucketDestination><Bucket>{arn}</Bucket><Format>{format_}</Format>{more}</S3BucketDestination>")


BAD_INVENTORIES = [
    *(inventory_of(**{name: None}) for name in ("Destination", "IsEnabled", "Id", "IncludedObjectVersions", "Schedule")),
    *(inventory_of(**{name: ""}) for name in ("Destination", "IsEnabled", "Filter", "IncludedObjectVersions", "Schedule")),
    inventory_of(IsEnabled="yes"),
    inventory_of(IncludedObjectVersions="Newest"),
    inventory_of(Schedule="<Frequency>Hourly</Frequency>"),
    inventory_of(OptionalFields="<Field>Colour</Field>"),
    inventory_of(OptionalFields="<Name>Size</Name>"),
    inventory_of(Filter="<Prefix>p</Prefix><Prefix>q</Prefix>"),
    inventory_of(Filter=f"<Prefix>{'p' * 1025}</Prefix>"),
    inventory_of(Other="x"),
    inventory_to(format_="TSV"),
    inventory_to(more="<AccountId>12</AccountId>"),
    inventory_to(more=f"<Prefix>{'p' * 513}</Prefix>"),
    inventory_to(more="<Encryption/>"),
    inventory_to(more="<Encryption><SSE-S3/><SSE-KMS><KeyId>k</KeyId></SSE-KMS></Encryption>"),
    inventory_to(more="<Encryption><SSE-KMS/></Encryption>"),
    inventory_to(more=f"<Encryption><SSE-KMS><KeyId>{'k' * 2049}</KeyId></SSE-KMS></Encryption>"),
]


@pytest.mark.parametrize("body", BAD_INVENTORIES)
def test_PutBucketInventoryConfiguration__malformed_is_refused(server, root_user, s3, bucket, body):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?inventory&id=a", body)
    assert (reply.status, reply.code) == (400, "MalformedXML"), reply
    assert "InventoryConfigurationList" not in s3.list_bucket_inventory_configurations(Bucket=bucket)


@pytest.mark.parametrize("body", [
    inventory_of(), inventory_of(OptionalFields=None, Filter=None), inventory_of(OptionalFields=""),
    inventory_of(Filter=f"<Prefix>{'p' * 1024}</Prefix>"),
    inventory_to(more=f"<AccountId>000000000000</AccountId><Prefix>{'p' * 512}</Prefix><Encryption><SSE-S3/></Encryption>"),
    inventory_to(more=f"<Encryption><SSE-KMS><KeyId>{'k' * 2048}</KeyId></SSE-KMS></Encryption>"),
])  # fmt: skip
def test_PutBucketInventoryConfiguration__well_formed_is_kept(server, root_user, bucket, body):
    assert raw.signed(server.url, root_user, "PUT", f"/{bucket}?inventory&id=a", body).status == 200
    assert body in raw.signed(server.url, root_user, "GET", f"/{bucket}?inventory&id=a").body


@pytest.mark.parametrize("arn", ["elsewhere", "arn:aws:s3:::", "arn:aws:s3:::No", "arn:aws:s3:::elsewhere/key", "arn:aws:sqs:::elsewhere"])
def test_PutBucketInventoryConfiguration__its_destination_is_a_bucket_s_arn(server, root_user, bucket, arn):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?inventory&id=a", inventory_to(arn))
    assert (reply.status, reply.code) == (400, "InvalidS3DestinationBucket"), reply
    assert reply.element("Message") == "Invalid bucket ARN."


@pytest.mark.parametrize("format_", ["ORC", "Parquet"])
def test_PutBucketInventoryConfiguration__what_is_not_delivered_is_not_taken(server, root_user, bucket, format_):
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?inventory&id=a", inventory_to(format_=format_))
    assert (reply.status, reply.code) == (501, "NotImplemented"), reply


def test_configurations__their_id_is_the_query_s(server, root_user, s3, bucket, kind):
    kind.put(s3, bucket, "a")
    body = raw.signed(server.url, root_user, "GET", f"/{bucket}?{kind.sub}&id=a").body
    reply = raw.signed(server.url, root_user, "PUT", f"/{bucket}?{kind.sub}&id=b", body)
    assert (reply.status, reply.code) == (400, "IdMismatch"), reply
    assert reply.element("Message") == "Document ID does not match the specified configuration ID."
    assert [whole["Id"] for whole in kind.call(s3, "list", bucket)[kind.listing]] == ["a"]


def test_configurations__are_their_own_kind_s(s3, bucket):
    for kind in KINDS.values():
        kind.put(s3, bucket, "same")
    KINDS["metrics"].call(s3, "delete", bucket, Id="same")
    assert KINDS["analytics"].get(s3, bucket, "same")["Id"] == KINDS["tiering"].get(s3, bucket, "same")["Id"] == "same"

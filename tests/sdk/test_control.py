# SPDX-License-Identifier: Apache-2.0
"""S3 Control as boto3 sends it: what Terraform's provider asks of each bucket that it refreshes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
"""

import boto3
import pytest

from sdk import expect
from wire import raw

ACCOUNT = "000000000000"


@pytest.fixture
def control(server, root_user):
    """boto3 puts the account before the host; the name is resolved here, the Host stays what was signed."""
    client = boto3.client("s3control", endpoint_url="http://localhost", region_name="us-east-1",
                          aws_access_key_id=root_user.access_key, aws_secret_access_key=root_user.secret_key)  # fmt: skip

    def connect(request, **_):
        host = request.url.split("/")[2]
        request.headers["Host"] = host
        request.url = request.url.replace(f"http://{host}", server.url, 1)

    client.meta.events.register_last("before-send.s3-control", connect)
    return client


def test_TagResource__as_a_client_sends_it(control, s3, bucket, server):
    if "store" in raw.host_of(server.url):
        pytest.skip("the account's host is of the first store")
    arn = {"AccountId": ACCOUNT, "ResourceArn": f"arn:aws:s3:::{bucket}"}
    assert control.list_tags_for_resource(**arn)["Tags"] == []
    control.tag_resource(**arn, Tags=[{"Key": "a b", "Value": "1"}, {"Key": "c", "Value": ""}])
    assert control.list_tags_for_resource(**arn)["Tags"] == [{"Key": "a b", "Value": "1"}, {"Key": "c", "Value": ""}]
    control.untag_resource(**arn, TagKeys=["a b", "none"])
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "c", "Value": ""}]


def test_S3Control__errors_have_their_codes(control, server):
    if "store" in raw.host_of(server.url):
        pytest.skip("the account's host is of the first store")
    with expect.refused(404, "NoSuchBucket"):
        control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn="arn:aws:s3:::no-such-bucket")
    with expect.refused(501, "NotImplemented"):
        control.list_access_points(AccountId=ACCOUNT)

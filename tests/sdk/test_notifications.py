# SPDX-License-Identifier: Apache-2.0
"""Notifications as boto3 puts them, to endpoints of SQS, SNS and EventBridge that are not ours.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
"""

import json
import os
import pathlib
import subprocess

import boto3
import pytest
from test_program import serving
from wire import process

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = pathlib.Path(os.environ.get("PAIL_PYTHON_QUEUE") or ROOT / "build" / "venv-queue" / "bin" / "python")
RULE = {"Id": "all", "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]}}}  # fmt: skip


class Cloud:
    """Queues of another server."""

    def __init__(self, url):
        self.url = url
        self.session = boto3.session.Session("AKIDEXAMPLE", "a-secret", region_name="us-east-1")
        self.sqs, self.sns, self.events = (self.session.client(name, endpoint_url=url) for name in ("sqs", "sns", "events"))

    def queue(self, name):
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def messages(self, url, count):
        """The bodies of so many messages, in any order: a queue promises none."""
        found = []

        def receive():
            reply = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for message in reply.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        process.until(receive, lambda: f"{count} messages; there are {found}")
        return found


@pytest.fixture(scope="module")
def cloud():
    if not PYTHON.exists():
        pytest.skip("there is no build/venv-queue: ./dev test sdk makes it")
    server = subprocess.Popen([PYTHON, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        url = next(line.split("Running on ")[1].strip() for line in server.stderr if "Running on " in line)
        yield Cloud(url)
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def told(tmp_path, targets):
    """A server with these targets (name, arn, url)."""
    settings = tmp_path / "pail.conf"
    settings.write_text("".join(f"[target {name}]\narn = {arn}\nurl = {url}\naccess_key = AKIDEXAMPLE\nsecret_key = a-secret\n"
                                for name, arn, url in targets))  # fmt: skip
    return serving(tmp_path, "--buckets", "bucket", "--config", settings)


def test_PutBucketNotificationConfiguration__round_trip(tmp_path):
    arns = [f"arn:aws:{service}:us-east-1:000000000000:{name}" for service, name in (
        ("sqs", "q"), ("sns", "t"), ("lambda", "function:f"), ("events", "event-bus/default"))]  # fmt: skip
    with told(tmp_path, [(f"t{n}", arn, "http://127.0.0.1:1/") for n, arn in enumerate(arns)]) as server:
        s3 = server.client()
        wanted = {
            "QueueConfigurations": [{**RULE, "Id": "q", "QueueArn": arns[0]}],
            "TopicConfigurations": [{"Id": "t", "TopicArn": arns[1], "Events": ["s3:ObjectTagging:*", "s3:LifecycleTransition"]}],
            "LambdaFunctionConfigurations": [{"Id": "l", "LambdaFunctionArn": arns[2], "Events": ["s3:ObjectAcl:Put"]}],
            "EventBridgeConfiguration": {},
        }
        s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration=wanted, SkipDestinationValidation=True)
        reply = s3.get_bucket_notification_configuration(Bucket="bucket")
        reply.pop("ResponseMetadata")
        assert reply == wanted
        s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration={})
        assert set(s3.get_bucket_notification_configuration(Bucket="bucket")) == {"ResponseMetadata"}
        assert server.stop() == 0


def test_PutBucketNotificationConfiguration__a_queue_receives_what_was_done(tmp_path, cloud):
    url, arn = cloud.queue("uploads")
    with told(tmp_path, [("uploads", arn, url)]) as server:
        s3 = server.client()
        s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration={
            "QueueConfigurations": [{**RULE, "QueueArn": arn}]})  # fmt: skip
        assert cloud.messages(url, 1)[0]["Event"] == "s3:TestEvent"
        s3.put_object(Bucket="bucket", Key="in/ü & <b>.txt", Body=b"four")
        s3.put_object(Bucket="bucket", Key="out/a.txt", Body=b"four")
        s3.delete_object(Bucket="bucket", Key="in/ü & <b>.txt")
        records = [message["Records"][0] for message in cloud.messages(url, 2)]
        assert sorted((one["eventName"], one["s3"]["object"]["key"], one["s3"]["configurationId"]) for one in records) == [
            ("ObjectCreated:Put", "in/%C3%BC+%26+%3Cb%3E.txt", "all"), ("ObjectRemoved:Delete", "in/%C3%BC+%26+%3Cb%3E.txt", "all")]  # fmt: skip
        assert server.stop() == 0


def test_PutBucketNotificationConfiguration__topics_and_buses_lead_on(tmp_path, cloud):
    """A topic and a bus of the other server, each with a queue behind it."""
    topic = cloud.sns.create_topic(Name="uploads")["TopicArn"]
    url, arn = cloud.queue("behind-the-topic")
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    bus = cloud.events.describe_event_bus(Name="default")["Arn"]
    bus_url, bus_arn = cloud.queue("behind-the-bus")
    cloud.events.put_rule(Name="created", EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]}))
    cloud.events.put_targets(Rule="created", Targets=[{"Id": "q", "Arn": bus_arn}])
    with told(tmp_path, [("topic", topic, cloud.url), ("bus", bus, cloud.url)]) as server:
        s3 = server.client()
        s3.put_bucket_notification_configuration(Bucket="bucket", SkipDestinationValidation=True, NotificationConfiguration={
            "TopicConfigurations": [{**RULE, "TopicArn": topic}], "EventBridgeConfiguration": {}})  # fmt: skip
        s3.put_object(Bucket="bucket", Key="in/a.txt", Body=b"four")
        envelope = cloud.messages(url, 1)[0]
        assert (envelope["Type"], envelope["TopicArn"], envelope["Subject"]) == ("Notification", topic, "Amazon S3 Notification")
        assert json.loads(envelope["Message"])["Records"][0]["s3"]["object"]["key"] == "in/a.txt"
        event = cloud.messages(bus_url, 1)[0]
        assert (event["source"], event["detail-type"], event["detail"]["object"]["key"]) == ("aws.s3", "Object Created", "in/a.txt")
        assert server.stop() == 0

# SPDX-License-Identifier: Apache-2.0
"""Event notifications: from a write to who takes it, in every protocol, over failures, stops and crashes.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import time

import pytest

from wire import process, raw
from wire.receiver import receiving

ACCOUNT = "000000000000"
ARNS = {
    "queue": f"arn:aws:sqs:us-east-1:{ACCOUNT}:uploads",
    "hook": f"arn:aws:sqs:us-east-1:{ACCOUNT}:hook",
    "topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:uploads",
    "function": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize",
    "bus": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
}
ELEMENTS = {"sqs": ("QueueConfiguration", "Queue"), "sns": ("TopicConfiguration", "Topic"),
            "lambda": ("CloudFunctionConfiguration", "CloudFunction")}  # fmt: skip
SECRET = "a secret that both know"


def targets(url, names=ARNS):
    sections = []
    for name in names:
        sections += [f"[target {name}]", f"arn = {ARNS[name]}", f"url = {url}/{name if name != 'function' else ''}"]
        if name == "hook":
            sections += ["protocol = webhook", f"secret = {SECRET}"]
        else:
            sections += ["access_key = AKIDEXAMPLE", "secret_key = secret-of-the-target"]
    return "\n".join(sections) + "\n"


def rule(arn, *events, id_=None, prefix=None, suffix=None):
    element, destination = ELEMENTS[arn.split(":")[2]]
    named = [(name, value) for name, value in (("prefix", prefix), ("suffix", suffix)) if value is not None]
    rules = "".join(f"<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>" for name, value in named)
    return (f"<{element}>" + (f"<Id>{id_}</Id>" if id_ else "") + f"<{destination}>{arn}</{destination}>"
            + "".join(f"<Event>{event}</Event>" for event in events or ["s3:ObjectCreated:*"])
            + (f"<Filter><S3Key>{rules}</S3Key></Filter>" if named else "") + f"</{element}>")  # fmt: skip


def document(*rules):
    return f"<NotificationConfiguration>{''.join(rules)}</NotificationConfiguration>".encode()


class World:
    """A server with targets at a receiver, and a bucket."""

    def __init__(self, make_server, receiver, *options, names=ARNS):
        self.receiver = receiver
        self.server = make_server("--durability", "relaxed", *options, configuration=targets(receiver.url, names))
        self.user = self.server.users["root"]
        self.ask("PUT", "/bucket")

    def ask(self, method, target, body=b"", headers=(), status=None):
        reply = raw.signed(self.server.url, self.user, method, target, body, headers)
        assert reply.status == (status or {"DELETE": 204}.get(method, 200)), reply
        return reply

    def tell(self, *rules, skip=True, status=200):
        skipping = [("x-amz-skip-destination-validation", "true")] if skip else []
        return self.ask("PUT", "/bucket?notification", document(*rules), skipping, status)

    def kept(self):
        return self.ask("GET", "/bucket?notification").body.decode()

    def dead(self):
        path = self.server.directory / "dead-letters.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def world(make_server, receiver):
    return World(make_server, receiver)


# ---- the document ---------------------------------------------------------------------------------


def test_PutBucketNotificationConfiguration__what_is_kept_is_what_was_sent(world):
    rules = [rule(ARNS["queue"], "s3:ObjectCreated:*", id_="a&amp;b", prefix="in/ ", suffix=".jpg"),
             rule(ARNS["topic"], "s3:ObjectRemoved:*", "s3:ObjectTagging:Put", id_="c"),
             rule(ARNS["function"], "s3:ObjectAcl:Put", id_="d"), "<EventBridgeConfiguration></EventBridgeConfiguration>"]  # fmt: skip
    world.tell(*rules)
    assert re.sub(r"^<\?xml[^>]*>\n<NotificationConfiguration xmlns=[^>]*>", "<NotificationConfiguration>", world.kept()) == document(*rules).decode()


def test_GetBucketNotificationConfiguration__a_bucket_without_one_has_an_empty_one(world):
    reply = world.ask("GET", "/bucket?notification")
    assert re.fullmatch(r"<\?xml[^>]*>\n<NotificationConfiguration xmlns=[^>]*></NotificationConfiguration>", reply.body.decode())


def test_PutBucketNotificationConfiguration__a_configuration_without_an_id_gets_one(world):
    world.tell(rule(ARNS["queue"]))
    assert re.search(r"<Id>[A-Za-z0-9+/]{32}</Id>", world.kept())


def test_PutBucketNotificationConfiguration__an_empty_one_turns_them_off(world):
    world.tell(rule(ARNS["queue"]))
    world.tell()
    assert "<QueueConfiguration>" not in world.kept()
    world.ask("PUT", "/bucket/k", b"x")
    world.tell(rule(ARNS["queue"]), skip=False)
    test = world.receiver.until(1)[0]
    assert json.loads(test.form["MessageBody"])["Event"] == "s3:TestEvent"


UNKNOWN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:nobody"
REFUSALS = {
    "arn": (rule(ARNS["queue"]).replace(ARNS["queue"], "nothing"), "InvalidArgument", "The ARN could not be parsed",
            {"ArgumentName": "Queue", "ArgumentValue": "nothing"}),
    "service": (rule(ARNS["queue"]).replace(ARNS["queue"], ARNS["topic"]), "InvalidArgument", "The ARN is not well formed",
                {"ArgumentName": "Queue", "ArgumentValue": ARNS["topic"]}),
    "absent": (rule(UNKNOWN), "InvalidArgument", "Unable to validate the following destination configurations",
               {"ArgumentName1": UNKNOWN, "ArgumentValue1": "The destination queue does not exist"}),
    "region": (rule(UNKNOWN.replace("us-east-1", "eu-west-1")), "InvalidArgument",
               "The notification destination service region is not valid for the bucket location constraint",
               {"ArgumentName": "Queue", "ArgumentValue": UNKNOWN.replace("us-east-1", "eu-west-1")}),
    "event": (rule(ARNS["queue"], "s3:ObjectEaten:*"), "InvalidArgument", "The event is not supported for notifications",
              {"ArgumentName": "Event", "ArgumentValue": "s3:ObjectEaten:*"}),
    "no event": (rule(ARNS["queue"]).replace("<Event>s3:ObjectCreated:*</Event>", ""), "MalformedXML", None, {}),
    "filter": (rule(ARNS["queue"], prefix="a").replace("prefix", "infix"), "InvalidArgument",
               "filter rule name must be either prefix or suffix", {"ArgumentName": "FilterRule.Name", "ArgumentValue": "infix"}),
    "two prefixes": (rule(ARNS["queue"], prefix="a", suffix="b").replace("suffix", "prefix"), "InvalidArgument",
                     "Cannot specify more than one prefix rule in a filter.", {"ArgumentName": "FilterRule.Name", "ArgumentValue": "prefix"}),
    "no value": (rule(ARNS["queue"], prefix="a").replace("<Value>a</Value>", ""), "MalformedXML", None, {}),
    "unknown kind": ("<CarrierPigeonConfiguration/>", "MalformedXML", None, {}),
    "same id": (rule(ARNS["queue"], id_="i") + rule(ARNS["topic"], "s3:ObjectRemoved:*", id_="i"), "InvalidArgument",
                "Same ID used for multiple configurations. IDs must be unique", {"ArgumentName": "Id", "ArgumentValue": "i"}),
    "overlap": (rule(ARNS["queue"]) + rule(ARNS["topic"], "s3:ObjectCreated:Put"), "InvalidArgument",
                "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
                {"ArgumentName": "Event", "ArgumentValue": "s3:ObjectCreated:*, s3:ObjectCreated:Put"}),
    "ambiguous": (rule(ARNS["queue"], prefix="a", suffix=".jpg") + rule(ARNS["topic"], prefix="ab"), "InvalidArgument",
                  "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
                  "overlapping for the same event type.", {}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_PutBucketNotificationConfiguration__refusals(world, case):
    rules, code, message, facts = REFUSALS[case]
    reply = world.tell(rules, status=400)
    assert reply.code == code, reply
    if message:
        assert reply.element("Message") == message
    assert {name: reply.element(name) for name in facts} == facts
    assert "Configuration>" not in world.kept().replace("NotificationConfiguration>", "")


def test_PutBucketNotificationConfiguration__a_bus_that_no_setting_names(make_server, receiver):
    world = World(make_server, receiver, names=["queue"])
    reply = world.tell("<EventBridgeConfiguration/>", status=400)
    assert (reply.code, reply.element("ArgumentName1")) == ("InvalidArgument", "EventBridge")


def test_PutBucketNotificationConfiguration__as_many_as_are_allowed_and_one_more(world):
    rules = [rule(ARNS["queue"], id_=f"i{number}", prefix=f"{number:03}/") for number in range(101)]
    world.tell(*rules[:100])
    assert world.kept().count("<Queue>") == 100
    assert world.tell(*rules, status=400).code == "TooManyConfigurations"


def test_PutBucketNotificationConfiguration__lengths_at_their_limits_and_beyond(world):
    world.tell(rule(ARNS["queue"], id_="i" * 255, prefix="p" * 1024))
    assert world.tell(rule(ARNS["queue"], id_="i" * 256), status=400).element("ArgumentName") == "Id"
    assert world.tell(rule(ARNS["queue"], prefix="p" * 1025), status=400).element("ArgumentName") == "FilterRule.Value"


# ---- what is told ---------------------------------------------------------------------------------


def test_notifications__a_record_says_what_the_request_did(world):
    world.tell(rule(ARNS["hook"], "s3:ObjectCreated:*", id_="mine"))
    put = world.ask("PUT", "/bucket/a%20b/%C3%BC%2B", b"four")
    call = world.receiver.until(1)[0]
    owner = world.ask("GET", "/").element("Owner/ID")
    record = call.record
    time = record.pop("eventTime")
    sequencer = record["s3"]["object"].pop("sequencer")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert re.fullmatch(r"[0-9A-F]{16}", sequencer)
    assert call.message.keys() == {"Records"}
    assert record == {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": owner}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": put.header("x-amz-request-id"), "x-amz-id-2": put.header("x-amz-id-2")},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "mine",
               "bucket": {"name": "bucket", "ownerIdentity": {"principalId": owner}, "arn": "arn:aws:s3:::bucket"},
               "object": {"key": "a+b/%C3%BC%2B", "size": 4, "eTag": hashlib.md5(b"four").hexdigest()}},
    }  # fmt: skip


def test_notifications__a_test_event_comes_first_unless_it_is_not_wanted(world):
    reply = world.tell(rule(ARNS["hook"]), skip=False)
    message = world.receiver.until(1)[0].message
    assert message.keys() == {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
    assert (message["Service"], message["Event"], message["Bucket"]) == ("Amazon S3", "s3:TestEvent", "bucket")
    assert (message["RequestId"], message["HostId"]) == (reply.header("x-amz-request-id"), reply.header("x-amz-id-2"))
    world.tell(rule(ARNS["hook"]))
    world.ask("PUT", "/bucket/k", b"x")
    assert world.receiver.until(2)[1].record["s3"]["object"]["key"] == "k"


def test_notifications__a_webhook_is_signed_with_the_secret(world):
    world.tell(rule(ARNS["hook"]))
    world.ask("PUT", "/bucket/k", b"x")
    call = world.receiver.until(1)[0]
    assert call.path == "/hook"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["x-pail-signature"] == "sha256=" + hmac.new(SECRET.encode(), call.body, "sha256").hexdigest()
    assert "authorization" not in call.headers


def test_notifications__events_filters_and_versions(world):
    world.ask("PUT", "/bucket?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
    world.tell(rule(ARNS["hook"], "s3:ObjectRemoved:*", "s3:ObjectCreated:Copy", "s3:ObjectTagging:*", "s3:ObjectAcl:Put",
                    prefix="in/", suffix=".jpg"))  # fmt: skip
    version = world.ask("PUT", "/bucket/in/a.jpg", b"x").header("x-amz-version-id")
    world.ask("PUT", "/bucket/in/b.jpg", headers=[("x-amz-copy-source", "/bucket/in/a.jpg")])
    world.ask("PUT", "/bucket/out/b.jpg", headers=[("x-amz-copy-source", "/bucket/in/a.jpg")])
    world.ask("PUT", "/bucket/in/b.txt", headers=[("x-amz-copy-source", "/bucket/in/a.jpg")])
    world.ask("PUT", "/bucket/in/a.jpg?tagging", b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")
    world.ask("DELETE", "/bucket/in/a.jpg?tagging")
    world.ask("PUT", "/bucket/in/a.jpg?acl", headers=[("x-amz-acl", "public-read")])
    marker = world.ask("DELETE", "/bucket/in/a.jpg").header("x-amz-version-id")
    world.ask("DELETE", f"/bucket/in/a.jpg?versionId={version}")
    records = [call.record for call in world.receiver.until(6)]
    assert [(one["eventName"], one["s3"]["object"]["key"], one["eventVersion"]) for one in records] == [
        ("ObjectCreated:Copy", "in/b.jpg", "2.1"), ("ObjectTagging:Put", "in/a.jpg", "2.3"), ("ObjectTagging:Delete", "in/a.jpg", "2.3"),
        ("ObjectAcl:Put", "in/a.jpg", "2.3"), ("ObjectRemoved:DeleteMarkerCreated", "in/a.jpg", "2.1"),
        ("ObjectRemoved:Delete", "in/a.jpg", "2.1")]  # fmt: skip
    assert [one["s3"]["object"]["versionId"] for one in records[-2:]] == [marker, version]
    assert not {"size", "eTag"} & records[-1]["s3"]["object"].keys()


def test_notifications__a_bucket_without_them_leaves_no_events(world):
    world.ask("PUT", "/other")
    world.tell(rule(ARNS["hook"]))
    world.ask("PUT", "/other/k", b"x")
    world.ask("PUT", "/bucket/k", b"x")
    record = world.receiver.until(1)[0].record
    # Ids of events have no gaps: the other bucket's write has taken none.
    assert (record["s3"]["bucket"]["name"], int(record["s3"]["object"]["sequencer"], 16)) == ("bucket", 1)


# ---- protocols ------------------------------------------------------------------------------------


def signed_by(call, service):
    """The signature is of the target's key; the request's own signing code makes it again."""
    return re.match(rf"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{{8}}/us-east-1/{service}/aws4_request, ", call.headers["authorization"])


def test_notifications__queue(world):
    world.tell(rule(ARNS["queue"]))
    world.ask("PUT", "/bucket/k", b"x")
    call = world.receiver.until(1)[0]
    assert (call.path, call.form["Action"], call.form["QueueUrl"]) == ("/queue", "SendMessage", f"{world.receiver.url}/queue")
    assert json.loads(call.form["MessageBody"])["Records"][0]["s3"]["object"]["key"] == "k"
    assert signed_by(call, "sqs")


def test_notifications__topic(world):
    world.tell(rule(ARNS["topic"]))
    world.ask("PUT", "/bucket/k", b"x")
    call = world.receiver.until(1)[0]
    assert (call.path, call.form["Action"], call.form["TopicArn"]) == ("/topic", "Publish", ARNS["topic"])
    assert call.form["Subject"] == "Amazon S3 Notification"
    assert json.loads(call.form["Message"])["Records"][0]["s3"]["object"]["key"] == "k"
    assert signed_by(call, "sns")


def test_notifications__function(world):
    world.tell(rule(ARNS["function"]))
    world.ask("PUT", "/bucket/k", b"x")
    call = world.receiver.until(1)[0]
    assert (call.path, call.headers["x-amz-invocation-type"]) == ("/2015-03-31/functions/resize/invocations", "Event")
    assert call.record["s3"]["object"]["key"] == "k"
    assert signed_by(call, "lambda")


def test_notifications__bus(world):
    world.tell("<EventBridgeConfiguration/>")
    world.ask("PUT", "/bucket/a%20b", b"four")
    world.ask("DELETE", "/bucket/a%20b")
    calls = world.receiver.until(2)
    entries = [call.message["Entries"][0] for call in calls]
    assert {(call.path, call.headers["x-amz-target"]) for call in calls} == {("/bus", "AWSEvents.PutEvents")}
    assert [(entry["Source"], entry["DetailType"], entry["Resources"], entry["EventBusName"]) for entry in entries] == [
        ("aws.s3", what, ["arn:aws:s3:::bucket"], ARNS["bus"]) for what in ("Object Created", "Object Deleted")]  # fmt: skip
    created, deleted = (json.loads(entry["Detail"]) for entry in entries)
    assert (created["version"], created["bucket"], created["reason"]) == ("0", {"name": "bucket"}, "PutObject")
    assert (created["object"]["key"], created["object"]["size"]) == ("a b", 4)
    assert (deleted["reason"], deleted["deletion-type"]) == ("DeleteObject", "Permanently Deleted")
    assert signed_by(calls[0], "events")


def test_notifications__a_bus_that_answers_200_and_took_nothing_is_asked_again(world):
    world.receiver.answer = b'{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Throttled"}]}'
    world.tell("<EventBridgeConfiguration/>")
    world.ask("PUT", "/bucket/k", b"x")
    world.receiver.until(1)
    world.receiver.answer = b'{"FailedEntryCount": 0}'
    world.server.clock.advance(1)
    assert len(world.receiver.until(2)) == 2


# ---- who does not take it -------------------------------------------------------------------------


def tries(world, path="/hook"):
    return [call for call in list(world.receiver.calls) if call.path == path]


def test_notifications__what_is_not_taken_comes_again_in_order(world):
    world.tell(rule(ARNS["hook"]))
    world.receiver.statuses["/hook"] = 500
    for number in range(20):
        world.ask("PUT", "/bucket/k", b"%d" % number)
    world.receiver.until(1, lambda: tries(world))
    for pause in (1, 2, 4):
        before = len(tries(world))
        world.server.clock.advance(pause)
        world.receiver.until(before + 1, lambda: tries(world))
    assert {call.record["s3"]["object"]["eTag"] for call in tries(world)} == {hashlib.md5(b"0").hexdigest()}
    world.receiver.statuses.clear()
    world.server.clock.advance(60)
    records = [call.record for call in world.receiver.until(20)]
    assert [one["s3"]["object"]["eTag"] for one in records] == [hashlib.md5(b"%d" % number).hexdigest() for number in range(20)]
    assert [one["s3"]["object"]["sequencer"] for one in records] == sorted(one["s3"]["object"]["sequencer"] for one in records)
    assert world.dead() == []


def test_notifications__one_that_does_not_answer_holds_up_nobody_else(world):
    world.tell(rule(ARNS["hook"]), rule(ARNS["queue"], "s3:ObjectRemoved:*"))
    world.receiver.statuses["/hook"] = 503
    world.ask("PUT", "/bucket/k", b"x")
    world.ask("DELETE", "/bucket/k")
    assert world.receiver.until(1, lambda: world.receiver.taken("/queue"))


def test_notifications__what_is_refused_five_times_is_a_dead_letter(world):
    world.tell(rule(ARNS["hook"], id_="mine"))
    world.receiver.statuses["/hook"] = 400
    world.ask("PUT", "/bucket/refused", b"x")
    for number in range(1, 5):
        world.receiver.until(number, lambda: tries(world))
        assert world.dead() == []
        world.server.clock.advance(60)
    letter = process.until(world.dead)[0]
    assert len(tries(world)) == 5
    assert (letter["target"], letter["arn"], letter["tries"], letter["why"]) == ("hook", ARNS["hook"], 5, "the answer is 400")
    assert letter["message"]["Records"][0]["s3"]["object"]["key"] == "refused"
    world.receiver.statuses.clear()
    world.ask("PUT", "/bucket/next", b"x")
    assert world.receiver.until(1)[0].record["s3"]["object"]["key"] == "next"


@pytest.mark.parametrize("hours, dead", [(23, 0), (25, 1)])
def test_notifications__what_nobody_took_for_a_day_is_a_dead_letter(world, hours, dead):
    world.tell(rule(ARNS["hook"]))
    world.receiver.statuses["/hook"] = 500
    world.ask("PUT", "/bucket/old", b"x")
    world.receiver.until(1, lambda: tries(world))
    world.server.clock.advance(hours * 3600)
    if dead:
        assert process.until(world.dead)[0]["why"] == "the answer is 500"
    else:
        world.receiver.until(2, lambda: tries(world))
    world.receiver.statuses.clear()
    world.server.clock.move("set", int(time.time() * 1_000_000))  # for signatures
    world.ask("PUT", "/bucket/new", b"x")
    world.server.clock.advance(60)
    assert [call.record["s3"]["object"]["key"] for call in world.receiver.until(2 - dead)] == ["old", "new"][dead:]
    assert len(world.dead()) == dead


@pytest.mark.parametrize("writes, lost", [(10, 0), (13, 3)])
def test_notifications__more_than_may_wait_give_way_and_are_counted(make_server, receiver, writes, lost):
    world = World(make_server, receiver, "--events-max", "10")
    world.tell(rule(ARNS["hook"]))
    receiver.statuses["/hook"] = 500
    for number in range(writes):
        world.ask("PUT", f"/bucket/{number:02}", b"x")
    world.server.stop()
    receiver.statuses.clear()
    receiver.calls.clear()
    world.server.start()
    keys = [call.record["s3"]["object"]["key"] for call in receiver.until(10)]
    assert keys == [f"{number:02}" for number in range(lost, writes)]
    assert [letter["lost"] for letter in world.dead()] == ([lost] if lost else [])


def test_notifications__what_waits_survives_a_stop(world):
    world.tell(rule(ARNS["hook"]))
    world.receiver.statuses["/hook"] = 500
    for number in range(5):
        world.ask("PUT", f"/bucket/{number}", b"x")
    world.server.stop()
    world.receiver.statuses.clear()
    world.server.start()
    assert [call.record["s3"]["object"]["key"] for call in world.receiver.until(5)] == list("01234")


def test_notifications__none_is_lost_and_none_invented_by_a_kill(world):
    """Of a server that is killed in the midst of writes: what was acknowledged is told, and what is told is there."""
    world.tell(rule(ARNS["hook"]))
    done = []
    for turn in range(3):
        stop = threading.Event()

        def write(turn=turn, stop=stop):
            for number in range(1000):
                key = f"{turn}-{number:03}"
                try:
                    reply = raw.signed(world.server.url, world.user, "PUT", f"/bucket/{key}", b"x")
                except (OSError, EOFError):
                    return
                if reply.status == 200:
                    done.append(key)
                if stop.is_set():
                    return

        writer = threading.Thread(target=write)
        writer.start()
        process.until(lambda turn=turn: len(done) >= 20 * (turn + 1))
        world.server.kill()
        stop.set()
        writer.join()
        world.server.start()

    def told():
        return [call.record["s3"]["object"]["key"] for call in world.receiver.taken()]

    process.until(lambda: set(done) <= set(told()), lambda: f"untold: {sorted(set(done) - set(told()))}")
    for key in sorted(set(told()) - set(done)):  # in flight when it was killed
        assert world.ask("GET", f"/bucket/{key}").body == b"x"
    # In their order, but for what came twice.
    assert list(dict.fromkeys(told())) == sorted(set(told()))


# ---- what lifecycle rules do ---------------------------------------------------------------------------


RULES = (b"<LifecycleConfiguration><Rule><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status><Expiration>"
         b"<Date>2020-01-01T00:00:00Z</Date></Expiration></Rule><Rule><Filter><ObjectSizeLessThan>9</ObjectSizeLessThan>"
         b"</Filter><Status>Enabled</Status><Transition><Date>2020-01-01T00:00:00Z</Date><StorageClass>GLACIER"
         b"</StorageClass></Transition></Rule></LifecycleConfiguration>")  # fmt: skip


def test_lifecycle__tells_what_it_does_and_only_where_somebody_listens(world):
    world.tell(rule(ARNS["hook"], "s3:LifecycleExpiration:*", "s3:LifecycleTransition"))
    world.ask("PUT", "/quiet")
    md5 = [("Content-MD5", base64.b64encode(hashlib.md5(RULES).digest()).decode())]
    for bucket in ("bucket", "quiet"):
        for key in ("old/a", "young"):
            world.ask("PUT", f"/{bucket}/{key}", b"x")
        world.ask("PUT", f"/{bucket}?lifecycle", RULES, md5)
    world.server.clock.advance(86400)
    records = [call.record for call in world.receiver.until(2)]
    assert sorted((record["eventName"], record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) for record in records) == [
        ("LifecycleExpiration:Delete", "bucket", "old/a"), ("LifecycleTransition", "bucket", "young")]  # fmt: skip
    assert len(world.receiver.calls) == 2

# SPDX-License-Identifier: Apache-2.0
"""SelectObjectContent: statements, formats, events and errors, as boto3 sees them.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference.html
"""

import bz2
import gzip
import json

import pytest
from botocore.exceptions import ClientError, EventStreamError

PEOPLE = b"""name,age,city,note
Ann,31,Bern,"likes ""quotes"", and commas"
Bob,27,Zug,
Cleo,44,Bern,x
"""
USE = {"CSV": {"FileHeaderInfo": "USE"}}
LINES = {"JSON": {"Type": "LINES"}}
DOCUMENT = {"JSON": {"Type": "DOCUMENT"}}
THINGS = b'{"id": 1, "tags": ["a", "b"], "at": {"x": 1.50}}\n{"id": 2, "name": null}\n{"id": 3, "name": "th\\u00fcr"}\n'
RECORD_MAX = 1024 * 1024


class Asked:
    def __init__(self, events):
        self.kinds, self.payload, self.details = [], b"", {}
        for event in events:
            ((kind, value),) = event.items()
            self.kinds.append(kind)
            if kind == "Records":
                assert 0 < len(value["Payload"]) <= 1024 * 1024
                self.payload += value["Payload"]
            if kind in ("Stats", "Progress"):
                self.details[kind] = value["Details"]


@pytest.fixture
def ask(s3, bucket):
    def ask(body, sql, source=USE, target=None, **more):
        if body is not None:
            s3.put_object(Bucket=bucket, Key="key", Body=body)
        reply = s3.select_object_content(
            Bucket=bucket, Key="key", Expression=sql, ExpressionType="SQL",
            InputSerialization=source, OutputSerialization=target or {"CSV": {}}, **more)  # fmt: skip
        return Asked(reply["Payload"])

    return ask


@pytest.fixture
def refused(ask):
    def refused(*arguments, **more):
        with pytest.raises(ClientError) as caught:
            ask(*arguments, **more)
        assert not isinstance(caught.value, EventStreamError)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return caught.value.response["Error"]["Code"]

    return refused


CSV_ROWS = [
    ("SELECT * FROM S3Object", 'Ann,31,Bern,"likes ""quotes"", and commas"\nBob,27,Zug,\nCleo,44,Bern,x\n'),
    ("SELECT s.name FROM S3Object s", "Ann\nBob\nCleo\n"),
    ("select S.NAME from s3object as s where s.city = 'Bern'", "Ann\nCleo\n"),
    ('SELECT "name" FROM S3Object WHERE CAST(age AS INT) > 30', "Ann\nCleo\n"),
    ("SELECT s._1, s._2 FROM S3Object s WHERE s._2 < 30", "Bob,27\n"),
    ("SELECT name FROM S3Object LIMIT 2", "Ann\nBob\n"),
    ("SELECT name FROM S3Object LIMIT 0", ""),
    ("SELECT name FROM S3Object WHERE age BETWEEN 27 AND 31", "Ann\nBob\n"),
    ("SELECT name FROM S3Object WHERE name NOT IN ('Ann', 'Bob')", "Cleo\n"),
    ("SELECT name FROM S3Object WHERE name LIKE '%o%' AND NOT (age = 44)", "Bob\n"),
    ("SELECT name FROM S3Object WHERE name LIKE '_!_%' ESCAPE '!' OR 'a_b' LIKE 'a!_b' ESCAPE '!' LIMIT 1", "Ann\n"),
    ("SELECT name FROM S3Object WHERE note = '' OR note = 'x'", "Bob\nCleo\n"),
    ("SELECT name || '-' || city FROM S3Object LIMIT 1", "Ann-Bern\n"),
    ("SELECT age + 1, age * 2.5, 7 / 2, 7 % 4, -age FROM S3Object LIMIT 1", "32,77.5,3,3,-31\n"),
    ("SELECT COUNT(*), SUM(CAST(age AS INT)), MIN(age), MAX(age), AVG(age) FROM S3Object", "3,102,27,44,34\n"),
    ("SELECT COUNT(*) + 1 FROM S3Object WHERE city = 'Nowhere'", "1\n"),
    ("SELECT SUM(age) FROM S3Object WHERE city = 'Nowhere'", "\n"),
    ("SELECT CASE WHEN age > 40 THEN 'old' ELSE 'young' END FROM S3Object", "young\nyoung\nold\n"),
    ("SELECT CASE city WHEN 'Zug' THEN 1 END FROM S3Object", "\n1\n\n"),
    ("SELECT COALESCE(NULLIF(note, ''), 'none') FROM S3Object WHERE name = 'Bob'", "none\n"),
    ("SELECT UPPER(name), LOWER(name), CHAR_LENGTH(name) FROM S3Object LIMIT 1", "ANN,ann,3\n"),
    ("SELECT SUBSTRING(name FROM 2), SUBSTRING(name, 0, 2) FROM S3Object LIMIT 1", "nn,A\n"),
    ("SELECT TRIM('  x '), TRIM(LEADING '0' FROM '007'), TRIM(BOTH FROM ' y ') FROM S3Object LIMIT 1", "x,7,y\n"),
    ("SELECT s.* FROM S3Object s WHERE s.name = 'Bob';", "Bob,27,Zug,\n"),
    ("SELECT DATE_ADD(month, 1, TO_TIMESTAMP('2010-01-31T')), DATE_DIFF(day, `2010T`, `2011T`) FROM S3Object LIMIT 1",
     "2010-02-28,365\n"),
    ("SELECT TO_STRING(CAST('1969-07-20T20:18Z' AS TIMESTAMP), 'MMMM d, y h:m a') FROM S3Object LIMIT 1",
     '"July 20, 1969 8:18 PM"\n'),
    ("SELECT name FROM S3Object WHERE EXTRACT(YEAR FROM UTCNOW()) > 2020 LIMIT 1", "Ann\n"),
]


@pytest.mark.parametrize("sql, rows", CSV_ROWS)
def test_SelectObjectContent__rows_of_csv(ask, sql, rows):
    asked = ask(PEOPLE, sql)
    assert asked.payload.decode() == rows
    assert asked.kinds[-2:] == ["Stats", "End"]


def test_SelectObjectContent__csv_may_use_other_characters(ask):
    source = {"CSV": {"FieldDelimiter": "|", "RecordDelimiter": ";;", "QuoteCharacter": "'",
                      "QuoteEscapeCharacter": "\\", "Comments": "#", "FileHeaderInfo": "IGNORE"}}  # fmt: skip
    body = b"a|b;;#no;;1|'x\\'|y';;2|z"
    assert ask(body, "SELECT * FROM S3Object", source).payload == b"1,x'|y\n2,z\n"
    target = {"CSV": {"FieldDelimiter": "\t", "RecordDelimiter": " ; ", "QuoteCharacter": "*", "QuoteFields": "ALWAYS"}}
    assert ask(None, "SELECT _2 , _1 FROM S3Object", source, target).payload == b"*x'|y*\t*1* ; *z*\t*2* ; "


def test_SelectObjectContent__a_record_may_go_on_in_quotes(ask, refused):
    body = b'1,"a\nb"\r\n2,c\r\n'
    source = {"CSV": {"AllowQuotedRecordDelimiter": True}}
    assert ask(body, "SELECT _2 FROM S3Object", source).payload == b'"a\nb"\nc\n'
    assert refused(body, "SELECT _2 FROM S3Object", {"CSV": {}}) == "CSVEscapingRecordDelimiter"


def test_SelectObjectContent__csv_as_json(ask):
    asked = ask(PEOPLE, "SELECT name, CAST(age AS INT) AS years, 1 FROM S3Object LIMIT 1", USE, {"JSON": {}})
    assert json.loads(asked.payload) == {"name": "Ann", "years": 31, "_3": 1}
    asked = ask(b"a,b\n", "SELECT * FROM S3Object", {"CSV": {}}, {"JSON": {"RecordDelimiter": ";"}})
    assert asked.payload == b'{"_1":"a","_2":"b"};'


JSON_ROWS = [
    (THINGS, "SELECT s.id FROM S3Object s", '{"id":1}\n{"id":2}\n{"id":3}\n'),
    (THINGS, "SELECT s.name FROM S3Object[*] s", '{}\n{"name":null}\n{"name":"thür"}\n'),
    (THINGS, "SELECT id FROM S3Object WHERE name IS MISSING", '{"id":1}\n'),
    (THINGS, "SELECT id FROM S3Object WHERE name IS NULL", '{"id":1}\n{"id":2}\n'),
    (THINGS, "SELECT id FROM S3Object WHERE name IS NOT NULL", '{"id":3}\n'),
    (THINGS, "SELECT s.tags[1], s['at'].x AS n FROM S3Object s LIMIT 1", '{"tags":"b","n":1.50}\n'),
    (THINGS, "SELECT * FROM S3Object s WHERE s.at.x = 1.5", '{"id":1,"tags":["a","b"],"at":{"x":1.50}}\n'),
    (b'[1,{"a":2}]', "SELECT * FROM S3Object", '{"_1":[1,{"a":2}]}\n'),
    (b'[1,{"a":2}]', "SELECT * FROM S3Object[*][*]", '{"_1":1}\n{"a":2}\n'),
    (b'{"Rules":[{"id":"1"},{"x":1},{"id":"2"}]} {"made":1}', "SELECT id FROM S3Object[*].Rules[*].id", '{"id":"1"}\n{}\n{"id":"2"}\n{}\n'),
    (b'{"Rules":[{"id":"1"},{"x":1}]}', "SELECT id FROM S3Object[*].Rules[*].id WHERE id IS NOT MISSING", '{"id":"1"}\n'),
    (b'{"a":true}', "SELECT COUNT(*) AS n, COUNT(b) AS m FROM S3Object WHERE a", '{"n":1,"m":0}\n'),
    (b"", "SELECT COUNT(*) FROM S3Object", '{"_1":0}\n'),
]  # fmt: skip


@pytest.mark.parametrize("source", [LINES, DOCUMENT], ids=["lines", "document"])
@pytest.mark.parametrize("body, sql, rows", JSON_ROWS)
def test_SelectObjectContent__rows_of_json(ask, source, body, sql, rows):
    assert ask(body, sql, source, {"JSON": {}}).payload.decode() == rows


def test_SelectObjectContent__json_as_csv(ask):
    assert ask(THINGS, "SELECT * FROM S3Object LIMIT 1", LINES).payload == b'1,"[""a"",""b""]","{""x"":1.50}"\n'


@pytest.mark.parametrize("kind, pack", [("GZIP", gzip.compress), ("BZIP2", bz2.compress)])
def test_SelectObjectContent__compressed_objects(ask, refused, kind, pack):
    source = {"CompressionType": kind, "CSV": {}}
    body = b"".join(b"%d,abc\n" % n for n in range(100_000))
    packed = pack(body[:1000]) + pack(body[1000:])
    asked = ask(packed, "SELECT COUNT(*), SUM(CAST(_1 AS INT)) FROM S3Object", source)
    assert asked.payload == b"100000,4999950000\n"
    assert asked.details["Stats"]["BytesScanned"] == len(packed)
    assert asked.details["Stats"]["BytesProcessed"] == len(body)
    assert refused(body, "SELECT * FROM S3Object", source) == "InvalidCompressionFormat"
    assert refused(pack(b"1,2\n" * 9)[:-6], "SELECT * FROM S3Object", source) == "TruncatedInput"
    assert refused(packed, "SELECT * FROM S3Object", source, ScanRange={"Start": 1}) == "UnsupportedScanRangeInput"


def test_SelectObjectContent__a_large_answer_comes_in_events(ask):
    body = b"".join(b"%d,%s\n" % (n, b"x" * 90) for n in range(60_000))
    asked = ask(body, "SELECT * FROM S3Object", {"CSV": {}}, RequestProgress={"Enabled": True})
    assert asked.payload == body
    assert asked.kinds.count("Records") > 5 and asked.kinds[-3:] == ["Progress", "Stats", "End"]
    assert asked.details["Stats"] == {"BytesScanned": len(body), "BytesProcessed": len(body), "BytesReturned": len(body)}


def test_SelectObjectContent__a_query_that_finds_nothing_says_that_it_goes_on(ask):
    asked = ask(b"1,2\n" * 1_000_000, "SELECT * FROM S3Object WHERE _1 = 'no'", {"CSV": {}})
    assert set(asked.kinds[:-2]) == {"Cont"} and asked.payload == b""


def test_SelectObjectContent__what_goes_wrong_later_is_the_last_event(ask):
    body = b"1\n" * 1_000_000 + b"x\n"
    with pytest.raises(EventStreamError) as caught:
        ask(body, "SELECT SUM(CAST(_1 AS INT)) FROM S3Object", {"CSV": {}})
    assert caught.value.response["Error"]["Code"] == "CastFailed"


@pytest.mark.parametrize("begin, end, rows", [
    (0, 0, "aaa"), (0, 3, "aaa"), (0, 4, "aaa bbb"), (1, 4, "bbb"), (4, 7, "bbb"), (3, 4, "bbb"), (5, None, "ccc"),
    (None, 4, "ccc"), (None, 99, "aaa bbb ccc"), (8, 99, "ccc"), (9, 11, ""),
])  # fmt: skip
@pytest.mark.parametrize("source", ["csv", "header", "json"])
def test_SelectObjectContent__records_that_begin_in_the_range(ask, source, begin, end, rows):
    """A record counts where its first byte lies; End alone: so many bytes at the end."""
    given = {"csv": {"CSV": {}}, "header": {"CSV": {"FileHeaderInfo": "USE"}}, "json": LINES}[source]
    lines, shift, sql = [b"aaa", b"bbb", b"ccc"], 0, "SELECT _1 FROM S3Object"
    if source == "json":
        lines, sql = [b"111", b"222", b"333"], "SELECT * FROM S3Object"
        rows = rows.translate(str.maketrans("abc", "123"))
    if source == "header":
        lines, shift, sql = [b"col", *lines], 4, "SELECT col FROM S3Object"
    where = {}
    if begin is not None:
        where["Start"] = begin + shift
    if end is not None:
        where["End"] = end + (shift if begin is not None else 0)
    asked = ask(b"\n".join(lines) + b"\n", sql, given, ScanRange=where)
    assert asked.payload.decode().split() == rows.split()


@pytest.mark.parametrize("where", [{"Start": 3, "End": 2}, {"Start": 4}, {}])
def test_SelectObjectContent__a_range_that_is_none(refused, where):
    assert refused(b"1\n2\n", "SELECT * FROM S3Object", {"CSV": {}}, ScanRange=where) == "InvalidScanRange"


SQL_ERRORS = [
    ("", "ParseUnexpectedToken"),
    ("SELECT", "ParseEmptySelect"),
    ("SELECT FROM S3Object", "ParseEmptySelect"),
    ("SELECT a", "ParseSelectMissingFrom"),
    ("SELECT * FROM other", "InvalidDataSource"),
    ("SELECT *, name FROM S3Object", "ParseAsteriskIsNotAloneInSelectList"),
    ("SELECT name, * FROM S3Object", "ParseAsteriskIsNotAloneInSelectList"),
    ("SELECT name.* , age FROM S3Object", "ParseInvalidContextForWildcardInSelectList"),
    ("SELECT name FROM S3Object WHERE", "ParseExpectedExpression"),
    ("SELECT name FROM S3Object WHERE age >", "ParseExpectedExpression"),
    ("SELECT name FROM S3Object WHERE age > > 1", "ParseUnexpectedToken"),
    ("SELECT name FROM S3Object 1", "ParseUnexpectedToken"),
    ("SELECT select FROM S3Object", "ParseUnexpectedKeyword"),
    ("SELECT name AS 1 FROM S3Object", "ParseExpectedIdentForAlias"),
    ("SELECT name FROM S3Object LIMIT x", "ParseExpectedNumber"),
    ("SELECT name FROM S3Object LIMIT -1", "EvaluatorNegativeLimit"),
    ("SELECT name FROM S3Object GROUP BY name", "UnsupportedSqlStructure"),
    ("SELECT name FROM S3Object WHERE name ? 1", "LexerInvalidChar"),
    ("SELECT name FROM S3Object WHERE name ! 1", "LexerInvalidOperator"),
    ("SELECT name FROM S3Object WHERE name = 'x", "LexerInvalidLiteral"),
    ("SELECT 1x FROM S3Object", "LexerInvalidLiteral"),
    ("SELECT NOSUCH(name) FROM S3Object", "UnsupportedFunction"),
    ("SELECT DATE_ADD(fortnight, 1, `2010T`) FROM S3Object", "ParseExpectedDatePart"),
    ("SELECT TO_TIMESTAMP(name) FROM S3Object", "ValueParseFailure"),
    ("SELECT `{}` FROM S3Object", "LexerInvalidIONLiteral"),
    ("SELECT TO_STRING(`2010T`, 'Q') FROM S3Object", "EvaluatorInvalidTimestampFormatPatternSymbol"),
    ("SELECT TO_STRING(`2010T`, 'yyyyy') FROM S3Object", "EvaluatorInvalidTimestampFormatPatternToken"),
    ("SELECT TO_STRING(`2010T`, 'y''') FROM S3Object", "EvaluatorUnterminatedTimestampFormatPatternToken"),
    ("SELECT SUM(*) FROM S3Object", "ParseUnsupportedCallWithStar"),
    ("SELECT SUM() FROM S3Object", "ParseNonUnaryAgregateFunctionCall"),
    ("SELECT SUM(COUNT(*)) FROM S3Object", "UnsupportedSqlStructure"),
    ("SELECT name, COUNT(*) FROM S3Object", "UnsupportedSqlStructure"),
    ("SELECT name FROM S3Object WHERE COUNT(*) > 1", "UnsupportedSqlStructure"),
    ("SELECT NULLIF(name) FROM S3Object", "EvaluatorInvalidArguments"),
    ("SELECT CAST name AS INT FROM S3Object", "ParseExpectedLeftParenAfterCast"),
    ("SELECT CAST(name, INT) FROM S3Object", "ParseCastArity"),
    ("SELECT CAST(name AS THING) FROM S3Object", "ParseExpectedTypeName"),
    ("SELECT CASE name END FROM S3Object", "ParseExpectedWhenClause"),
    ("SELECT name FROM S3Object WHERE name IN 'a'", "ParseExpectedLeftParenValueConstructor"),
    ("SELECT name FROM S3Object WHERE name IN ('a' 'b')", "ParseExpectedArgumentDelimiter"),
    ("SELECT LOWER(name FROM S3Object", "ParseExpectedRightParenBuiltinFunctionCall"),
    ("SELECT x.name FROM S3Object s", "InvalidTableAlias"),
    ("SELECT nosuch FROM S3Object", "MissingHeaders"),
    ("SELECT s[0] FROM S3Object s", "InvalidKeyPath"),
    ("SELECT name FROM S3Object[*].x", "InvalidKeyPath"),
    ("SELECT CAST(name AS INT) FROM S3Object", "CastFailed"),
    ("SELECT SUM(name) FROM S3Object", "IncorrectSqlFunctionArgumentType"),
    ("SELECT age / 0 FROM S3Object", "IllegalSqlFunctionArgument"),
    ("SELECT 9223372036854775807 + age FROM S3Object", "IntegerOverflow"),
    ("SELECT name FROM S3Object WHERE name LIKE 'a!b' ESCAPE '!'", "LikeInvalidInputs"),
]


@pytest.mark.parametrize("sql, code", SQL_ERRORS)
def test_SelectObjectContent__statements_that_are_refused(refused, sql, code):
    assert refused(PEOPLE, sql) == code


INPUT_ERRORS = [
    (b"a,A\n1,2\n", "SELECT a FROM S3Object", USE, "AmbiguousFieldName"),
    (b"1,2\n", "SELECT name FROM S3Object", {"CSV": {}}, "InvalidColumnIndex"),
    (b'"a"b,2\n', "SELECT * FROM S3Object", {"CSV": {}}, "CSVUnescapedQuote"),
    (b'"a\n', "SELECT * FROM S3Object", {"CSV": {"AllowQuotedRecordDelimiter": True}}, "CSVParsingError"),
    (b"\xff\n", "SELECT * FROM S3Object", {"CSV": {}}, "InvalidTextEncoding"),
    (b'{"a":}', "SELECT * FROM S3Object", DOCUMENT, "JSONParsingError"),
    (b'{"a":1', "SELECT * FROM S3Object", LINES, "JSONParsingError"),
    (b'{"a":"\xff"}', "SELECT * FROM S3Object", LINES, "InvalidTextEncoding"),
    (b"[" * 65 + b"]" * 65, "SELECT * FROM S3Object", DOCUMENT, "JSONParsingError"),
    (b"PAR1", "SELECT * FROM S3Object", {"Parquet": {}}, "InvalidDataSource"),
    (b"", "SELECT * FROM S3Object", {}, "InvalidDataSource"),
    (b"", "SELECT * FROM S3Object", {"CSV": {}, "JSON": {"Type": "LINES"}}, "ObjectSerializationConflict"),
    (b"", "SELECT * FROM S3Object", {"JSON": {"Type": "lines"}}, "InvalidJsonType"),
    (b"", "SELECT * FROM S3Object", {"CSV": {"FileHeaderInfo": "use"}}, "InvalidFileHeaderInfo"),
    (b"", "SELECT * FROM S3Object", {"CSV": {}, "CompressionType": "ZIP"}, "InvalidCompressionFormat"),
    (b"", "SELECT * FROM S3Object", {"CSV": {"FieldDelimiter": "ab"}}, "InvalidRequestParameter"),
    (b"", "SELECT * FROM S3Object", {"CSV": {"RecordDelimiter": "abc"}}, "InvalidRequestParameter"),
]


@pytest.mark.parametrize("body, sql, source, code", INPUT_ERRORS)
def test_SelectObjectContent__inputs_that_are_refused(refused, body, sql, source, code):
    assert refused(body, sql, source) == code


def test_SelectObjectContent__requests_that_are_refused(s3, bucket, refused):
    assert refused(b"", "SELECT * FROM S3Object", USE, {"CSV": {"QuoteFields": "SOMETIMES"}}) == "InvalidQuoteFields"
    assert refused(b"", "SELECT * FROM S3Object", USE, {"CSV": {}, "JSON": {}}) == "ObjectSerializationConflict"
    with pytest.raises(ClientError) as caught:
        s3.select_object_content(Bucket=bucket, Key="key", Expression="SELECT * FROM S3Object", ExpressionType="PartiQL",
                                 InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})  # fmt: skip
    assert caught.value.response["Error"]["Code"] == "InvalidExpressionType"
    with pytest.raises(ClientError) as caught:
        s3.select_object_content(Bucket=bucket, Key="none", Expression="SELECT * FROM S3Object", ExpressionType="SQL",
                                 InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}})  # fmt: skip
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_SelectObjectContent__limits_on_both_sides(ask, refused):
    sql = "SELECT COUNT(*) FROM S3Object"
    longest = sql + " " * (256 * 1024 - len(sql))
    assert ask(b"1\n", longest, {"CSV": {}}).payload == b"1\n"
    assert refused(None, longest + " ", {"CSV": {}}) == "ExpressionTooLong"

    assert ask(b"x" * RECORD_MAX + b"\n", sql, {"CSV": {}}).payload == b"1\n"
    assert refused(b"x" * (RECORD_MAX + 1) + b"\n", sql, {"CSV": {}}) == "OverMaxRecordSize"
    assert refused(b"x" * (3 * RECORD_MAX), sql, {"CSV": {}}) == "OverMaxRecordSize"

    deep = "(" * 63 + "1" + ")" * 63
    assert ask(b"1\n", f"SELECT {deep} FROM S3Object", {"CSV": {}}).payload == b"1\n"
    for too_deep in ("(" * 64 + "1" + ")" * 64, "-" * 65 + "1", "NOT " * 65 + "TRUE", "1" + "+1" * 64):
        assert refused(None, f"SELECT {too_deep.replace('--', '- -')} FROM S3Object", {"CSV": {}}) == "UnsupportedSqlStructure"
    wide = " OR ".join(["_1 = 'no'"] * 5000)
    assert ask(None, f"SELECT COUNT(*) FROM S3Object WHERE {wide}", {"CSV": {}}).payload == b"0\n"

    assert ask(None, f"SELECT {','.join(['_1'] * 1024)} FROM S3Object", {"CSV": {}}).payload.count(b"1") == 1024
    assert refused(None, f"SELECT {','.join(['_1'] * 1025)} FROM S3Object", {"CSV": {}}) == "OverMaxColumn"
    assert ask(b"[" * 64 + b"]" * 64, "SELECT COUNT(*) FROM S3Object", DOCUMENT).payload == b"1\n"


def test_SelectObjectContent__a_record_may_cost_so_much(refused):
    body = b"a" * 100_000 + b"\n"
    sql = "SELECT COUNT(*) FROM S3Object WHERE _1 LIKE '%" + "a" * 1000 + "b'"
    assert refused(body, sql, {"CSV": {}}) == "UnsupportedSqlOperation"


@pytest.mark.parametrize("method", [{}, {"ServerSideEncryption": "AES256"}], ids=["plain", "AES256"])
def test_SelectObjectContent__of_an_object_made_of_parts(s3, bucket, ask, method):
    """A record may begin in one part and end in the next."""
    line = b"0123456789,abcdef\n"
    body = line * (7 * 1024 * 1024 // len(line))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", **method)["UploadId"]
    parts = []
    for number, part in enumerate((body[: 5 * 1024 * 1024 + 5], body[5 * 1024 * 1024 + 5 :]), 1):
        made = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": made["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload={"Parts": parts})
    count = len(body) // len(line)
    assert ask(None, "SELECT COUNT(*) FROM S3Object WHERE _2 = 'abcdef'", {"CSV": {}}).payload == b"%d\n" % count
    tail = {"Start": len(body) - 2 * len(line), "End": len(body)}
    assert ask(None, "SELECT _1 FROM S3Object", {"CSV": {}}, ScanRange=tail).payload == b"0123456789\n" * 2


def test_SelectObjectContent__others_may_ask_what_they_may_read(s3, alice, bucket):
    arguments = {"Bucket": bucket, "Key": "key", "Expression": "SELECT * FROM S3Object", "ExpressionType": "SQL",
                 "InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}}  # fmt: skip
    s3.put_object(Bucket=bucket, Key="key", Body=b"1\n")
    with pytest.raises(ClientError) as caught:
        alice.select_object_content(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    s3.put_object_acl(Bucket=bucket, Key="key", ACL="public-read")
    assert Asked(alice.select_object_content(**arguments)["Payload"]).payload == b"1\n"

# SPDX-License-Identifier: Apache-2.0
"""Strong consistency across event loops: what one connection was told, every other one sees.

Each event loop remembers what it has read; these tests keep that memory warm on all of them while
keys change, and read through connections of other loops than the one that wrote.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
"""

import threading

from botocore.exceptions import ClientError

from sdk.cloud import Cloud, bucket_name

LOOPS = 4
CLIENTS = 6  # each with one connection of its own
KEYS = 3
ROUNDS = 60


def fresh_clients(server, count):
    """Clients that share no connection."""
    return [Cloud(server).client(max_pool_connections=1) for _ in range(count)]


def number_of(client, bucket, key):
    try:
        return int(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        return 0


def test_GetObject__no_loop_answers_with_less_than_another_has_told(make_server):
    server = make_server(f"--threads={LOOPS}")
    clients = fresh_clients(server, CLIENTS)
    bucket = bucket_name("loops")
    clients[0].create_bucket(Bucket=bucket)
    told = [0] * KEYS  # the greatest number that anybody was told is stored
    lock = threading.Lock()
    older = []
    ended = threading.Event()

    def tell(key, number):
        with lock:
            told[key] = max(told[key], number)

    def write(client):
        for number in range(1, ROUNDS * KEYS + 1):
            key = number % KEYS
            client.put_object(Bucket=bucket, Key=f"k{key}", Body=str(number))
            tell(key, number)
        ended.set()

    def read(client, turn):
        while not ended.is_set():
            turn += 1
            key = turn % KEYS
            known = told[key]
            number = number_of(client, bucket, f"k{key}")
            if number < known:
                older.append((key, known, number))
            tell(key, number)

    readers = [threading.Thread(target=read, args=(client, turn))
               for turn, client in enumerate(clients[1:])]  # fmt: skip
    for reader in readers:
        reader.start()
    write(clients[0])
    for reader in readers:
        reader.join()
    assert older == []
    assert min(told) >= (ROUNDS - 1) * KEYS


def test_HeadObject__every_kind_of_change_is_seen_at_once_through_other_loops(make_server):
    server = make_server(f"--threads={LOOPS}")
    clients = fresh_clients(server, CLIENTS)
    bucket = bucket_name("loops")
    writer = clients[0]
    writer.create_bucket(Bucket=bucket)

    def seen():
        """What every connection says of the key; twice, so that it is remembered."""
        answers = set()
        for client in clients * 2:
            try:
                answers.add(client.head_object(Bucket=bucket, Key="k")["ContentLength"])
            except ClientError as error:
                answers.add(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return answers

    for size in range(1, 6):
        assert seen() == {404}
        writer.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
        assert seen() == {size}
        writer.put_object(Bucket=bucket, Key="k", Body=b"x" * (size + 100))
        assert seen() == {size + 100}
        writer.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k"},
                           MetadataDirective="REPLACE", Metadata={"turn": str(size)})  # fmt: skip
        for client in clients:
            assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"turn": str(size)}
        if size % 2:
            writer.delete_object(Bucket=bucket, Key="k")
        else:
            writer.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})


def test_HeadBucket__creation_and_deletion_are_seen_at_once_through_other_loops(make_server):
    server = make_server(f"--threads={LOOPS}")
    clients = fresh_clients(server, CLIENTS)
    bucket = bucket_name("loops")

    def seen():
        answers = set()
        for client in clients * 2:
            try:
                client.head_bucket(Bucket=bucket)
                answers.add(200)
            except ClientError as error:
                answers.add(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return answers

    for _ in range(4):
        assert seen() == {404}
        clients[0].create_bucket(Bucket=bucket)
        assert seen() == {200}
        clients[1].delete_bucket(Bucket=bucket)

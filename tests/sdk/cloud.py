# SPDX-License-Identifier: Apache-2.0
"""boto3 clients of one server, and names for buckets."""

import itertools
import os

from wire import process

bucket_numbers = itertools.count(1)


def bucket_name(hint="test"):
    return f"{hint}-{os.getpid()}-{next(bucket_numbers)}"


class Cloud:
    """Makes (and keeps) boto3 clients of one server."""

    def __init__(self, server):
        self.server = server
        self.kept = {}
        self.sessions = {}

    def _session(self, user):
        import boto3

        if user not in self.sessions:
            keys = {}
            if user:
                who = self.server.users[user]
                keys = {"aws_access_key_id": who.access_key,
                        "aws_secret_access_key": who.secret_key,
                        "aws_session_token": who.session_token or None}  # fmt: skip
            self.sessions[user] = boto3.session.Session(region_name="us-east-1", **keys)
        return self.sessions[user]

    def _arguments(self, user, scheme, region, config):
        import botocore
        from botocore.config import Config

        config = dict(config)
        config.setdefault("retries", {"total_max_attempts": 1})
        config.setdefault("connect_timeout", 5)
        config.setdefault("read_timeout", 120)
        config.setdefault("max_pool_connections", 20)
        if process.STORE:
            config["s3"] = {"addressing_style": "path", **config.get("s3", {})}
        if user is None:
            config["signature_version"] = botocore.UNSIGNED
        arguments = {
            "endpoint_url": self.server.tls_url if scheme == "https" else self.server.url,
            "config": Config(**config),
        }
        if region:
            arguments["region_name"] = region
        if scheme == "https":
            arguments["verify"] = str(self.server.certificate[0])
        return arguments

    def client(self, user="root", scheme="http", region=None, **config):
        """A client; user None is anonymous."""
        kept = ("client", user, scheme, region, repr(sorted(config.items())))
        if kept not in self.kept:
            arguments = self._arguments(user, scheme, region, config)
            self.kept[kept] = self._session(user).client("s3", **arguments)
        return self.kept[kept]

    def resource(self, user="root", scheme="http", region=None, **config):
        arguments = self._arguments(user, scheme, region, config)
        return self._session(user).resource("s3", **arguments)

    def new_bucket(self, user="root", hint="test", **arguments):
        name = bucket_name(hint)
        self.client(user).create_bucket(Bucket=name, **arguments)
        return name

# SPDX-License-Identifier: Apache-2.0
"""Servers in the state a row wants, for each leg.

A stock is filled once and only read; the last one is kept, because neighbouring rows share it.
A fresh or filled store is new for every leg, and stays until its pair is over: removing many files
slows the next leg down.
"""

import secrets

from .servers import Nginx, Pail


class Stores:
    def __init__(self, program, machine, client, other=None, make_other=None):
        self.program = program
        self.machine = machine
        self.client = client
        self.other = other  # of somebody else: one store for all legs
        self.make_other = make_other  # of a command: a store for each
        self.stock_key = None
        self.stock = {}  # side: (server, bucket)
        self.pair = []  # servers of this pair

    def _new(self, side, row):
        """(server, bucket) of an empty store."""
        if side == "peer" and not self.make_other:
            return self.other, f"bench-{secrets.token_hex(5)}"
        folder = self.machine.folder(row.medium, side)
        cpus = self.machine.cpus if row.all_cpus else self.machine.server_cpus
        if side == "peer":
            return self.make_other(folder, cpus), "bench"
        if side == "pail":
            return Pail(self.program, folder, cpus), "bench"
        return Nginx(folder, cpus), "bench"

    def _fill(self, server, bucket, row):
        self.client.fill(server, row.keys, row.size, bucket,
                         connections=1 if row.size >= 1 << 28 else 64,
                         options=row.fill_options)  # fmt: skip

    def _stocked(self, side, row):
        key = (row.medium, row.size, row.keys, tuple(row.fill_options), row.all_cpus)
        if key != self.stock_key:
            self.drop_stock()
            self.stock_key = key
        if side not in self.stock:
            self.stock[side] = self._new(side, row)
            self._fill(*self.stock[side], row)
        return self.stock[side]

    def for_leg(self, side, row):
        if row.store == "stock":
            return self._stocked(side, row)
        server, bucket = self._new(side, row)
        self.pair.append(server)
        if row.store == "filled":
            self._fill(server, bucket, row)
        elif side != "nginx":
            self.client.bucket(server, bucket)
        return server, bucket

    def pair_over(self):
        for server in self.pair:
            if server is not self.other:
                server.forget()
        self.pair = []

    def drop_stock(self):
        for server, _ in self.stock.values():
            if server is not self.other:
                server.forget()
        self.stock = {}
        self.stock_key = None

    def close(self):
        self.pair_over()
        self.drop_stock()

# SPDX-License-Identifier: Apache-2.0
"""Servers in the state a row wants, for each leg.

A stock is filled once and only read; the last one is kept, because neighbouring rows share it.
A fresh or filled store is new for every leg, and stays until its pair is over: removing many files
slows the next leg down.
"""

import secrets
import shutil

from .servers import Nginx, Pail


class Stores:
    def __init__(self, program, machine, client, other=None):
        self.program = program
        self.machine = machine
        self.client = client
        self.other = other
        self.stock_key = None
        self.stock = {}  # side: (server, bucket)
        self.pair = []  # of this pair: (server or None, folder or None)

    def _new(self, side, medium):
        """(server, bucket) of an empty store."""
        if side == "peer":
            return self.other, f"bench-{secrets.token_hex(5)}", None
        folder = self.machine.folder(medium, side)
        if side == "pail":
            return Pail(self.program, folder, self.machine.server_cpus), "bench", folder
        return Nginx(folder, self.machine.server_cpus), "bench", folder

    def _fill(self, server, bucket, row):
        keys, size = row.keys, row.size
        self.client.fill(server, keys, size, bucket, connections=1 if size >= 1 << 28 else 16,
                         options=row.fill_options)  # fmt: skip

    def _stocked(self, side, row):
        key = (row.medium, row.size, row.keys, tuple(row.fill_options))
        if key != self.stock_key:
            self.drop_stock()
            self.stock_key = key
        if side not in self.stock:
            server, bucket, folder = self._new(side, row.medium)
            self.stock[side] = (server, bucket, folder)
            self._fill(server, bucket, row)
        return self.stock[side][:2]

    def for_leg(self, side, row):
        if row.store == "stock":
            return self._stocked(side, row)
        server, bucket, folder = self._new(side, row.medium)
        self.pair.append((server if folder else None, folder))
        if row.store == "filled":
            self._fill(server, bucket, row)
        elif side == "peer":
            self.client.fill(server, 1, 0, bucket)  # makes the bucket
        elif side == "pail":
            self.client.fill(server, 1, 0, bucket)
        return server, bucket

    def pair_over(self):
        for server, folder in self.pair:
            if server:
                server.stop()
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
        self.pair = []

    def drop_stock(self):
        for server, _, folder in self.stock.values():
            if folder:
                server.stop()
                shutil.rmtree(folder, ignore_errors=True)
        self.stock = {}
        self.stock_key = None

    def close(self):
        self.pair_over()
        self.drop_stock()

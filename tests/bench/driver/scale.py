# SPDX-License-Identifier: Apache-2.0
"""How much of everything a run measures: the quick, the bounded and the whole form of it."""

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

# What the goals speak of; a run with less says so beside its verdict.
GOAL_OBJECTS = 1000000
GOAL_MANY = 10000000
GOAL_DISK_OBJECTS = 100000
GOAL_BIG = GIB


@dataclass
class Scale:
    name: str
    minutes: float | None  # no new row is begun after that
    pairs: int  # quiet ones wanted of a row
    tries: int  # pairs made for each that is wanted, when the machine is noisy
    seconds: float  # of a leg
    warmup: float
    canary_s: float
    settle_s: float
    figure_s: float  # of a figure without a pair
    objects: int  # listed, and in the store that is started
    many: int  # in the larger store listed; 0: none
    few: int  # deleted, copied
    starts: int
    disk_objects: int
    big: int  # bytes of the largest object
    copies: int  # of one body
    part: int  # bytes of a part
    repeats: int  # of what takes seconds each
    levels: tuple  # connections
    peer_warmup: float | None = None  # of a peer that has to compile itself first; None: as all


QUICK = Scale("quick", 2.7, 2, 1, 0.4, 0.15, 0.2, 0, 0.4, 20000, 0, 5000, 5, 20000, 256 * MIB, 10,
              5 * MIB, 1, (16, 128, 1024))  # fmt: skip
BOUNDED = Scale("bounded", None, 3, 2, 2, 0.5, 0.5, 5, 1, GOAL_OBJECTS, 0, 100000, 20,
                GOAL_DISK_OBJECTS, GIB, 100, 16 * MIB, 3, (16, 64, 128, 256, 512, 1024))  # fmt: skip
WHOLE = Scale("whole", None, 5, 3, 10, 2, 1, 5, 2, GOAL_OBJECTS, GOAL_MANY, 100000, 20,
              GOAL_DISK_OBJECTS, GIB, 100, 16 * MIB, 5, (16, 64, 128, 256, 512, 1024))  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""The ten checksum algorithms of S3, made without the server's code.

CRC32C and CRC64NVME are plain loops, checked here against the catalogue of CRCs' own check values;
the XXHASH family comes from the system's libxxhash and is None without it.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import zlib


def _table(polynomial):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    return table


def _reflected(table, width, data):
    crc = mask = (1 << width) - 1
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ mask


CRC32C_TABLE = _table(0x82F63B78)
CRC64_TABLE = _table(0x9A6C9329AC4BC9B5)


def crc32(data):
    return zlib.crc32(data).to_bytes(4, "big")


def crc32c(data):
    return _reflected(CRC32C_TABLE, 32, data).to_bytes(4, "big")


def crc64nvme(data):
    return _reflected(CRC64_TABLE, 64, data).to_bytes(8, "big")


assert crc32c(b"123456789") == bytes.fromhex("e3069283")
assert crc64nvme(b"123456789") == bytes.fromhex("ae8b14860a799888")


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def _xxhash():
    name = ctypes.util.find_library("xxhash")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.XXH64.restype = library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    library.XXH3_64bits.argtypes = library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.XXH3_128bits.restype = _Hash128
    return library


XX = _xxhash()


def xxhash64(data):
    return XX.XXH64(data, len(data), 0).to_bytes(8, "big")


def xxhash3(data):
    return XX.XXH3_64bits(data, len(data)).to_bytes(8, "big")


def xxhash128(data):
    both = XX.XXH3_128bits(data, len(data))
    return both.high.to_bytes(8, "big") + both.low.to_bytes(8, "big")


ALGORITHMS = {
    "CRC32": crc32,
    "CRC32C": crc32c,
    "CRC64NVME": crc64nvme,
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "MD5": lambda data: hashlib.md5(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "XXHASH64": xxhash64,
    "XXHASH3": xxhash3,
    "XXHASH128": xxhash128,
}


def have(name):
    return XX is not None or not name.startswith("XXHASH")


def value(name, data):
    return base64.b64encode(ALGORITHMS[name](data)).decode()


def composite(name, parts):
    digests = b"".join(ALGORITHMS[name](part) for part in parts)
    return f"{base64.b64encode(ALGORITHMS[name](digests)).decode()}-{len(parts)}"


def header(name):
    return f"x-amz-checksum-{name.lower()}"

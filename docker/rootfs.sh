#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# rootfs.sh PROGRAM FOLDER: the files of an image that holds only PROGRAM: the program itself
# (stripped), every shared library it needs, libcurl with its own (the program loads it when it has
# somebody to call), certificates, and a /data and /tmp any user may write.

set -eu

program=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/data" "$root/tmp"
cp "$program" "$root/usr/bin/pail"
strip "$root/usr/bin/pail"

# The library that the program would find.
curl=$(ldconfig -p | sed -n 's/.*libcurl-gnutls\.so\.4 .*=> //p' | head -n 1)
[ -n "$curl" ] || {
    echo "rootfs.sh: libcurl-gnutls.so.4 is not installed" >&2
    exit 1
}

{ echo "$curl"; ldd "$program" "$curl" | sed -n 's/.*\(=> \|^\t\)\(\/[^ ]*\) (0x.*/\2/p'; } |
    sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
printf 'root:x:0:0:root:/:/nologin\npail:x:65532:65532:pail:/data:/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\npail:x:65532:\n' >"$root/etc/group"
chmod 1777 "$root/tmp"
chmod 0777 "$root/data"

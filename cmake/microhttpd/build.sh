# SPDX-License-Identifier: Apache-2.0
#
# The libmicrohttpd that ./dev builds: known source, one patch. Read by dev, which has say, die and
# packages_install.
#
#   versions    the releases that are known, and the hashes of their archives
#   *.patch     what is changed: docs/libmicrohttpd.md
#
# (1) What is built was signed by Debian's archive, or nothing is.
# (2) A known release has the hash that stands in versions, or nothing is built.
# (3) A pool keeps only its newest, so a release that is newer than all known ones is taken, with a
#     line that says so; the wire tests judge it. An older one than the newest known is not.
# (4) A patch fits as it is, without fuzz, or nothing is built.

readonly MHD_HOME=$ROOT/cmake/microhttpd
readonly MHD_MINIMUM=1.0.10
readonly MHD_PACKAGES=(dpkg-dev patch debian-archive-keyring ca-certificates)

# Debian's mirror: the one apt uses on Debian; elsewhere debootstrap knows the default.
debian_mirror()
{
    local mirror=${PAIL_DEBIAN_MIRROR:-}

    if [[ -z $mirror ]]; then
        mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
            'Created-By: Packages' 2>/dev/null | sed -n 's/^Debian|Debian|//p' | head -n 1)
    fi
    if [[ -z $mirror ]]; then
        packages_install debootstrap || return 1
        mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(command -v debootstrap ||
            printf /usr/sbin/debootstrap)" | head -n 1)
    fi
    [[ -n $mirror ]] || die "no Debian mirror is known; set PAIL_DEBIAN_MIRROR."
    printf '%s\n' "${mirror%/}"
}

# Fetch and unpack the newest source package of libmicrohttpd into $1. apt checks its signature
# against the Debian archive keyring; its lists and settings are private to the build tree.
mhd_source()
{
    local into=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    local apt=$DEPS/apt mirror suite
    local -a options

    packages_install "${MHD_PACKAGES[@]}" || return 1
    mirror=$(debian_mirror) || return 1
    options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)

    for suite in sid forky; do
        mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$into"
        printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" \
            >"$apt/sources.list"
        if apt-get "${options[@]}" --error-on=any update &&
            (cd "$into" && apt-get "${options[@]}" source libmicrohttpd); then
            rm -rf "$apt"
            return 0
        fi
        rm -rf "$apt" "${into:?}"/*
    done
    return 1
}

# mhd_known VERSION ARCHIVE: may that be built? Says why not, or what to know of it.
mhd_known()
{
    local version=$1 archive=$2 hash newest

    hash=$(sed -n "s/^$version  *\\([0-9a-f]\\{64\\}\\)\$/\\1/p" "$MHD_HOME/versions")
    newest=$(sed -n 's/^\([0-9][^ ]*\)  *[0-9a-f]\{64\}$/\1/p' "$MHD_HOME/versions" | sort -V | tail -n 1)
    if [[ -n $hash ]]; then
        printf '%s  %s\n' "$hash" "$archive" | sha256sum --check --status && return 0
        say "libmicrohttpd $version is not what cmake/microhttpd/versions knows by that name"
        return 1
    fi
    if ! dpkg --compare-versions "$version" gt "$newest"; then
        say "libmicrohttpd $version is older than $newest, the newest that is known"
        return 1
    fi
    say "libmicrohttpd $version is newer than all known ($newest): built, and for ./dev test wire to judge"
}

# Of what the library is made; a tree that says otherwise builds it again.
mhd_stamp()
{
    cat "$MHD_HOME"/versions "$MHD_HOME"/*.patch "$MHD_HOME/build.sh" | sha256sum | cut -c 1-16
}

# mhd_build FLAVOUR CFLAGS: a static libmicrohttpd in build/deps/microhttpd[-FLAVOUR], without the
# parts pail never uses (form parsing, Basic and Digest, cookies).
mhd_build()
{
    local flavour=$1 cflags=$2
    local prefix=$DEPS/microhttpd${flavour:+-$flavour} work=$DEPS/work-microhttpd${flavour:+-$flavour}
    # The release tarball carries its generated files; a patch to a test's .am must not ask for
    # the autotools that made them.
    local -a keep=(ACLOCAL=: AUTOMAKE=: AUTOCONF=: AUTOHEADER=:)
    local source version change

    rm -rf "$work"
    mkdir -p "$work"
    mhd_source "$work" || return 1
    source=$(find "$work" -mindepth 1 -maxdepth 1 -type d -name 'libmicrohttpd-*' | head -n 1)
    version=${source##*/libmicrohttpd-}
    mhd_known "$version" "$work/libmicrohttpd_$version.orig.tar.gz" || return 1

    cd "$source" || return 1
    for change in "$MHD_HOME"/*.patch; do
        if ! patch -p1 --forward --fuzz=0 --no-backup-if-mismatch <"$change"; then
            say "libmicrohttpd $version: ${change##*/} does not fit"
            return 1
        fi
    done
    CFLAGS="-O2 -g -fPIC -fstack-protector-strong $cflags -ffile-prefix-map=$source=libmicrohttpd" \
        ./configure --prefix=/ --libdir=/lib --enable-static --disable-shared --with-pic \
        --enable-https --disable-doc --disable-examples --disable-curl --disable-tools \
        --disable-postprocessor --disable-bauth --disable-dauth --disable-cookie \
        --disable-dependency-tracking &&
        make -j"$(nproc)" "${keep[@]}" -C src/microhttpd libmicrohttpd.la &&
        make "${keep[@]}" -C src/microhttpd install-libLTLIBRARIES "DESTDIR=$work/out" &&
        make "${keep[@]}" -C src/include install "DESTDIR=$work/out" || return 1
    cd "$ROOT" || return 1

    rm -f "$work/out/lib/libmicrohttpd.la"
    printf '%s\n' "$version" >"$work/out/version"
    mhd_stamp >"$work/out/stamp"
    rm -rf "$prefix"
    mv "$work/out" "$prefix" && rm -rf "$work"
}

# mhd_ensure FLAVOUR CFLAGS: once, and again when what it is made of is another.
mhd_ensure()
{
    local flavour=$1 cflags=$2
    local name=microhttpd${flavour:+-$flavour}

    if [[ -z $flavour ]] && pkg-config --atleast-version=$MHD_MINIMUM libmicrohttpd; then
        return 0
    fi
    cmp -s <(mhd_stamp) "$DEPS/$name/stamp" && return 0

    mkdir -p "$DEPS"
    (
        flock 9
        cmp -s <(mhd_stamp) "$DEPS/$name/stamp" && exit 0
        say "building lib$name (the system has none as new as $MHD_MINIMUM)"
        # Tested in a condition, so that the function's own checks decide, not set -e.
        if ! (mhd_build "$flavour" "$cflags") >"$DEPS/$name.log" 2>&1 9>&-; then
            tail -n 15 "$DEPS/$name.log" >&2
            die "lib$name was not built (see build/deps/$name.log)"
        fi
        grep '^dev: ' "$DEPS/$name.log" >&2 || true
    ) 9>"$DEPS/.lock"
}

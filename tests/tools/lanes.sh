# SPDX-License-Identifier: Apache-2.0
#
# Lanes: commands with a time limit each, a table of how they ended, and nothing left running. Read by
# .ci/run and tests/deep/run, which set RESULTS (a folder), TOTAL_LIMIT_S and LANES: lines
# "NAME LIMIT_S COMMAND...".
#
# (1) The limits add up to the total, or nothing starts: a lane never ends early for another's sake.
# (2) A failed lane does not stop the later ones.
# (3) What a lane left running is named and ended, and fails it.

# In the environment of every process started here, so that what outlives its lane is known.
export PAIL_CI_RUN=$$.$RANDOM

table=()
failed=0

now()
{
    printf '%s' "$SECONDS"
}

# The processes this run started that are still there, apart from this shell.
leftovers()
{
    local folder pid

    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        [[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
        grep -qzxF "PAIL_CI_RUN=$PAIL_CI_RUN" "$folder/environ" 2>/dev/null || continue
        [[ $(sed -n 's/^PPid:\t//p' "$folder/status" 2>/dev/null) != "$BASHPID" ]] || continue
        printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"$folder/cmdline" 2>/dev/null)"
    done
}

# End what a lane left behind, by id; says what it was.
sweep()
{
    local lane=$1 pid command found=0

    # What was just told to stop may take a moment.
    [[ -z $(leftovers) ]] || sleep 3
    while read -r pid command; do
        [[ -n $pid && -e /proc/$pid ]] || continue
        found=1
        printf 'ci: %s left %s running: %s\n' "$lane" "$pid" "$command"
        kill -KILL "$pid" 2>/dev/null
    done <<<"$(leftovers)"
    return $found
}

# lane NAME LIMIT_S COMMAND...
lane()
{
    local name=$1 limit=$2 start status state='pass'
    shift 2

    start=$(now)
    printf '\n==== %s (at most %s s): %s\n' "$name" "$limit" "$*"
    export PAIL_RESULTS=$RESULTS/$name
    mkdir -p "$PAIL_RESULTS"
    timeout --kill-after=10 "$limit" "$@" 2>&1
    status=$?
    sweep "$name" || [[ $status != 0 ]] || status=1

    if [[ $status != 0 ]]; then
        failed=1
        state="FAIL ($status)"
        [[ $status != 124 ]] || state='FAIL (time)'
        # A lane that fails without a failed test of its own is itself one.
        mkdir -p "$RESULTS/$name"
        count "$RESULTS/$name" >/dev/null
        [[ $? == 1 ]] || printf 'fail %s lane\n' "$name" >>"$RESULTS/$name/lane.tally"
    fi
    table+=("$(printf '%-10s %-12s %5s s   %s' "$name" "$state" "$(($(now) - start))" \
        "$(count "$RESULTS/$name" | tail -n 1)")")
}

count()
{
    local python=build/venv/bin/python

    [[ -x $python ]] || python=python3
    "$python" tests/tools/count.py "$@"
}

# lanes_run [NAME...]: all of LANES, or those named. Ends the script.
lanes_run()
{
    local line name limit sum=0 known=' '
    local -a command

    while read -r name limit _; do
        [[ -n $name ]] || continue
        sum=$((sum + limit))
        known+="$name "
    done <<<"$LANES"
    if [[ $sum -gt $TOTAL_LIMIT_S ]]; then
        printf 'the lanes may take %s s together, which is more than %s s\n' "$sum" "$TOTAL_LIMIT_S" >&2
        exit 2
    fi
    for name; do
        if [[ $known != *" $name "* ]]; then
            printf 'there is no lane %s: %s\n' "$name" "$known" >&2
            exit 2
        fi
    done

    rm -rf "$RESULTS"
    mkdir -p "$RESULTS"
    while read -r line; do
        read -ra command <<<"$line"
        [[ ${#command[@]} -gt 2 ]] || continue
        [[ $# == 0 || " $* " == *" ${command[0]} "* ]] || continue
        lane "${command[@]}" </dev/null
    done <<<"$LANES"

    printf '\n==== lanes\n'
    printf '%s\n' "${table[@]}"
    printf '\n'
    count "$RESULTS" || failed=1
    exit $failed
}

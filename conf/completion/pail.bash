# SPDX-License-Identifier: Apache-2.0
#
# Completion of pail for bash. Installed as share/bash-completion/completions/pail; or: source this.
# tests/sdk/test_completion.py compares its words with what pail --help says.

_pail()
{
    local commands='serve config credentials presign health key fsck'
    local options='' values='' operands=''
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]:-}

    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
        return
    fi

    case $command in
    serve | config)
        options='--listen --tls-cert --tls-key --config --region --strict-region --domain --website-domain
            --cors --durability --auth --new-buckets --sse-c-over-http --lifecycle-day --archive --restore-delay --account-id --force-open --dev --explain-denials --store --buckets --port-file --ready-fd --threads
            --connections --inline-max --read-cache --buffered-bodies --scrub-rate
            --access-log-interval --scrub-interval --log-level --upload-expiry --events-max --root-from-aws'
        operands=directory
        ;;
    credentials)
        ((COMP_CWORD == 2)) && operands=directory || values='access-key secret-key session-token'
        ;;
    presign)
        options='--method --expires --endpoint --region --version-id --access-key
            --secret-key-file --dir'
        ;;
    key)
        options='--days'
        ((COMP_CWORD == 2)) && values='create list alias disable enable rotate schedule-deletion cancel-deletion' || operands=directory
        ;;
    health) options='--ca-file --insecure' ;;
    fsck)
        options='--read-data --repair --dry-run --json'
        operands=directory
        ;;
    esac

    case $before in
    --tls-cert | --tls-key | --config | --port-file | --secret-key-file | --ca-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    --durability) values='strict relaxed' options='' operands='' ;;
    --auth) values='strict audit open' options='' operands='' ;;
    --log-level) values='error warn info debug' options='' operands='' ;;
    --method) values='GET PUT HEAD DELETE POST' options='' operands='' ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$word")
    elif [[ $operands == directory ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
    fi
}

complete -o filenames -F _pail pail

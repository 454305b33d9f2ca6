# SPDX-License-Identifier: MIT
# bash completion for clusport(1)

_clusport_names() { # object family
    clusport "$1" list --format json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",\{0,1\}$/\1/p'
}

_clusport() {
    local cur prev words cword
    _init_completion || return

    local i command='' verb=''
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        --socket | --format | --state) ((i++)) ;;
        -*) ;;
        *) if [ -z "$command" ]; then command=${words[i]}; elif [ -z "$verb" ]; then verb=${words[i]}; fi ;;
        esac
    done

    local IFS=$'\n' choices=''
    case $prev in
    --format) choices=$'text\njson' ;;
    --socket | --state) _filedir; return ;;
    --group) choices=$(_clusport_names group) ;;
    --node) choices=$(_clusport_names node) ;;
    --filter) choices=$(clusport watch --kinds 2>/dev/null) ;;
    --for) choices=$'state=online\nstate=offline\nstate=failed\nexists\ndeleted\nservice' ;;
    --timeout | --since | --count) return ;;
    --type) choices=$'Physical Disk\nGeneric Application\nGeneric Service\nGeneric Script\nIP Address\nFile Share\nNetwork Name' ;;
    *)
        case $command in
        '') choices=$'status\nwatch\nwait\ngroup\nresource\nnode\nnetwork\nregistry\nports\nversion' ;;
        group)
            if [ -z "$verb" ]; then choices=$'list\nshow\ncreate\ndelete\nrename\nonline\noffline\nmove'
            else choices=$(_clusport_names group); fi
            ;;
        resource)
            if [ -z "$verb" ]; then choices=$'list\nshow\ncreate\ndelete\nset\nrename\nmove\ndepend\nundepend\nonline\noffline\nfail'
            else choices=$(_clusport_names resource); fi
            ;;
        node)
            if [ -z "$verb" ]; then choices=$'list\nshow\npause\nresume'; else choices=$(_clusport_names node); fi
            ;;
        network)
            if [ -z "$verb" ]; then choices=$'list\nshow'; else choices=$(_clusport_names network); fi
            ;;
        registry) [ -n "$verb" ] || choices=$'list\nget\nset\ncreate\ndelete' ;;
        wait)
            if [ -z "$verb" ]; then choices=$'resource\ngroup\nnode'; else choices=$(_clusport_names "$verb"); fi
            ;;
        esac
        ;;
    esac
    case $cur in
    -*)
        choices=$'--format\n--socket\n--help'
        case $command in
        watch) choices+=$'\n--filter\n--object\n--since\n--initial\n--count\n--timeout\n--kinds' ;;
        wait) choices+=$'\n--for\n--timeout' ;;
        status) choices+=$'\n--state' ;;
        group | resource) choices+=$'\n--wait\n--timeout\n--group\n--type\n--node\n--common' ;;
        esac
        ;;
    esac

    local choice
    COMPREPLY=()
    while read -r choice; do
        [[ $choice == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$choice")")
    done <<<"$choices"
}

complete -F _clusport clusport

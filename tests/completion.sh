#!/bin/sh
# Completion as the shell itself gives it: completion.sh CNNC SHELL. 77: there is no such shell.
set -eu
export LC_ALL=C
cnnc=$1 shell=$2
command -v "$shell" >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
touch a.net b.txt "c d.net"
mkdir folder
"$cnnc" completion "$shell" -o script

# What the shell offers for a line, sorted, in one line.
case $shell in
bash)
    cat >ask <<'END'
source ./script
words=() line=$1
# Words as bash splits them: blanks separate, "=" is one of its own.
for word in ${line//=/ = }; do words+=("$word"); done
[[ $line != *' ' ]] || words+=('')
COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
declare -F _cnnc >/dev/null
_cnnc cnnc "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
END
    offers() { bash ask "$1" | sort | paste -sd ' '; }
    ;;
fish)
    # shellcheck disable=SC2016
    offers() { HOME=$work XDG_CONFIG_HOME=$work fish -c 'source script; complete -C "$argv[1]"' -- "$1" | cut -f 1 | sort | paste -sd ' '; }
    ;;
zsh)
    # Its completion needs a terminal. Without one: the script loads, also from $fpath, and what it tells _arguments is there.
    zsh -fc 'autoload -Uz compinit && compinit -u -d dump && source ./script && whence -w _cnnc && [[ $_comps[cnnc] == _cnnc ]]' | grep -q '_cnnc: function'
    mkdir functions && cp script functions/_cnnc
    zsh -fc 'fpath=($PWD/functions $fpath); autoload -Uz compinit && compinit -u -d dump && [[ $_comps[cnnc] == _cnnc ]]'
    # shellcheck disable=SC2016
    zsh -fc 'compdef() :; source ./script; _arguments() print -rl -- "$@"; words=(cnnc train --ch) CURRENT=3; _cnnc; print -r $CURRENT' >told
    for line in '--checkpoint=\[keep .*\]:FILE:_files' '--resume\[go on where the checkpoint is\]' '--color=\[.*\]:WHEN:(auto always never)' \
        '\*:argument:_files -g "\*.net(-.)"' 2; do
        grep -qx -e "$line" told || { echo "zsh: no line '$line' in"; cat told; exit 1; }
    done
    exit 0
    ;;
esac

expect() {
    found=$(offers "$1")
    [ "$found" = "$2" ] || { echo "$shell: '$1' gives '$found', not '$2'"; exit 1; }
}

expect 'cnnc tr' 'train'
expect 'cnnc completion z' 'zsh'
expect 'cnnc help he_' 'he_normal he_uniform'
if [ "$shell" = bash ]; then
    expect 'cnnc train --check' '--checkpoint-batches= --checkpoint='
    expect 'cnnc train --color=a' 'always auto'
    expect 'cnnc train --color n' 'never'
    expect 'cnnc train a' 'a.net'
    expect 'cnnc train c' 'c d.net'
    expect 'cnnc train --weights b' 'b.txt'
    expect 'cnnc train --epochs ' ''
    expect 'cnnc summary ' 'a.net c d.net folder'
    expect 'cnnc a.net -M' '-MD -MF -MT'
    expect 'cnnc --vers' '--version'
    expect 'cnnc fmt --che' '--check'
else
    expect 'cnnc train --check' '--checkpoint --checkpoint-batches'
    expect 'cnnc train --color=a' '--color=always --color=auto'
    expect 'cnnc train --color n' 'never'
    expect 'cnnc train a' 'a.net'
    expect 'cnnc train --weights b' 'b.txt'
    expect 'cnnc fmt --che' '--check'
    expect 'cnnc --emit fus' 'fuse'
fi

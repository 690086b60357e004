#!/bin/sh
# The installed manual and completion: share.sh man|bash|zsh|fish PREFIX
# Exit status 77: the linters or the shell are missing.
set -eu
what=$1 prefix=$2 share=$2/share
wrong() { echo "wrong: $1"; exit 1; }
missing() { echo "missing: $1"; exit 77; }
expect() { # WHAT WANTED HAD
    [ "$3" = "$2" ] || wrong "$1: '$3', not '$2'"
}
export PATH="$prefix/bin:$PATH"
commands() { # those that take options: NET.net is the one without a word
    echo NET.net
    words
}
words() { cnnc help | sed -n 's/^  cnnc \([a-z]*\) .*/\1/p'; }
sorted_options() { grep -v -e '^--help$' -e '^--version$' | sort -u; }
options() { cnnc "$1" --help | sed -n 's/^  \(-[-A-Za-z]*\).*/\1/p' | sorted_options; } # COMMAND: those that its --help tells
has_option() { # PAGE OPTION
    grep -q "^.fB$(printf %s "$2" | sed 's/-/\\\\-/g').fR" "$1" || wrong "$1 lacks $2"
}

case $what in
man)
    command -v mandoc >/dev/null || missing mandoc
    command -v groff >/dev/null || missing groff
    pages=$(echo "$share"/man/man1/*.1)
    images=images # left out where libpng and libjpeg are missing
    [ -x "$prefix/bin/cnnc-images" ] || images=
    expect "pages" "$(for word in $(words) $images; do echo "cnnc-$word.1"; done | sort)" "$(cd "$share/man/man1" && ls cnnc-*.1 | sort)"
    # Outputs have no date; nothing else is found.
    found=$(mandoc -T lint -W warning $pages | grep -v 'missing date, using ""' || true)
    expect mandoc "" "$found"
    for page in $pages; do
        expect "$page" "" "$(groff -man -ww -z "$page" 2>&1)"
    done
    for command in $(commands); do
        page=$share/man/man1/cnnc-$command.1
        [ "$command" != NET.net ] || page=$share/man/man1/cnnc.1
        for option in $(options "$command"); do
            has_option "$page" "$option"
        done
    done
    [ -z "$images" ] || for option in $(cnnc-images --help | sed -n 's/^  \(-[-A-Za-z]*\).*/\1/p'); do
        has_option "$share/man/man1/cnnc-images.1" "$option"
    done
    ;;
bash)
    command -v bash >/dev/null || missing bash
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    touch a.net all.txt 'c d.net'
    mkdir folder
    complete=$work/complete
    cat >"$complete" <<'END'
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
complete -p cnnc >/dev/null
_cnnc 2>/dev/null
echo "${COMPREPLY[*]-}"
END
    bash_says() { bash "$complete" "$share/bash-completion/completions/cnnc" "$@"; }
    expect "a command" train "$(bash_says cnnc tr)"
    expect "an option" "--checkpoint= --checkpoint-batches=" "$(bash_says cnnc train --ch)"
    expect "an option's value" vec16 "$(bash_says cnnc train --target = v)"
    expect "an option's value in a word of its own" never "$(bash_says cnnc train --color n)"
    expect "a network" a.net "$(bash_says cnnc train a)"
    expect "a network with a blank in its name" "c d.net" "$(bash_says cnnc train c)"
    expect "networks and folders" "a.net c d.net folder" "$(bash_says cnnc summary '')"
    expect "any file" all.txt "$(bash_says cnnc train --weights al)"
    expect "a number" "" "$(bash_says cnnc train --epochs '')"
    expect "an option of the compiler" "-MD -MF -MT" "$(bash_says cnnc a.net -M)"
    expect "a word" completion "$(bash_says cnnc help comp | tr ' ' '\n' | grep completion)"
    for command in $(commands); do
        expect "options of $command" "$(options "$command")" "$(bash_says cnnc "$command" - | tr ' ' '\n' | sed 's/=$//' | sorted_options)"
    done
    # bash-completion finds it where it is installed.
    loader=/usr/share/bash-completion/bash_completion
    [ -r "$loader" ] || missing bash-completion
    expect "by bash-completion" "complete -F _cnnc cnnc" "$(XDG_DATA_DIRS=$share bash --norc -c ". $loader; _completion_loader cnnc; complete -p cnnc")"
    ;;
zsh)
    command -v zsh >/dev/null || missing zsh
    zsh_says() { zsh -f -c "fpath=('$share/zsh/site-functions' \$fpath); autoload -U compinit && compinit -D && $1"; }
    expect "the command's function" _cnnc "$(zsh_says 'echo $_comps[cnnc]')"
    expect "the function" "_cnnc is a shell function" "$(zsh_says 'autoload +X _cnnc && whence -v _cnnc' | sed 's/ from .*//')"
    for command in $(commands); do
        branch=$command
        [ "$command" != NET.net ] || branch='\*'
        said=$(sed -n "/^    $branch)/,/;;/s/^            '\(-[-A-Za-z]*\).*/\1/p" "$share/zsh/site-functions/_cnnc")
        expect "options of $command" "$(options "$command")" "$(echo "$said" | sorted_options)"
    done
    # Completion needs a terminal; without one, what _arguments is told.
    told=$(zsh -f -c "compdef() :; source '$share/zsh/site-functions/_cnnc'; _arguments() print -rl -- \"\$@\"; words=(cnnc train --ch) CURRENT=3; _cnnc; print -r \$CURRENT")
    for line in '--checkpoint=\[keep .*\]:FILE:_files' '--resume\[go on where the checkpoint is\]' '--color=\[.*\]:WHEN:(auto always never)' \
        '--early-stopping=\[.*\]:SETTINGS: ' '\*:network:_files -g "\*.net"' 2; do
        echo "$told" | grep -qx -e "$line" || wrong "no line '$line' in: $told"
    done
    ;;
fish)
    command -v fish >/dev/null || missing fish
    HOME=$(mktemp -d)
    export HOME XDG_DATA_DIRS="$share"
    trap 'rm -rf "$HOME"' EXIT
    # fish finds it where it is installed.
    fish_says() { (cd "$HOME" && fish -c "complete -C '$1'" | cut -f 1 | sed 's/=$//'); }
    expect "a command" train "$(fish_says 'cnnc tr')"
    expect "an option" "--checkpoint --checkpoint-batches" "$(fish_says 'cnnc train --ch' | sort | xargs)"
    expect "an option's value" --target=vec16 "$(fish_says 'cnnc train --target=v' | grep vec)"
    touch "$HOME/a.net"
    expect "a network" a.net "$(fish_says 'cnnc -o out.c a')"
    for command in $(commands); do
        long=$(fish_says "cnnc $command --")
        expect "options of $command" "$(options "$command")" "$( (echo "$long" && fish_says "cnnc $command -") | sorted_options)"
    done
    ;;
*) wrong "no test of $what" ;;
esac

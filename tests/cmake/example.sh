#!/bin/sh
# Runs an example as its README says, from a copy, with an installed cnnc: example.sh NAME SOURCE PREFIX WORK
# and looks at what it says. Exit status 77: something that only this example needs is missing.
set -eu
name=$1 source=$2 prefix=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
cp -r "$source/examples" "$work/examples"
export CNNC_PREFIX="$prefix" CNNC_OUT="$work/out" XDG_CACHE_HOME="$work/cache"
cd "$work/examples/$name"

missing() { echo "missing: $1"; exit 77; }
run() { ./run.sh >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }; }
wrong() { cat "$work/said"; echo "wrong: $1"; exit 1; }

# The numbers behind each 'accuracy', as x1 .. xn of an awk condition.
accuracy() {
    awk '{ for (i = 1; i < NF; i++) if ($i ~ /accuracy$/) x[++n] = $(i + 1) + 0 }
        END { x1 = x[1]; x2 = x[2]; x3 = x[3]; x4 = x[4]; exit !('"$1"') }' "$work/accuracies" || wrong "accuracies, not $1"
}

# Networks that were generated.
generated() {
    run
    made=$(sed -n 's/.*cnnc [^ ]*\b\(quarters\|disc\)\.net .*/\1/p' "$work/said" | sort | tr '\n' ' ')
    [ "$made" = "$1" ] || wrong "generated '$made', not '$1'"
    [ "$(grep -c ' of 256 points right' "$work/said")" = 2 ] || wrong "two networks have not run"
    [ -z "$(awk '/points right/ && $(NF - 4) < 245' "$work/said")" ] || wrong "points that are not learnt"
}

case $name in
embed) # dark digits before, after; light ones before, after
    run
    sed -n 's/.*accuracy \([0-9.]*\) on dark digits, \([0-9.]*\) on light.*/accuracy \1 accuracy \2/p' "$work/said" >"$work/accuracies"
    accuracy 'n == 4 && x1 < 0.5 && x2 > 0.95 && x3 > 0.9 && x4 > 0.95'
    ;;
cpp)
    command -v c++ >/dev/null || missing c++
    run
    cp "$work/said" "$work/accuracies"
    accuracy 'n == 2 && x1 < 0.4 && x2 > 0.93'
    grep -q '^reads: 7 2 1 0 4 1 4 9' "$work/said" || wrong "the digits read"
    ! "$work/out/cpp/build/digits" "$work/nothing" 2>"$work/said" || wrong "data that is not there"
    grep -q "^digits: $work/nothing: No such file" "$work/said" || wrong "the exception's message"
    ;;
python)
    for python in python3 /usr/bin/python3 nothing; do ! "$python" -c 'import numpy' 2>/dev/null || break; done
    [ "$python" != nothing ] || missing numpy
    run
    sed 's/,//g' "$work/said" >"$work/accuracies"
    accuracy 'n == 2 && x1 < 0.4 && x2 > 0.93'
    grep -q '^with another bias everything is a 7$' "$work/said" || wrong "weights are not the network's memory"
    "$python" -B - "$work/out/python/build/libdigits_net.so" >"$work/said" 2>&1 <<'END' || wrong "a failure, from Python"
import ctypes, sys, cnnc
try:
    cnnc.Net(sys.argv[1], "digits", threads=2000)
    sys.exit("2000 threads are no failure")
except RuntimeError as e:
    assert str(e).startswith("2000 threads are more"), e
library, size = ctypes.CDLL(sys.argv[1]), ctypes.sizeof(cnnc.Error)
room = ctypes.create_string_buffer(b"\xaa" * (size + 64), size + 64)  # the runtime fills what Error has and no more
library.cnnc_model_new(ctypes.byref(cnnc.Network.in_dll(library, "digits_network")), 2000, None, room)
assert room.raw[size - 4:] == b"\0\0\0\0" + b"\xaa" * 64, "an Error of another size"
END
    ;;
finetune)
    run
    sed 's/,//g' "$work/said" >"$work/accuracies"
    accuracy 'n == 3 && x1 > 0.97 && x3 > 0.7 && x3 > x2 + 0.05'
    [ "$(grep -c 'convolutions as before' "$work/said")" = 2 ] || wrong "frozen convolutions changed"
    grep -q '4 parameters from low.safetensors' "$work/said" || wrong "the parameters taken over"
    ;;
fashion) # on a few digits: the files have the same names and shapes
    few() { # COUNT IMAGES LABELS
        { printf '\0\0\10\3' && printf "$(printf '\\0\\0\\%o\\%o' $(($1 / 256)) $(($1 % 256)))" && printf '\0\0\0\34\0\0\0\34' && gunzip -c "../mnist/$2.gz" | tail -c +17 | head -c $(($1 * 784)); } >"$work/few/$2"
        { printf '\0\0\10\1' && printf "$(printf '\\0\\0\\%o\\%o' $(($1 / 256)) $(($1 % 256)))" && gunzip -c "../mnist/$3.gz" | tail -c +9 | head -c "$1"; } >"$work/few/$3"
    }
    mkdir "$work/few"
    few 2000 train-images-idx3-ubyte train-labels-idx1-ubyte
    few 500 t10k-images-idx3-ubyte t10k-labels-idx1-ubyte
    export FASHION_MNIST="$work/few"
    trained() { # CONDITION [ARGUMENT]
        condition=$1
        shift
        ./run.sh "$@" --epochs=3 --batch-size=16 >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
        sed -n '/^Test/s/://gp' "$work/said" >"$work/accuracies"
        accuracy "$condition"
    }
    trained 'n == 1 && x1 > 0.85'
    trained 'n == 1 && x1 > 0.5' residual # digits are not for flipping, and the moving statistics are young
    ;;
cortex_m) # each network on each processor
    for tool in arm-none-eabi-gcc qemu-system-arm make; do command -v $tool >/dev/null || missing $tool; done
    echo '#include <math.h>' | arm-none-eabi-gcc --specs=nano.specs -E - >/dev/null 2>&1 || missing "newlib for arm-none-eabi-gcc"
    run
    [ "$(grep -c '^== .*mps2-an[35]' "$work/said")" = 4 ] || wrong "four programs have not run"
    awk '/^right:/ && ++n && $2 < 9 { exit 1 } END { exit n != 4 }' "$work/said" || wrong "digits that are not read"
    awk '/^stack:/ && ++n && !($2 >= 64 && $2 <= $6) { exit 1 } END { exit n != 4 }' "$work/said" || wrong "the stack"
    awk -F'[ ,]+' '/^flash:/ && ++n { for (i = 1; i < NF; i++) if ($(i + 1) == "the") code = $i; if (!(code > 200 && code <= 8192)) bad = 1 }
        END { exit bad || n != 4 }' "$work/said" || wrong "the network's code, not 8 KB or less"
    awk '/^instructions/ && ++n && !($4 > 100000 && $4 < 30000000) { bad = 1 } END { exit bad || n != 4 }' "$work/said" || wrong "instructions an image"
    ;;
make | meson)
    command -v pkg-config >/dev/null || missing pkg-config
    [ "$name" = make ] || command -v meson >/dev/null || missing meson
    generated "disc quarters "
    generated ""
    sleep 1.1
    sed -i 's/dense  8/dense  9/' ../make/disc.net
    generated "disc "
    generated ""
    sleep 1.1
    echo '# the same code' >>../make/quarters.net
    generated "quarters "
    generated ""
    ;;
*) echo "no test for the example $name" && exit 1 ;;
esac

#!/bin/sh
# Trains both networks, builds the programs for a Cortex-M4F and a Cortex-M7 and runs them in qemu. Tells what each takes.
set -eu
. "$(dirname "$0")/../prepare.sh" gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm make
data=$here/../mnist
[ -f "$out/mnist.safetensors" ] || "$prefix/bin/cnnc" train "$data/mnist.net" --data "$data" --epochs=1 -o "$out/mnist.safetensors"
[ -f "$out/small.safetensors" ] || "$prefix/bin/cnnc" train "$here/small.net" --data "$data" -o "$out/small.safetensors"

# The first test images and their labels, as C: bytes FILE SKIPPED COUNT
bytes() { gunzip -c "$data/$1" 2>/dev/null | tail -c +$(($2 + 1)) | head -c "$3" | od -An -v -tu1 | sed 's/^ *//; s/  */, /g; s/$/,/'; }
if [ ! -f "$out/digits.h" ]; then
    digits=10 i=0
    {
        printf '#define DIGITS %d\nstatic const uint8_t images[DIGITS][784] __attribute__((section(".images"))) = {\n' $digits
        while [ $i -lt $digits ]; do
            printf '{\n%s\n},\n' "$(bytes t10k-images-idx3-ubyte.gz $((16 + 784 * i)) 784)"
            i=$((i + 1))
        done
        printf '};\nstatic const uint8_t labels[DIGITS] = {%s};\n' "$(bytes t10k-labels-idx1-ubyte.gz 8 $digits)"
    } >"$out/digits.h"
fi
make -s -C "$here" CNNC="$prefix/bin/cnnc" OUT="$out"

# Bytes of sections whose name begins with a word: sections FILE WORD
sections() { arm-none-eabi-size -A "$1" | awk -v word="$2" 'index($1, word) == 1 { n += $2 } END { print n + 0 }'; }

# What the linker took from libraries, of code and constants: a name too long for its column has the rest in the next line.
libraries() {
    awk 'NF == 1 && /^ \./ { name = $1; getline; $0 = name " " $0 }
        /^Linker script and memory map/ { mapped = 1 }
        mapped && $1 ~ /^\.(text|rodata)/ && $NF ~ /\.a\(/ { n += hex($3) }
        function hex(s, i, x) { for (i = 3; i <= length(s); i++) x = x * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return x }
        END { print n + 0 }' "$1"
}

# run NET PROCESSOR BOARD. Every instruction takes a nanosecond (-icount shift=0), a tick of the board's 25 MHz is 40 of them.
run() {
    elf=$out/$1_$2.elf net=$out/$1_$2.o
    echo "== $1.net, $3"
    qemu-system-arm -M "$3" -nographic -monitor none -serial null -semihosting-config enable=on,target=native -icount shift=0 -kernel "$elf" >"$out/said" 2>&1 ||
        { cat "$out/said"; exit 1; }
    cat "$out/said"
    workspace=$(sed -n 's/^#define [A-Z0-9]*_WORKSPACE_BYTES \([0-9]*\).*/\1/p' "$out/$1_net.h")
    stack=$(sed -n 's/^stack: \([0-9]*\) .*/\1/p' "$out/said")
    ticks=$(sed -n 's/^ticks an image: //p' "$out/said")
    data_bytes=$(sections "$elf" .data) bss=$(sections "$elf" .bss)
    text=$(sections "$elf" .text) constants=$(sections "$elf" .rodata) images=$(sections "$elf" .images)
    echo "instructions an image: $((ticks * 40))"
    echo "flash: $((text + constants + images + data_bytes)) bytes, of them $(sections "$net" .rodata) weights, $(sections "$net" .text) the network's code, $(libraries "${elf%.elf}.map") libraries, $images images"
    echo "RAM: $((data_bytes + bss + stack)) bytes, of them $workspace workspace, $stack stack, $((data_bytes + bss - workspace)) other data"
}
for board in m4:mps2-an386 m7:mps2-an500; do
    for net in mnist small; do run $net "${board%%:*}" "${board#*:}"; done
done

#!/usr/bin/env bash
# Fuzzes each format for SECONDS (60) and prints a table; what breaks is kept in FOLDER/findings.
# usage: tests/fuzz/run.sh [SECONDS [NAME ...]]     NAME: language, idx ...; all of them without
# CNNC_FUZZ_BUILD: the folder it builds in (build/fuzz). Exit status 77: this machine has no clang with libFuzzer.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${CNNC_FUZZ_BUILD:-$root/build/fuzz}
seconds=${1:-60}
shift $(($# > 0))

probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }' >"$probe/a.c"
if ! clang -fsanitize=fuzzer,address,undefined "$probe/a.c" -o "$probe/a" >/dev/null 2>&1; then
    echo "there is no clang with libFuzzer here (Debian: clang, libclang-rt-14-dev)"
    exit 77
fi
mkdir -p "$folder"
(cd "$root" && cmake --preset fuzz -B "$folder" >"$folder/log" 2>&1 && cmake --build "$folder" --parallel "$(nproc)" >>"$folder/log" 2>&1) || {
    tail -30 "$folder/log"
    exit 1
}
"$folder/tests/fuzz/seeds" "$folder/seeds"

# Folders of the repository that have inputs.
seeds_of() {
    case $1 in
    language) echo "$root/tests/nets" "$root"/tests/golden/* "$root/examples/mnist" ;;
    template) echo "$root/templates" ;;
    onnx) echo "$root/tests/onnx" ;;
    esac
}

names=("$@")
if [ ${#names[@]} = 0 ]; then
    for file in "$root"/tests/fuzz/fuzz_*.c; do
        name=${file##*/fuzz_} name=${name%.c}
        [ -x "$folder/tests/fuzz/fuzz_$name" ] && names+=("$name") # some need a library
    done
fi
bad=0
printf '%-12s %12s %8s %8s %10s\n' fuzzer executions cov ft findings
for name in "${names[@]}"; do
    mkdir -p "$folder/corpus/$name" "$folder/findings/$name"
    folders=("$folder/corpus/$name")
    for more in "$folder/seeds/$name" "$root/tests/fuzz/seeds/$name" $(seeds_of "$name"); do
        [ -d "$more" ] && folders+=("$more")
    done
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$folder/findings/$name/")
    [ "$name" = onnx ] && options+=(-close_fd_mask=2 -max_len=20000) # what is said of each input
    [ -f "$root/tests/fuzz/$name.dict" ] && options+=(-dict="$root/tests/fuzz/$name.dict")
    log=$folder/findings/$name.log
    status=0
    "$folder/tests/fuzz/fuzz_$name" "${options[@]}" "${folders[@]}" >"$log" 2>&1 || status=$?
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    last=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -1 || true)
    cov=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' <<<"$last")
    ft=$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' <<<"$last")
    printf '%-12s %12s %8s %8s %10s\n' "$name" "${ran:-0}" "${cov:-0}" "${ft:-0}" "$([ $status = 0 ] && echo 0 || echo 1)"
    if [ $status != 0 ]; then
        bad=1
        grep -E -A12 'ERROR|runtime error|does not hold|internal error|SUMMARY|Test unit written' "$log" | head -60
    fi
done
exit $bad

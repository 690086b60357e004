/* test_random_networks.c: networks drawn from the compiler's tables: the C that comes of them is silent under -Wall -Wextra -Wpedantic
 * -Wshadow -Wconversion -Werror, and what it computes in two steps of training is what the plain interpreter does (random_run.c).
 *
 *     test_random_networks [long] [seed=N] [count=N]
 *
 * takes networks N, N + 1 ...: by default 50 from 1, long 1,000 from 1001. Examples near a kink are drawn again, so that float code takes
 * the interpreter's side of it. A network on which something goes wrong is shrunk as far as it still does, and printed. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "random_net.h"
#include "random_run.h"

static uint64_t first = 1;
static int count = 50;
static bool thorough;
static const char *compilers[2]; /* those that are there */
static int compiler_count;

enum { UNFIT_TRIES = 20, MOST_TRIES = 150 };
static const char *const outcomes[] = {"fine", "within float arithmetic only", "out of hand", "wrong numbers", "refused", "C with warnings", "crashed"};
enum { CRASHED = LENGTH(outcomes) - 1, OUTCOMES };

/* ---- one network ------------------------------------------------------------------------------------------------------ */

static RandomRun draw_run(uint64_t seed) {
    static const char *const one_target[] = {"avx512", "avx2", "vec16", "scalar"};
    static const char *const algorithms[] = {NULL, NULL, NULL, "winograd", "winograd_rows", "sparse_pool", "packed", "depthwise", "direct", "plain"};
    cnnc_random random;
    cnnc_random_seed(&random, seed, 1);
    RandomRun run = {.seed = seed, .shard_size = 1 + (int)cnnc_random_below(&random, 5), .input_gradient = cnnc_random_below(&random, 2)};
    run.targets = thorough && cnnc_random_below(&random, 4) == 0 ? NULL : one_target[cnnc_random_below(&random, LENGTH(one_target))];
    run.algorithm = algorithms[cnnc_random_below(&random, LENGTH(algorithms))];
    run.compiler = compilers[cnnc_random_below(&random, (uint64_t)compiler_count)];
    run.flags = thorough ? "-O2" : "-O1";
    return run;
}

static void print_run(const RandomRun *run) {
    print_message("targets %s, algorithm %s, shards of %d%s, %s %s, weights and examples by %llu\n", run->targets ? run->targets : "all",
                  run->algorithm ? run->algorithm : "as costs say", run->shard_size, run->input_gradient ? ", gradient of the input" : "", run->compiler, run->flags,
                  (unsigned long long)run->seed);
}

/* In a process and a folder of its own. */
static pid_t start_run(const char *net, const RandomRun *run, int slot) {
    RandomRun here = *run;
    here.folder = text("%s/%d", folder, slot);
    mkdir(here.folder, 0777);
    char *log = text("%s/log", here.folder);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
    alarm(SECONDS_A_JOB);
    int status = random_run(net, &here);
    fflush(NULL);
    _exit(status);
}

static int outcome_of(int status) { return WIFEXITED(status) && WEXITSTATUS(status) < CRASHED ? WEXITSTATUS(status) : CRASHED; }

static int outcome(const RandomNet *net, const RandomRun *run, int slot) {
    int status;
    pid_t pid = start_run(random_net_text(net), run, slot);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return outcome_of(status);
}

/* ---- one that fails ----------------------------------------------------------------------------------------------------- */

static void shrink(RandomNet *net, const RandomRun *run, int how) {
    RandomNet smaller;
    int tries = 0;
    for (int k = 0; tries < MOST_TRIES && smaller_net(net, k, &smaller); k++)
        if (random_net_builds(&smaller) && (tries++, outcome(&smaller, run, 999) == how)) *net = smaller, k = -1;
    if (outcome(net, run, 999) != how) print_message("(the last one did not fail again)\n");
}

static void report(RandomNet *net, const RandomRun *run, uint64_t number, int how, const char *log) {
    print_message("\nnetwork %llu: %s\n%s%.2000s\n", (unsigned long long)number, outcomes[how], random_net_text(net), log);
    shrink(net, run, how);
    print_run(run);
    print_message("shrunk:\n%s%.3000s\n", random_net_text(net), file_text(text("%s/999/log", folder), NULL));
}

/* ---- all of them --------------------------------------------------------------------------------------------------------- */

typedef struct Slot { pid_t pid; uint64_t number; int tries; Arena *arena; RandomNet net; RandomRun run; } Slot;

/* A network that is out of hand gives its place to another one. */
static void start_slot(Slot *s, int slot) {
    if (!s->arena) s->arena = arena_new();
    uint64_t seed = s->number + ((uint64_t)s->tries << 32);
    s->net = random_net(s->arena, seed);
    s->run = draw_run(seed);
    s->pid = start_run(random_net_text(&s->net), &s->run, slot);
}

/* True: the network is done. */
static bool end_slot(Slot *s, int slot, int how, int *outcomes_seen) {
    if (how == RUN_HARD && getenv("VERBOSE")) print_message("network %llu:\n%s%.2000s\n", (unsigned long long)s->number, random_net_text(&s->net), file_text(text("%s/%d/log", folder, slot), NULL));
    outcomes_seen[how]++;
    if (how == RUN_UNFIT && ++s->tries < UNFIT_TRIES) return start_slot(s, slot), false;
    if (how > RUN_UNFIT) report(&s->net, &s->run, s->number, how, file_text(text("%s/%d/log", folder, slot), NULL));
    arena_free(s->arena);
    *s = (Slot){0};
    return true;
}

static void random_networks(void **state) {
    (void)state;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    enum { SLOTS = 64 };
    static Slot slots[SLOTS];
    int seen[OUTCOMES] = {0}, next = 0, done = 0, bad = 0;
    while (done < count) {
        for (int i = 0; i < processors && i < SLOTS && next < count; i++)
            if (!slots[i].pid) slots[i].number = first + (uint64_t)next++, start_slot(&slots[i], i);
        int status;
        pid_t pid = wait(&status);
        for (int i = 0; i < SLOTS; i++)
            if (pid > 0 && slots[i].pid == pid) done += end_slot(&slots[i], i, outcome_of(status), seen);
    }
    print_message("networks %llu to %llu:", (unsigned long long)first, (unsigned long long)(first + (uint64_t)count - 1));
    for (int i = 0; i < OUTCOMES; i++)
        if (seen[i]) print_message(" %d %s;", seen[i], outcomes[i]);
    print_message(" seed=N count=1%s repeats one\n", thorough ? " long" : "");
    for (int i = RUN_WRONG; i < OUTCOMES; i++) bad += seen[i];
    assert_int_equal(bad, 0);
    assert_true(seen[RUN_FINE] > count / 2);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_networks)};
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "long")) thorough = true, first = 1001, count = 1000;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "seed=", 5)) first = strtoull(argv[i] + 5, NULL, 10);
        if (!strncmp(argv[i], "count=", 6)) count = atoi(argv[i] + 6);
    }
    if (make_folder(NULL)) return 1;
    if (there_is("gcc")) compilers[compiler_count++] = "gcc";
    if (there_is("clang")) compilers[compiler_count++] = "clang";
    int failed = compiler_count ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
    return remove_folder(NULL) || failed;
}

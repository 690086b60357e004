/* Commands in which memory falls short and calls on files fail: the right exit status, a message, whole files or none, nothing
 * leaked. `test_faults_commands long` takes each call; without it they are tried at some of them. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "faults/sweep.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "commands/commands.h"

enum { SOME = 60 };

static bool all; /* each call */

/* What a child leaves. */
typedef struct Outcome { bool reached, returned; long calls, blocks; int descriptors; char call[32]; } Outcome;
static Outcome *outcome;

static int run_command(Command *command, char **argv, Fault fault, long n) {
    fflush(NULL);
    *outcome = (Outcome){0};
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        int argc = 0, null = open("/dev/null", O_WRONLY), log = open(in_folder("log"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (chdir(test_folder) || dup2(null, 1) < 0 || dup2(log, 2) < 0) _exit(126);
        while (argv[argc]) argc++;
        size_t blocks = fault_blocks();
        int descriptors = fault_descriptors();
        alarm(60);
        outcome->reached = true; /* unless it is known that it was not: it may end within */
        fault_arm(fault, n);
        int status = command(argc, argv);
        outcome->calls = fault_count();
        outcome->reached = fault_disarm();
        outcome->blocks = (long)fault_blocks() - (long)blocks;
        outcome->descriptors = fault_descriptors() - descriptors;
        outcome->returned = true;
        snprintf(outcome->call, sizeof outcome->call, "%s", fault_call());
        exit(status); /* not _exit, which forgets what a build that counts has counted */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

enum { MADE = 6 };
typedef struct Run {
    const char *name;
    Command *command;
    char *argv[20];
    const char *made[MADE];
} Run;

static char contents[MADE][1 << 20]; /* of what is made, as it must become */
static size_t sizes[MADE];

/* The one that is made with what is in it: nothing may be there before. NULL: none. */
static const char *made_folder(const Run *r) {
    static char name[64];
    size_t length = r->made[0] ? strcspn(r->made[0], "/") : 0;
    if (!length || !r->made[0][length]) return NULL;
    snprintf(name, sizeof name, "%.*s", (int)length, r->made[0]);
    return name;
}

static void reset_made(const Run *r, bool old) {
    for (int i = 0; r->made[i]; i++) {
        unlink(in_folder(r->made[i]));
        if (old) write_bytes(in_folder(r->made[i]), "old\n", 4);
    }
    if (made_folder(r)) rmdir(in_folder(made_folder(r)));
    unlink(in_folder("trained.checkpoint.previous"));
}

static bool is_whole(const Run *r, int i, bool old, bool new_only) {
    static char found[1 << 20];
    if (access(in_folder(r->made[i]), F_OK)) return !old && !new_only;
    size_t size = read_bytes(in_folder(r->made[i]), found, sizeof found);
    if (size == sizes[i] && !memcmp(found, contents[i], size)) return true;
    return old && !new_only && size == 4 && !memcmp(found, "old\n", 4);
}

static bool command_fails_at(const Run *r, Fault fault, long n, bool old) {
    char said[512] = "", what[128];
    snprintf(what, sizeof what, "%s%s", r->name, old ? " over old files" : "");
    reset_made(r, old);
    int status = run_command(r->command, (char **)r->argv, fault, n);
    said[read_bytes(in_folder("log"), said, sizeof said - 1)] = 0;
    injected += outcome->reached;
    silent += outcome->reached && !status;
    if (!outcome->reached && status) complain(what, fault, n, "status %d without a fault: %s", status, said);
    if (status != 0 && status != 3) complain(what, fault, n, "%s: status %d: %s", outcome->call, status, said);
    if (outcome->reached && outcome->returned && !status && must_tell(fault, outcome->call)) complain(what, fault, n, "%s: no failure", outcome->call);
    if (status == 3 && !*said) complain(what, fault, n, "%s: no message", outcome->call);
    if (outcome->returned && (outcome->blocks || outcome->descriptors)) complain(what, fault, n, "%s: %ld blocks, %d descriptors leaked", outcome->call, outcome->blocks, outcome->descriptors);
    for (int i = 0; r->made[i]; i++)
        if (!strstr(r->made[i], ".checkpoint") && !is_whole(r, i, old, !status)) complain(what, fault, n, "%s: status %d: %s is not whole", outcome->call, status, r->made[i]);
    if (status && made_folder(r) && !access(in_folder(made_folder(r)), F_OK)) complain(what, fault, n, "%s: status %d: %s is left", outcome->call, status, made_folder(r));
    if (files_ending(".tmp")) complain(what, fault, n, "%s: a temporary file is left", outcome->call);
    return outcome->reached;
}

static void sweep_command(const Run *r) {
    reset_made(r, false);
    int status = run_command(r->command, (char **)r->argv, FAULT_NONE, LONG_MAX); /* fills the cache, too */
    if (status) {
        char said[2048] = "";
        said[read_bytes(in_folder("log"), said, sizeof said - 1)] = 0;
        fail_msg("%s: status %d: %s", r->name, status, said);
    }
    for (int i = 0; r->made[i]; i++) sizes[i] = read_bytes(in_folder(r->made[i]), contents[i], sizeof contents[i]);
    for (Fault fault = FAULT_MEMORY; fault <= FAULT_SIGNAL; fault++)
        for (int old = 0; old < 2; old++) {
            reset_made(r, old);
            run_command(r->command, (char **)r->argv, fault, LONG_MAX);
            long calls = outcome->calls, step = all || calls < SOME ? 1 : calls / SOME;
            for (long n = 1; n <= calls + 1; n += n < SOME / 4 || n > calls - 8 ? 1 : step) command_fails_at(r, fault, n, old);
            if (!r->made[0] || made_folder(r)) break;
        }
}

static char *net(const char *name) {
    static char paths[8][4200];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/tests/nets/%s.net", CNNC_SOURCE_DIR, name);
    return path;
}

static void compiling(void **state) {
    (void)state;
    const Run runs[] = {
        {"compile", command_compile, {"cnnc", net("conv2d"), "-o", "out.c", "-MD"}, {"out.c", "out.h", "out.d"}},
        {"compile for one target", command_compile, {"cnnc", net("two_inputs"), "-o", "one.c", "--header=two.h", "--target=scalar"}, {"one.c", "two.h"}},
        {"summary", command_summary, {"summary", net("diamond")}, {NULL}},
        {"manual", command_man, {"man", "train"}, {NULL}},
        {"completion", command_completion, {"completion", "bash", "-o", "cnnc.bash"}, {"cnnc.bash"}},
        {"format", command_fmt, {"fmt", "--check", net("../../examples/mnist/mnist")}, {NULL}},
        {"new", command_new, {"new", "project"}, {"project/project.net", "project/CMakeLists.txt", "project/main.c", "project/README.md"}},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) sweep_command(&runs[i]);
    report("compiler");
}

static void make_training_files(void) {
    static float x[N * 4], y[N * 2];
    for (int i = 0; i < N * 4; i++) x[i] = (float)(i % 11) / 8;
    for (int i = 0; i < N; i++) y[i * 2 + i % 2] = 1;
    cnnc_array a = array_of(x, 4), b = array_of(y, 2);
    assert_int_equal(cnnc_npy_write(in_folder("a.npy"), &a, &why), CNNC_OK);
    assert_int_equal(cnnc_npy_write(in_folder("b.npy"), &b, &why), CNNC_OK);
    static const char text[] = "network tiny\ninput 4\ndense 2 activation=softmax\ncompile optimizer=sgd(momentum=0.9) loss=categorical_crossentropy\nfit epochs=2 batch_size=8\n";
    write_bytes(in_folder("tiny.net"), text, sizeof text - 1);
}

static void training(void **state) {
    (void)state;
    make_training_files();
    const Run runs[] = {
        {"train", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "-o", "trained", "--threads=1", "--target=scalar", "--checkpoint", "trained.checkpoint"}, {"trained", "trained.checkpoint"}},
        {"evaluate", command_evaluate, {"evaluate", "tiny.net", "--data=a.npy,b.npy", "--weights=trained.keep", "--threads=1", "--target=scalar"}, {NULL}},
        {"predict", command_predict, {"predict", "tiny.net", "--input=a.npy", "--weights=trained.keep", "--threads=1", "-o", "outputs.npy", "--target=scalar"}, {"outputs.npy"}},
        {"train with callbacks", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "--weights=trained.keep", "--partial", "--validation-split=0.2", "-o", "called", "--threads=1", "--target=scalar",
                                                 "--early-stopping=1", "--reduce-lr=patience=0", "--save-best=best", "--csv-log=epochs.csv"}, {"called"}},
        {"check", command_check, {"check", "tiny.net", "--target=scalar"}, {NULL}},
        {"dry run", command_train, {"train", "tiny.net", "--data=a.npy,b.npy", "--dry-run", "--threads=1", "--target=scalar"}, {NULL}},
    };
    sweep_command(&runs[0]);
    write_bytes(in_folder("trained.keep"), contents[0], sizes[0]);
    for (size_t i = 1; i < sizeof runs / sizeof *runs; i++) sweep_command(&runs[i]);
    report("commands");
}

static int set_up(void **state) {
    outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED || make_folder(state)) return -1;
    return setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
}

int main(int argc, char **argv) {
    all = argc > 1 && !strcmp(argv[1], "long");
    const struct CMUnitTest tests[] = {cmocka_unit_test(compiling), cmocka_unit_test(training)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}

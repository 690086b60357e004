/* test_processes.h: commands for tests, many at a time, one a processor; a folder for what they write; nets by name.
 *
 *     Job *job = add_job("gcc -std=c11 -c");      words split at spaces
 *     add_word(job, path);                        one more, whatever is in it
 *     run_jobs(true);                             all of them; fails the test when one fails (or, true: prints anything)
 */
#ifndef TEST_PROCESSES_H
#define TEST_PROCESSES_H

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined __GNUC__
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

enum { MAX_JOBS = 1024, MAX_JOB_WORDS = 64, MAX_NETS = 256, SECONDS_A_JOB = 600 };

/* ---- a folder of the test's own ------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/cnnc_test_XXXXXX";

/* What text, file_text and cnnc_says give lives until remove_folder. */
static char **texts;
static size_t text_count;

static char *keep(char *s) {
    char **more = realloc(texts, (text_count + 1) * sizeof *texts);
    assert_non_null(s);
    assert_non_null(more);
    texts = more;
    return texts[text_count++] = s;
}

MAYBE_UNUSED __attribute__((format(printf, 1, 2))) static char *text(const char *format, ...) {
    char buffer[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    assert_in_range(n, 0, sizeof buffer - 1);
    return keep(strdup(buffer));
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    char cache[64];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    return setenv("XDG_CACHE_HOME", cache, 1);
}

static int remove_folder(void **state) {
    (void)state;
    char command[64];
    while (text_count) free(texts[--text_count]);
    free(texts);
    texts = NULL;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return getenv("KEEP") ? printf("kept: %s\n", folder) < 0 : system(command);
}

MAYBE_UNUSED static char *file_text(const char *path, size_t *length) {
    FILE *in = fopen(path, "rb");
    if (!in) fail_msg("cannot read %s", path);
    size_t room = 1 << 16, n = 0, got;
    char *s = malloc(room + 1);
    while (s && (got = fread(s + n, 1, room - n, in)) > 0)
        if ((n += got) == room) s = realloc(s, (room *= 2) + 1);
    assert_non_null(s);
    fclose(in);
    s[n] = 0;
    if (length) *length = n;
    return keep(s);
}

MAYBE_UNUSED static void assert_same_files(const char *a, const char *b) {
    size_t n, m;
    char *s = file_text(a, &n), *t = file_text(b, &m);
    if (n != m || memcmp(s, t, n)) fail_msg("%s and %s differ", a, b);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------- */

typedef struct Job {
    char *words[MAX_JOB_WORDS + 1];
    int count;
    const char *directory;      /* where it runs; NULL: here */
    const char *environment[8]; /* name, value, name, value, ..., NULL */
    pid_t pid;
    int status;
} Job;

static Job jobs[MAX_JOBS];
static int job_count;

MAYBE_UNUSED static void add_word(Job *job, const char *word) {
    assert_true(job->count < MAX_JOB_WORDS);
    job->words[job->count++] = text("%s", word);
}

MAYBE_UNUSED static void add_words(Job *job, const char *words) {
    char *rest = text("%s", words);
    for (char *word; (word = strtok_r(rest, " ", &rest));) add_word(job, word);
}

MAYBE_UNUSED static Job *add_job(const char *words) {
    assert_true(job_count < MAX_JOBS);
    Job *job = &jobs[job_count++];
    memset(job, 0, sizeof *job);
    add_words(job, words);
    return job;
}

static char *log_of(const Job *job) { return text("%s/job_%d.log", folder, (int)(job - jobs)); }

static void start_job(Job *job) {
    char *log = log_of(job);
    fflush(NULL);
    job->pid = fork();
    assert_true(job->pid >= 0);
    if (job->pid) return;
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666), in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
    if (job->directory && chdir(job->directory)) _exit(126);
    for (int i = 0; job->environment[i]; i += 2) setenv(job->environment[i], job->environment[i + 1], 1);
    alarm(SECONDS_A_JOB);
    execvp(job->words[0], job->words);
    _exit(127);
}

static int finish_job(void) {
    int status;
    pid_t pid = wait(&status);
    for (int i = 0; i < job_count; i++)
        if (jobs[i].pid == pid) return jobs[i].status = status, 1;
    return pid < 0 && errno != EINTR ? -1 : 0;
}

/* Runs all of them; returns how many failed. They stay in `jobs` until the next forget_jobs. */
MAYBE_UNUSED static int try_jobs(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int running = 0, next = 0, failed = 0;
    while (next < job_count || running) {
        if (next < job_count && running < processors) start_job(&jobs[next++]), running++;
        else {
            int finished = finish_job();
            assert_true(finished >= 0);
            running -= finished;
        }
    }
    for (int i = 0; i < job_count; i++) failed += jobs[i].status != 0;
    return failed;
}

MAYBE_UNUSED static void forget_jobs(void) {
    for (int i = 0; i < job_count; i++) unlink(log_of(&jobs[i]));
    job_count = 0;
}

/* CMocka prints no more than 1,024 characters at once. */
static void print_said(const char *said) {
    enum { MOST = 16000, AT_ONCE = 1000 };
    size_t n = strlen(said);
    for (size_t at = n > MOST ? n - MOST : 0; at < n; at += AT_ONCE) print_error("%.*s", AT_ONCE, said + at);
}

MAYBE_UNUSED static void print_job(const Job *job) {
    char *said = file_text(log_of(job), NULL);
    print_error("$");
    for (int i = 0; i < job->count; i++) print_error(" %s", job->words[i]);
    print_error("\n");
    print_said(said);
    print_error("[status %d%s]\n", WIFEXITED(job->status) ? WEXITSTATUS(job->status) : -WTERMSIG(job->status),
                WIFEXITED(job->status) && WEXITSTATUS(job->status) == 127 ? ": no such program?" : "");
}

MAYBE_UNUSED static void run_jobs(bool silent) {
    int bad = 0, total = job_count;
    try_jobs();
    for (int i = 0; i < job_count; i++) {
        size_t said;
        file_text(log_of(&jobs[i]), &said);
        if (!jobs[i].status && !(silent && said)) continue;
        if (bad++ < 5) print_job(&jobs[i]);
    }
    forget_jobs();
    if (bad) fail_msg("%d of %d commands went wrong", bad, total);
}

/* What one cnnc says, which has to end with this exit status. */
MAYBE_UNUSED static char *cnnc_says(const char *arguments, int status) {
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_words(job, arguments);
    try_jobs();
    char *said = file_text(log_of(job), NULL);
    if (!WIFEXITED(job->status) || WEXITSTATUS(job->status) != status) {
        print_job(job);
        fail_msg("exit status %d was expected", status);
    }
    forget_jobs();
    return said;
}

/* Whether a program can be run: "clang", say. */
MAYBE_UNUSED static bool there_is(const char *program) {
    forget_jobs();
    add_word(add_job(program), "--version");
    bool fine = !try_jobs();
    forget_jobs();
    return fine;
}

/* ---- nets --------------------------------------------------------------------------------------------------------------- */

typedef struct Net {
    char *path, *name;
} Net;

static int by_name(const void *a, const void *b) { return strcmp(((const Net *)a)->name, ((const Net *)b)->name); }

/* The .net files of a folder, in the order of their names. */
MAYBE_UNUSED static int find_nets(const char *where, Net *nets) {
    DIR *directory = opendir(where);
    if (!directory) fail_msg("no folder %s", where);
    int n = 0;
    for (struct dirent *e; (e = readdir(directory));) {
        char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".net")) continue;
        assert_true(n < MAX_NETS);
        nets[n].path = text("%s/%s", where, e->d_name);
        nets[n++].name = text("%.*s", (int)(dot - e->d_name), e->d_name);
    }
    closedir(directory);
    qsort(nets, (size_t)n, sizeof *nets, by_name);
    return n;
}

MAYBE_UNUSED static bool is_in_word(char c) { return c == '_' || isalnum((unsigned char)c); }

/* By itself, not as a part of another. */
MAYBE_UNUSED static bool has_word(const char *all, const char *word) {
    size_t n = strlen(word);
    for (const char *at = all; (at = strstr(at, word)); at += n)
        if (!(at > all && is_in_word(at[-1])) && !is_in_word(at[n])) return true;
    return false;
}

#endif

/* The thread pool: each item once, on one worker at a time, for any number of threads; run it under a thread sanitizer. */
#define _POSIX_C_SOURCE 200809L
#include "test_runtime.h"
#include <dirent.h>

#include <stdatomic.h>
#include <time.h>

enum { MOST = 5000, WORKERS = 16 };

typedef struct tally {
    int done[MOST]; /* not atomic on purpose: each is one worker's */
    atomic_int inside[WORKERS];
    atomic_int bad, spread;
    int threads;
} tally;

static void count_items(void *context, int worker, int begin, int end) {
    tally *t = context;
    if (worker < 0 || worker >= t->threads || atomic_fetch_add(&t->inside[worker], 1) != 0)
        atomic_store(&t->bad, 1);
    atomic_fetch_or(&t->spread, 1 << worker);
    for (int i = begin; i < end; i++)
        t->done[i]++;
    atomic_fetch_sub(&t->inside[worker], 1);
}

static void each_item_is_done_once(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 3, 7, 16}, counts[] = {0, 1, 2, 3, 15, 64, 1000, MOST};
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        cnnc_error error = {.text = ""};
        cnnc_pool *pool = cnnc_pool_new(threads[k], &error);
        assert_non_null(pool);
        assert_int_equal(cnnc_pool_threads(pool), threads[k]);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            tally *t = calloc(1, sizeof *t);
            assert_non_null(t);
            t->threads = threads[k];
            for (int run = 0; run < 20; run++)
                cnnc_pool_run(pool, count_items, t, counts[c]);
            assert_false(atomic_load(&t->bad));
            for (int i = 0; i < MOST; i++)
                assert_int_equal(t->done[i], i < counts[c] ? 20 : 0);
            free(t);
        }
        cnnc_pool_free(pool);
    }
}

static void many_short_runs_lose_no_wake_up(void **state) {
    (void)state;
    cnnc_pool *pool = cnnc_pool_new(5, NULL);
    assert_non_null(pool);
    tally *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->threads = 5;
    for (int run = 0; run < 20000; run++)
        cnnc_pool_run(pool, count_items, t, 2 + run % 9);
    assert_int_equal(t->done[0], 20000);
    assert_false(atomic_load(&t->bad));
    free(t);
    cnnc_pool_free(pool);
}

static void rest(void *context, int worker, int begin, int end) {
    tally *t = context;
    struct timespec nap = {0, 2000000};
    for (int i = begin; i < end; i++)
        nanosleep(&nap, NULL);
    count_items(t, worker, begin, end);
}

/* Both sides have to fall asleep and be woken. */
static void sleepers_wake_up(void **state) {
    (void)state;
    cnnc_pool *pool = cnnc_pool_new(3, NULL);
    assert_non_null(pool);
    tally *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->threads = 3;
    struct timespec nap = {0, 5000000};
    for (int run = 0; run < 30; run++) {
        nanosleep(&nap, NULL);
        cnnc_pool_run(pool, rest, t, 6);
    }
    for (int i = 0; i < 6; i++)
        assert_int_equal(t->done[i], 30);
    assert_int_equal(atomic_load(&t->spread), 7); /* all three have worked */
    free(t);
    cnnc_pool_free(pool);
}

typedef struct meeting {
    atomic_int there, missed;
} meeting;

/* Stays until the other one is there, and gives up at last. */
static void meet(void *context, int worker, int begin, int end) {
    meeting *m = context;
    (void)worker;
    for (int i = begin; i < end; i++) {
        atomic_fetch_add(&m->there, 1);
        for (int k = 0; k < 20000 && atomic_load(&m->there) < 2; k++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        atomic_fetch_or(&m->missed, atomic_load(&m->there) < 2);
    }
}

/* Two items that wait for each other: the caller cannot do both, one after the other. */
static void a_sleeper_helps(void **state) {
    (void)state;
    for (int threads = 2; threads < 6; threads++) { /* one that sleeps, or more than are needed */
        cnnc_pool *pool = cnnc_pool_new(threads, NULL);
        meeting m = {0, 0};
        assert_non_null(pool);
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL); /* time to fall asleep */
        cnnc_pool_run(pool, meet, &m, 2);
        assert_int_equal(atomic_load(&m.there), 2);
        assert_false(atomic_load(&m.missed));
        cnnc_pool_free(pool);
    }
}

#ifdef __linux__
static int count_threads(void) {
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *e; (e = readdir(tasks));)
        n += e->d_name[0] != '.';
    closedir(tasks);
    return n;
}
#endif

static void pools_come_and_go(void **state) {
    (void)state;
#ifdef __linux__
    int before = count_threads();
#endif
    for (int i = 0; i < 200; i++) {
        cnnc_pool *pool = cnnc_pool_new(1 + i % 6, NULL);
        assert_non_null(pool);
        if (i % 2) {
            tally *t = calloc(1, sizeof *t);
            assert_non_null(t);
            t->threads = 1 + i % 6;
            cnnc_pool_run(pool, count_items, t, i);
            free(t);
        }
        cnnc_pool_free(pool);
    }
    cnnc_pool_free(NULL);
#ifdef __linux__
    assert_int_equal(count_threads(), before);
#endif
}

static void odd_numbers_of_threads(void **state) {
    (void)state;
    cnnc_error error = {.text = ""};
    cnnc_pool *pool = cnnc_pool_new(0, &error);
    assert_non_null(pool);
    assert_int_equal(cnnc_pool_threads(pool), cnnc_cores());
    cnnc_pool_free(pool);
    assert_null(cnnc_pool_new(1025, &error));
    assert_says(&error, "1025 threads");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_done_once), cmocka_unit_test(many_short_runs_lose_no_wake_up),
        cmocka_unit_test(sleepers_wake_up),       cmocka_unit_test(a_sleeper_helps), cmocka_unit_test(pools_come_and_go),
        cmocka_unit_test(odd_numbers_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

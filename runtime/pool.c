/* pool.c: a persistent pool of threads.
 *
 * A run is published in one word, the ticket: its number in the upper half, the items not yet handed out in the lower.
 * Whoever lowers the ticket by compare-and-swap owns the items he took off it, and knows by its success that the run he
 * read about is still the current one: the next can only be published when all items of this one are done. So a run
 * waits for its items, not for its workers: one that sleeps or is preempted holds nobody up.
 * Idle workers, and the caller at the end, spin briefly, then yield, then sleep on a condition. Nothing is lost:
 * a sleeper first counts himself, then looks once more; a waker first publishes, then looks for sleepers; both in the
 * one order of sequentially consistent operations.
 */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, SPINS = 3000, YIELDS = 100 };

typedef struct member {
    cnnc_pool *pool;
    pthread_t thread;
    int worker;
} member;

struct cnnc_pool {
    int threads, spins;
    member *members; /* [threads]; the first is the caller and has no thread */
    _Alignas(64) atomic_uint_fast64_t ticket;
    _Atomic(cnnc_work *) work; /* these three belong to the ticket's run */
    _Atomic(void *) context;
    atomic_uint count;
    _Alignas(64) atomic_uint done; /* items of the run that are done */
    atomic_int quit;
    _Alignas(64) atomic_int sleepers, caller_sleeps;
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t left_of(uint_fast64_t ticket) {
    return (uint32_t)(ticket & UINT32_MAX);
}

/* Takes items of the current run and does them until none is left to take. */
static void help(cnnc_pool *pool, int worker) {
    for (;;) {
        uint_fast64_t ticket = atomic_load(&pool->ticket);
        uint32_t left = left_of(ticket);
        if (!left)
            return;
        cnnc_work *work = atomic_load_explicit(&pool->work, memory_order_relaxed);
        void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
        uint32_t count = atomic_load_explicit(&pool->count, memory_order_relaxed);
        uint32_t take = left / (4 * (uint32_t)pool->threads);
        if (!take)
            take = 1;
        if (!atomic_compare_exchange_strong(&pool->ticket, &ticket, ticket - take))
            continue;
        uint32_t begin = count - left;
        work(context, worker, (int)begin, (int)(begin + take));
        if (atomic_fetch_add(&pool->done, take) + take == count && atomic_load(&pool->caller_sleeps)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static int worker_may_go(cnnc_pool *pool) {
    return left_of(atomic_load(&pool->ticket)) || atomic_load(&pool->quit);
}

static int caller_may_go(cnnc_pool *pool) {
    return atomic_load(&pool->done) == atomic_load_explicit(&pool->count, memory_order_relaxed);
}

static void await(cnnc_pool *pool, int (*may_go)(cnnc_pool *), atomic_int *asleep, pthread_cond_t *condition) {
    for (int i = 0; i < pool->spins; i++) {
        if (may_go(pool))
            return;
        relax();
    }
    for (int i = 0; i < YIELDS; i++) {
        if (may_go(pool))
            return;
        sched_yield();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(asleep, 1);
    while (!may_go(pool))
        pthread_cond_wait(condition, &pool->lock);
    atomic_fetch_sub(asleep, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *live(void *argument) {
    const member *self = argument;
    cnnc_pool *pool = self->pool;
    while (!atomic_load(&pool->quit)) {
        help(pool, self->worker);
        await(pool, worker_may_go, &pool->sleepers, &pool->wake);
    }
    return NULL;
}

void cnnc_pool_run(cnnc_pool *pool, cnnc_work *work, void *context, int count) {
    if (count <= 0)
        return;
    if (pool->threads == 1 || count == 1) {
        work(context, 0, 0, count);
        return;
    }
    uint_fast64_t run = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
    atomic_store_explicit(&pool->work, work, memory_order_relaxed);
    atomic_store_explicit(&pool->context, context, memory_order_relaxed);
    atomic_store_explicit(&pool->count, (unsigned)count, memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store(&pool->ticket, run << 32 | (uint_fast64_t)count);
    if (atomic_load(&pool->sleepers)) {
        pthread_mutex_lock(&pool->lock);
        if (count > atomic_load(&pool->sleepers))
            pthread_cond_broadcast(&pool->wake);
        else
            for (int i = 1; i < count; i++) /* one item is the caller's own */
                pthread_cond_signal(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
    }
    help(pool, 0);
    await(pool, caller_may_go, &pool->caller_sleeps, &pool->finished);
}

int cnnc_cores(void) {
#ifdef _SC_NPROCESSORS_ONLN
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (int)cores;
#else
    return 1;
#endif
}

int cnnc_pool_threads(const cnnc_pool *pool) {
    return pool->threads;
}

/* Threads of a pool take no signals: those are the business of the program's own threads. */
static int start_threads(cnnc_pool *pool, int *started) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = 0;
    for (*started = 1; *started < pool->threads; ++*started) {
        member *m = &pool->members[*started];
        *m = (member){.pool = pool, .worker = *started};
        if ((failure = pthread_create(&m->thread, NULL, live, m)))
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

static void stop_threads(cnnc_pool *pool, int started) {
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->quit, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < started; i++)
        pthread_join(pool->members[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->finished);
    pthread_mutex_destroy(&pool->lock);
    free(pool->members);
    free(pool);
}

cnnc_pool *cnnc_pool_new(int threads, cnnc_error *error) {
    int cores = cnnc_cores();
    threads = threads <= 0 ? cores : threads;
    if (threads > MAX_THREADS) {
        cnnc_fail(error, "%d threads are more than the most possible, %d", threads, MAX_THREADS);
        return NULL;
    }
    cnnc_pool *pool = cnnc_allocate(sizeof *pool);
    member *members = calloc((size_t)threads, sizeof *members);
    if (!pool || !members) {
        free(pool);
        free(members);
        cnnc_fail_system(error, "no memory for a pool of %d threads", threads);
        return NULL;
    }
    memset(pool, 0, sizeof *pool);
    pool->threads = threads;
    pool->spins = threads <= cores ? SPINS : 0;
    pool->members = members;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->finished, NULL);
    int started, failure = start_threads(pool, &started);
    if (failure) {
        stop_threads(pool, started);
        cnnc_fail_system(error, "thread %d of %d cannot be made: %s", started + 1, threads, strerror(failure));
        return NULL;
    }
    return pool;
}

void cnnc_pool_free(cnnc_pool *pool) {
    if (pool)
        stop_threads(pool, pool->threads);
}

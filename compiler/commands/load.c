/* load.c: a network as code in this process: compiled by the user's C compiler into a cache, then loaded.
 *
 * The cache is a folder of shared objects whose names are hashes of all that they come from; it is safe to delete. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORDS = 32 };

/* ---- the cache -------------------------------------------------------------------------------------------------------- */

/* $XDG_CACHE_HOME/cnnc, ~/.cache/cnnc, or a folder of our own in the place for temporary files. */
static const char *cache_folder(Arena *arena) {
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *tmp = getenv("TMPDIR");
    char *candidates[] = {
        xdg && *xdg == '/' ? arena_printf(arena, "%s/cnnc", xdg) : NULL,
        home && *home == '/' ? arena_printf(arena, "%s/.cache/cnnc", home) : NULL,
        arena_printf(arena, "%s/cnnc-%ld", tmp && *tmp == '/' ? tmp : "/tmp", (long)getuid()),
    };
    for (int i = 0; i < LENGTH(candidates); i++)
        if (candidates[i] && cnnc_make_folders(candidates[i]) && !access(candidates[i], W_OK)) return candidates[i];
    return NULL;
}

static const char *runtime_header(void) {
    for (const char *const *e = embedded_templates; e[0]; e += 2)
        if (!strcmp(e[0], "cnnc_network.h")) return e[1];
    bug("cnnc_network.h is not built in");
}

/* ---- the C compiler ----------------------------------------------------------------------------------------------------- */

/* CC split at spaces, then the other arguments. It may say itself how much the compiler is to optimize. */
static char **compiler_command(Arena *arena, const char *cc, const char *folder, const char *source, const char *object) {
    char **argv = NEW_ARRAY(arena, char *, MAX_WORDS + 16);
    const char *level = "-O2";
    int n = 0;
    for (char *word = strtok(arena_string(arena, cc, strlen(cc)), " "); word && n < MAX_WORDS; word = strtok(NULL, " ")) {
        if (!strncmp(word, "-O", 2)) level = word;
        argv[n++] = word;
    }
    const char *const rest[] = {"-std=c11", level, "-fPIC", "-shared", arena_printf(arena, "-I%s", folder), "-o", object, source, "-lm"};
    for (int i = 0; i < LENGTH(rest); i++) argv[n++] = (char *)(uintptr_t)rest[i];
    return argv;
}

static bool run_compiler(char **argv) {
    pid_t child = fork();
    int status;
    if (child < 0) return false;
    if (!child) {
        if (diagnostics_are_json() && !freopen("/dev/null", "w", stderr)) _exit(126); /* what it says is no JSON */
        execvp(argv[0], argv);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        say_error("there is no C compiler '%s'\nhint: install one (gcc or clang), or name one in the environment variable CC", argv[0]);
        return false;
    }
    if (WIFEXITED(status) && !WEXITSTATUS(status)) return true;
    if (WIFSIGNALED(status)) say_error("the C compiler '%s' was stopped: %s", argv[0], strsignal(WTERMSIG(status)));
    else say_error("the C compiler '%s' failed on the generated code", argv[0]);
    return false;
}

/* Writes source, header and the runtime's header into a folder of their own, compiles, and moves the result to `object`. */
static bool build_object(Compilation *c, const char *cache, const char *cc, const char *object) {
    char *folder = arena_printf(c->arena, "%s/XXXXXX", cache);
    int mark = count_unfinished();
    if (!mkdtemp(folder)) return false;
    add_unfinished(folder);
    const char *source = arena_printf(c->arena, "%s/network.c", folder), *header = arena_printf(c->arena, "%s/%s", folder, c->options.header);
    const char *network_h = arena_printf(c->arena, "%s/cnnc_network.h", folder), *made = arena_printf(c->arena, "%s/network.so", folder);
    const char *const files[] = {source, header, network_h, made};
    for (int i = 0; i < LENGTH(files); i++) add_unfinished(files[i]);
    const char *failure = write_file(c->arena, source, c->c.text, c->c.length);
    if (!failure) failure = write_file(c->arena, header, c->h.text, c->h.length);
    if (!failure) failure = write_file(c->arena, network_h, runtime_header(), strlen(runtime_header()));
    if (failure) say_error("%s", failure);
    bool fine = !failure && run_compiler(compiler_command(c->arena, cc, folder, source, made)) && !rename(made, object);
    remove_unfinished(mark);
    return fine;
}

/* ---- loading ---------------------------------------------------------------------------------------------------------------- */

static const cnnc_network *open_object(Compilation *c, const char *object, Loaded *loaded) {
    loaded->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!loaded->library) return NULL;
    loaded->network = dlsym(loaded->library, arena_printf(c->arena, "%s_network", c->graph->name));
    if (loaded->network && loaded->network->abi == CNNC_ABI) return loaded->network;
    dlclose(loaded->library);
    return loaded->network = NULL;
}

const cnnc_network *load_network(Compilation *c, const char *path, Loaded *loaded, int *status) {
    *loaded = (Loaded){NULL, NULL};
    *status = compile(c, path, NULL, NULL, NULL);
    print_diagnostics(c);
    if (*status) return NULL;
    *status = EXIT_FILE;
    const char *cc = getenv("CC"), *cache = cache_folder(c->arena);
    if (!cc || !cc[strspn(cc, " ")]) cc = "cc";
    if (has_controls(cc)) {
        say_error("the environment variable CC has a control character in it");
        return NULL;
    }
    if (!cache) {
        say_error("there is no folder to compile in\nhint: XDG_CACHE_HOME, HOME or TMPDIR should name one that can be written");
        return NULL;
    }
    uint64_t hash = hash_text(hash_text(hash_text(hash_text(HASH_START, c->c.text), c->h.text), runtime_header()), cc);
    const char *object = arena_printf(c->arena, "%s/%s-%016" PRIx64 ".so", cache, c->graph->name, hash);
    if (!access(object, R_OK) && open_object(c, object, loaded)) return *status = EXIT_FINE, loaded->network;
    if (!build_object(c, cache, cc, object)) return NULL;
    if (!open_object(c, object, loaded)) {
        say_error("cannot load the compiled network: %s", dlerror());
        return NULL;
    }
    *status = EXIT_FINE;
    return loaded->network;
}

void unload_network(Loaded *loaded) {
    if (loaded->library) dlclose(loaded->library);
    *loaded = (Loaded){NULL, NULL};
}

bool is_update(const cnnc_phase *phase) { return !strcmp(phase->name, "sum") || !strcmp(phase->name, "update"); }

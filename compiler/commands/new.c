/* new.c: cnnc new NAME, a folder with a small project: a network, a program that trains it, its build.
 *
 * What is in it are the templates project_*. The folder is made under another name and renamed when it is whole. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NET, FILES = 4 };

static const struct { const char *template, *name; } files[FILES] = {
    [NET] = {"project_net", NULL}, /* NAME.net */
    {"project_cmake", "CMakeLists.txt"},
    {"project_main", "main.c"},
    {"project_readme", "README.md"},
};

static const char *file_name(Arena *arena, int i, const char *name) { return files[i].name ? files[i].name : arena_printf(arena, "%s.net", name); }

/* ---- what is in it ----------------------------------------------------------------------------------------------------- */

static const char *file_text(Compilation *c, int i, const char *name) {
    Bindings *bindings = bindings_new(c->arena, NULL);
    StrBuf text = {0}, message = {0};
    bind_string(bindings, "name", name);
    if (!template_expand(c->templates, files[i].template, bindings, &text, &message)) bug("%s", message.text);
    const char *copy = arena_string(c->arena, text.text, text.length);
    strbuf_free(&text);
    return copy;
}

/* The project's own network must build under that name. */
static bool check_name(Compilation *c, const char *name, const char *net) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (!strspn(name, letters) || name[strspn(name, "0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")]) {
        say_error("'%s' cannot be the name of a network\nhint: names have letters, digits and '_' and start with a letter", name);
        return false;
    }
    c->source = (Source){"<command line>", net, strlen(net)};
    bool fine = compile_source(c, "build", NULL, NULL) == EXIT_FINE;
    print_diagnostics(c);
    return fine;
}

/* ---- the folder -------------------------------------------------------------------------------------------------------- */

static const char *cannot_make(Arena *arena, const char *name, const char *why) { return arena_printf(arena, "cannot make %s: %s", name, why); }

/* All of it or nothing. A message on failure. */
static const char *make_folder(Arena *arena, const char *name, const char *const *names, const char *const *texts) {
    struct stat status;
    const char *folder = arena_printf(arena, ".cnnc-%ld.tmp", (long)getpid());
    OutFile out[FILES];
    for (int i = 0; i < FILES; i++) out[i] = (OutFile){arena_printf(arena, "%s/%s", folder, names[i]), texts[i], strlen(texts[i])};
    if (!lstat(name, &status)) return cannot_make(arena, name, "it is there already");
    int mark = count_unfinished();
    if (mkdir(folder, 0777)) return cannot_make(arena, name, strerror(errno));
    add_unfinished(folder);
    for (int i = 0; i < FILES; i++) add_unfinished(out[i].path);
    const char *failure = write_files(arena, out, FILES);
    if (!failure && rename(folder, name)) failure = cannot_make(arena, name, strerror(errno));
    if (failure) remove_unfinished(mark);
    forget_unfinished(mark);
    return failure;
}

static int make_project(Compilation *c, const char *name) {
    const char *texts[FILES], *names[FILES];
    c->templates = templates_new(c->arena, NULL);
    for (int i = 0; i < FILES; i++) names[i] = file_name(c->arena, i, name), texts[i] = file_text(c, i, name);
    if (!check_name(c, name, texts[NET])) return EXIT_USAGE;
    const char *failure = make_folder(c->arena, name, names, texts);
    if (failure) return say_error("%s", failure), EXIT_FILE;
    printf("%s has", name);
    for (int i = 0; i < FILES; i++) printf("%s %s", i ? "," : "", names[i]);
    printf("\nTo build and run it, with cnnc installed (elsewhere than CMake looks: -DCMAKE_PREFIX_PATH=PREFIX):\n\n    cmake -S %s -B %s/build\n    cmake --build %s/build\n    %s/build/train\n", name, name, name, name);
    return EXIT_FINE;
}

int command_new(int argc, char **argv) {
    Compilation c;
    NetworkOptions network = {0};
    const char *name = NULL;
    const Option options[] = {{"--color", &network.color, NULL, NULL, 0, 0, "WHEN", "auto, always or never"}};
    static const char *const names[] = {"the network's name"};
    const CommandLine line = {"new", options, LENGTH(options), names, &name, 1};
    compilation_init(&c, false);
    int status = parse_options(argc, argv, &line) && apply_network_options(&c, &network) ? make_project(&c, name) : EXIT_USAGE;
    compilation_free(&c);
    return status;
}

/* template_catalogue.c: the templates there are: those that are embedded, and those of a folder in their place. */
#define _POSIX_C_SOURCE 200809L
#include "template.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The name of a template is that of its file up to the first dot. */
static void add_template(Templates *t, const char *file, const char *path, const char *text) {
    Arena *a = t->arena;
    int i = tmpl_table_add(a, &t->names, tmpl_symbol(arena_string(a, file, strcspn(file, "."))));
    TmplTemplate new = {.file = path ? path : file, .path = path, .text = text};
    if (i == t->count)
        *PUSH(a, t->templates, t->count) = new;
    else if (!t->templates[i].path == !path)
        t->templates[i].rival = new.file;
    else
        t->templates[i] = new;
}

void tmpl_add(Templates *t, const char *file, const char *text) { add_template(t, file, NULL, text); }

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_folder(Templates *t, const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) {
        t->problem = arena_printf(t->arena, "cannot read the folder of templates \"%s\": %s", folder, strerror(errno));
        return;
    }
    const char **files = NULL;
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name), ending = strlen(".tmpl");
        if (entry->d_name[0] != '.' && length > ending && strcmp(entry->d_name + length - ending, ".tmpl") == 0)
            *PUSH(t->arena, files, n) = arena_string(t->arena, entry->d_name, length);
    }
    closedir(dir);
    if (n > 0)
        qsort(files, (size_t)n, sizeof *files, compare_names);
    for (int i = 0; i < n; i++)
        add_template(t, files[i], arena_printf(t->arena, "%s/%s", folder, files[i]), NULL);
}

const char *templates_problem(const Templates *t) { return t->problem; }

const char **templates_read(const Templates *t, Arena *arena, int *n) {
    const char **paths = NULL;
    *n = 0;
    for (int i = 0; i < t->count; i++)
        if (t->templates[i].path && t->templates[i].tree)
            *PUSH(arena, paths, *n) = t->templates[i].path;
    return paths;
}

Templates *templates_new(Arena *arena, const char *folder) {
    Templates *t = NEW(arena, Templates);
    t->arena = arena;
    for (const char *const *pair = embedded_templates; *pair; pair += 2)
        add_template(t, pair[0], NULL, pair[1]);
    if (folder)
        add_folder(t, folder);
    return t;
}

/* convert.c: all images of a folder into arrays. One image at a time is in memory in its own size. */
#include "images.h"
#include "private.h"

#include <stdlib.h>
#include <string.h>

/* Where each example goes. */
typedef struct Plan {
    uint32_t *row;       /* per file: its row in its part */
    unsigned char *part; /* per file: 0 or 1 */
    size_t count[2];
} Plan;

enum { SHUFFLE_STREAM = INT32_MAX }; /* behind those of the classes */

static void plan_free(Plan *plan) {
    free(plan->row);
    free(plan->part);
}

/* Draws so many of each class for the second part. */
static void draw_parts(const Folder *folder, const ConvertOptions *options, uint32_t *index, Plan *plan) {
    for (size_t begin = 0, end; begin < folder->count; begin = end) {
        int class = folder->files[begin].class;
        for (end = begin; end < folder->count && folder->files[end].class == class;) end++;
        size_t n = end - begin, drawn = (size_t)((double)n * options->split + 0.5);
        cnnc_shuffle(index, (uint32_t)n, options->seed, (uint64_t)class);
        for (size_t i = 0; i < drawn; i++) plan->part[begin + index[i]] = 1;
    }
    for (size_t i = 0; i < folder->count; i++) plan->count[plan->part[i]]++;
}

static int plan_make(const Folder *folder, const ConvertOptions *options, Plan *plan, cnnc_error *error) {
    *plan = (Plan){malloc(folder->count * sizeof *plan->row), calloc(folder->count, 1), {0, 0}};
    uint32_t *index = malloc(folder->count * sizeof *index);
    int result = plan->row && plan->part && index ? CNNC_OK : cnnc_fail_system(error, "no memory for the order of %zu images", folder->count);
    if (result == CNNC_OK) {
        draw_parts(folder, options, index, plan);
        if (options->split > 0 && (!plan->count[0] || !plan->count[1]))
            result = cnnc_fail(error, "--split=%g of each class leaves no images for %s", options->split, plan->count[0] ? "tests" : "training");
    }
    for (int part = 0; result == CNNC_OK && part < 2; part++) {
        uint32_t next = 0, n = (uint32_t)plan->count[part];
        if (options->shuffle) cnnc_shuffle(index, n, options->seed, (uint64_t)SHUFFLE_STREAM + (uint64_t)part);
        for (size_t i = 0; i < folder->count; i++)
            if (plan->part[i] == part) {
                plan->row[i] = options->shuffle ? index[next] : next;
                next++;
            }
    }
    free(index);
    if (result != CNNC_OK) plan_free(plan);
    return result;
}

static int allocate(cnnc_array *array, cnnc_error *error) {
    size_t bytes;
    if (cnnc_array_measure(array, &bytes) == CNNC_OK) array->data = cnnc_allocate(bytes);
    if (array->data) return CNNC_OK;
    return cnnc_fail_system(error, "no memory for %zu images of %zux%zux%zu (height x width x channels): --size=HxW makes them smaller", array->shape[0],
                            array->shape[1], array->shape[2], array->shape[3]);
}

static int parts_allocate(Part parts[2], const Plan *plan, const Image *form, cnnc_error *error) {
    for (int i = 0; i < 2; i++) {
        size_t n = plan->count[i];
        parts[i].x = (cnnc_array){.dtype = CNNC_DTYPE_U8, .rank = 4, .shape = {n, (size_t)form->height, (size_t)form->width, (size_t)form->channels}};
        parts[i].y = (cnnc_array){.dtype = CNNC_DTYPE_I32, .rank = 1, .shape = {n}};
        if (allocate(&parts[i].x, error) != CNNC_OK || allocate(&parts[i].y, error) != CNNC_OK) return CNNC_FAILED;
    }
    return CNNC_OK;
}

void parts_free(Part parts[2]) {
    for (int i = 0; i < 2; i++) {
        cnnc_array_free(&parts[i].x);
        cnnc_array_free(&parts[i].y);
    }
}

/* The work at hand. form: what all images become, without data; height 0 before the first one is there. */
typedef struct Conversion {
    const Folder *folder;
    const ConvertOptions *options;
    Plan plan;
    Image form;
    const char *first; /* the file that decided the form */
    Part *parts;
} Conversion;

static int decide_form(Conversion *c, const Image *image, const char *path, cnnc_error *error) {
    const ConvertOptions *o = c->options;
    c->form = (Image){o->height ? o->height : image->height, o->width ? o->width : image->width, image->channels, NULL};
    c->first = path;
    return parts_allocate(c->parts, &c->plan, &c->form, error);
}

static int check_form(const Conversion *c, const Image *image, const char *path, cnnc_error *error) {
    if (image->channels != c->form.channels)
        return cnnc_fail(error, "%s: is %s, but %s is %s: give --rgb or --grayscale", path, image->channels == 1 ? "gray" : "RGB", c->first,
                         c->form.channels == 1 ? "gray" : "RGB");
    if (!c->options->height && (image->height != c->form.height || image->width != c->form.width))
        return cnnc_fail(error, "%s: is %dx%d (height x width), but %s is %dx%d: give --size=HxW", path, image->height, image->width, c->first,
                         c->form.height, c->form.width);
    return CNNC_OK;
}

/* A decoded image takes its place. */
static int place(Conversion *c, size_t i, Image *image, cnnc_error *error) {
    const char *path = c->folder->files[i].path;
    if (c->options->channels && image_to_channels(image, c->options->channels, path, error) != CNNC_OK) return CNNC_FAILED;
    if (!c->first && decide_form(c, image, path, error) != CNNC_OK) return CNNC_FAILED;
    if (check_form(c, image, path, error) != CNNC_OK) return CNNC_FAILED;
    Part *part = &c->parts[c->plan.part[i]];
    size_t row = c->plan.row[i], size = (size_t)c->form.height * (size_t)c->form.width * (size_t)c->form.channels;
    ((int32_t *)part->y.data)[row] = c->folder->files[i].class;
    return image_resize(image, c->form.height, c->form.width, (unsigned char *)part->x.data + row * size, error);
}

static int convert_all(Conversion *c, void report(const char *message), cnnc_error *error) {
    int bad = 0;
    for (size_t i = 0; i < c->folder->count && bad < MAX_ERRORS; i++) {
        Image image;
        cnnc_error wrong = {0};
        if (image_read(c->folder->files[i].path, &image, &wrong) != CNNC_OK) {
            if (wrong.system) return *error = wrong, CNNC_FAILED;
            report(wrong.text);
            bad++;
            continue;
        }
        int result = place(c, i, &image, error);
        free(image.data);
        if (result != CNNC_OK) return result;
    }
    return bad ? CNNC_FAILED : CNNC_OK;
}

int folder_convert(const Folder *folder, const ConvertOptions *options, void report(const char *message), Part parts[2], cnnc_error *error) {
    *error = (cnnc_error){0};
    parts[0] = parts[1] = (Part){0};
    Conversion c = {.folder = folder, .options = options, .parts = parts};
    if (plan_make(folder, options, &c.plan, error) != CNNC_OK) return CNNC_FAILED;
    int result = convert_all(&c, report, error);
    plan_free(&c.plan);
    if (result != CNNC_OK) parts_free(parts);
    return result;
}

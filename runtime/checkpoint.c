/* checkpoint.c: a training's state as a safetensors file: parameters, the optimizer's slots, where the epoch is, what callbacks
 * keep. The file before it is kept as FILE.previous; there is a whole one at every moment.
 *
 * training/position is [10] of u64, named below; training/rate the learning rate; training/sums loss and metrics of the epoch
 * so far, times examples; callbacks/NAME/... a hook's state and weights. Metadata "training" is what decides the training's
 * bits, as lines of text (recipe.c).
 */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP, EPOCH, BATCH, EXAMPLES, BATCH_SIZE, SHUFFLE, SEED, VALIDATION, PENDING, FINISHED, POSITION };
enum { NAME = 512 };

/* What must be the same has a name. */
static const char *const position_names[POSITION] = {[EXAMPLES] = "examples", [BATCH_SIZE] = "batch size", [SHUFFLE] = "shuffle", [SEED] = "seed",
                                                     [VALIDATION] = "validation examples"};
static const char format[] = "cnnc checkpoint 2";

/* The list of tensors of a model's checkpoint, parameters first, then slot by slot, what hooks keep, then three of training. */
typedef struct listing {
    cnnc_safetensor *tensors;
    char (*names)[NAME];
    int count, named; /* tensors; names in use */
    uint64_t position[POSITION];
    double rate;
} listing;

static void listing_free(listing *l) {
    free(l->tensors);
    free(l->names);
}

/* A vector that is not the network's. */
static void add_vector(listing *l, const char *name, cnnc_dtype dtype, size_t count, void *data) {
    l->tensors[l->count].name = name;
    l->tensors[l->count++].array = (cnnc_array){.dtype = dtype, .rank = 1, .shape = {count}, .count = count, .data = data};
}

/* Parameters, or what is laid out as they are, under names that begin with prefix. */
static void add_parameters(listing *l, const cnnc_network *network, void *base, const char *prefix) {
    cnnc_list_parameters(network, base, l->tensors + l->count);
    for (int i = 0; i < network->parameters_length; i++) {
        char *name = l->names[l->named++];
        snprintf(name, NAME, "%s/%s", prefix, network->parameters[i].name);
        l->tensors[l->count++].name = name;
    }
}

static void add_slots(listing *l, const cnnc_network *network, const cnnc_state *state) {
    size_t slot_size = network->parameter_count * cnnc_type_size(network->type);
    for (int s = 0; s < network->slot_count; s++) {
        char prefix[NAME / 4];
        snprintf(prefix, sizeof prefix, "optimizer/%s", network->slots[s]);
        add_parameters(l, network, (char *)state->slots + (size_t)s * slot_size, prefix);
    }
}

/* Several hooks may have one name; their places tell them apart. */
static void add_hooks(listing *l, const cnnc_network *network, const cnnc_hook *hooks, int count) {
    for (int i = 0, kept = 0; i < count; i++) {
        char prefix[NAME / 4];
        if (!hooks[i].state && !hooks[i].weights)
            continue;
        snprintf(prefix, sizeof prefix, "callbacks/%d/%s", kept++, hooks[i].name);
        if (hooks[i].state) {
            char *name = l->names[l->named++];
            snprintf(name, NAME, "%s/state", prefix);
            add_vector(l, name, CNNC_DTYPE_F64, (size_t)hooks[i].state_count, hooks[i].state);
        }
        if (hooks[i].weights)
            add_parameters(l, network, hooks[i].weights, prefix);
    }
}

static int listing_new(listing *l, cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    const cnnc_network *network = model->network;
    cnnc_state *state = model->state;
    size_t sets = (size_t)network->slot_count + (size_t)position->hook_count, names = sets * (size_t)network->parameters_length + (size_t)position->hook_count;
    *l = (listing){.rate = state->learning_rate};
    l->tensors = calloc(names + (size_t)network->parameters_length + 3, sizeof *l->tensors);
    l->names = calloc(names + 1, sizeof *l->names);
    if (!l->tensors || !l->names) {
        listing_free(l);
        return cnnc_fail_system(error, "%s: no memory for the list of tensors", path);
    }
    const uint64_t numbers[POSITION] = {[STEP] = state->step, [EPOCH] = position->epoch, [BATCH] = position->batch, [EXAMPLES] = position->examples,
                                        [BATCH_SIZE] = position->batch_size, [SHUFFLE] = (uint64_t)position->shuffle, [SEED] = position->seed,
                                        [VALIDATION] = position->validation, [PENDING] = (uint64_t)position->pending, [FINISHED] = (uint64_t)position->finished};
    memcpy(l->position, numbers, sizeof numbers);
    cnnc_list_parameters(network, state->parameters, l->tensors);
    l->count = network->parameters_length;
    add_slots(l, network, state);
    add_hooks(l, network, position->hooks, position->hook_count);
    add_vector(l, "training/position", CNNC_DTYPE_U64, POSITION, l->position);
    add_vector(l, "training/rate", CNNC_DTYPE_F64, 1, &l->rate);
    add_vector(l, "training/sums", CNNC_DTYPE_F64, (size_t)cnnc_total_count(network), position->sums);
    return CNNC_OK;
}

/* Keeps a file that is there as FILE.previous. Where there are no links the new one matters more, and FILE.previous stays. */
static int keep_previous(const char *path, cnnc_error *error) {
    struct stat status;
    size_t length = strlen(path) + 16;
    int result = CNNC_OK;
    char *previous = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? malloc(2 * length) : NULL;
    if (!previous)
        return CNNC_OK;
    char *temporary = previous + length;
    snprintf(previous, length, "%s.previous", path);
    snprintf(temporary, length, "%s.previous.tmp", path);
    unlink(temporary); /* of a process that was killed */
    if (linkat(AT_FDCWD, path, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0) {
        if (rename(temporary, previous) != 0)
            result = cnnc_fail_system(error, "%s: cannot be written: %s", previous, strerror(errno));
        unlink(temporary); /* still there where rename failed, or had nothing to do: both were one file */
    }
    errno = 0;
    free(previous);
    return result;
}

int cnnc_checkpoint_save(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    const cnnc_network *network = model->network;
    listing l;
    char *recipe = cnnc_recipe(model, position->hooks, position->hook_count, error);
    if (!recipe)
        return CNNC_FAILED;
    const cnnc_metadata metadata[] = {{"network", network->name}, {"optimizer", network->optimizer}, {"format", format}, {"training", recipe}};
    int result = listing_new(&l, model, position, path, error);
    if (result == CNNC_OK) {
        result = keep_previous(path, error);
        if (result == CNNC_OK)
            result = cnnc_safetensors_write(path, l.tensors, l.count, metadata, 4, error);
        listing_free(&l);
    }
    free(recipe);
    return result;
}

int cnnc_is_checkpoint(const cnnc_safetensors *file) {
    return !strncmp(cnnc_metadata_of(file, "format"), "cnnc checkpoint ", 16);
}

/* Code may be another because the batches are: this is told first. */
static int check_batch_size(const cnnc_position *position, const cnnc_safetensors *file, const char *path, cnnc_error *error) {
    const cnnc_safetensor *saved = cnnc_safetensors_find(file, "training/position");
    if (!saved || saved->array.dtype != CNNC_DTYPE_U64 || saved->array.count != POSITION)
        return CNNC_OK; /* check_tensors will say so */
    uint64_t size; /* it may lie anywhere in the file */
    memcpy(&size, (const char *)saved->array.data + BATCH_SIZE * sizeof size, sizeof size);
    if (size == position->batch_size)
        return CNNC_OK;
    return cnnc_fail(error, "%s: was made with %s %llu, now it is %llu", path, position_names[BATCH_SIZE], (unsigned long long)size,
                     (unsigned long long)position->batch_size);
}

/* Whether it is of a training of the same network, by the same code, with the same callbacks. */
static int check_recipe(cnnc_model *model, const cnnc_position *position, const cnnc_safetensors *file, const char *path, cnnc_error *error) {
    const cnnc_network *network = model->network;
    if (!cnnc_is_checkpoint(file))
        return cnnc_fail(error, "%s: not a checkpoint", path);
    if (strcmp(cnnc_metadata_of(file, "format"), format))
        return cnnc_fail(error, "%s: is a '%s', this runtime reads a '%s'", path, cnnc_metadata_of(file, "format"), format);
    char *now = cnnc_recipe(model, position->hooks, position->hook_count, error), difference[400];
    if (!now)
        return CNNC_FAILED;
    int same = cnnc_recipe_same(cnnc_metadata_of(file, "training"), now, difference, sizeof difference);
    free(now);
    if (!same)
        return cnnc_fail(error, "%s: of another training: %s", path, difference);
    if (strcmp(cnnc_metadata_of(file, "optimizer"), network->optimizer))
        return cnnc_fail(error, "%s: of the optimizer %s, network %s has %s", path, cnnc_metadata_of(file, "optimizer"), network->name, network->optimizer);
    return CNNC_OK;
}

/* Whether the file has just the tensors listed. */
static int check_tensors(const listing *l, const cnnc_network *network, const cnnc_safetensors *file, const char *path, cnnc_error *error) {
    for (int i = 0; i < l->count; i++) {
        const cnnc_array *want = &l->tensors[i].array;
        const cnnc_safetensor *tensor = cnnc_safetensors_find(file, l->tensors[i].name);
        char wanted[128], found[128];
        cnnc_shape_text(wanted, sizeof wanted, want->rank, want->shape);
        if (!tensor)
            return cnnc_fail(error, "%s: lacks '%s' (%s), which network %s has", path, l->tensors[i].name, wanted, network->name);
        cnnc_shape_text(found, sizeof found, tensor->array.rank, tensor->array.shape);
        if (strcmp(wanted, found) || tensor->array.dtype != want->dtype)
            return cnnc_fail(error, "%s: '%s' is %s of %s, in network %s it is %s of %s", path, tensor->name, found, cnnc_dtype_name(tensor->array.dtype),
                             network->name, wanted, cnnc_dtype_name(want->dtype));
    }
    if (file->count != l->count)
        return cnnc_fail(error, "%s: has %d tensors, network %s has %d", path, file->count, network->name, l->count);
    return CNNC_OK;
}

/* Another order or other batches would be another training. */
static int check_position(const listing *l, const cnnc_safetensors *file, const char *path, uint64_t *saved, cnnc_error *error) {
    memcpy(saved, cnnc_safetensors_find(file, "training/position")->array.data, POSITION * sizeof *saved);
    for (int i = 0; i < POSITION; i++)
        if (position_names[i] && saved[i] != l->position[i])
            return cnnc_fail(error, "%s: was made with %s %llu, now it is %llu", path, position_names[i], (unsigned long long)saved[i],
                             (unsigned long long)l->position[i]);
    uint64_t size = saved[BATCH_SIZE] ? saved[BATCH_SIZE] : 1, batches = (saved[EXAMPLES] + size - 1) / size;
    if (saved[EPOCH] > INT32_MAX || saved[BATCH] >= batches || (saved[PENDING] && (saved[EPOCH] == 0 || saved[BATCH] > 0)))
        return cnnc_fail(error, "%s: epoch %llu, batch %llu of %llu cannot be", path, (unsigned long long)saved[EPOCH], (unsigned long long)saved[BATCH],
                         (unsigned long long)batches);
    return CNNC_OK;
}

static void load(listing *l, cnnc_model *model, cnnc_position *position, const cnnc_safetensors *file, const uint64_t *saved) {
    for (int i = 0; i < l->count; i++) {
        const cnnc_array *from = &cnnc_safetensors_find(file, l->tensors[i].name)->array;
        memcpy(l->tensors[i].array.data, from->data, from->count * cnnc_dtype_size(from->dtype));
    }
    model->state->step = saved[STEP];
    model->state->learning_rate = l->rate;
    position->epoch = saved[EPOCH];
    position->batch = saved[BATCH];
    position->pending = saved[PENDING] != 0;
    position->finished = saved[FINISHED] != 0;
    cnnc_model_parameters_changed(model);
}

int cnnc_checkpoint_load(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    cnnc_safetensors file;
    listing l;
    uint64_t saved[POSITION];
    if (cnnc_safetensors_read(path, &file, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = check_batch_size(position, &file, path, error);
    if (result == CNNC_OK)
        result = check_recipe(model, position, &file, path, error);
    if (result == CNNC_OK && (result = listing_new(&l, model, position, path, error)) == CNNC_OK) {
        result = check_tensors(&l, model->network, &file, path, error);
        if (result == CNNC_OK)
            result = check_position(&l, &file, path, saved, error);
        if (result == CNNC_OK)
            load(&l, model, position, &file, saved);
        listing_free(&l);
    }
    cnnc_safetensors_free(&file);
    return result;
}

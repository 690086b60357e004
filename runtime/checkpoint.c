/* checkpoint.c: a training's state as a safetensors file: parameters, the optimizer's slots, where the epoch is. The file
 * before it is kept as FILE.previous; there is a whole one at every moment.
 *
 * training/position is [7] of u64: updates, epoch, batch, examples, batch size, shuffle, seed; training/rate the learning
 * rate; training/sums loss and metrics of the epoch so far, times examples.
 */
#define _POSIX_C_SOURCE 200809L
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POSITION = 7, NAME = 512 };

static const char *const position_names[POSITION] = {NULL, NULL, NULL, "examples", "batch size", "shuffle", "seed"};

/* The list of tensors of a model's checkpoint, parameters first, then slot by slot, then three of training. */
typedef struct listing {
    cnnc_safetensor *tensors;
    char (*names)[NAME];
    int count;
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

static void add_slots(listing *l, const cnnc_network *network, const cnnc_state *state) {
    size_t slot_size = network->parameter_count * cnnc_type_size(network->type);
    for (int s = 0; s < network->slot_count; s++) {
        cnnc_list_parameters(network, (char *)state->slots + (size_t)s * slot_size, l->tensors + l->count);
        for (int i = 0; i < network->parameters_length; i++) {
            char *name = l->names[s * network->parameters_length + i];
            snprintf(name, NAME, "optimizer/%s/%s", network->slots[s], network->parameters[i].name);
            l->tensors[l->count++].name = name;
        }
    }
}

static int listing_new(listing *l, cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    const cnnc_network *network = model->network;
    cnnc_state *state = model->state;
    size_t slots = (size_t)network->slot_count * (size_t)network->parameters_length;
    *l = (listing){.rate = state->learning_rate};
    l->tensors = calloc(slots + (size_t)network->parameters_length + 3, sizeof *l->tensors);
    l->names = calloc(slots + 1, sizeof *l->names);
    if (!l->tensors || !l->names) {
        listing_free(l);
        return cnnc_fail_system(error, "%s: no memory for the list of tensors", path);
    }
    const uint64_t numbers[POSITION] = {state->step,          position->epoch,             position->batch, position->examples,
                                        position->batch_size, (uint64_t)position->shuffle, position->seed};
    memcpy(l->position, numbers, sizeof numbers);
    cnnc_list_parameters(network, state->parameters, l->tensors);
    l->count = network->parameters_length;
    add_slots(l, network, state);
    add_vector(l, "training/position", CNNC_DTYPE_U64, POSITION, l->position);
    add_vector(l, "training/rate", CNNC_DTYPE_F64, 1, &l->rate);
    add_vector(l, "training/sums", CNNC_DTYPE_F64, 1 + (size_t)network->metric_count, position->sums);
    return CNNC_OK;
}

/* Keeps what is there as FILE.previous; no failure: the new one matters more. */
static void keep_previous(const char *path) {
    size_t length = strlen(path) + 10;
    char *previous = malloc(length);
    if (!previous)
        return;
    snprintf(previous, length, "%s.previous", path);
    unlink(previous);
    if (link(path, previous) != 0)
        errno = 0;
    free(previous);
}

int cnnc_checkpoint_save(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    const cnnc_network *network = model->network;
    const cnnc_metadata metadata[] = {{"network", network->name}, {"optimizer", network->optimizer}, {"format", "cnnc checkpoint 1"}};
    listing l;
    if (listing_new(&l, model, position, path, error) != CNNC_OK)
        return CNNC_FAILED;
    keep_previous(path);
    int result = cnnc_safetensors_write(path, l.tensors, l.count, metadata, 3, error);
    listing_free(&l);
    return result;
}

static const char *metadata_of(const cnnc_safetensors *file, const char *key) {
    for (int i = 0; i < file->metadata_count; i++)
        if (!strcmp(file->metadata[i].key, key))
            return file->metadata[i].value;
    return "";
}

/* Whether the file has just the tensors listed. */
static int check_tensors(const listing *l, const cnnc_network *network, const cnnc_safetensors *file, const char *path, cnnc_error *error) {
    if (strcmp(metadata_of(file, "format"), "cnnc checkpoint 1"))
        return cnnc_fail(error, "%s: not a checkpoint", path);
    if (strcmp(metadata_of(file, "optimizer"), network->optimizer))
        return cnnc_fail(error, "%s: of the optimizer %s, network %s has %s", path, metadata_of(file, "optimizer"), network->name, network->optimizer);
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
    uint64_t batches = (saved[3] + saved[4] - 1) / (saved[4] ? saved[4] : 1);
    if (saved[1] > INT32_MAX || saved[2] >= batches)
        return cnnc_fail(error, "%s: epoch %llu, batch %llu of %llu cannot be", path, (unsigned long long)saved[1], (unsigned long long)saved[2],
                         (unsigned long long)batches);
    return CNNC_OK;
}

int cnnc_checkpoint_load(cnnc_model *model, cnnc_position *position, const char *path, cnnc_error *error) {
    cnnc_safetensors file;
    listing l;
    uint64_t saved[POSITION];
    if (cnnc_safetensors_read(path, &file, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = listing_new(&l, model, position, path, error);
    if (result == CNNC_OK) {
        result = check_tensors(&l, model->network, &file, path, error);
        if (result == CNNC_OK)
            result = check_position(&l, &file, path, saved, error);
        for (int i = 0; i < l.count && result == CNNC_OK; i++) {
            const cnnc_array *from = &cnnc_safetensors_find(&file, l.tensors[i].name)->array;
            size_t size = cnnc_dtype_size(from->dtype);
            memcpy(l.tensors[i].array.data, from->data, from->count * size);
        }
        if (result == CNNC_OK) {
            model->state->step = saved[0];
            model->state->learning_rate = l.rate;
            position->epoch = saved[1];
            position->batch = saved[2];
            cnnc_model_parameters_changed(model);
        }
        listing_free(&l);
    }
    cnnc_safetensors_free(&file);
    return result;
}

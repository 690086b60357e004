/* weights.c: a network's parameters as a safetensors file, and back. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static void *parameter_data(const cnnc_network *network, void *base, const cnnc_parameter *p) {
    return (char *)base + p->offset * cnnc_type_size(network->type);
}

void cnnc_list_parameters(const cnnc_network *network, void *base, cnnc_safetensor *tensors) {
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        cnnc_array *array = &tensors[i].array;
        tensors[i].name = p->name;
        *array = (cnnc_array){.dtype = cnnc_dtype_of(network->type), .rank = p->rank, .count = p->count};
        for (int k = 0; k < p->rank; k++)
            array->shape[k] = (size_t)p->shape[k];
        array->data = parameter_data(network, base, p);
    }
}

int cnnc_weights_save(const cnnc_network *network, const void *net, const char *path, const cnnc_metadata *metadata,
                      int metadata_count, cnnc_error *error) {
    cnnc_safetensor *tensors = calloc((size_t)network->parameters_length + 1, sizeof *tensors);
    if (!tensors)
        return cnnc_fail_system(error, "%s: no memory for the list of parameters", path);
    cnnc_list_parameters(network, ((const cnnc_state *)net)->parameters, tensors);
    int result = cnnc_safetensors_write(path, tensors, network->parameters_length, metadata, metadata_count, error);
    free(tensors);
    return result;
}

static int same_shape(const cnnc_parameter *p, const cnnc_array *array) {
    if (p->rank != array->rank)
        return 0;
    for (int k = 0; k < p->rank; k++)
        if ((size_t)p->shape[k] != array->shape[k])
            return 0;
    return 1;
}

static int check_parameter(const cnnc_network *network, const cnnc_parameter *p, const cnnc_safetensor *tensor,
                           const char *path, cnnc_error *error) {
    char want[128], have[128];
    cnnc_tensor_text(want, sizeof want, p->rank, p->shape);
    if (!tensor)
        return cnnc_fail(error, "%s: lacks '%s' (%s), which network %s has", path, p->name, want, network->name);
    cnnc_shape_text(have, sizeof have, tensor->array.rank, tensor->array.shape);
    if (!same_shape(p, &tensor->array))
        return cnnc_fail(error, "%s: '%s' is %s, in network %s it is %s", path, p->name, have, network->name, want);
    if (tensor->array.dtype < CNNC_DTYPE_F16)
        return cnnc_fail(error, "%s: '%s' is of type %s, not floating", path, p->name,
                         cnnc_dtype_name(tensor->array.dtype));
    return CNNC_OK;
}

/* Each parameter that the file has, in its shape; *found: how many. */
static int check_matching(const cnnc_network *network, const cnnc_safetensors *file, const char *path, int *found, cnnc_error *error) {
    *found = 0;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        const cnnc_safetensor *tensor = cnnc_safetensors_find(file, p->name);
        if (tensor && check_parameter(network, p, tensor, path, error) != CNNC_OK)
            return CNNC_FAILED;
        *found += tensor != NULL;
    }
    return *found ? CNNC_OK : cnnc_fail(error, "%s: has no parameter of network %s", path, network->name);
}

/* What a checkpoint has besides parameters. */
static int is_state(const char *name) {
    static const char *const beginnings[] = {"optimizer/", "callbacks/", "training/"};
    int is = 0;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        is |= !strncmp(name, beginnings[i], strlen(beginnings[i]));
    return is;
}

/* All parameters there, and nothing else but a checkpoint's state. */
static int check_file(const cnnc_network *network, const cnnc_safetensors *file, const char *path, cnnc_error *error) {
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        if (check_parameter(network, p, cnnc_safetensors_find(file, p->name), path, error) != CNNC_OK)
            return CNNC_FAILED;
    }
    for (int t = 0; t < file->count; t++) {
        int known = cnnc_is_checkpoint(file) && is_state(file->tensors[t].name);
        for (int i = 0; i < network->parameters_length && !known; i++)
            known = !strcmp(network->parameters[i].name, file->tensors[t].name);
        if (!known)
            return cnnc_fail(error, "%s: has '%s', which network %s has not", path, file->tensors[t].name, network->name);
    }
    return CNNC_OK;
}

/* Those that the file has. Needs them checked: as many floating numbers can always be converted. */
static void read_parameters(const cnnc_network *network, void *net, const cnnc_safetensors *file) {
    cnnc_state *state = net;
    for (int i = 0; i < network->parameters_length; i++) {
        const cnnc_parameter *p = &network->parameters[i];
        const cnnc_safetensor *tensor = cnnc_safetensors_find(file, p->name);
        if (tensor)
            (void)cnnc_array_convert(&tensor->array, 0, p->count, network->type, parameter_data(network, state->parameters, p), NULL);
    }
    state->version++;
}

int cnnc_weights_load(const cnnc_network *network, void *net, const char *path, cnnc_error *error) {
    cnnc_safetensors file;
    if (cnnc_safetensors_read(path, &file, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = check_file(network, &file, path, error);
    if (result == CNNC_OK)
        read_parameters(network, net, &file);
    cnnc_safetensors_free(&file);
    return result;
}

int cnnc_weights_load_matching(const cnnc_network *network, void *net, const char *path, int *loaded, cnnc_error *error) {
    cnnc_safetensors file;
    if (cnnc_safetensors_read(path, &file, error) != CNNC_OK)
        return CNNC_FAILED;
    int result = check_matching(network, &file, path, loaded, error);
    if (result == CNNC_OK)
        read_parameters(network, net, &file);
    cnnc_safetensors_free(&file);
    return result;
}

/* partial.c: of saved weights the layers that a network has too, by name, and which those are. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

/* Parameters first .. end - 1 are a layer's. */
static int end_of_layer(const cnnc_network *n, int first) {
    int end = first + 1;
    size_t length = strcspn(n->parameters[first].name, "/");
    while (end < n->parameters_length && strcspn(n->parameters[end].name, "/") == length && !strncmp(n->parameters[end].name, n->parameters[first].name, length)) end++;
    return end;
}

/* Appends the layers whose parameters are all (or all not) in the file, and those parameters of the others. */
static void list_layers(const cnnc_network *n, const cnnc_safetensors *file, bool wanted, StrBuf *out) {
    for (int first = 0, end; first < n->parameters_length; first = end) {
        int count = 0;
        end = end_of_layer(n, first);
        for (int i = first; i < end; i++) count += (cnnc_safetensors_find(file, n->parameters[i].name) != NULL) == wanted;
        if (count == end - first) strbuf_printf(out, "%s%.*s", out->length ? ", " : "", (int)strcspn(n->parameters[first].name, "/"), n->parameters[first].name);
        else for (int i = first; i < end; i++)
            if ((cnnc_safetensors_find(file, n->parameters[i].name) != NULL) == wanted) strbuf_printf(out, "%s%s", out->length ? ", " : "", n->parameters[i].name);
    }
}

int load_partly(cnnc_model *model, const char *path, cnnc_error *failure) {
    cnnc_safetensors file;
    StrBuf read = {0}, left = {0};
    int loaded;
    if (cnnc_weights_load_matching(model->network, model->net, path, &loaded, failure) || cnnc_safetensors_read(path, &file, failure)) return CNNC_FAILED;
    list_layers(model->network, &file, true, &read);
    list_layers(model->network, &file, false, &left);
    printf("Weights from %s: %s\nNot in it, as initialised: %s\n", path, read.text, left.length ? left.text : "none");
    strbuf_free(&read);
    strbuf_free(&left);
    cnnc_safetensors_free(&file);
    return CNNC_OK;
}

/* test_network.h: descriptions as strings, brought through the stages by their C interface. */
#ifndef TEST_NETWORK_H
#define TEST_NETWORK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnnc.h"

/* One compilation. */
typedef struct Run { Arena *arena; Source source; Diag diag; Description description; Graph *graph; Options options; } Run;

static inline Run *start(const char *text) {
    Arena *arena = arena_new();
    Run *r = NEW(arena, Run);
    *r = (Run){.arena = arena, .source = {"t.net", text, strlen(text)}};
    r->diag.source = &r->source;
    r->options.shard_size = 32;
    if (!parse(arena, &r->source, &r->diag, &r->description)) fail_msg("%s", r->diag.out.text);
    return r;
}

static inline void stop(Run *r) {
    strbuf_free(&r->diag.out);
    arena_free(r->arena);
}

/* A description without errors, built. */
static inline Run *start_built(const char *text) {
    Run *r = start(text);
    if (!build(r->arena, &r->description, &r->diag, &r->graph)) fail_msg("%s", r->diag.out.text);
    verify_graph(r->graph, "build");
    return r;
}

static inline Run *start_autodiff(const char *text, bool input_gradient) {
    Run *r = start_built(text);
    live(r->graph);
    verify_graph(r->graph, "live");
    if (!autodiff(r->graph, input_gradient)) fail_msg("%s", r->diag.out.text);
    verify_graph(r->graph, "autodiff");
    return r;
}

static inline Layer *layer(const Run *r, const char *name) {
    for (int i = 0; i < r->graph->layer_count; i++)
        if (!strcmp(r->graph->layers[i]->name, name)) return r->graph->layers[i];
    fail_msg("there is no layer '%s'", name);
    return NULL;
}

static inline Tensor *parameter(const Run *r, const char *layer_name, const char *weight) {
    for (int i = 0; i < r->graph->parameter_count; i++) {
        Tensor *p = r->graph->parameters[i];
        if (!strcmp(p->layer->name, layer_name) && !strcmp(p->weight, weight)) return p;
    }
    fail_msg("there is no parameter '%s/%s'", layer_name, weight);
    return NULL;
}

#define assert_shape(shape, text) assert_string_equal(shape_text(r->arena, (shape)), text)

#endif

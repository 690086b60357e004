/* dot.c: the graph of layers for Graphviz: `cnnc NET --emit=dot | dot -Tsvg`. Names of layers and
 * networks are identifiers, so quotes are all they need (some, "node", are words of that language). */
#include "cnnc.h"

static void print_layer(const Graph *g, const Layer *l, StrBuf *out) {
    int64_t weights = 0;
    for (int i = 0; i < g->parameter_count; i++)
        if (g->parameters[i]->layer == l) weights += shape_count(g->parameters[i]->shape);
    strbuf_printf(out, "    \"%s\" [label=\"%s\\n%s\\n%s", l->name, l->name, l->def->keras, shape_text(g->arena, l->shape));
    if (weights) strbuf_printf(out, "\\n%lld parameters", (long long)weights);
    strbuf_add(out, "\"]\n");
    for (int i = 0; i < l->input_count; i++) strbuf_printf(out, "    \"%s\" -> \"%s\"\n", l->inputs[i]->layer->name, l->name);
}

void print_dot(const Graph *g, StrBuf *out) {
    strbuf_printf(out, "digraph \"%s\" {\n    node [shape=box fontname=\"Helvetica\"]\n", g->name);
    for (int i = 0; i < g->layer_count; i++) print_layer(g, g->layers[i], out);
    strbuf_add(out, "}\n");
}

/* bench_report.c: times and the program to tables and JSON. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { EPOCH = 60000 };

/* ---- what kernels touch ------------------------------------------------------------------------------------------------ */

static bool of_each_example(const Tensor *t) {
    switch (t->role) {
    case ROLE_PARAMETER: case ROLE_PARAMETER_GRADIENT: case ROLE_DERIVED: case ROLE_PARTIAL: case ROLE_TOTAL: case ROLE_SCALE: return false;
    default: return true;
    }
}

/* Bytes that a kernel reads and writes for an example; what examples share counts at each call. */
static double bytes_of(const Program *p, const Kernel *k, double calls) {
    int n;
    Tensor **all = kernel_arguments(p, k, &n);
    double bytes = 0;
    for (int i = 0; i < n; i++) {
        const Tensor *t = all[i];
        bool sum = t->role == ROLE_PARAMETER_GRADIENT || t->role == ROLE_TOTAL; /* read, added to, written */
        double size = (double)shape_count(t->shape) * (t->role == ROLE_TOTAL ? 8 : element_size(p, t->type));
        bytes += size * (of_each_example(t) ? 1 : calls) * (sum ? 2 : 1);
    }
    return bytes;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

static double gflops(double flops, double us) { return flops / us / 1e3; }

static void add_kernel_row(Report *r, int i) {
    const Program *p = r->program;
    const Times *times = r->times;
    const Kernel *k = p->kernels[i];
    KernelRow *row = &r->kernels[i];
    *row = (KernelRow){.kernel = k, .us = times->kernels[i], .share = times->kernels[i] / r->sum};
    row->flops = k->def->level == LEVEL_DERIVE ? k->flops * times->calls[i] : k->flops;
    row->gflops = gflops(row->flops, row->us);
    row->of_peak = row->gflops / r->times->peak;
    row->bytes = bytes_of(p, k, times->calls[i]);
    row->gbytes = row->bytes / row->us / 1e3;
}

/* An op in the graph as described, where it may stand elsewhere; NULL: a later stage has made it. */
static const Op *described_as(const Graph *described, const Op *op) {
    for (int i = 0; i < described->op_count; i++) {
        const Op *other = described->ops[i];
        if (other->def == op->def && other->layer && !strcmp(other->layer->name, op->layer->name)) return other;
    }
    return NULL;
}

/* The last kernel of an op also shows the rate that all of them have together. */
static void add_operator_row(Report *r, const Op *op, const Op *dense) {
    OperatorRow *row = &r->operators[r->operator_count];
    KernelRow *last = NULL;
    *row = (OperatorRow){.op = op};
    for (int i = 0; i < r->kernel_count; i++) {
        if (r->kernels[i].kernel->op != op) continue;
        last = &r->kernels[i];
        row->us += last->us;
        row->kernels++;
    }
    if (!last || !dense) return;
    row->share = row->us / r->sum;
    row->dense_flops = dense->def->flops(dense);
    row->dense_gflops = last->dense_gflops = gflops(row->dense_flops, row->us);
    row->of_peak = row->dense_gflops / r->times->peak;
    r->operator_count++;
}

Report make_report(const Program *p, const Graph *described, const Times *times) {
    const Graph *g = p->graph;
    Report r = {.program = p, .times = times, .kernel_count = p->kernel_count, .step = times->shards + times->update};
    r.kernels = NEW_ARRAY(p->arena, KernelRow, p->kernel_count + 1);
    r.operators = NEW_ARRAY(p->arena, OperatorRow, g->op_count + 1);
    for (int i = 0; i < p->kernel_count; i++) r.sum += times->kernels[i];
    for (int i = 0; i < p->kernel_count; i++) add_kernel_row(&r, i);
    r.dense_flops = dense_flops(described);
    for (int i = 0; i < g->op_count; i++)
        if (multiplies_weights(g->ops[i])) add_operator_row(&r, g->ops[i], described_as(described, g->ops[i]));
    r.roofline = r.dense_flops / (times->peak * times->threads * 1e3);
    r.times_roofline = r.roofline / r.step;
    return r;
}

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

/* A number in a column of that width; nothing where it does not apply. */
static void cell(int width, int decimals, double x) {
    if (x > 0) printf(" %*.*f", width, decimals, x);
    else printf(" %*s", width, "");
}

static void percent(double x) {
    if (x > 0) printf(" %6.1f%%", x * 100);
    else printf(" %7s", "");
}

static int wider(int width, const char *word) { return (int)strlen(word) > width ? (int)strlen(word) : width; }

/* Widths of the first two columns of both tables. */
typedef struct Widths { int name, what; } Widths;

static Widths find_widths(const Report *r) {
    Widths w = {24, 20};
    for (int i = 0; i < r->kernel_count; i++) {
        w.name = wider(w.name, r->kernels[i].kernel->name);
        w.what = wider(w.what, r->kernels[i].kernel->def->template);
    }
    for (int i = 0; i < r->operator_count; i++) w.name = wider(w.name, r->operators[i].op->layer->name);
    return w;
}

static void print_kernel_rows(const Report *r, Widths w) {
    printf("  %-*s  %-*s %8s %7s %8s %7s %8s %8s %8s\n", w.name, "kernel", w.what, "template", "us", "share", "GFLOP/s", "of peak", "as dense", "kB", "GB/s");
    for (int i = 0; i < r->kernel_count; i++) {
        const KernelRow *k = &r->kernels[i];
        printf("  %-*s  %-*s", w.name, k->kernel->name, w.what, k->kernel->def->template);
        cell(8, 3, k->us);
        percent(k->share);
        cell(8, 1, k->gflops);
        percent(k->of_peak);
        cell(8, 1, k->dense_gflops);
        cell(8, 2, k->bytes / 1e3);
        cell(8, 1, k->gbytes);
        printf("\n");
    }
}

static void print_operator_rows(const Report *r, Widths w) {
    printf("\n  %-*s  %-*s %8s %7s %8s %7s %8s %8s\n", w.name, "layer", w.what, "operator", "us", "share", "as dense", "of peak", "MFLOP", "kernels");
    for (int i = 0; i < r->operator_count; i++) {
        const OperatorRow *o = &r->operators[i];
        printf("  %-*s  %-*s", w.name, o->op->layer->name, w.what, o->op->def->call.name);
        cell(8, 3, o->us);
        percent(o->share);
        cell(8, 1, o->dense_gflops);
        percent(o->of_peak);
        cell(8, 3, o->dense_flops / 1e6);
        printf(" %8d\n", o->kernels);
    }
}

static double epoch_seconds(double us) { return us * EPOCH / 1e6; }

static void print_totals(const Report *r) {
    const Times *t = r->times;
    const char *s = t->threads == 1 ? "" : "s";
    printf("\n  %-28s %10.3f us\n", "sum of the kernels", r->sum);
    printf("  %-28s %10.3f us %10.3f s an epoch of %d; not profiled, %d thread%s\n", "training step", r->step, epoch_seconds(r->step), EPOCH, t->threads, s);
    printf("  %-28s %10.3f us\n", "  forward and backward", t->shards);
    printf("  %-28s %10.3f us\n", "  update", t->update);
    printf("  %-28s %10.3f us\n", "  best repetition", t->best);
    if (t->processor < 0.95) printf("  %-28s %9.0f%% of the time; others ran too\n", "processor", t->processor * 100);
    printf("  %-28s %10.1f GFLOP/s\n", "peak of one core", t->peak);
    if (r->dense_flops == 0) return;
    printf("  %-28s %10.3f us %10.3f s an epoch; %.3f MFLOP at the peak of %d core%s\n", "dense roofline", r->roofline, epoch_seconds(r->roofline), r->dense_flops / 1e6, t->threads, s);
    printf("  %-28s %10.2f times the dense roofline's\n", "speed", r->times_roofline);
}

void print_report(const Report *r) {
    const Times *t = r->times;
    const Options *o = r->program->options;
    Widths w = find_widths(r);
    printf("%s, %s%s%s: batches of %d, shards of %d; medians of %d repetitions of %d steps; us and kB an example\n\n", r->program->graph->name,
           r->program->target->name, o->algorithm ? ", " : "", o->algorithm ? o->algorithm : "", t->batch_size, o->shard_size, t->repeat, t->steps);
    print_kernel_rows(r, w);
    if (r->operator_count) print_operator_rows(r, w);
    print_totals(r);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------- */

typedef struct Field { const char *name; double value; } Field;

/* Those that apply. */
static void add_fields(StrBuf *out, const Field *fields, int n) {
    for (int i = 0; i < n; i++)
        if (fields[i].value > 0) strbuf_printf(out, ", \"%s\": %.12g", fields[i].name, fields[i].value);
}

static void add_kernels(const Report *r, StrBuf *out) {
    for (int i = 0; i < r->kernel_count; i++) {
        const KernelRow *k = &r->kernels[i];
        const Field fields[] = {{"us", k->us}, {"share", k->share}, {"flops", k->flops}, {"gflops", k->gflops}, {"of_peak", k->of_peak},
                                {"dense_gflops", k->dense_gflops}, {"bytes", k->bytes}, {"gbytes_per_second", k->gbytes}};
        strbuf_printf(out, "%s\n  {\"name\": \"%s\", \"template\": \"%s\"", i ? "," : "", k->kernel->name, k->kernel->def->template);
        add_fields(out, fields, LENGTH(fields));
        strbuf_add(out, "}");
    }
}

static void add_operators(const Report *r, StrBuf *out) {
    for (int i = 0; i < r->operator_count; i++) {
        const OperatorRow *o = &r->operators[i];
        const Field fields[] = {{"us", o->us}, {"share", o->share}, {"kernels", o->kernels}, {"dense_flops", o->dense_flops}, {"dense_gflops", o->dense_gflops}, {"of_peak", o->of_peak}};
        strbuf_printf(out, "%s\n  {\"layer\": \"%s\", \"operator\": \"%s\"", i ? "," : "", o->op->layer->name, o->op->def->call.name);
        add_fields(out, fields, LENGTH(fields));
        strbuf_add(out, "}");
    }
}

/* Words are identifiers and need no escapes. */
const char *write_report(const Report *r, const char *path) {
    const Times *t = r->times;
    const Options *o = r->program->options;
    const Field fields[] = {
        {"batch_size", t->batch_size}, {"shard_size", o->shard_size}, {"threads", t->threads}, {"repetitions", t->repeat}, {"steps", t->steps},
        {"sum_us", r->sum}, {"step_us", r->step}, {"forward_backward_us", t->shards}, {"update_us", t->update}, {"best_step_us", t->best}, {"epoch_seconds", epoch_seconds(r->step)},
        {"processor", t->processor}, {"peak_gflops", t->peak}, {"dense_flops", r->dense_flops}, {"roofline_us", r->roofline}, {"roofline_epoch_seconds", epoch_seconds(r->roofline)},
        {"times_roofline", r->times_roofline},
    };
    StrBuf out = {0};
    strbuf_printf(&out, "{\"network\": \"%s\", \"variant\": \"%s\", \"algorithm\": \"%s\"", r->program->graph->name, r->program->target->name, o->algorithm ? o->algorithm : "");
    add_fields(&out, fields, LENGTH(fields));
    strbuf_add(&out, ",\n\"kernels\": [");
    add_kernels(r, &out);
    strbuf_add(&out, "],\n\"operators\": [");
    add_operators(r, &out);
    strbuf_add(&out, "]}\n");
    const char *failure = write_file(r->program->arena, path, out.text, out.length);
    strbuf_free(&out);
    return failure;
}

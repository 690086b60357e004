/* test_stages.c: what the stages from live to plan promise, by their C interface, and that the verifiers between
 * them catch what breaks it. What the stages leave of some whole networks is in golden/stages. */
#define _XOPEN_SOURCE 700
#include "test_child.h"
#include "test_network.h"

#include <dirent.h>

typedef enum { SELECTED, LOWERED, SIMPLIFIED, FUSED, PLANNED } Stage;

static Program *program(Run *r, const char *target, Entry entry, Stage last) {
    static void (*const stages[])(Program *) = {lower, simplify, fuse, plan};
    route(r->graph); /* once is as good as twice */
    verify_graph(r->graph, "route");
    Program *p = select_algorithms(r->graph, &r->options, find_target(target), entry, NULL);
    for (int i = 0; i < (int)last; i++) {
        stages[i](p);
        verify_program(p, "test");
    }
    return p;
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

static int count_ops(const Run *r, const char *word) {
    int n = 0;
    for (int i = 0; i < r->graph->op_count; i++) n += !strcmp(r->graph->ops[i]->def->call.name, word);
    return n;
}

/* The first op of that word in a layer. */
static const Op *op_of(const Run *r, const char *layer_name, const char *word) {
    for (int i = 0; i < r->graph->op_count; i++) {
        const Op *op = r->graph->ops[i];
        if (!strcmp(op->def->call.name, word) && op->layer && !strcmp(op->layer->name, layer_name)) return op;
    }
    return NULL;
}

static int count_kernels(const Program *p, const char *template) {
    int n = 0;
    for (int i = 0; i < p->kernel_count; i++) n += !strcmp(p->kernels[i]->def->template, template);
    return n;
}

static int position(const Program *p, const char *kernel) {
    for (int i = 0; i < p->kernel_count; i++)
        if (!strcmp(p->kernels[i]->name, kernel)) return i;
    return -1;
}

static const Kernel *kernel(const Program *p, const char *name) {
    int i = position(p, name);
    if (i < 0) fail_msg("there is no kernel '%s'", name);
    return p->kernels[i];
}

static const char *epilogues(const Program *p, const Kernel *k) {
    const char *text = "";
    for (int i = 0; i < k->epilogue_count; i++) text = arena_printf(p->arena, "%s%s%s", text, i ? " " : "", k->epilogues[i].op->def->call.name);
    return text;
}

static const Buffer *buffer(const Program *p, const char *tensor) {
    for (int i = 0; i < p->kernel_count; i++) {
        int n;
        Tensor **all = kernel_arguments(p, p->kernels[i], &n);
        for (int k = 0; k < n; k++)
            if (!strcmp(all[k]->name, tensor)) return &p->buffers[storage(p, all[k])->id];
    }
    fail_msg("there is no tensor '%s'", tensor);
    return NULL;
}

/* ---- live ---------------------------------------------------------------------------------------------------------- */

static const char *conv_shape(Run *r, const char *layer_name) { return shape_text(r->arena, op_of(r, layer_name, "conv2d")->outputs[0]->shape); }

static void what_nothing_reads_is_not_computed(void **state) {
    (void)state;
    Run *r = start_autodiff("input 28x28x1\na = conv2d 4 3x3\nb = conv2d 4 4x3 activation=relu\nmax_pooling2d 2x2\nflatten\ndense 2\ncompile loss=mse\n", false);
    assert_shape(layer(r, "b")->output->shape, "22x24x4"); /* of 23 rows the pooling leaves one */
    assert_string_equal(conv_shape(r, "b"), "22x24x4");
    assert_string_equal(conv_shape(r, "a"), "25x26x4");
    assert_shape(op_of(r, "b", "conv2d_grad_input")->outputs[0]->shape, "25x26x4");
    stop(r);
}

/* Through operators whose elements stand alone. */
static void what_is_unread_behind_activations_is_not_computed(void **state) {
    (void)state;
    static const char *const between[] = {"relu", "sigmoid", "tanh", "linear", "add from a, a"};
    for (int i = 0; i < LENGTH(between); i++) {
        char net[200];
        snprintf(net, sizeof net, "input 9x9x1\na = conv2d 4 3x3\n%s\nmax_pooling2d 2x2\nflatten\ndense 2\ncompile loss=mse\n", between[i]);
        Run *r = start_autodiff(net, false);
        assert_string_equal(conv_shape(r, "a"), "6x6x4");
        stop(r);
    }
}

static void what_is_read_elsewhere_is_computed(void **state) {
    (void)state;
    Run *r = start_autodiff("input 28x28x1\na = conv2d 4 4x3\nb = max_pooling2d 2x2\noutput a, b\n", false);
    assert_string_equal(conv_shape(r, "a"), "25x26x4");
    stop(r);
    r = start_autodiff("input 28x28x1\na = conv2d 4 4x3\nb = max_pooling2d 2x2\nc = conv2d 4 2x2 strides=2 padding=same from a\noutput b, c\n", false);
    assert_string_equal(conv_shape(r, "a"), "25x26x4"); /* with padding the last row counts */
    stop(r);
}

/* ---- autodiff ------------------------------------------------------------------------------------------------------ */

static void nothing_flows_below_the_first_trainable_layer(void **state) {
    (void)state;
    Run *r = start_autodiff("input 6x6x1\nfrozen = conv2d 2 3x3 trainable=false activation=relu\nflatten\ndense 2\ncompile loss=mse\n", false);
    assert_int_equal(count_ops(r, "dense_grad_kernel"), 1);
    static const char *const none[] = {"dense_grad_input", "flatten_grad", "relu_grad", "conv2d_grad_input", "conv2d_grad_kernel", "input_grad"};
    for (int i = 0; i < LENGTH(none); i++) assert_int_equal(count_ops(r, none[i]), 0);
    assert_int_equal(count_ops(r, "bias_grad"), 1);
    assert_null(parameter(r, "frozen", "kernel")->gradient);
    assert_null(parameter(r, "frozen", "bias")->gradient);
    stop(r);
}

static void a_frozen_layer_passes_gradients_on(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\nlow = dense 3\nfrozen = dense 3 trainable=false\nhigh = dense 2\ncompile loss=mse\n", false);
    assert_non_null(op_of(r, "high", "dense_grad_input"));
    assert_non_null(op_of(r, "frozen", "dense_grad_input"));
    assert_null(op_of(r, "frozen", "dense_grad_kernel"));
    assert_null(op_of(r, "frozen", "bias_grad"));
    assert_non_null(op_of(r, "low", "dense_grad_kernel"));
    assert_null(op_of(r, "low", "dense_grad_input"));
    stop(r);
}

static void the_input_gets_a_gradient_when_asked(void **state) {
    (void)state;
    static const char net[] = "input 6x6x1 scale=2\nconv2d 2 3x3\nflatten\ndense 2\ncompile loss=mse\n";
    Run *r = start_autodiff(net, false);
    assert_int_equal(count_ops(r, "conv2d_grad_input"), 0);
    assert_null(r->graph->inputs[0]->gradient);
    stop(r);
    r = start_autodiff(net, true);
    assert_int_equal(count_ops(r, "conv2d_grad_input"), 1);
    assert_int_equal(count_ops(r, "input_grad"), 1);
    assert_int_equal(r->graph->inputs[0]->gradient->role, ROLE_INPUT_GRADIENT);
    assert_shape(r->graph->inputs[0]->gradient->shape, "6x6x1");
    stop(r);
}

static void a_tensor_read_more_than_once_gets_a_sum(void **state) {
    (void)state;
    static const struct { const char *readers; int sums; } cases[] = {
        {"b = dense 3 from a\n", 0},
        {"p = dense 3 from a\nq = dense 3 from a\nb = add from p, q\n", 1},
        {"p = dense 3 from a\nq = dense 3 from a\nr = dense 3 from a\nb = add from p, q, r\n", 2},
        {"b = add from a, a\n", 1},
        {"p = dense 3 from a\nq = dense 3 from p\nb = add from a, q\n", 1},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        char text[300];
        snprintf(text, sizeof text, "input 4\na = dense 3 activation=tanh\n%scompile loss=mse\n", cases[i].readers);
        Run *r = start_autodiff(text, false);
        int sums = 0;
        for (int k = 0; k < r->graph->op_count; k++) sums += r->graph->ops[k]->backward && !strcmp(r->graph->ops[k]->def->call.name, "add");
        assert_int_equal(sums, cases[i].sums);
        stop(r);
    }
}

static void gradients_have_their_tensors_shapes(void **state) {
    (void)state;
    Run *r = start_autodiff("a = input 8x8x3\nb = conv2d 4 3x3 strides=2 padding=same activation=relu\nc = conv2d 4 3x3 strides=2 padding=same from a\n"
                            "concatenate from b, c\nmax_pooling2d\nflatten\ndense 5 activation=softmax\ncompile loss=categorical_crossentropy\n", true);
    for (int i = 0; i < r->graph->tensor_count; i++) {
        const Tensor *t = r->graph->tensors[i];
        if (t->gradient) assert_true(shape_equal(t->shape, t->gradient->shape));
    }
    for (int i = 0; i < r->graph->parameter_count; i++) assert_int_equal(r->graph->parameters[i]->gradient->role, ROLE_PARAMETER_GRADIENT);
    stop(r);
}

static void softmax_before_cross_entropy_needs_no_gradient(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3 activation=softmax\ncompile loss=categorical_crossentropy metrics=accuracy\n", false);
    assert_int_equal(count_ops(r, "softmax"), 1);
    assert_int_equal(count_ops(r, "softmax_grad"), 0);
    stop(r);
    r = start_autodiff("input 4\ndense 3 activation=softmax\ncompile loss=mse\n", false);
    assert_int_equal(count_ops(r, "softmax_grad"), 1);
    stop(r);
}

static void what_nothing_uses_is_dropped(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\na = dense 3\nspare = dense 7 activation=tanh from a\nb = dense 2 from a\noutput b\ncompile loss=mse\n", false);
    assert_null(op_of(r, "spare", "dense"));
    assert_int_equal(count_ops(r, "tanh"), 0);
    for (int i = 0; i < r->graph->op_count; i++) assert_int_equal(r->graph->ops[i]->id, i);
    stop(r);
}

static void without_a_loss_there_are_no_gradients(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3\n", true);
    for (int i = 0; i < r->graph->op_count; i++) assert_false(r->graph->ops[i]->backward);
    stop(r);
}

/* ---- select -------------------------------------------------------------------------------------------------------- */

static void each_entry_point_does_what_it_must(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3 activation=softmax\ncompile loss=categorical_crossentropy metrics=accuracy\n", false);
    static const struct { const char *word; bool needed[ENTRY_COUNT]; } cases[] = {
        {"dense", {true, true, true, true, true}}, {"dense_grad_kernel", {true}}, {"accuracy", {true, true}}, {"output", {false, false, true, true, true}},
    };
    for (int e = 0; e < ENTRY_COUNT; e++) {
        const Program *p = program(r, "avx2", (Entry)e, SELECTED);
        for (int i = 0; i < LENGTH(cases); i++) {
            int n = 0;
            for (int k = 0; k < p->op_count; k++) n += !strcmp(p->ops[k]->def->call.name, cases[i].word);
            assert_int_equal(n, cases[i].needed[e]);
        }
    }
    stop(r);
}

/* Nor than with one of the choices changed. */
static void the_choice_costs_no_more_than_others(void **state) {
    (void)state;
    Run *r = start_autodiff("input 12x12x3\nconv2d 16 3x3\nconv2d 16 3x3\nflatten\ndense 5\ncompile loss=mse\n", false);
    const Algorithm *list[MAX_ALGORITHMS], *plain = find_algorithm("plain");
    for (const Target *t = targets; t->name; t++) {
        const Program *p = program(r, t->name, ENTRY_TRAIN, SELECTED);
        for (int i = 0; i < p->op_count; i++) {
            assert_true(p->choices[i].cost <= plain->cost(p, p->ops[i]));
            for (int n = candidates(p, p->ops[i], list); n-- && p->ops[i]->forward;) assert_true(p->choices[i].cost <= list[n]->cost(p, p->ops[i]));
        }
    }
    r->options.algorithm = "plain";
    const Program *p = program(r, "avx512", ENTRY_TRAIN, SELECTED);
    for (int i = 0; i < p->op_count; i++) assert_string_equal(p->choices[i].algorithm->name, "plain");
    stop(r);
}

/* Winograd's transformed input counts once for an op and the gradient of its kernel. */
static void what_is_shared_counts_once(void **state) {
    (void)state;
    Run *r = start_autodiff("input 14x14x32\nconv2d 32 3x3\nflatten\ndense 5\ncompile loss=mse\n", false);
    const Program *p = program(r, "avx512", ENTRY_TRAIN, SELECTED);
    const Algorithm *winograd = find_algorithm("winograd");
    int found = 0;
    for (int i = 0; i < p->op_count; i++) {
        if (p->choices[i].algorithm != winograd) continue;
        bool shares = !strcmp(p->ops[i]->def->call.name, "conv2d_grad_kernel");
        assert_true(shares ? p->choices[i].cost < winograd->cost(p, p->ops[i]) : p->choices[i].cost == winograd->cost(p, p->ops[i]));
        found++;
    }
    assert_true(found >= 2);
    stop(r);
}

/* ---- simplify ------------------------------------------------------------------------------------------------------ */

static const char pooled_net[] =
    "input 10x10x1\nconv2d 16 3x3 activation=relu\nmax_pooling2d 2x2\nflatten\ndense 3 activation=softmax\ncompile loss=categorical_crossentropy\n";

static void activation_gradients_move_behind_pooling(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    const Program *after = program(r, "scalar", ENTRY_TRAIN, SIMPLIFIED);
    assert_shape(kernel(after, "conv2d_relu_grad")->outputs[0]->shape, "4x4x16");
    assert_true(position(after, "conv2d_relu_grad") < position(after, "max_pooling2d_grad"));
    assert_int_equal(kernel_get(kernel(after, "conv2d_relu_grad"), "ROWS"), 16);
    /* the bias's gradient sums the small one, too; the kernel's needs the large one */
    assert_ptr_equal(kernel(after, "conv2d_bias_grad")->inputs[0], kernel(after, "conv2d_relu_grad")->outputs[0]);
    assert_shape(kernel(after, "max_pooling2d_grad")->outputs[0]->shape, "8x8x16");
    stop(r);
}

static void they_stay_where_something_else_reads_the_activation(void **state) {
    (void)state;
    Run *r = start_autodiff("input 10x10x1\na = conv2d 16 3x3 activation=relu\nb = max_pooling2d 2x2\nc = conv2d 16 2x2 strides=2 from a\nadd from b, c\n"
                            "flatten\ndense 3\ncompile loss=mse\n", false);
    const Program *p = program(r, "scalar", ENTRY_TRAIN, SIMPLIFIED);
    assert_shape(kernel(p, "a_relu_grad")->outputs[0]->shape, "8x8x16");
    assert_true(position(p, "a_relu_grad") > position(p, "b_grad"));
    stop(r);
}

static void a_common_padding_is_made_once(void **state) {
    (void)state;
    Run *r = start_autodiff("input 8x8x4\nconv2d 16 1x1\nx = relu\na = conv2d 16 3x3 padding=same from x\nb = conv2d 16 3x3 padding=same from x\n"
                            "c = conv2d 16 5x5 padding=same from x\nadd from a, b, c\nflatten\ndense 3\ncompile loss=mse\n", false);
    r->options.algorithm = "direct";
    const Program *before = program(r, "avx512", ENTRY_PREDICT, LOWERED), *after = program(r, "avx512", ENTRY_PREDICT, SIMPLIFIED);
    assert_int_equal(count_kernels(before, "pad"), 3);
    assert_int_equal(count_kernels(after, "pad"), 2); /* of 1 and of 2 on each side */
    assert_ptr_equal(storage(after, kernel(after, "a_forward")->inputs[0]), storage(after, kernel(after, "b_forward")->inputs[0]));
    assert_ptr_not_equal(storage(after, kernel(after, "a_forward")->inputs[0]), storage(after, kernel(after, "c_forward")->inputs[0]));
    const Program *train = program(r, "avx512", ENTRY_TRAIN, SIMPLIFIED);
    assert_ptr_equal(storage(train, kernel(train, "a_forward")->inputs[0]), storage(train, kernel(train, "a_grad_kernel")->inputs[0]));
    stop(r);
}

/* ---- fuse ---------------------------------------------------------------------------------------------------------- */

static void bias_activation_and_pooling_fuse(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    for (int e = 0; e < ENTRY_COUNT; e++) {
        const Program *p = program(r, "avx512", (Entry)e, FUSED);
        const Kernel *k = kernel(p, "conv2d_forward");
        assert_string_equal(epilogues(p, k), "bias_add relu");
        assert_non_null(k->pool);
        assert_shape(k->outputs[0]->shape, "4x4x16");
        assert_int_equal(k->output_count, e == ENTRY_TRAIN ? 2 : 1); /* only training asks which element was the largest */
        assert_int_equal(count_kernels(p, "elementwise"), 0);
        assert_int_equal(count_kernels(p, "max_pooling2d.forward"), 0);
    }
    stop(r);
}

static void gradients_fuse_too(void **state) {
    (void)state;
    Run *r = start_autodiff("input 32\ndense 32 activation=relu\ndense 32\ncompile loss=mse\n", false);
    const Program *p = program(r, "avx512", ENTRY_TRAIN, FUSED);
    assert_string_equal(epilogues(p, kernel(p, "dense_1_grad_input")), "relu_grad");
    stop(r);
}

static void what_is_read_elsewhere_is_not_fused(void **state) {
    (void)state;
    Run *r = start_autodiff("input 10x10x1\na = conv2d 16 3x3\nb = relu from a\nadd from a, b\n", false);
    const Program *p = program(r, "avx512", ENTRY_PREDICT, FUSED);
    assert_string_equal(epilogues(p, kernel(p, "a_forward")), "bias_add");
    assert_int_equal(count_kernels(p, "elementwise"), 1); /* relu, and the sum in it */
    stop(r);
    r = start_autodiff("input 10x10x1\na = conv2d 16 3x3 activation=relu\nb = max_pooling2d 2x2\noutput a, b\n", false);
    p = program(r, "avx512", ENTRY_PREDICT, FUSED);
    assert_null(kernel(p, "a_forward")->pool);
    assert_string_equal(epilogues(p, kernel(p, "a_forward")), "bias_add relu");
    stop(r);
    r = start_autodiff("input 10x10x1\na = conv2d 16 3x3\nb = relu from a\nc = tanh from a\noutput b, c\n", false);
    p = program(r, "avx512", ENTRY_PREDICT, FUSED);
    assert_string_equal(epilogues(p, kernel(p, "a_forward")), "bias_add");
    assert_int_equal(count_kernels(p, "elementwise"), 2);
    stop(r);
}

static void overlapping_poolings_are_not_fused(void **state) {
    (void)state;
    static const char *const pools[] = {"max_pooling2d 3x3 strides=2", "max_pooling2d 2x2 padding=same strides=1", "max_pooling2d 2x2 strides=3", "average_pooling2d 2x2"};
    for (int i = 0; i < LENGTH(pools); i++) {
        char text[200];
        snprintf(text, sizeof text, "input 11x11x1\na = conv2d 16 3x3 activation=relu\n%s\n", pools[i]);
        Run *r = start_autodiff(text, false);
        const Program *p = program(r, "avx512", ENTRY_PREDICT, FUSED);
        assert_null(kernel(p, "a_forward")->pool);
        stop(r);
    }
}

/* ---- plan ---------------------------------------------------------------------------------------------------------- */

/* The invariants, once more and independently of the verifier. */
static void check_plan(const Program *p) {
    for (int l = 0, next = 0; l < p->loop_count; l++) {
        assert_int_equal(p->loops[l].first, next);
        assert_true(p->loops[l].end > next);
        for (next = p->loops[l].first; next < p->loops[l].end; next++) assert_int_equal(p->kernels[next]->def->level, p->loops[l].level);
        assert_true(p->loops[l].level != LEVEL_DERIVE || l == 0);
        if (l == p->loop_count - 1) assert_int_equal(next, p->kernel_count);
    }
    for (int i = 0; i < p->tensor_count; i++) {
        const Buffer *a = &p->buffers[i];
        if (!a->used) continue;
        assert_int_equal(a->offset % 64, 0);
        assert_true(a->offset + a->size <= (a->derived ? p->derived : a->kept ? p->kept : p->workspace));
        assert_true(a->born <= a->dies);
        for (int k = 0; k < i; k++) {
            const Buffer *b = &p->buffers[k];
            bool together = b->used && a->derived == b->derived && a->kept == b->kept && (a->derived || (a->born <= b->dies && b->born <= a->dies));
            assert_true(!together || a->offset + a->size <= b->offset || b->offset + b->size <= a->offset);
        }
    }
}

static const char *const *networks(Arena *arena, int *n) {
    const char **paths = NULL;
    static const char *const folders[] = {"tests/nets", "tests/golden/stages", "examples/mnist"};
    *n = 0;
    for (int i = 0; i < LENGTH(folders); i++) {
        const char *folder = arena_printf(arena, CNNC_SOURCE_DIR "/%s", folders[i]);
        DIR *dir = opendir(folder);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir));) {
            size_t length = strlen(entry->d_name);
            if (length > 4 && !strcmp(entry->d_name + length - 4, ".net")) *PUSH(arena, paths, *n) = arena_printf(arena, "%s/%s", folder, entry->d_name);
        }
        closedir(dir);
    }
    return paths;
}

static void no_two_living_buffers_overlap(void **state) {
    (void)state;
    Arena *arena = arena_new();
    int n, programs = 0;
    const char *const *paths = networks(arena, &n);
    for (int i = 0; i < n; i++) {
        Compilation c;
        compilation_init(&c, false);
        c.options.input_gradient = true;
        if (compile(&c, paths[i], "plan", NULL, NULL)) fail_msg("%s", c.diag.out.text);
        for (int k = 0; k < c.program_count; k++, programs++) check_plan(c.programs[k]);
        compilation_free(&c);
    }
    assert_true(n > 5 && programs >= 4 * n);
    arena_free(arena);
}

static void memory_is_used_again(void **state) {
    (void)state;
    Run *r = start_autodiff("input 16x16x8\nconv2d 8 3x3\nconv2d 8 3x3\nconv2d 8 3x3\nconv2d 8 3x3\nconv2d 8 3x3\n", false);
    const Program *p = program(r, "scalar", ENTRY_PREDICT, PLANNED);
    size_t sum = 0, largest = 0;
    for (int i = 0; i < p->tensor_count; i++) {
        if (!p->buffers[i].used) continue;
        sum += p->buffers[i].size;
        if (p->buffers[i].size > largest) largest = p->buffers[i].size;
    }
    assert_true(p->workspace < sum / 2);
    assert_true(p->workspace <= 2 * (largest + 63)); /* of a chain no more than two at a time */
    stop(r);
}

static void tensors_that_cross_loops_are_kept_for_the_whole_shard(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    const Program *p = program(r, "avx512", ENTRY_PREDICT, PLANNED);
    const Buffer *inside = buffer(p, "input_out"), *across = buffer(p, "max_pooling2d_out");
    assert_false(inside->per_shard);
    assert_int_equal(inside->size, 10 * 10 * sizeof(float));
    assert_true(across->per_shard);
    assert_int_equal(across->size, 32 * 4 * 4 * 16 * sizeof(float));
    assert_int_equal(p->loops[0].level, LEVEL_EXAMPLE);
    assert_int_equal(across->born, p->loops[0].first); /* alive in all rounds of the loop that fills it ... */
    assert_int_equal(across->dies, p->loops[1].end - 1); /* ... and of the one that reads it */
    stop(r);
}

static void shards_are_as_large_as_asked(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    r->options.shard_size = 5;
    const Program *p = program(r, "avx512", ENTRY_PREDICT, PLANNED);
    assert_int_equal(buffer(p, "max_pooling2d_out")->size, 5 * 4 * 4 * 16 * sizeof(float));
    r->options.real_is_double = true;
    p = program(r, "avx512", ENTRY_PREDICT, PLANNED);
    assert_int_equal(buffer(p, "max_pooling2d_out")->size, 5 * 4 * 4 * 16 * sizeof(double));
    stop(r);
}

static void predicting_needs_no_more_than_training(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    for (const Target *t = targets; t->name; t++)
        assert_true(program(r, t->name, ENTRY_PREDICT, PLANNED)->workspace <= program(r, t->name, ENTRY_TRAIN, PLANNED)->workspace);
    stop(r);
}

/* ---- verifiers ----------------------------------------------------------------------------------------------------- */

static void verify_broken_graph(void *g) { verify_graph(g, "autodiff"); }
static void verify_broken_program(void *p) { verify_program(p, "plan"); }

static void assert_bug(void (*function)(void *), void *argument, const char *expected) {
    char text[1000];
    int status = run_child(function, argument, text, sizeof text);
    if (!strstr(text, expected)) fail_msg("'%s' is not in '%s'", expected, text);
    assert_non_null(strstr(text, "internal error"));
    assert_non_null(strstr(text, "report"));
    assert_int_equal(status, EXIT_BUG);
}

static void an_op_before_its_input_is_caught(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3\ncompile loss=mse\n", false);
    Op *first = r->graph->ops[1];
    r->graph->ops[1] = r->graph->ops[2];
    r->graph->ops[2] = first;
    assert_bug(verify_broken_graph, r->graph, "after autodiff: op 1, 'bias_add', reads 'dense_out' before it is made");
    stop(r);
}

static void a_stolen_output_is_caught(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3\ncompile loss=mse\n", false);
    r->graph->ops[1]->outputs[0]->producer = r->graph->ops[2];
    assert_bug(verify_broken_graph, r->graph, "'dense', does not own its output");
    stop(r);
}

static void a_gradient_of_another_shape_is_caught(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3\ncompile loss=mse\n", false);
    parameter(r, "dense", "kernel")->gradient = parameter(r, "dense", "bias")->gradient;
    assert_bug(verify_broken_graph, r->graph, "the gradient of 'dense_kernel' has another shape");
    stop(r);
}

static void a_kernel_before_its_input_is_caught(void **state) {
    (void)state;
    Run *r = start_autodiff(pooled_net, false);
    Program *p = program(r, "avx512", ENTRY_PREDICT, FUSED);
    Kernel *first = p->kernels[0];
    p->kernels[0] = p->kernels[1];
    p->kernels[1] = first;
    assert_bug(verify_broken_program, p, "after plan: kernel 'conv2d_forward' reads 'input_out' before it is made");
    stop(r);
}

static void overlapping_buffers_are_caught(void **state) {
    (void)state;
    Run *r = start_autodiff("input 4\ndense 3\ndense 3\n", false);
    Program *p = program(r, "scalar", ENTRY_PREDICT, PLANNED);
    Buffer *a = &p->buffers[storage(p, kernel(p, "dense_out")->inputs[0])->id], *b = &p->buffers[storage(p, kernel(p, "dense_out")->outputs[0])->id];
    b->offset = a->offset;
    assert_bug(verify_broken_program, p, "overlap");
    stop(r);
}

/* A gradient for each shard of a batch, eight at most: what is added to which must not change unnoticed, because bits hang on it. */
static void shards_have_gradients_of_their_own(void **state) {
    (void)state;
    static const int cases[][2] = {{1, 1}, {32, 1}, {33, 2}, {64, 2}, {255, 8}, {257, 8}, {1000, 8}};
    Run *r = start_autodiff("input 4\ndense 3\ncompile loss=mse\n", false);
    Program *p = program(r, "scalar", ENTRY_TRAIN, PLANNED);
    r->options.shard_size = 32;
    for (int i = 0; i < LENGTH(cases); i++) {
        r->graph->batch_size = cases[i][0];
        assert_int_equal(footprint(r->graph, &r->options, &p, 1).buffers, cases[i][1]);
    }
    stop(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_have_gradients_of_their_own),
        cmocka_unit_test(what_nothing_reads_is_not_computed),
        cmocka_unit_test(what_is_unread_behind_activations_is_not_computed),
        cmocka_unit_test(what_is_read_elsewhere_is_computed),
        cmocka_unit_test(nothing_flows_below_the_first_trainable_layer),
        cmocka_unit_test(a_frozen_layer_passes_gradients_on),
        cmocka_unit_test(the_input_gets_a_gradient_when_asked),
        cmocka_unit_test(a_tensor_read_more_than_once_gets_a_sum),
        cmocka_unit_test(gradients_have_their_tensors_shapes),
        cmocka_unit_test(softmax_before_cross_entropy_needs_no_gradient),
        cmocka_unit_test(what_nothing_uses_is_dropped),
        cmocka_unit_test(without_a_loss_there_are_no_gradients),
        cmocka_unit_test(each_entry_point_does_what_it_must),
        cmocka_unit_test(the_choice_costs_no_more_than_others),
        cmocka_unit_test(what_is_shared_counts_once),
        cmocka_unit_test(activation_gradients_move_behind_pooling),
        cmocka_unit_test(they_stay_where_something_else_reads_the_activation),
        cmocka_unit_test(a_common_padding_is_made_once),
        cmocka_unit_test(bias_activation_and_pooling_fuse),
        cmocka_unit_test(gradients_fuse_too),
        cmocka_unit_test(what_is_read_elsewhere_is_not_fused),
        cmocka_unit_test(overlapping_poolings_are_not_fused),
        cmocka_unit_test(no_two_living_buffers_overlap),
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(tensors_that_cross_loops_are_kept_for_the_whole_shard),
        cmocka_unit_test(shards_are_as_large_as_asked),
        cmocka_unit_test(predicting_needs_no_more_than_training),
        cmocka_unit_test(an_op_before_its_input_is_caught),
        cmocka_unit_test(a_stolen_output_is_caught),
        cmocka_unit_test(a_gradient_of_another_shape_is_caught),
        cmocka_unit_test(a_kernel_before_its_input_is_caught),
        cmocka_unit_test(overlapping_buffers_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

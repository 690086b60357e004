/* test_export.c: what cnnc export writes of every network in tests/nets, with weights at random: files of ONNX whose values are all there
 * before they are read, and which cnnc-import, where it is built, makes a network of that computes the same; of HDF5 with every weight; two
 * of them as text, compared with tests/golden/export (CNNC_UPDATE_GOLDEN=1 rewrites it); without weights those that training begins with.
 * What other programs compute from these files, export_outputs.py compares with Keras's references, by the Python that CNNC_TEST_PYTHON
 * names; weights for Keras where CNNC_TEST_ORACLE names keras_oracle.py (see README.md). */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "commands/interpret.h"
#include "onnx_text.h"

#include <hdf5.h>

static Arena *arena;
static Net nets[2 * MAX_NETS];
static int net_count;

static char *exported(const Net *net, const char *ending) { return text("%s/%s%s", folder, net->name, ending); }

static void export_all(const char *ending) {
    forget_jobs(); /* of a test that failed */
    for (int i = 0; i < net_count; i++) {
        Job *job = add_job("");
        add_word(job, CNNC_COMMAND);
        add_word(job, "export");
        add_word(job, nets[i].path);
        add_word(job, "-o");
        add_word(job, exported(&nets[i], ending));
        add_word(job, "--weights");
        add_word(job, exported(&nets[i], ".safetensors"));
    }
    run_jobs(false);
}

static Graph *build_net(Compilation *c, const char *path) {
    compilation_init(c, false);
    assert_int_equal(compile(c, path, "build", NULL, NULL), EXIT_FINE);
    return c->graph;
}

/* From -0.5 to 0.5; what there is a root of, from 0.5. */
static float *draw_weight(cnnc_random *random, const Tensor *p) {
    int64_t n = shape_count(p->shape);
    float *values = NEW_ARRAY(arena, float, n);
    for (int64_t i = 0; i < n; i++) values[i] = (float)(cnnc_random_below(random, 1 << 20) * 0x1p-20 - (strstr(p->name, "variance") ? -0.5 : 0.5));
    return values;
}

static void draw_weights(const Net *net, uint64_t seed) {
    Compilation c;
    cnnc_error error = {0};
    cnnc_random random;
    const Graph *g = build_net(&c, net->path);
    cnnc_safetensor *tensors = NEW_ARRAY(arena, cnnc_safetensor, g->parameter_count);
    cnnc_random_seed(&random, seed, 0);
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *p = g->parameters[i];
        tensors[i] = (cnnc_safetensor){weight_path(arena, p), {.dtype = CNNC_DTYPE_F32, .rank = p->shape.rank, .count = (size_t)shape_count(p->shape), .data = draw_weight(&random, p)}};
        for (int d = 0; d < p->shape.rank; d++) tensors[i].array.shape[d] = (size_t)p->shape.dim[d];
    }
    if (cnnc_safetensors_write(exported(net, ".safetensors"), tensors, g->parameter_count, NULL, 0, &error) != CNNC_OK) fail_msg("%s", error.text);
    compilation_free(&c);
}

/* ---- ONNX --------------------------------------------------------------------------------------------------------------- */

static Onnx__ModelProto *read_model(const char *path) {
    size_t length;
    char *bytes = file_text(path, &length);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, length, (const uint8_t *)bytes);
    if (!model) fail_msg("%s is no ONNX", path);
    return model;
}

static void define(Map *known, const char *name) {
    if (map_get(known, name)) fail_msg("'%s' is made twice", name);
    map_set(arena, known, arena_string(arena, name, strlen(name)), known);
}

static void assert_constant(const Onnx__TensorProto *t) {
    int64_t count = 1;
    for (size_t i = 0; i < t->n_dims; i++) count *= t->dims[i];
    assert_int_equal(t->n_float_data + t->n_int32_data + t->n_int64_data, count);
    assert_true(count > 0 && (t->n_float_data == (size_t)count || t->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT));
}

/* Each value is made once, before it is read. */
static void assert_well_formed(const Onnx__GraphProto *g) {
    Map known = {0};
    for (size_t i = 0; i < g->n_input; i++) define(&known, g->input[i]->name);
    for (size_t i = 0; i < g->n_initializer; i++) define(&known, g->initializer[i]->name), assert_constant(g->initializer[i]);
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        for (size_t k = 0; k < n->n_input; k++)
            if (*n->input[k] && !map_get(&known, n->input[k])) fail_msg("%s reads '%s', which is not there", n->name, n->input[k]);
        for (size_t k = 0; k < n->n_output; k++) define(&known, n->output[k]);
    }
    for (size_t i = 0; i < g->n_output; i++) assert_non_null(map_get(&known, g->output[i]->name));
}

static void models_are_well_formed(void **state) {
    (void)state;
    export_all(".onnx");
    for (int i = 0; i < net_count; i++) {
        Compilation c;
        const Graph *g = build_net(&c, nets[i].path);
        Onnx__ModelProto *model = read_model(exported(&nets[i], ".onnx"));
        assert_well_formed(model->graph);
        assert_int_equal(model->graph->n_input, g->input_count);
        assert_int_equal(model->graph->n_output, g->output_count);
        onnx__model_proto__free_unpacked(model, NULL);
        compilation_free(&c);
    }
}

static void models_as_text(void **state) {
    (void)state;
    static const char *const names[] = {"layouts", "sequences"};
    const char *update = getenv("CNNC_UPDATE_GOLDEN");
    for (int i = 0; i < LENGTH(names); i++) {
        char *path = text("%s/%s.onnx", folder, names[i]), *golden = text("%s/tests/golden/export/%s", CNNC_SOURCE_DIR, names[i]);
        cnnc_says(text("export %s.net -o %s", golden, path), EXIT_FINE);
        StrBuf out = {0};
        Onnx__ModelProto *model = read_model(path);
        print_onnx(&out, model);
        golden = text("%s.onnx.txt", golden);
        if (update && *update && strcmp(update, "0")) assert_null(write_file(arena, golden, out.text, out.length));
        assert_string_equal(out.text, file_text(golden, NULL));
        onnx__model_proto__free_unpacked(model, NULL);
        strbuf_free(&out);
    }
}

/* ---- numbers that come back -------------------------------------------------------------------------------------------- */

enum { EXAMPLES = 2 };

/* What a network and its weights make of examples at random. like: whose inputs say which tokens there are; NULL: its own. */
static Interpreter computed(Compilation *c, const char *path, const char *weights, const Graph *like) {
    int status;
    cnnc_random random;
    Graph *g = build_net(c, path);
    Interpreter it = interpreter_new(g, EXAMPLES);
    assert_true(read_weights(g, weights, &status));
    cnnc_random_seed(&random, 7, 0);
    for (int i = 0; i < g->parameter_count; i++) memcpy(interpreter_value(&it, g->parameters[i]), g->parameters[i]->values, sizeof(double) * (size_t)shape_count(g->parameters[i]->shape));
    for (int i = 0; i < g->input_count; i++)
        for (int k = 0; k < EXAMPLES; k++) draw_example(&random, (like ? like : g)->inputs[i], interpreter_value(&it, g->inputs[i]) + k * shape_count(g->inputs[i]->shape));
    interpret(&it, RUN_PREDICT);
    return it;
}

static void compare(const Net *net) {
    Compilation a, b;
    Interpreter original = computed(&a, net->path, exported(net, ".safetensors"), NULL);
    Interpreter again = computed(&b, exported(net, ".again.net"), exported(net, ".again.safetensors"), a.graph);
    assert_int_equal(a.graph->output_count, b.graph->output_count);
    for (int i = 0; i < a.graph->output_count; i++) {
        const Tensor *x = a.graph->outputs[i], *y = b.graph->outputs[i];
        assert_int_equal(shape_count(x->shape), shape_count(y->shape));
        double error = relative_error(interpreter_value(&again, y), interpreter_value(&original, x), EXAMPLES * (size_t)shape_count(x->shape));
        if (!(error < 1e-5)) fail_msg("%s: output %d is %g of the largest away", net->name, i, error);
    }
    compilation_free(&a);
    compilation_free(&b);
}

#ifdef CNNC_IMPORT_COMMAND
/* What cnnc-import has not, and inputs and outputs whose axes it puts in another order. */
static const struct { const char *net, *said; } others[] = {
    {"gru_options", "(GRU): has activations with options"}, {"lstm_options", "(LSTM): has activations with options"}, {"simple_rnn_options", "(RNN): has activations with options"},
    {"layer_normalization", "(Sqrt): cnnc has no such layer"},
    {"softmax_axis_loss", "note: output 'softmax': the axes of an example are axes 2, 1 of the file's"},
    {"up_sampling2d", "note: input 'input': the axes of an example are axes 2, 3, 1 of the file's"},
};

static bool is_other(const Net *net, const char *said) {
    for (int i = 0; i < LENGTH(others); i++)
        if (!strcmp(others[i].net, net->name) && strstr(said, others[i].said)) return true;
    return false;
}
#endif

static void imported_again(void **state) {
    (void)state;
#ifdef CNNC_IMPORT_COMMAND
    export_all(".onnx");
    for (int i = 0; i < net_count; i++) {
        Job *job = add_job(CNNC_IMPORT_COMMAND);
        add_word(job, exported(&nets[i], ".onnx"));
        add_word(job, "-o");
        add_word(job, exported(&nets[i], ".again.net"));
        add_word(job, "--weights");
        add_word(job, exported(&nets[i], ".again.safetensors"));
    }
    try_jobs();
    for (int i = 0; i < net_count; i++) {
        const char *said = file_text(log_of(&jobs[i]), NULL);
        if (is_other(&nets[i], said)) continue;
        if (jobs[i].status) fail_msg("%s", said);
        compare(&nets[i]);
    }
    forget_jobs();
#else
    skip();
#endif
}

static void write_text(const char *path, const char *what) { assert_null(write_file(arena, path, what, strlen(what))); }

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

typedef struct Sets { const Graph *graph; int count; const char *list; } Sets; /* list: each set's path and the weight that it is */

/* The parameter of this shape and these values, which no two have; NULL: none. */
static const Tensor *parameter_of(const Graph *g, int rank, const hsize_t *shape, const float *values) {
    for (int i = 0; i < g->parameter_count; i++) {
        const Tensor *p = g->parameters[i];
        bool same = p->shape.rank == rank;
        for (int d = 0; d < rank && same; d++) same = (hsize_t)p->shape.dim[d] == shape[d];
        for (int64_t k = 0; same && k < shape_count(p->shape); k++) same = (double)values[k] == p->values[k];
        if (same) return p;
    }
    return NULL;
}

static herr_t check_set(hid_t file, const char *name, const H5O_info_t *info, void *context) {
    Sets *sets = context;
    if (info->type != H5O_TYPE_DATASET) return 0;
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
    hsize_t shape[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, shape, NULL);
    float *values = NEW_ARRAY(arena, float, H5Sget_simple_extent_npoints(space));
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    const Tensor *p = parameter_of(sets->graph, rank, shape, values);
    if (!p) fail_msg("%s of %s is no weight of it", name, sets->graph->name);
    sets->list = arena_printf(arena, "%s%s %s\n", sets->list, name, weight_path(arena, p));
    H5Sclose(space), H5Dclose(set);
    sets->count++;
    return 0;
}

/* What the file that was exported of a network holds. */
static Sets sets_of(const Net *net, Graph *g) {
    Sets sets = {g, 0, ""};
    int status;
    assert_true(read_weights(g, exported(net, ".safetensors"), &status));
    hid_t file = H5Fopen(exported(net, ".weights.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, check_set, &sets, H5O_INFO_BASIC) >= 0);
    H5Fclose(file);
    return sets;
}

static void every_weight_is_there(void **state) {
    (void)state;
    export_all(".weights.h5");
    for (int i = 0; i < net_count; i++) {
        Compilation c;
        int used = 0;
        Graph *g = build_net(&c, nets[i].path);
        for (int k = 0; k < g->parameter_count; k++) used += g->parameters[k]->layer->used;
        const Sets sets = sets_of(&nets[i], g);
        if (sets.count != used) fail_msg("%s: %d weights of %d", nets[i].name, sets.count, used);
        compilation_free(&c);
    }
}

/* Keras counts layers of a class from the input on: by how far they are from the output, then as they were made. */
static void weights_are_in_the_order_of_keras(void **state) {
    (void)state;
    Compilation c;
    Net net = {.name = "branches", .path = text("%s/branches.net", folder)};
    write_text(net.path, "network branches\nx = input 4\nnear = dense 4 from x\nfirst = dense 4 from x\nsecond = dense 4 from first\nadd from second, near\nlast = dense 4\n");
    draw_weights(&net, 5);
    cnnc_says(text("export %s -o %s --weights %s", net.path, exported(&net, ".weights.h5"), exported(&net, ".safetensors")), EXIT_FINE);
    assert_string_equal(sets_of(&net, build_net(&c, net.path)).list, "layers/dense/vars/0 first/kernel\nlayers/dense/vars/1 first/bias\n"
                        "layers/dense_1/vars/0 second/kernel\nlayers/dense_1/vars/1 second/bias\nlayers/dense_2/vars/0 near/kernel\nlayers/dense_2/vars/1 near/bias\n"
                        "layers/dense_3/vars/0 last/kernel\nlayers/dense_3/vars/1 last/bias\n");
    compilation_free(&c);
}

/* An output keeps its layer's name, whatever constants within would be called. */
static void outputs_keep_their_names(void **state) {
    (void)state;
    char *net = text("%s/names.net", folder), *path = text("%s/names.onnx", folder);
    write_text(net, "network names\ninput 4x4\nlayer_normalization\nflatten\nones = dense 2\n");
    cnnc_says(text("export %s -o %s", net, path), EXIT_FINE);
    Onnx__ModelProto *model = read_model(path);
    assert_string_equal(model->graph->output[0]->name, "ones");
    assert_well_formed(model->graph);
    onnx__model_proto__free_unpacked(model, NULL);
}

static const char drawn[] = "input 6\ndense 8 kernel_initializer=orthogonal\ndense 8 kernel_initializer=truncated_normal(seed=3) bias_initializer=normal\n"
                            "reshape 2x4\nlstm 3 return_sequences=true\ndense 4 kernel_initializer=identity\nfit seed=5\n";

static const Onnx__TensorProto *constant_named(const Onnx__ModelProto *model, const char *name) {
    for (size_t i = 0; i < model->graph->n_initializer; i++)
        if (!strcmp(model->graph->initializer[i]->name, name)) return model->graph->initializer[i];
    fail_msg("there is no constant '%s'", name);
    return NULL;
}

/* Of dense layers, whose weights lie as cnnc's do. */
static void training_begins_with_these(void **state) {
    (void)state;
    Compilation c;
    Loaded loaded;
    int status, found = 0;
    cnnc_error failure;
    char *net = text("%s/drawn.net", folder), *path = text("%s/drawn.onnx", folder);
    write_text(net, drawn);
    cnnc_says(text("export %s -o %s", net, path), EXIT_FINE);
    Onnx__ModelProto *model = read_model(path);
    compilation_init(&c, false);
    const cnnc_network *network = load_network(&c, net, &loaded, &status);
    assert_non_null(network);
    cnnc_model *fresh = cnnc_model_new(network, 1, NULL, &failure);
    assert_non_null(fresh);
    for (int k = 0; k < network->parameters_length; k++) {
        const cnnc_parameter *p = &network->parameters[k];
        if (strncmp(p->name, "dense", 5)) continue;
        const Onnx__TensorProto *t = constant_named(model, p->name);
        assert_int_equal(t->n_float_data, p->count);
        assert_memory_equal(t->float_data, (const float *)fresh->state->parameters + p->offset, p->count * sizeof(float));
        found++;
    }
    assert_int_equal(found, 6);
    cnnc_model_free(fresh);
    unload_network(&loaded);
    compilation_free(&c);
    onnx__model_proto__free_unpacked(model, NULL);
}

/* ---- what cannot be ------------------------------------------------------------------------------------------------------ */

static void refused(void **state) {
    (void)state;
    static const struct { const char *net, *ending, *said; } cases[] = {
        {"input 4x3\nlstm 2 activation=selu\n", "onnx", "refused.net:2:19: error: ONNX has no 'selu' inside of 'lstm'"},
        {"input 4x3\ngru 2 recurrent_activation=relu6\n", "onnx", "refused.net:2:28: error: ONNX has no 'relu6' inside of 'gru'"},
        {"input 4\nwhat 2\n", "onnx", "refused.net:2:1: error: there is no layer 'what'"},
    };
    char *net = text("%s/refused.net", folder);
    for (int i = 0; i < LENGTH(cases); i++) {
        char *out = text("%s/refused.%s", folder, cases[i].ending);
        write_text(net, cases[i].net);
        char *said = cnnc_says(text("export %s -o %s", net, out), EXIT_INPUT);
        if (!strstr(said, cases[i].said)) fail_msg("'%s' was expected in: %s", cases[i].said, said);
        assert_int_not_equal(access(out, F_OK), 0);
    }
    write_text(net, "input 4\ndense 2\n");
    assert_non_null(strstr(cnnc_says(text("export %s -o %s/x.txt", net, folder), EXIT_USAGE), "its ending does not tell"));
    assert_non_null(strstr(cnnc_says(text("export %s -o %s/x.onnx --weights %s", net, folder, net), EXIT_INPUT), "refused.net"));
    assert_non_null(strstr(cnnc_says(text("export %s -o %s/none/x.onnx", net, folder), EXIT_FILE), "x.onnx"));
}

/* Without cnnc-export beside it or in PATH. */
static void told_where_it_is_missing(void **state) {
    (void)state;
    size_t length;
    char *alone = text("%s/alone", folder), *command = file_text(CNNC_COMMAND, &length);
    assert_null(write_file(arena, alone, command, length));
    assert_int_equal(chmod(alone, 0755), 0);
    Job *job = add_job("");
    add_word(job, alone);
    add_words(job, "export a.net -o a.onnx");
    job->environment[0] = "PATH", job->environment[1] = folder;
    try_jobs();
    char *said = file_text(log_of(job), NULL);
    assert_true(WIFEXITED(job->status));
    assert_int_equal(WEXITSTATUS(job->status), EXIT_FILE);
    if (!strstr(said, "this cnnc has no cnnc-export") || !strstr(said, "\nhint: ")) fail_msg("%s", said);
    forget_jobs();
}

/* ---- what others make of it ---------------------------------------------------------------------------------------------- */

static void outputs_by_others(void **state) {
    (void)state;
    const char *python = getenv("CNNC_TEST_PYTHON");
    if (!python || !*python) skip();
    Job *job = add_job("");
    add_word(job, python);
    add_word(job, CNNC_SOURCE_DIR "/tests/export_outputs.py");
    add_word(job, CNNC_COMMAND);
    try_jobs();
    int status = WIFEXITED(job->status) ? WEXITSTATUS(job->status) : -1;
    printf("%s", file_text(log_of(job), NULL));
    forget_jobs();
    if (status == 77) skip();
    assert_int_equal(status, 0);
}

static int set_up(void **state) {
    arena = arena_new();
    net_count = find_nets(CNNC_SOURCE_DIR "/tests/nets", nets);
    net_count += find_nets(CNNC_SOURCE_DIR "/tests/nets/oracle", nets + net_count);
    if (make_folder(state)) return -1;
    for (int i = 0; i < net_count; i++) draw_weights(&nets[i], (uint64_t)i);
    return 0;
}

static int tear_down(void **state) { return arena_free(arena), remove_folder(state); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_well_formed),     cmocka_unit_test(models_as_text), cmocka_unit_test(imported_again), cmocka_unit_test(every_weight_is_there),
        cmocka_unit_test(weights_are_in_the_order_of_keras), cmocka_unit_test(outputs_keep_their_names),
        cmocka_unit_test(training_begins_with_these), cmocka_unit_test(refused),        cmocka_unit_test(told_where_it_is_missing),
        cmocka_unit_test(outputs_by_others),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

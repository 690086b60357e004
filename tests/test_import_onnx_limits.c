/* test_import_onnx_limits.c: what cnnc-import makes of ONNX files that are damaged, malicious or odd.
 *
 *     damage    files cut short, with bits turned over, that say what cannot be
 *     limits    graphs built by onnx_message.h: constants, views and lists as large or as odd as can be */
#define _XOPEN_SOURCE 700
#include "cnnc.h"
#include "onnx.h" /* before CMocka, whose fail is a macro */

#include "test_saying.h"

#include "onnx_message.h"

#include <math.h>

#define MODELS CNNC_SOURCE_DIR "/tests/onnx"

/* ---- damage ------------------------------------------------------------------------------------------------------------------ */

static const char *damaged_path(void) { return text("%s/damaged.onnx", folder); }

static void write_bytes(const char *bytes, size_t length) {
    FILE *f = fopen(damaged_path(), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

/* What is said of it; "" when it is taken. What is refused leaves nothing, and gives a reason. */
static const char *import_bytes(const char *bytes, size_t length) {
    static char said[1024];
    static const OnnxOptions none;
    const char *path = damaged_path(), *net = text("%s/damaged.net", folder), *weights = text("%s/damaged.safetensors", folder);
    write_bytes(bytes, length);
    unlink(net), unlink(weights);
    Model m = {.arena = arena_new(), .path = path};
    Onnx o;
    begin_saying();
    import_onnx(&m, path, &none, &o);
    int status = m.errors ? EXIT_INPUT : write_model(&m, net, weights);
    end_saying(said, sizeof said, path);
    arena_free(m.arena);
    if (status == EXIT_FINE) return "";
    assert_int_equal(status, EXIT_INPUT);
    assert_true(strlen(said) > 0);
    assert_int_equal(access(net, F_OK), -1);
    assert_int_equal(access(weights, F_OK), -1);
    return said;
}

static void cut_short(void **state) {
    (void)state;
    static const char *const names[] = {"tokens", "mobile"};
    for (int i = 0; i < 2; i++) {
        size_t length;
        char *bytes = file_text(text("%s/%s/model.onnx", MODELS, names[i]), &length);
        assert_string_equal(import_bytes(bytes, length), "");
        for (size_t n = 0; n < length; n += 1 + length / 200) assert_string_not_equal(import_bytes(bytes, n), "");
    }
}

/* What was taken last is a description of which cnnc makes a network with those weights. */
static bool is_network(void) {
    Compilation c;
    compilation_init(&c, false);
    int status = compile(&c, text("%s/damaged.net", folder), "build", NULL, NULL);
    bool fine = status == EXIT_FINE && read_weights(c.graph, text("%s/damaged.safetensors", folder), &status);
    compilation_free(&c);
    return fine;
}

static void turned_bits(void **state) {
    (void)state;
    static const char *const names[] = {"tokens", "mobile", "mixer", "inception"};
    unsigned seed = 1;
    for (int i = 0; i < 4; i++) {
        size_t length;
        char *bytes = file_text(text("%s/%s/model.onnx", MODELS, names[i]), &length);
        int refused = 0;
        for (int k = 0; k < 150; k++) {
            seed = seed * 1103515245 + 12345;
            size_t at = seed / 8 % length;
            int bit = 1 << seed / 65536 % 8;
            bytes[at] = (char)(bytes[at] ^ bit);
            if (*import_bytes(bytes, length)) refused++;
            else if (!is_network()) fail_msg("%s with bit %d of byte %zu turned over is taken, but makes no network", names[i], bit, at);
            bytes[at] = (char)(bytes[at] ^ bit);
        }
        assert_in_range(refused, 15, 135); /* names and structure are refused, weights are taken */
    }
}

/* A few bytes of protobuf: a model of one node, with x [2,3] as its input and y as its output, and what else is given for the graph. */
static const char *import_graph(const char *node, size_t node_length, const char *more, size_t more_length) {
    char graph[1024], model[1200];
    static const char x[] = "\x5a\x13\n\x01x\x12\x0e\n\x0c\x08\x01\x12\x08\n\x02\x08\x02\n\x02\x08\x03", y[] = "b\x03\n\x01y";
    size_t n = 0;
    memcpy(graph, x, sizeof x - 1), n += sizeof x - 1;
    memcpy(graph + n, y, sizeof y - 1), n += sizeof y - 1;
    graph[n++] = '\n', graph[n++] = (char)node_length, memcpy(graph + n, node, node_length), n += node_length;
    memcpy(graph + n, more, more_length), n += more_length;
    assert_in_range(n, 1, 127);
    int head = snprintf(model, sizeof model, "B\x02\x10\x0d:%c", (int)n);
    memcpy(model + head, graph, n);
    return import_bytes(model, (size_t)head + n);
}

#define GRAPH(node, more) import_graph(node, sizeof(node) - 1, more, sizeof(more) - 1)

static void expect(const char *said, const char *part) {
    if (!strstr(said, part)) fail_msg("'%s' is not in: %s", part, said);
}

static void what_cannot_be(void **state) {
    (void)state;
    assert_string_equal(GRAPH("\n\x01x\x12\x01y\"\x04Relu", ""), "");
    expect(GRAPH("\n\x01y\x12\x01y\"\x04Relu", ""), "takes from itself");
    expect(GRAPH("\n\x01z\x12\x01y\"\x04Relu", ""), "there is no 'z'");
    expect(GRAPH("\n\x01x\x12\x01x\"\x04Relu", ""), "is made by a node, too");
    expect(GRAPH("\n\x01x\x12\x01z\"\x04Relu", ""), "no node makes the output 'y'");
    expect(GRAPH("\n\x01x\x12\x01y\"\x04Re\nu", ""), "(Re\\x0au): cnnc has no such layer");
    expect(GRAPH("\n\x01x\x12\x01y\"\x04Relu:\x01z", ""), "is of the domain 'z'");
    expect(GRAPH("\n\x01x\n\x01w\x12\x01y\"\x03" "Add", "*\x0c\x08\x80\xa0\x94\xa5\x8d\x1d\x10\x01" "B\x01w"), "2^31 elements or more");
    expect(GRAPH("\n\x01x\n\x01w\x12\x01y\"\x03" "Add", "*\x10\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x01" "B\x01w"), "a dimension below 0");
    expect(GRAPH("\n\x01x\n\x01w\x12\x01y\"\x03" "Add", "*\x0b\x08\x03\x10\x01" "B\x01wJ\x02zz"), "has data of 2 bytes, not of 12");
    expect(GRAPH("\n\x01x\n\x01w\x12\x01y\"\x03" "Add", "*\x09\x08\x03\x10\x01" "B\x01wp\x01"), "is in another file");
    expect(import_bytes("", 0), "is no file of ONNX");
    expect(import_bytes("\x08\x07", 2), "has no graph");
    expect(import_bytes("B\x02\x10\x63:\x00", 6), "is of version 99");
}

/* ---- limits ------------------------------------------------------------------------------------------------------------------ */

/* What is said of a graph of these outputs; "" when it is taken. */
static const char *import_message(Message *m, int opset, const char *outputs) {
    StrBuf bytes = message_model(m, opset, outputs);
    const char *said = import_bytes(bytes.text, bytes.length);
    strbuf_free(&bytes);
    return said;
}

static void input_x(Message *m, const char *dims) { message_input(m, "x", ONNX_FLOAT, dims); }

/* Where a node needs what is computed, a constant is refused, whatever else it takes; so is an output that is not made. */
static void constant_inputs(void **state) {
    (void)state;
    static const char *const types[] = {"Relu", "Softmax", "Identity", "Cast", "Transpose", "Flatten", "DepthToSpace", "ReduceMean", "Squeeze", "Unsqueeze", "Slice", "MaxPool", "Conv"};
    for (int i = 0; i < LENGTH(types); i++) {
        Message m = {0};
        input_x(&m, "n,3"), message_constant(&m, "c", ONNX_FLOAT, "1,3", "1,2,4");
        message_node(&m, types[i], "c,x", "z", "to=1"), message_node(&m, "Tanh", "x", "y", "");
        expect(import_message(&m, 13, "z,y"), "its first input is constant");
    }
    Message gemm = {0};
    input_x(&gemm, "n,3"), message_constant(&gemm, "a", ONNX_FLOAT, "2,4", "1"), message_constant(&gemm, "b", ONNX_FLOAT, "4,3", "1,2");
    message_node(&gemm, "Gemm", "a,b,x", "y", "");
    expect(import_message(&gemm, 13, "y"), "or two constants");
    for (int i = 0; i < 3; i++) {
        Message more = {0};
        input_x(&more, "n,3"), message_node(&more, types[i + (i > 0)], "x", ",z", "to=1");
        expect(import_message(&more, 13, "z"), "does not make the output 'z'");
    }
}

/* Views that are at their limits: what crashed, or was a bug. */
static void views_at_limits(void **state) {
    (void)state;
    Message merged = {0}, flat = {0}, perm = {0}, parts = {0};
    input_x(&merged, "1,3,5"), message_integers(&merged, "s", "3,5"), message_integers(&merged, "start", "0"), message_integers(&merged, "end", "2"), message_integers(&merged, "axis", "1");
    message_node(&merged, "Reshape", "x,s", "a", ""), message_node(&merged, "Slice", "a,start,end,axis", "y", "");
    expect(import_message(&merged, 13, "y"), "works on the axis of the batch");

    input_x(&flat, "n,3"), message_integers(&flat, "axes", "2,3,4,5,6,7"), message_integers(&flat, "s", "2,3");
    message_node(&flat, "Unsqueeze", "x,axes", "a", ""), message_node(&flat, "Flatten", "a", "b", "axis=8"), message_node(&flat, "Reshape", "b,s", "y", "");
    expect(import_message(&flat, 13, "y"), "a certain size of the batch");

    input_x(&perm, "n,3,1,4"), message_constant(&perm, "w", ONNX_FLOAT, "2,1,1,1", "1");
    message_node(&perm, "Transpose", "x", "a", "perm=[0,2,2,2]"), message_node(&perm, "Conv", "a,w", "y", "");
    expect(import_message(&perm, 13, "y"), "is no order of its input's axes");

    const char *from = "x";
    input_x(&parts, "n,524288"), message_integers(&parts, "last", "-1,524288,1"), message_constant(&parts, "w", ONNX_FLOAT, "1,3", "1,2,3");
    for (int k = 1; k < 19; k++) {
        message_integers(&parts, text("s%d", k), text("-1,%d,%d", 1 << k, 1 << (19 - k)));
        message_node(&parts, "Reshape", text("%s,s%d", from, k), text("a%d", k), "");
        from = text("a%d", k);
    }
    message_node(&parts, "Reshape", text("%s,last", from), "b", ""), message_node(&parts, "MatMul", "b,w", "y", "");
    expect(import_message(&parts, 13, "y"), "has axes of more than 20 parts");
}

/* y = x + a constant that is computed of others, which is not, or not so. */
static const char *import_folded(const char *type, ElementType kind, const char *a, const char *b, const char *attributes) {
    Message m = {0};
    input_x(&m, "n,1"), message_constant(&m, "a", kind, "1", a), message_constant(&m, "b", kind, "1", b);
    message_node(&m, type, strcmp(type, "Abs") && strcmp(type, "Neg") ? "a,b" : "a", "c", attributes);
    message_node(&m, "Cast", "c", "d", "to=1"), message_node(&m, "Add", "x,d", "y", "");
    return import_message(&m, 13, "y");
}

/* The number that is added is the setting of the only rescaling. */
static void expect_offset(const char *said, double offset) {
    assert_string_equal(said, "");
    const char *net = file_text(text("%s/damaged.net", folder), NULL), *at = strstr(net, "offset=");
    if (!at || strtod(at + 7, NULL) != offset) fail_msg("no offset of %g: %s", offset, net);
}

static void folded_constants(void **state) {
    (void)state;
    expect_offset(import_folded("Mod", ONNX_FLOAT, "-5.5", "3", "fmod=1"), -2.5);
    expect_offset(import_folded("Mod", ONNX_I64, "-5", "3", ""), 1);
    expect_offset(import_folded("Mod", ONNX_I64, "-5", "3", "fmod=1"), -2);
    expect_offset(import_folded("Mod", ONNX_I64, "9007199254740991", "-4503599627370496", ""), -1);
    expect_offset(import_folded("Mul", ONNX_I64, "100000", "100000", ""), 1e10);
    expect(import_folded("Mod", ONNX_FLOAT, "-5.5", "3", ""), "but not fmod=1");
    expect(import_folded("Mod", ONNX_I64, "5", "0", ""), "is no integer of its type");
    expect(import_folded("Mul", ONNX_I32, "100000", "100000", ""), "is no integer of its type");
    expect(import_folded("Abs", ONNX_I64, "-9223372036854775808", "0", ""), "is no integer of its type");
    expect(import_folded("Neg", ONNX_I32, "-2147483648", "0", ""), "is no integer of its type");

    Message range = {0}; /* of the batch: not the empty list */
    input_x(&range, "n,3"), message_constant(&range, "zero", ONNX_I64, "", "0"), message_constant(&range, "one", ONNX_I64, "", "1");
    message_node(&range, "Shape", "x", "s", ""), message_node(&range, "Gather", "s,zero", "b", ""), message_node(&range, "Range", "zero,b,one", "r", "");
    message_integers(&range, "l", "1"), message_node(&range, "Concat", "r,l", "i", "axis=0"), message_node(&range, "Gather", "x,i", "y", "axis=1");
    expect(import_message(&range, 13, "y"), "computes with the size of the batch");
}

/* The least integer is the end of a Slice that goes backwards, not a free batch; nor does anything overflow by it. */
static void least_integers(void **state) {
    (void)state;
    Message ends = {0}, attribute = {0}, index = {0};
    input_x(&ends, "n,3"), message_integers(&ends, "start", "-1"), message_integers(&ends, "end", "-9223372036854775808"), message_integers(&ends, "axis", "1"), message_integers(&ends, "step", "-1");
    message_node(&ends, "Slice", "x,start,end,axis,step", "y", "");
    assert_string_equal(import_message(&ends, 13, "y"), "");
    input_x(&attribute, "n,3"), message_node(&attribute, "Slice", "x", "y", "starts=[-9223372036854775808] ends=[2] axes=[1]");
    assert_string_equal(import_message(&attribute, 9, "y"), "");
    input_x(&index, "n,3"), message_integers(&index, "i", "-1"), message_node(&index, "Gather", "x,i", "y", "axis=0");
    expect(import_message(&index, 13, "y"), "works on the axis of the batch");
}

/* A scale of which floats make another size than doubles; an element in the middle of two but for rounding. */
static void doubtful_sizes(void **state) {
    (void)state;
    static const struct { const char *scales, *attributes, *said; } cases[] = {
        {"1,1,1,0.7", "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor", "gives 6 elements or 7"}, {"1,1,1,1.3", "mode=linear", "gives 12 elements or 13"},
        {"1,1,1,1.2", "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=round_prefer_ceil", "in the middle of two"}, {"1,1,1,1.05", "mode=linear", "leave all sizes"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Message m = {0};
        input_x(&m, "1,1,4,10"), message_constant(&m, "s", ONNX_FLOAT, "4", cases[i].scales), message_node(&m, "Resize", "x,,s", "y", cases[i].attributes);
        expect(import_message(&m, 13, "y"), cases[i].said);
    }
}

/* All states and the last one are of the same layer, which is trained as one. */
static void one_layer(void **state) {
    (void)state;
    Message m = {0};
    message_input(&m, "x", ONNX_FLOAT, "5,n,3"), message_constant(&m, "w", ONNX_FLOAT, "1,16,3", "0.1,-0.2"), message_constant(&m, "r", ONNX_FLOAT, "1,16,4", "0.3");
    message_node(&m, "LSTM", "x,w,r", "y,h", "hidden_size=4");
    assert_string_equal(import_message(&m, 13, "y,h"), "");
    const char *net = file_text(text("%s/damaged.net", folder), NULL), *first = strstr(net, "lstm ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "lstm "));
}

/* What cnnc exports in parts is found again, as long as each part is as it should be. */
static void exported_parts(void **state) {
    (void)state;
    static const struct { const char *least, *last, *said, *written; } tables[] = {
        {"-1", "0", "", "embedding  2 1"}, {"0", "0", "computes with integers", NULL}, {"-1", "0.5", "computes with integers", NULL},
    };
    for (int i = 0; i < LENGTH(tables); i++) {
        Message m = {0};
        message_input(&m, "x", ONNX_I32, "n,3"), message_constant(&m, "l", ONNX_I32, "", tables[i].least), message_constant(&m, "h", ONNX_I32, "", "2"), message_constant(&m, "o", ONNX_I32, "", "1");
        message_constant(&m, "t", ONNX_FLOAT, "4,1", text("0,7,8,%s", tables[i].last));
        message_node(&m, "Clip", "x,l,h", "c", ""), message_node(&m, "Add", "c,o", "i", ""), message_node(&m, "Gather", "t,i", "y", "");
        const char *said = import_message(&m, 17, "y");
        if (*tables[i].said) expect(said, tables[i].said);
        else assert_string_equal(said, ""), assert_non_null(strstr(file_text(text("%s/damaged.net", folder), NULL), tables[i].written));
    }
    static const struct { const char *shift, *above, *said, *written; } relus[] = {
        {"-0.5", "a", "", " max_value=2 negative_slope=0.25 threshold=0.5"}, {"-0.5", "x", "", " negative_slope=0.25 threshold=0.5"}, {"0.5", "a", "cnnc has no such layer", NULL},
    };
    for (int i = 0; i < LENGTH(relus); i++) {
        Message m = {0};
        input_x(&m, "n,3"), message_constant(&m, "t", ONNX_FLOAT, "", "0.5"), message_constant(&m, "h", ONNX_FLOAT, "", "2"), message_constant(&m, "s", ONNX_FLOAT, "", "0.25");
        message_constant(&m, "d", ONNX_FLOAT, "", relus[i].shift), message_node(&m, "Greater", "x,t", "g", ""), message_node(&m, "Min", "x,h", "a", "");
        message_node(&m, "Add", "x,d", "b", ""), message_node(&m, "Mul", "b,s", "e", ""), message_node(&m, "Where", text("g,%s,e", relus[i].above), "y", "");
        const char *said = import_message(&m, 17, "y");
        if (*relus[i].said) expect(said, relus[i].said);
        else assert_string_equal(said, ""), assert_non_null(strstr(file_text(text("%s/damaged.net", folder), NULL), relus[i].written));
    }
}

static const char *net_text(void) { return file_text(text("%s/damaged.net", folder), NULL); }

/* A number with axes of its own gives these to what it is combined with: axis 1 is the batch then. */
static void numbers_with_axes(void **state) {
    (void)state;
    static const struct { const char *dims, *said; } pow[] = {{"", ""}, {"1", ""}, {"1,1,1", "works on the axis of the batch"}};
    static const struct { const char *dims, *said; } log[] = {{"", ""}, {"1", ""}, {"1,1,1", "cnnc has no such layer"}};
    for (int i = 0; i < LENGTH(pow); i++)
        for (int k = 0; k < 2; k++) {
            Message m = {0};
            input_x(&m, "n,4"), message_constant(&m, "c", ONNX_FLOAT, pow[i].dims, "2"), message_node(&m, k ? "PRelu" : "Pow", "x,c", "a", ""), message_node(&m, "Softmax", "a", "y", "axis=1");
            const char *said = import_message(&m, 16, "y");
            if (*pow[i].said) expect(said, pow[i].said);
            else assert_string_equal(said, "");
        }
    for (int i = 0; i < LENGTH(log); i++) {
        Message m = {0};
        input_x(&m, "n,4"), message_constant(&m, "c", ONNX_FLOAT, log[i].dims, "1"), message_node(&m, "Exp", "x", "a", ""), message_node(&m, "Add", "a,c", "b", ""), message_node(&m, "Log", "b", "y", "");
        const char *said = import_message(&m, 16, "y");
        if (*log[i].said) expect(said, log[i].said);
        else assert_string_equal(said, ""), assert_non_null(strstr(net_text(), "softplus"));
    }
    static const struct { const char *dims, *said; } scales[] = {{"4", ""}, {"1,4", ""}, {"4,1", "is no constant of the 4 elements"}, {"1", "is no constant of the 4 elements"}, {"1,1,1,4", "is no constant of the 4 elements"}};
    for (int i = 0; i < LENGTH(scales); i++) {
        Message m = {0};
        input_x(&m, "n,4,4"), message_constant(&m, "c", ONNX_FLOAT, scales[i].dims, "1,2,3,4"), message_node(&m, "LayerNormalization", "x,c", "y", "axis=-1");
        const char *said = import_message(&m, 17, "y");
        if (*scales[i].said) expect(said, scales[i].said);
        else assert_string_equal(said, "");
    }
}

/* Of constants: a product over no axes, or over those that are not there; a dropout that trains. */
static void folded_options(void **state) {
    (void)state;
    static const struct { const char *type, *attributes, *more, *said; } cases[] = {
        {"ReduceProd", "keepdims=0", "", "offset=6"}, {"ReduceProd", "keepdims=0 noop_with_empty_axes=1", "", "batch_normalization"}, {"ReduceProd", "axes=[1]", "", "has no axis 1"},
        {"Dropout", "", ",r", "batch_normalization"}, {"Dropout", "", ",r,t", "is in training mode"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Message m = {0};
        input_x(&m, "n,2"), message_constant(&m, "c", ONNX_FLOAT, "2", "2,3"), message_constant(&m, "r", ONNX_FLOAT, "", "0.5"), message_constant(&m, "t", ONNX_I64, "", "1");
        message_node(&m, cases[i].type, text("c%s", cases[i].more), "p", cases[i].attributes), message_node(&m, "Add", "x,p", "y", "");
        const char *said = import_message(&m, 13, "y");
        expect(*said ? said : net_text(), cases[i].said);
    }
}

/* Integers of which no product is one. */
static void very_large_options(void **state) {
    (void)state;
    static const struct { const char *type, *dims, *inputs, *attributes, *said; } cases[] = {
        {"ConvTranspose", "n,2,3,3", "x,w", "output_shape=[-9223372036854775808,4]", "its output has a size of -9223372036854775808"},
        {"Conv", "n,2,3,3", "x,w", "group=4611686018427387904", "its group is 4611686018427387904"},
        {"DepthToSpace", "n,4,4,1", "z", "blocksize=2", "its map is the batch"}, {"SpaceToDepth", "n,4,4,1", "z", "blocksize=2", "does not divide its map"},
        {"Upsample", "n,2,3,3", "x", "scales=[1.,1.,2.,2.] axes=[0,1,2,3,4,5]", "has scales of all axes, and axes"},
        {"Pad", "n,2,3,3", "x", "pads=[-65536,0,0,0,0,0,0,0]", "works on the axis of the batch"}, {"Pad", "n,2,3,3", "x", "pads=[0,0,-9223372036854775808,0,0,0,0,0]", "pads too much"},
    };
    for (int i = 0; i < LENGTH(cases); i++) {
        Message m = {0};
        input_x(&m, cases[i].dims), message_constant(&m, "w", ONNX_FLOAT, "2,2,3,3", "1"), message_node(&m, "ReduceMax", "x", "a", "axes=[3]"), message_node(&m, "Transpose", "a", "z", "perm=[3,1,0,2]");
        message_node(&m, cases[i].type, cases[i].inputs, "y", cases[i].attributes);
        expect(import_message(&m, *cases[i].type == 'U' || *cases[i].type == 'P' ? 8 : 13, "y"), cases[i].said);
    }
}

/* One node with as many attributes, inputs and integers as anyone could write. */
static void very_long_lists(void **state) {
    (void)state;
    enum { MANY = 1 << 18 };
    for (int kind = 0; kind < 3; kind++) {
        Message m = {0};
        StrBuf node = {0}, a = {0};
        input_x(&m, "n,3");
        put_bytes(&node, 4, kind ? "Reshape" : "Relu", kind ? 7 : 4), put_bytes(&node, 1, "x", 1), put_bytes(&node, 2, "y", 1);
        put_bytes(&a, 1, "shape", 5);
        for (int i = 0; i < MANY * 4 + 1 && kind == 1; i++) put_integer(&a, 8, 1);
        if (kind < 2) put_part(&node, 5, &a);
        for (int i = 0; i < MANY && !kind; i++) put_bytes(&node, 5, "\n\x01q", 3);
        for (int i = 0; i < MANY && kind == 2; i++) put_bytes(&node, 1, "x", 1);
        strbuf_free(&a);
        put_part(&m.graph, 1, &node);
        const char *said = import_message(&m, 13, "y");
        if (!kind) assert_string_equal(said, "");
        else expect(said, kind == 1 ? "attribute 'shape' has more than 1048576 elements" : "has more than 4096 inputs");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_short), cmocka_unit_test(turned_bits), cmocka_unit_test(what_cannot_be), cmocka_unit_test(constant_inputs), cmocka_unit_test(views_at_limits),
        cmocka_unit_test(folded_constants), cmocka_unit_test(least_integers), cmocka_unit_test(doubtful_sizes), cmocka_unit_test(one_layer), cmocka_unit_test(exported_parts),
        cmocka_unit_test(numbers_with_axes), cmocka_unit_test(folded_options), cmocka_unit_test(very_large_options), cmocka_unit_test(very_long_lists),
    };
    return cmocka_run_group_tests(tests, make_saying, remove_folder);
}

/* What is no model, or a malicious one: cnnc-import says so in one line, ends with 1 and leaves nothing behind. Files are cut short, bits
 * of them flipped, configurations and weights made up. Only libhdf5 may crash, and only on bytes of HDF5 that are damaged. Built where
 * cnnc-import is. */
#define _DEFAULT_SOURCE /* wait4 */
#include "test_import_craft.h"

#include "base/base.h"
#include "cnnc_runtime.h"

#include <hdf5.h>
#include <poll.h>
#include <signal.h>

enum { FLIPS = 80, CUTS = 40 };

/* ---- what libhdf5 does alone -------------------------------------------------------------------------------------------------------- */

static herr_t read_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    (void)info, (void)context;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    void *bytes = count > 0 && count < 1 << 20 && size < 1 << 20 ? calloc((size_t)count, size + 1) : NULL;
    if (bytes) H5Aread(attribute, type, bytes);
    free(bytes);
    H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
    return 0;
}

static herr_t read_object(hid_t file, const char *name, const H5O_info_t *info, void *context) {
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, read_attribute, context);
    hid_t space = info->type == H5O_TYPE_DATASET ? H5Dget_space(object) : -1;
    hssize_t count = H5Sget_simple_extent_npoints(space);
    double *numbers = count > 0 && count < 1 << 20 ? calloc((size_t)count, sizeof *numbers) : NULL;
    if (numbers) H5Dread(object, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    free(numbers);
    H5Sclose(space), H5Oclose(object);
    return 0;
}

/* Whether it crashes when it reads all that is in the file, without a reader of ours. */
static bool crashes_library(const char *path) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        for (int i = SIGILL; i <= SIGSEGV; i++) signal(i, SIG_DFL); /* not CMocka's */
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, 2);
        alarm(60);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        if (file >= 0) H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, read_object, NULL, H5O_INFO_BASIC), H5Fclose(file);
        H5close();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
}

/* ---- what it says ----------------------------------------------------------------------------------------------------------------- */

/* Whether the crash that a sanitizer reports is of libhdf5: the first function that is not the sanitizer's own. */
static bool is_of_library(const char *report) {
    for (const char *frame = strstr(report, "\n    #"); frame; frame = strstr(frame + 1, "\n    #")) {
        char *line = text("%.*s", (int)strcspn(frame + 1, "\n"), frame + 1);
        if (!strstr(line, "libsanitizer") && !strstr(line, "libasan") && !strstr(line, "/libc")) return strstr(line, "libhdf5");
    }
    return false;
}

/* Whatever it thinks of the file: an exit status of 0 and both outputs, or of 1, a message and none. */
static char *try_file(const char *file, bool damaged_hdf5, int *exited) {
    int status;
    remove_outputs();
    char *said = import_file(file, NULL, &status), *report = strstr(said, "Sanitizer:");
    if (!WIFEXITED(status)) fail_msg("%s: signal %d: %s", file, WTERMSIG(status), said);
    *exited = WEXITSTATUS(status);
    if (*exited > 1) fail_msg("%s: exit status %d: %s", file, *exited, said);
    assert_int_equal(is_there("o.net"), *exited == 0);
    assert_int_equal(is_there("o.safetensors"), *exited == 0);
    if (*exited) assert_non_null(strstr(said, "error: "));
    if (strstr(said, "runtime error: ")) fail_msg("%s: %s", file, said);
    if ((report || strstr(said, "what reads it crashed")) && !(damaged_hdf5 && (report ? is_of_library(report) : crashes_library(file)))) fail_msg("%s: %s", file, said);
    for (const char *c = said; *c; c++) assert_true(*c == '\n' || (unsigned char)*c >= ' ');
    return said;
}

static void refused(const char *file, const char *why) {
    int exited;
    char *said = try_file(file, false, &exited);
    if (exited != 1 || !strstr(said, why)) fail_msg("exit status %d, '%s', and not '%s'", exited, said, why);
}

static char *write_bytes(const char *name, const void *bytes, size_t n) {
    char *path = in_folder(name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
    return path;
}

/* ---- damage ------------------------------------------------------------------------------------------------------------------------- */

static const char *const models[] = {"convolutions.keras", "adam.keras", "keras2_adam.h5", "functional.h5"};
enum { MODEL_COUNT = sizeof models / sizeof *models };

/* In a .keras a checksum keeps damage from libhdf5. */
static bool is_hdf5(const char *name) { return strstr(name, ".h5"); }

static void cut_short(void **state) {
    (void)state;
    for (int i = 0; i < MODEL_COUNT; i++) {
        size_t n;
        char *bytes = file_text(text(MODELS "/%s", models[i]), &n);
        for (int cut = 0; cut < CUTS; cut++) {
            int exited;
            try_file(write_bytes("cut", bytes, cut < 12 ? (size_t)cut : n - 1 - (n - 13) * (size_t)(cut - 12) / CUTS), is_hdf5(models[i]), &exited);
            assert_int_equal(exited, 1);
        }
    }
}

static void flipped(void **state) {
    (void)state;
    cnnc_random random;
    cnnc_random_seed(&random, 5, 0);
    for (int i = 0; i < MODEL_COUNT; i++)
        for (int flip = 0; flip < FLIPS; flip++) {
            size_t n;
            int exited;
            char *bytes = file_text(text(MODELS "/%s", models[i]), &n);
            for (int k = flip % 4; k >= 0; k--) bytes[cnnc_random_below(&random, flip % 3 ? n : 4096)] ^= (char)(1 << cnnc_random_below(&random, 8));
            try_file(write_bytes("flipped", bytes, n), is_hdf5(models[i]), &exited);
        }
}

/* ---- configurations that are made up ---------------------------------------------------------------------------------------------------- */

static char *long_text(const char *before, char c, size_t n, const char *after) {
    char *s = malloc(strlen(before) + n + strlen(after) + 1);
    assert_non_null(s);
    memset(stpcpy(s, before), c, n);
    strcpy(s + strlen(before) + n, after);
    return keep(s);
}

static void made_up(void **state) {
    (void)state;
    static const struct { const char *config, *why; } cases[] = {
        {"", "is not JSON"}, {"[1,2]", "is no JSON object"}, {"{\"class_name\":\"Sequential\"}", "no list of layers"}, {"{\"config\":{}}", "thing without a class"},
        {"{\"class_name\":\"Mine\",\"config\":{}}", "class of its own"}, {SEQUENTIAL("null"), "has no class"}, {SEQUENTIAL("7,[],{}"), "has no class"},
        {SEQUENTIAL(DENSE("d", "1000000000000", "")), "units"}, {SEQUENTIAL(DENSE("d", "2.5", "")), "units=2.5"}, {SEQUENTIAL(DENSE("d", "99999999999999999999", "")), "is not JSON"},
        {SEQUENTIAL(DENSE("d", "-2", "")), "units"}, {SEQUENTIAL(DENSE("d", "\"2) from x\"", "")), "units=\"2) from x\""}, {SEQUENTIAL(DENSE("d", "3", "")), "is 3x2, where the layer has 3x3"},
        {SEQUENTIAL(DENSE("d", "2", "") "," DENSE("e", "2", "")), "has no weight layers/dense_1/vars/0"},
        {SEQUENTIAL(DENSE("d", "2", ",\"activation\":\"my_own\"")), "activation=my_own"}, {SEQUENTIAL(DENSE("d", "2", ",\"data_format\":\"channels_first\"")), "channels last"},
        {SEQUENTIAL(DENSE("d", "2", ",\"dtype\":\"float16\"")), "float32"}, {SEQUENTIAL(DENSE("d", "2", ",\"lora_rank\":4")), "lora_rank=4"},
        {SEQUENTIAL("{\"class_name\":\"Rescaling\",\"config\":{\"offset\":0,\"scale\":[1,2,3],\"dtype\":\"float16\"}}"), "float32"},
        {SEQUENTIAL("{\"class_name\":\"Normalization\",\"config\":{\"mean\":[1],\"variance\":[1],\"dtype\":\"float16\"}}"), "float32"},
        {SEQUENTIAL("{\"class_name\":\"Normalization\",\"config\":{\"mean\":[1],\"variance\":[1],\"other\":3}}"), "other=3: cnnc's normalization has no such option"},
        {SEQUENTIAL("{\"class_name\":\"Lambda\",\"config\":{\"name\":\"f\"}}"), "layer 'f': Lambda holds Python code, which is not run"},
        {SEQUENTIAL("{\"class_name\":\"Attention\",\"config\":{\"name\":\"a\\nb\\u001b[31m\"}}"), "layer 'a\\x0ab\\x1b[31m': there is no Attention"},
        {SEQUENTIAL("{\"class_name\":\"Embedding\",\"config\":{\"input_dim\":4,\"output_dim\":2,\"mask_zero\":true}}"), "no masks"},
        {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" DENSE("d", "2", "") "]}}", "no input shape"},
        {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" DENSE("d", "2", ",\"batch_input_shape\":[null,null,3]") "]}}", "not known as a whole"},
        {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" DENSE("d", "2", ",\"batch_input_shape\":[null,1000000000000]") "]}}", "1000000000000"},
        {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" DENSE("d", "2", ",\"batch_input_shape\":[null,65536,65536]") "]}}", "cnnc does not take this network"},
        {FUNCTIONAL(LAYER("a", "ReLU", "", TENSOR("b")) "," LAYER("b", "ReLU", "", TENSOR("a")), "a"), "takes from itself"},
        {FUNCTIONAL(LAYER("a", "ReLU", "", TENSOR("a")), "a"), "takes from itself"}, {FUNCTIONAL(LAYER("a", "ReLU", "", TENSOR("nothing")), "a"), "which there is not"},
        {FUNCTIONAL(LAYER("a", "ReLU", "", "[[[\"x\",0,7,{}]]]"), "a"), "which there is not"}, {FUNCTIONAL(LAYER("a", "ReLU", "", "[[[\"x\",0,0,{\"mask\":1}]]]"), "a"), "cannot follow"},
        {FUNCTIONAL(LAYER("a", "ReLU", "", "[]"), "a"), "is not called"}, {FUNCTIONAL(LAYER("a", "ReLU", "", TENSOR("x")), "z"), "no output 'z'"},
        {FUNCTIONAL(LAYER("x", "ReLU", "", TENSOR("x")), "x"), "two layers are called 'x'"},
        {FUNCTIONAL(LAYER("a", "Dense", "\"units\":3", "[[[\"x\",0,0,{}]],[[\"x\",0,0,{}]]]"), "a"), "do not share weights"},
        {FUNCTIONAL(LAYER("a", "Add", "", "[[[\"x\",-1,0,{}],[\"x\",0,-1,{}]]]"), "a"), "which there is not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused(craft_with(cases[i].config, NULL), cases[i].why);
}

/* Small files that would need much memory or time if these grew with the square of their lists. */
static char *many(const char *format, int n) {
    StrBuf out = {0};
    for (int i = 0; i < n; i++) {
        strbuf_add(&out, i ? "," : "");
        for (const char *c = format; *c; c++) { /* #: the number, +: the next one */
            if (*c == '#' || *c == '+') strbuf_printf(&out, "%d", i + (*c == '+'));
            else strbuf_add_n(&out, c, 1);
        }
    }
    return keep(out.text);
}

static char *between(const char *before, const char *middle, const char *after) {
    StrBuf out = {0};
    strbuf_add(&out, before), strbuf_add(&out, middle), strbuf_add(&out, after);
    return keep(out.text);
}

static void assert_cheap(void) {
    if (import_seconds > 10) fail_msg("%g s", import_seconds);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed */
    if (import_kilobytes > 100000) fail_msg("%ld kB of memory", import_kilobytes);
#endif
}

static void long_lists(void **state) {
    (void)state;
    enum { MANY = 9000 };
    static const char scales[] = SEQUENTIAL("{\"class_name\":\"Rescaling\",\"config\":{\"offset\":0.5,\"scale\":[@]}}"), padding[] = SEQUENTIAL("{\"class_name\":\"ZeroPadding2D\",\"config\":{\"padding\":[@]}}"),
        means[] = SEQUENTIAL("{\"class_name\":\"Normalization\",\"config\":{\"mean\":[@],\"variance\":1}}"), reversed[] = FUNCTIONAL("@", "l0"), alike[] = SEQUENTIAL("@");
    const struct { const char *model, *item; int n; const char *why; } cases[] = {
        {scales, "0.0001", 4000, "cnnc does not take this network"}, {scales, "0.0001", 60000, "is not possible in cnnc"}, {padding, "[12,34]", 12000, "is not possible in cnnc"}, {means, "0.1", 60000, "is not possible in cnnc"},
        {alike, "{\"class_name\":\"ReLU\",\"config\":{\"name\":\"re_lu\"}}", MANY, NULL}, {reversed, LAYER("l#", "ReLU", "", TENSOR("l+")), MANY, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int exited, head = (int)strcspn(cases[i].model, "@");
        char *items = many(cases[i].item, cases[i].n);
        if (cases[i].model == reversed) items = between(items, text("," LAYER("l%d", "ReLU", "", TENSOR("x")), MANY), "");
        char *said = try_file(craft_with(between(text("%.*s", head, cases[i].model), items, cases[i].model + head + 1), NULL), false, &exited);
        if (exited != (cases[i].why != NULL) || (cases[i].why && !strstr(said, cases[i].why))) fail_msg("list %d: exit status %d: %s", (int)i, exited, said);
        assert_cheap();
    }
}

static void nested(void **state) {
    (void)state;
    refused(craft_with(long_text("{\"class_name\":", '[', 200000, ""), NULL), "is not JSON");
    const char *model = "{\"class_name\":\"ReLU\",\"config\":{}}";
    for (int i = 0; i < 40; i++) model = keep(strdup(long_text("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[", ' ', 1, text("%s]}}", model))));
    refused(craft_with(long_text("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" INPUT ",", ' ', 1, text("%s]}}", model)), NULL), "nested more than");
}

/* No name of a file can be more than a name in the description. */
static void names(void **state) {
    (void)state;
    static const char *const strange[] = {"a\\nb */ $(x)", "", "\\\"", "compile", "9", "int", "from", "true", "\xc3\xa4\xc3\xb6", "x", "dense", "NULL", "SIZE_MAX", "__", "cnnc_x", "a\\\\"};
    for (size_t i = 0; i <= sizeof strange / sizeof *strange; i++) {
        int exited;
        const char *name = i < sizeof strange / sizeof *strange ? strange[i] : long_text("", 'n', 10000, "");
        char *config = malloc(strlen(name) + 1000);
        sprintf(config, SEQUENTIAL(DENSE("%s", "2", "")), name);
        const char *said = try_file(craft_with(config, NULL), false, &exited);
        free(config);
        if (exited) fail_msg("'%s': %s", name, said);
        assert_int_equal(system(text("%s summary %s >%s", CNNC_COMMAND, in_folder("o.net"), in_folder("summary"))), 0);
        assert_null(strpbrk(file_text(in_folder("o.net"), NULL), "$\\*\"\xc3"));
    }
}

/* ---- zips and HDF5 files that are made up ----------------------------------------------------------------------------------------------------- */

#define ONE_DENSE SEQUENTIAL(DENSE("d", "2", ""))

static void zips(void **state) {
    (void)state;
    size_t n;
    char *path = in_folder("other.keras");
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    add_entry(zip, "../config.json", ONE_DENSE, strlen(ONE_DENSE));
    add_entry(zip, "/config.json", ONE_DENSE, strlen(ONE_DENSE));
    assert_int_equal(zip_close(zip), 0);
    refused(path, "config.json: is not in the zip");
    char *bytes = file_text(craft_with(ONE_DENSE, NULL), &n);
    for (size_t i = 0; i + 28 < n; i++)
        if (!memcmp(bytes + i, "PK\1\2", 4)) memcpy(bytes + i + 20, "\xf0\xff\xff\x7f\xf0\xff\xff\x7f", 8); /* how large entries are */
    refused(write_bytes("lies.keras", bytes, n), "error");
}

/* Weights of a dense layer: `make` makes the kernel in the group. */
static char *craft_weights(const char *config, hid_t (*make)(hid_t group)) {
    char *path = in_folder("weights.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    hid_t group = H5Gcreate2(file, "layers/dense/vars", link, H5P_DEFAULT, H5P_DEFAULT);
    make(group);
    H5Gclose(group);
    H5Pclose(link);
    H5Fclose(file);
    return craft_with(config, path);
}

static hid_t make_data(hid_t group, hid_t type, int rank, const hsize_t *shape, hid_t list) {
    hid_t space = H5Screate_simple(rank, shape, NULL), data = H5Dcreate2(group, "0", type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Sclose(space);
    return H5Dclose(data);
}

static hid_t make_nothing(hid_t group) { return group; }
static hid_t make_huge(hid_t group) { return make_data(group, H5T_IEEE_F32LE, 2, (hsize_t[]){1000000, 1000000}, H5P_DEFAULT); }
static hid_t make_hollow(hid_t group) { return make_data(group, H5T_IEEE_F32LE, 2, (hsize_t[]){30000, 30000}, H5P_DEFAULT); }
static hid_t make_deep(hid_t group) { return make_data(group, H5T_IEEE_F32LE, 20, (hsize_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, H5P_DEFAULT); }
static hid_t make_text(hid_t group) { return make_data(group, H5T_C_S1, 1, (hsize_t[]){6}, H5P_DEFAULT); }
static hid_t make_external(hid_t group) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, "/etc/passwd", 0, 24);
    make_data(group, H5T_IEEE_F32LE, 2, (hsize_t[]){3, 2}, list);
    return H5Pclose(list);
}
static hid_t make_link(hid_t group) { return H5Lcreate_external("/etc/other.h5", "/0", group, "0", H5P_DEFAULT, H5P_DEFAULT); }
static hid_t make_loop(hid_t group) { return H5Lcreate_soft("0", group, "0", H5P_DEFAULT, H5P_DEFAULT); }
static hid_t make_shared(hid_t group) { /* one kernel for two layers */
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    make_data(group, H5T_IEEE_F32LE, 2, (hsize_t[]){3, 4096}, list);
    H5Pset_create_intermediate_group(link, 1);
    H5Lcreate_hard(group, "0", group, "/layers/dense_1/vars/0", link, H5P_DEFAULT);
    H5Pclose(list);
    return H5Pclose(link);
}
static hid_t make_group(hid_t group) { return H5Gclose(H5Gcreate2(group, "0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }

static void weights(void **state) {
    (void)state;
    static const struct { hid_t (*make)(hid_t); const char *why; } cases[] = {
        {make_nothing, "has no weight"}, {make_huge, "is too large"}, {make_hollow, "more numbers than the file holds"}, {make_deep, "too many axes"}, {make_text, "is not of numbers"},
        {make_external, "kept in other files"}, {make_link, "has no weight"}, {make_loop, "has no weight"}, {make_group, "has no weight"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused(craft_weights(ONE_DENSE, cases[i].make), cases[i].why);
#define NO_BIAS(name) LAYER(name, "Dense", "\"units\":4096,\"use_bias\":false", TENSOR("x"))
    refused(craft_weights(FUNCTIONAL(NO_BIAS("a") "," NO_BIAS("b"), "a"), make_shared), "layers/dense_1/vars/0 is there more than once");
    hid_t file = H5Fcreate(in_folder("no.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refused(in_folder("no.h5"), "weights alone are no model");
}

/* Outputs that cannot be written, or are the file itself. */
static void outputs(void **state) {
    (void)state;
    assert_int_equal(system(text(CNNC_IMPORT_COMMAND " " MODELS "/adam.keras -o %s/none/o.net --weights %s 2>%s", folder, in_folder("w.safetensors"), in_folder("said"))) >> 8, 3);
    assert_false(is_there("w.safetensors"));
    assert_int_equal(system(text("cp " MODELS "/adam.keras %s", in_folder("a.keras"))), 0);
    assert_int_equal(system(text(CNNC_IMPORT_COMMAND " %s -o %s 2>%s", in_folder("a.keras"), in_folder("a.keras"), in_folder("said"))) >> 8, 2);
    assert_same_files(in_folder("a.keras"), MODELS "/adam.keras");
    write_bytes("w.safetensors", "kept", 4);
    assert_int_equal(system(text(CNNC_IMPORT_COMMAND " " MODELS "/adam.keras -o /dev/full --weights %s 2>%s", in_folder("w.safetensors"), in_folder("said"))) >> 8, 3);
    assert_string_equal(file_text(in_folder("w.safetensors"), NULL), "kept");
    assert_int_not_equal(system(text("ls %s/*.tmp >%s 2>&1", folder, in_folder("said"))), 0);
}

/* Killed while it reads, it leaves no child behind. */
static void killed(void **state) {
    (void)state;
#ifdef __linux__
    char *pipe = in_folder("pipe");
    int end = -1;
    assert_int_equal(mkfifo(pipe, 0600), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        execl(CNNC_IMPORT_COMMAND, "cnnc-import", pipe, "-o", in_folder("o.net"), (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 2000 && (end = open(pipe, O_WRONLY | O_NONBLOCK)) < 0; i++) poll(NULL, 0, 10); /* until the child has it open */
    assert_true(end >= 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct pollfd ends = {.fd = end};
    assert_int_equal(poll(&ends, 1, 20000), 1); /* no reader is left */
    assert_true(ends.revents & POLLERR);
    close(end);
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up), cmocka_unit_test(long_lists), cmocka_unit_test(nested), cmocka_unit_test(names), cmocka_unit_test(zips),
        cmocka_unit_test(weights), cmocka_unit_test(outputs), cmocka_unit_test(killed), cmocka_unit_test(cut_short), cmocka_unit_test(flipped),
    };
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

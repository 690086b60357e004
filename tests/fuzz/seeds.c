/* seeds.c: seeds FOLDER, what the fuzzers of binary formats are to begin with: FOLDER/NAME/... for fuzz_NAME. Small files as the
 * runtime writes them; text formats begin with the networks and templates of the repository instead. */
#define _POSIX_C_SOURCE 200809L
#include "../test_runtime.h"

#include <sys/stat.h>

static const char *in; /* the folder */

static const char *path_of(const char *fuzzer, const char *name) {
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", in, fuzzer);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", in, fuzzer, name);
    return path;
}

static void bytes(const char *fuzzer, const char *name, const void *data, size_t size) {
    FILE *out = fopen(path_of(fuzzer, name), "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out)) exit(1);
}

#define TEXT(fuzzer, name, text) bytes(fuzzer, name, text, sizeof text - 1)

static void check(int result, const cnnc_error *error) {
    if (result != CNNC_OK) fprintf(stderr, "seeds: %s\n", error->text), exit(1);
}

static void idx_seeds(void) {
    TEXT("idx", "labels", "\0\0\x08\x01\0\0\0\x03\1\2\3");
    TEXT("idx", "images", "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01\1\2\3\4");
    TEXT("idx", "floats", "\0\0\x0d\x01\0\0\0\x02\x3f\x80\0\0\x40\0\0\0");
    TEXT("idx", "shorts", "\0\0\x0b\x02\0\0\0\x01\0\0\0\x02\0\1\xff\xff");
    TEXT("idx", "empty", "\0\0\x0e\x01\0\0\0\0");
    TEXT("idx", "gzipped", "\x1f\x8b\x08\0\0\0\0\0\2\3\x63\x60\xe0\x60\x64\x60\x60\x60\x66\x64\x62\x06\0\x0a\x8d\x39\xc3\x0b\0\0\0");
    TEXT("gzip", "labels", "\x06\0\0\0\0\0\x08\x01\0\0\0\x03\1\2\3");
    TEXT("gzip", "stored", "\0\2\0\4\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01\1\2\3\4");
    TEXT("gzip", "damaged", "\x09\1\0\x0c\0\0\x0d\x01\0\0\0\x02\x3f\x80\0\0\x40\0\0\0");
}

static void npy_seeds(void) {
    static const cnnc_dtype types[] = {CNNC_DTYPE_U8, CNNC_DTYPE_I16, CNNC_DTYPE_F16, CNNC_DTYPE_F32, CNNC_DTYPE_I64};
    static double numbers[12] = {0, 1, 2};
    cnnc_error error;
    for (int i = 0; i < (int)(sizeof types / sizeof *types); i++) {
        cnnc_array array = {.dtype = types[i], .rank = i, .count = i ? 4 : 1, .data = numbers};
        for (int k = 0; k < i; k++) array.shape[k] = k < 2 && i > 1 ? 2 : i == 1 ? 4 : 1;
        char name[16];
        snprintf(name, sizeof name, "%s.npy", cnnc_dtype_name(types[i]));
        check(cnnc_npy_write(path_of("npy", name), &array, &error), &error);
    }
}

static void data_seeds(void) {
    static const char npy[] = "\x93NUMPY\1\0\x38\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,2)}\5\6";
    unsigned char archive[4 + 2 * (sizeof npy - 1)] = {1};
    TEXT("csv", "plain", "\0a,b,c\n1,2,3\n-4.5,5e-3,6\n");
    TEXT("csv", "label", "\0a,label,b\r\n1,2,3\r\n");
    TEXT("csv", "single", "\1a\n1\n2\n");
    TEXT("csv", "quoted", "\2\"a\",\"b\"\"b\",c\n\"1\",2,123456789012345678\n");
    TEXT("csv", "two", "\3\xef\xbb\xbf" "a,b,c,d\n 1 ,2,3,4");
    TEXT("cifar", "ten", "\2\2\0\1\2\3");
    TEXT("cifar", "hundred", "\3\3\0\1\2\3");
    TEXT("cifar", "cut", "\0\x0c\x05\1\2\3");
    for (size_t i = 0; i < 2; i++) memcpy(archive + 4 + i * (sizeof npy - 1), npy, sizeof npy - 1); /* to be packed */
    bytes("npz", "packed", archive, sizeof archive);
    archive[0] = 3;
    bytes("npz", "stored", archive, sizeof archive);
}

static void safetensors_seeds(void) {
    float numbers[6] = {1, 2, 3, 4, 5, 6};
    const cnnc_safetensor tensors[] = {{"a/kernel", {.dtype = CNNC_DTYPE_F32, .rank = 2, .shape = {2, 2}, .count = 4, .data = numbers}},
                                       {"b \"\\ \xc3\xa9", {.dtype = CNNC_DTYPE_U8, .rank = 1, .shape = {3}, .count = 3, .data = numbers}},
                                       {"none", {.dtype = CNNC_DTYPE_F64, .rank = 1, .shape = {0}, .data = numbers}}};
    const cnnc_metadata metadata[] = {{"format", "pt"}, {"line\n", "*/ $(x)"}};
    cnnc_error error;
    check(cnnc_safetensors_write(path_of("safetensors", "three"), tensors, 3, metadata, 2, &error), &error);
    check(cnnc_safetensors_write(path_of("safetensors", "none"), tensors, 0, NULL, 0, &error), &error);
    TEXT("json", "string", "\"a\\u0041\\ud83d\\ude00\\n\\\"\" : [12, 3], {\"b\":{}}");
    TEXT("json", "header", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}  ");
}

static void checkpoint_seeds(void) {
    cnnc_error error;
    cnnc_model *model = cnnc_model_new(&linear_network, 1, NULL, &error);
    check(model ? CNNC_OK : CNNC_FAILED, &error);
    double sums[2] = {1, 2};
    cnnc_position position = {.epoch = 1, .batch = 2, .examples = 61, .batch_size = 8, .seed = 1, .shuffle = 1, .sums = sums};
    check(cnnc_checkpoint_save(model, &position, path_of("checkpoint", "right"), &error), &error);
    position.batch_size = 0;
    check(cnnc_checkpoint_save(model, &position, path_of("checkpoint", "other"), &error), &error);
    check(cnnc_weights_save(&linear_network, model->net, path_of("checkpoint", "weights"), NULL, 0, &error), &error);
    cnnc_model_free(model);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: seeds FOLDER\n"), 2;
    in = argv[1];
    mkdir(in, 0777);
    idx_seeds();
    npy_seeds();
    data_seeds();
    safetensors_seeds();
    checkpoint_seeds();
    return 0;
}

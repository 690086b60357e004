/* Networks against Keras: what references.py had Keras compute for tests/nets, its tiny, warned and oracle (outputs, loss,
 * gradients, steps of the optimizer) is what `cnnc check --reference` finds. By default all networks as they are compiled by
 * default (test_check has compiled them too: the cache is one) and a few with other algorithms; with the argument "long" all
 * of them with every algorithm.
 */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

static bool all;

static char *reference_of(const Net *net) { return text("%s/tests/reference/%s.safetensors", CNNC_SOURCE_DIR, net->name); }

/* Each algorithm's odd sizes: strides, dilation, borders, channels beside the vectors' lanes, one pixel. */
static const char *const few[] = {"average_pooling2d", "batch_normalization", "batch_normalization_frozen", "conv2d_dilation", "conv2d_packed", "conv2d_same", "conv2d_strides", "dense_rows", "max_pooling2d_overlap", "one_pixel", "shards", "winograd",
    "lenet", "mlp", "mnist"}; /* of the oracle */

/* At random, large, or not as Keras has it. */
static const char *const without[] = {"aligned_channels", "augmentation", "conv2d_transpose_dilation", "dropout_sequence", "live_sparse_pool", "normalization_axes", "wide_channels"};

static bool among(const Net *net, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!strcmp(net->name, names[i])) return true;
    return false;
}

/* Those of a folder, all of which have a reference but those `without`; how many that were. */
static int check_nets(const char *where, const char *options, bool only_few) {
    Net nets[MAX_NETS];
    int n = find_nets(where, nets), found = 0;
    for (int i = 0; i < n; i++) {
        if (among(&nets[i], without, sizeof without / sizeof *without) || (only_few && !among(&nets[i], few, sizeof few / sizeof *few))) continue;
        Job *job = add_job("");
        add_word(job, CNNC_COMMAND);
        add_word(job, "check");
        add_word(job, nets[i].path);
        add_words(job, options);
        add_word(job, "--reference");
        add_word(job, reference_of(&nets[i]));
        found++;
    }
    run_jobs(false);
    return found;
}

#define NETS CNNC_SOURCE_DIR "/tests/nets"
enum { AT_LEAST = 158, ORACLE = 15, TINY = 4, WARNED = 1, FEW_ORACLE = 3, FEW = sizeof few / sizeof *few - FEW_ORACLE };
#define BOUNDS "--tolerance-output=1e-5 --tolerance-gradient=1e-4 "

static void features_by_default(void **state) { (void)state, assert_true(check_nets(NETS, "", false) >= AT_LEAST); }
static void features_direct(void **state) { (void)state, assert_true(check_nets(NETS, "--algorithm=direct --target=vec16,scalar", !all) >= (all ? AT_LEAST : FEW)); }
static void features_packed(void **state) { (void)state, assert_true(check_nets(NETS, "--algorithm=packed --target=avx512,avx2,vec16", !all) >= (all ? AT_LEAST : FEW)); }
/* What cnnc warns of, since Keras does. */
static void warned(void **state) { (void)state, assert_true(check_nets(NETS "/warned", "", false) >= WARNED); }
static void oracle(void **state) { (void)state, assert_true(check_nets(NETS "/oracle", BOUNDS "--algorithm=direct", !all) >= (all ? ORACLE : FEW_ORACLE)); }

static void oracle_of_one_target(void **state) { (void)state, assert_true(check_nets(NETS "/oracle", BOUNDS "--target=vec16", false) >= ORACLE); }
/* MLPerf Tiny's architectures, of fewer channels. */
static void tiny(void **state) {
    (void)state;
    assert_true(check_nets(NETS "/tiny", text(BOUNDS "--algorithm=direct%s", all ? "" : " --target=vec16"), false) >= TINY);
}

/* With Winograd's algorithm maxima that differ by rounding may change places in one of many thousand windows; RMSprop's steps then part
 * ways. In which variant that happens is the C compiler's choice, which multiplies and adds in one instruction where it likes. */
static void oracle_by_default(void **state) {
    (void)state;
    assert_true(check_nets(NETS "/oracle", BOUNDS "--target=scalar", !all) >= (all ? ORACLE : FEW_ORACLE));
    assert_true(check_nets(NETS "/oracle", BOUNDS "--target=avx512,avx2", !all) >= (all ? ORACLE : FEW_ORACLE));
}

static int set_up(void **state) { return make_folder(state) || setenv("XDG_CACHE_HOME", CNNC_BINARY_DIR "/cache", 1); }

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(features_by_default), cmocka_unit_test(features_direct), cmocka_unit_test(features_packed), cmocka_unit_test(warned), cmocka_unit_test(oracle), cmocka_unit_test(oracle_of_one_target), cmocka_unit_test(tiny),
                                       cmocka_unit_test(oracle_by_default)};
    all = argc > 1 && !strcmp(argv[1], "long");
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}

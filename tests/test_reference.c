/* Networks against Keras: what references.py had Keras compute for tests/nets and tests/nets/oracle (outputs, loss,
 * gradients, steps of the optimizer) is what `cnnc check --reference` finds.
 */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

static char *reference_of(const Net *net) { return text("%s/tests/reference/%s.safetensors", CNNC_SOURCE_DIR, net->name); }

/* Those of a folder that have a reference; how many that were. */
static int check_nets(const char *where, const char *options) {
    Net nets[MAX_NETS];
    int n = find_nets(where, nets), found = 0;
    for (int i = 0; i < n; i++) {
        if (access(reference_of(&nets[i]), R_OK)) continue;
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

static void features(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets", "--algorithm=direct --target=vec16,scalar") >= 50); }
static void features_by_default(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets", "--target=avx512,avx2,scalar") >= 50); }
static void features_packed(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets", "--algorithm=packed --target=avx512,avx2,vec16") >= 50); }
static void oracle(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets/oracle", "--algorithm=direct") >= 3); }

static void oracle_by_default(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets/oracle", "--target=avx512,vec16,scalar") >= 3); }

/* Outputs and gradients. With Winograd's algorithm maxima that differ by rounding may change places in one of many thousand
 * windows; RMSprop's steps then part ways, so that 20 of them are no measure. Of the variants, it happens to this one. */
static void oracle_by_avx2(void **state) {
    (void)state;
    assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets/oracle", "--target=avx2 --tolerance-losses=1 --tolerance-after=10") >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(features), cmocka_unit_test(features_by_default), cmocka_unit_test(features_packed), cmocka_unit_test(oracle), cmocka_unit_test(oracle_by_default),
                                       cmocka_unit_test(oracle_by_avx2)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

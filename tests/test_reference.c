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

static void features(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets", "--target=vec16,scalar") >= 50); }
static void oracle(void **state) { (void)state, assert_true(check_nets(CNNC_SOURCE_DIR "/tests/nets/oracle", "") >= 3); }

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(features), cmocka_unit_test(oracle)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

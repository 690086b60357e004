/* Optimizers against Keras: each tests/optimizers/NAME.net is a tiny network with its own `compile`, beside it Keras's
 * trace of seven steps (references.py made it).
 */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

static void traces(void **state) {
    (void)state;
    Net nets[MAX_NETS];
    int n = find_nets(CNNC_SOURCE_DIR "/tests/optimizers", nets);
    assert_true(n >= 30);
    for (int i = 0; i < n; i++) {
        Job *job = add_job("");
        add_word(job, CNNC_COMMAND);
        add_word(job, "check");
        add_word(job, nets[i].path);
        add_words(job, "--tolerance-losses=1e-5 --tolerance-after=1e-5 --target=vec16,scalar --reference");
        add_word(job, text("%s/tests/optimizers/%s.safetensors", CNNC_SOURCE_DIR, nets[i].name));
    }
    run_jobs(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(traces)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

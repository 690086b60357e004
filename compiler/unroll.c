/* unroll.c: loops over the depth of products are written out, step by step, where --unroll gives them a budget: those that grow the
 * least first. Without a budget the schedules have decided: only a few taps of a convolution pay (docs/prediction.md). */
#include "cnnc.h"

/* Bytes of code that all steps take; 0: the kernel has no such loop. */
static int64_t bytes_of(const Kernel *k) {
    return kernel_has(k, "DEPTH") ? kernel_get(k, "DEPTH") * kernel_get(k, "STEP_BYTES") : 0;
}

void unroll(Program *p) {
    int64_t budget = p->options->unroll;
    bool *done = NEW_ARRAY(p->arena, bool, p->kernel_count);
    while (budget >= 0) {
        int least = -1;
        for (int i = 0; i < p->kernel_count; i++) {
            int64_t bytes = bytes_of(p->kernels[i]);
            if (bytes && !done[i] && bytes <= budget && (least < 0 || bytes < bytes_of(p->kernels[least]))) least = i;
        }
        if (least < 0) return;
        kernel_int(p, p->kernels[least], "WRITTEN_OUT", 1);
        budget -= bytes_of(p->kernels[least]);
        done[least] = true;
    }
}

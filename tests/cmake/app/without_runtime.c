/* without_runtime.c: predicts with code that needs nothing beside it, and says what the probabilities sum to. */
#include <stdio.h>

#include "alone.h"

static second_parameters parameters; /* zeros: all classes are as probable */

int main(void)
{
    static _Alignas(64) unsigned char packed[SECOND_PACKED_BYTES], workspace[SECOND_WORKSPACE_BYTES];
    static const float x[SECOND_INPUT] = {0.5f, 1, -1};
    float y[SECOND_OUTPUT], sum = 0;
    second_pack(packed, &parameters);
    second_predict(packed, workspace, x, y);
    for (int i = 0; i < SECOND_OUTPUT; i++) sum += y[i];
    printf("%.3f %.3f\n", (double)y[0], (double)sum);
    return 0;
}

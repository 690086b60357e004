/* Reads digits on a Cortex-M without an operating system; tells the ticks of its clock and how much of the stack predictions took.
 * The Makefile says which network: HEADER, predict, WORKSPACE_BYTES, STACK_BYTES. */
#include HEADER
#include "board.h"
#include "digits.h" /* images and labels, made by run.sh */

extern uint32_t stack_end[];
static const uint32_t paint = 0xA5A5A5A5;
static unsigned char workspace[WORKSPACE_BYTES] __attribute__((aligned(64)));

static void print_number(const char *before, uint32_t n, const char *behind) {
    char digits[12], *at = digits + sizeof digits - 1;
    for (*at = 0; at == digits + sizeof digits - 1 || n; n /= 10) *--at = (char)('0' + n % 10);
    board_print(before);
    board_print(at);
    board_print(behind);
}

/* Paints what is free of the stack: under top, the caller's frame, and 64 bytes for its own. */
__attribute__((noinline)) static void paint_stack(const uint32_t *top) {
    for (volatile uint32_t *at = stack_end; at < top - 16; at++) *at = paint;
}

static uint32_t painted_over(const uint32_t *top) {
    const uint32_t *at = stack_end;
    while (at < top && *at == paint) at++;
    return (uint32_t)((const char *)top - (const char *)at);
}

static int best(const float *output) {
    int k = 0;
    for (int i = 1; i < 10; i++)
        if (output[i] > output[k]) k = i;
    return k;
}

int main(void) {
    float output[10];
    uint32_t ticks = 0, right = 0;
    const uint32_t *top = __builtin_frame_address(0);
    paint_stack(top);
    SYST_RVR = 0xFFFFFF;
    SYST_CVR = 0;
    SYST_CSR = 5; /* on, the processor's clock, no interrupts */
    for (int i = 0; i < DIGITS; i++) {
        const uint32_t before = SYST_CVR;
        predict(workspace, images[i], output);
        ticks += (before - SYST_CVR) & 0xFFFFFF;
        right += best(output) == labels[i];
        print_number(i ? " " : "reads: ", (uint32_t)best(output), "");
    }
    const uint32_t stack = painted_over(top);
    print_number("\nright: ", right, " of ");
    print_number("", DIGITS, "\n");
    print_number("ticks an image: ", ticks / DIGITS, "\n");
    print_number("stack: ", stack, " bytes, ");
    print_number("at most ", STACK_BYTES, " promised\n");
    return stack > STACK_BYTES;
}

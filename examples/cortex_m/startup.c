/* What happens before main on a Cortex-M, and the two calls of the debugger (semihosting) that the program prints and ends with. */
#include "board.h"

extern uint32_t data_begin[], data_end[], data_in_flash[], bss_begin[], bss_end[], stack_begin[];
int main(void);

void reset(void) {
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the floating-point unit */
    __asm__ volatile("dsb\n isb");
    for (uint32_t *to = data_begin, *from = data_in_flash; to < data_end;) *to++ = *from++;
    for (uint32_t *to = bss_begin; to < bss_end;) *to++ = 0;
    board_exit(main());
}

static void fault(void) {
    board_print("fault\n");
    board_exit(1);
}

/* The stack, reset, and what the processor does when something is wrong. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {stack_begin, (const void *)reset, (const void *)fault, (const void *)fault,
                                                                                  (const void *)fault, (const void *)fault, (const void *)fault};

static int debugger(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_print(const char *text) { debugger(0x04, text); }

void board_exit(int status) {
    const uint32_t reason[2] = {0x20026, (uint32_t)status};
    debugger(0x20, reason);
    for (;;) continue;
}

/* faults.h: calls of the C library that fail when a test says so. The linker puts these functions in place of the library's
 * (--wrap, see tests/CMakeLists.txt) in all code of cnnc; streams that cnnc opens write through them too.
 *
 *     fault_arm(FAULT_MEMORY, 7);       the seventh allocation from here on fails
 *     ... what is tested ...
 *     bool reached = fault_disarm();    false: there were fewer
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    FAULT_NONE,
    FAULT_MEMORY,   /* an allocation gives nothing, a thread is not made */
    FAULT_ERROR,    /* a call on files fails: ENOSPC where it writes, else EIO */
    FAULT_SHORT,    /* a read or write does the half */
    FAULT_SIGNAL,   /* a read, write or open is interrupted: EINTR */
    FAULT_END,      /* a read finds the end of the file */
    FAULT_KILL,     /* the process is killed just before a call on files */
    FAULT_KILL_HALF /* and a write has written the half */
} Fault;

void fault_arm(Fault, long call);
bool fault_disarm(void);
const char *fault_call(void);  /* which function it was, "write" */
long fault_count(void);        /* calls of the kind armed since then */
size_t fault_blocks(void);     /* allocated and not yet freed, by cnnc's own calls */
int fault_descriptors(void);   /* open */

#endif

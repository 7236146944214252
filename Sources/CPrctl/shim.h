// prctl is variadic, which Swift cannot call: one typed function for each question the process asks of it.
// Nothing else belongs here; why it is asked is said where it is asked.
#ifndef KEYREG_CPRCTL_SHIM_H
#define KEYREG_CPRCTL_SHIM_H

#include <sys/prctl.h>

// 0, or -1 with errno set.
static inline int cprctl_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }

// 0, 1 or 2; -1 with errno set.
static inline int cprctl_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

#endif

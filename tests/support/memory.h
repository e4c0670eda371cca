/* memory.h: how much memory a process has. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* What a video may take on its way, however large it is. Sanitizers keep what was freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MOST_KIB SIZE_MAX
#else
#define MEMORY_MOST_KIB (32 * 1024)
#endif

size_t memory_kib(int pid, const char *what); /* "VmRSS:", "VmHWM:" */

#endif

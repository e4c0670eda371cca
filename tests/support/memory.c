#include "tests/support/memory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t
memory_kib(int pid, const char *what)
{
	char path[32], line[256];
	size_t kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *status = fopen(path, "re");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtoul(line + strlen(what), NULL, 10);
	fclose(status);
	return kib;
}

#define PHOENIX_FAULTS
#include "functions/video_worker/fault_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Whether the setting "STEP" or "STEP:TIMES" means this step; `times` is 1 where it says none. */
static int
is_meant(const char *setting, const char *step, unsigned long *times)
{
	size_t size = strlen(step);

	if (!setting || strncmp(setting, step, size) != 0)
		return 0;
	*times = setting[size] == ':' ? strtoul(setting + size + 1, NULL, 10) : 1;
	return setting[size] == '\0' || setting[size] == ':';
}

void
fault_point(const char *step)
{
	static atomic_ulong passed;
	unsigned long times;

	if (is_meant(getenv("FAULT_POINT"), step, &times) &&
		atomic_fetch_add(&passed, 1) + 1 == times)
		raise(SIGKILL);
}

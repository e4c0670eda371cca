/* arguments.h: the command line. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "fn/config.h"
#include "tools/phoenixctl/tool.h"

/* FN_INVALID: what is wrong with it, in one line. Asked for help, it prints that and the settings
 * and ends the process. The text is borrowed from argv. */
FN_MUST bool arguments_read(struct arguments *, int argc, char **argv,
	const struct fn_settings *settings, size_t count, struct fn_error *);

#endif

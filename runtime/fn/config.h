/* config.h: settings from the environment, declared once as a table.
 *
 * Each module that has settings exports its table; main.c lists the tables of its binary. From
 * them come the values, the sentence for a bad one, `--help` and `--describe-config` (JSON, for
 * the checks of the infrastructure). Values are read once and live as long as the process. */
#ifndef FN_CONFIG_H
#define FN_CONFIG_H

#include "fn/error.h"

#include <stddef.h>

enum fn_setting_kind {
	FN_TEXT,   /* into a const char * */
	FN_SECRET, /* the same; never shown */
	FN_NUMBER, /* into a long, min..max */
};

struct fn_setting {
	const char *name; /* of the environment variable; NULL ends a table */
	enum fn_setting_kind kind;
	size_t into;          /* offsetof the member in the module's config struct */
	const char *fallback; /* NULL: the variable must be set and not empty */
	long min, max;        /* FN_NUMBER only */
	const char *meaning;  /* one line */
};

struct fn_settings {
	const struct fn_setting *table;
	size_t into; /* offsetof the module's config struct in the binary's */
};

/* Reads all tables into *config. FN_INVALID: one line that names every variable that is
 * missing or wrong, and what is wanted. Handles --help and --describe-config itself (prints
 * and exits 0). The runtime's own settings are included. */
FN_MUST bool fn_configure(int argc, char **argv, const struct fn_settings *, size_t count,
	void *config, struct fn_error *);

/* Prints the error as the one line that explains why a binary does not start; returns 78
 * (EX_CONFIG) for FN_INVALID, else 1, for main to return. */
int fn_refuse_to_start(const struct fn_error *);

#endif

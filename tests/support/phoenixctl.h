/* phoenixctl.h: the built command of operators, asked as they ask it.
 *
 * All text lives in the arena. What is said to succeed and does not fails the test. */
#ifndef TESTS_PHOENIXCTL_H
#define TESTS_PHOENIXCTL_H

#include "fn/bytes.h"
#include "tests/support/pty.h"

#include <jansson.h>

/* What it is started with: REDIS_URL, STORE_URL, TERM, LANG, and room for two more. */
enum { CTL_REDIS, CTL_STORE, CTL_TERM, CTL_LANG, CTL_MORE, CTL_SETTINGS = CTL_MORE + 3 };
extern const char *phoenixctl_settings[CTL_SETTINGS];

/* A terminal of every kind, a store that is empty. */
void phoenixctl_prepare(struct fn_arena *, const char *redis_url);

struct phoenixctl_answer {
	int status;
	const char *said, *complained; /* to standard output and standard error */
};

struct phoenixctl_answer phoenixctl_ask(const char *line); /* words, one blank between them */
struct pty *phoenixctl_on_terminal(const char *line, unsigned width, unsigned height);

const char *phoenixctl_says(const char *line);
json_t *phoenixctl_json(const char *line); /* that says one line of it */

/* All that is in `part` is in what it says, too; lists have the same length. */
void phoenixctl_includes(const char *line, const char *part);

/* It must fail so, with one line that begins so and no word else. */
void phoenixctl_fails(const char *line, int status, const char *sentence);
void phoenixctl_words_fail(const char *const *words, int status, const char *sentence);

#endif

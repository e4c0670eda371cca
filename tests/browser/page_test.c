/* The web page in a real browser, before all of Phoenix. page.js does the clicking. */
#include "tests/support/stack.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHROMIUM "/usr/bin/chromium"
#define EXIT_SKIPPED 77 /* as automake has it */

static struct stack stack;

static void
setup(void)
{
	stack_start(&stack, NULL);
}

static void
teardown(void)
{
	ck_assert_int_eq(stack_stop(&stack, SIGTERM), 0);
	stack_drop(&stack);
}

static const char *const scenarios[] = {
	"a sentence becomes a picture",
	"the next picture moves the last one to the gallery",
	"a refused prompt shows why",
	"a busy server is asked again with the same key",
	"a server that stays away is tried again by hand, with the same key",
	"a sentence becomes a video",
	"a video can be canceled",
	"a request can be canceled",
};

START_TEST(person_gets_what_the_page_promises)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	const char *command = fn_textf(stack.arena,
		"NODE_PATH='%s/node_modules' node tests/browser/page.js '%s' %s 2>&1", npm,
		scenarios[_i], stack.url);

	ck_assert_msg(system(command) == 0, "%s", scenarios[_i]);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{person_gets_what_the_page_promises, COUNT(scenarios), setup, teardown},
	};

	if (access(CHROMIUM, X_OK) != 0) {
		puts("page: skipped, since there is no " CHROMIUM);
		return EXIT_SKIPPED;
	}
	return suite_run("page", cases, COUNT(cases));
}

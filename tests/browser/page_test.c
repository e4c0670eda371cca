/* The web page in a real browser, before all of Phoenix. page.js does the clicking. */
#include "tests/support/stack.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHROMIUM "/usr/bin/chromium"
#define EXIT_SKIPPED 77 /* as automake has it */

static struct stack stack;

/* One Phoenix and one browser for each group of scenarios, since both take longer to start than
 * they do. No page is older than what a person has just done. */
static const char *const groups[] = {"pictures", "videos", "found", "published", "people"};

static void
setup(void)
{
	const char *const settings[] = {
		"PAGE_FRESH_MS=1", "PAGE_STALE_MS=0", "GENERATIONS_PER_HOUR=1000", NULL};

	stack_start(&stack, settings);
}

static void
teardown(void)
{
	ck_assert_int_eq(stack_stop(&stack, SIGTERM), 0);
	stack_drop(&stack);
}

START_TEST(person_gets_what_the_page_promises)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	const char *command = fn_textf(stack.arena,
		"NODE_PATH='%s/node_modules' node tests/browser/page.js %s %s 2>&1", npm,
		groups[_i], stack.url);

	ck_assert_msg(system(command) == 0, "%s", groups[_i]);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{person_gets_what_the_page_promises, COUNT(groups), setup, teardown},
	};

	if (access(CHROMIUM, X_OK) != 0) {
		puts("page: skipped, since there is no " CHROMIUM);
		return EXIT_SKIPPED;
	}
	return suite_run("page", cases, COUNT(cases));
}

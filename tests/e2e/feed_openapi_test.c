/* docs/openapi.yaml, beside what all of Phoenix answers. feed_openapi.js does the asking. */
#include "tests/support/stack.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdlib.h>

static struct stack stack;

/* Who has no token is nobody, and no page is older than what was just done. */
static void
setup(void)
{
	const char *const settings[] = {"AUTH_GUEST=", "PAGE_FRESH_MS=1", "PAGE_STALE_MS=0",
		"GENERATIONS_PER_HOUR=1000", NULL};

	stack_start(&stack, settings);
}

static void
teardown(void)
{
	ck_assert_int_eq(stack_stop(&stack, SIGTERM), 0);
	stack_drop(&stack);
}

/* The document is sound, has the routes that are served, and says what they answer. */
START_TEST(document_says_what_is_answered)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	const char *command = fn_textf(stack.arena,
		"NODE_PATH='%s/node_modules' node tests/e2e/feed_openapi.js docs/openapi.yaml "
		"terraform/services.auto.tfvars.json %s 2>&1",
		npm, stack.url);

	ck_assert(system(command) == 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{document_says_what_is_answered, 1, setup, teardown},
	};

	return suite_run("OpenAPI", cases, COUNT(cases));
}

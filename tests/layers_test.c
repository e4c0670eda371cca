/* `make layers`, on a copy of the tree into which an include is planted. */
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static char tree[4200], command[16384];

static int
shell(void)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
tree_copy(void)
{
	unsetenv("MAKEFLAGS");
	unsetenv("MAKELEVEL");
	snprintf(tree, sizeof(tree), "%s", temp_folder());
	snprintf(command, sizeof(command),
		"mkdir -p %s/functions/feed %s/local/gateway && "
		"cp -r Makefile runtime adapters domain functions local tools tests %s",
		tree, tree, tree);
	ck_assert_int_eq(shell(), 0);
}

static void
plant(const char *file, const char *include)
{
	snprintf(command, sizeof(command), "%s/%s", tree, file);
	FILE *into = fopen(command, "w");

	ck_assert_ptr_nonnull(into);
	fprintf(into, "\n#include %s\n", include);
	fclose(into);
}

/* Whether `make layers` refuses the copy, and names `line` in what it says. */
static bool
refused(const char *line)
{
	snprintf(command, sizeof(command), "make --silent -C %s layers >%s/said 2>&1", tree, tree);
	if (shell() == 0)
		return false;
	snprintf(command, sizeof(command), "grep -q '^%s: ' %s/said", line, tree);
	ck_assert_msg(shell() == 0, "%s is not named", line);
	return true;
}

/* The tree as it is has no include that points up. */
START_TEST(the_tree_keeps_its_layers)
{
	ck_assert(!refused(""));
}
END_TEST

static const struct {
	const char *file, *include;
	bool allowed;
} plants[] = {
	{"runtime/plant.c", "\"fn/serve.h\"", true},
	{"runtime/plant.c", "\"server_config.h\"", true},
	{"runtime/plant.c", "\"adapters/object_store.h\"", false},
	{"runtime/plant.c", "\"domain/prompt.h\"", false},
	{"runtime/plant.c", "<adapters/object_store.h>", false},
	{"runtime/plant.c", "\"../adapters/object_store.h\"", false},
	{"runtime/plant.c", "\"fn/../../adapters/object_store.h\"", false},
	{"runtime/fn/plant.h", "\"domain/prompt.h\"", false},
	{"adapters/plant.c", "\"fn/http_client.h\"", true},
	{"adapters/plant.c", "\"adapters/wire/sigv4.h\"", true},
	{"adapters/plant.c", "\"adapters/object_store_backend.h\"", true},
	{"adapters/plant.c", "<sqlite3.h>", true},
	{"adapters/plant.c", "\"domain/prompt.h\"", false},
	{"adapters/plant.c", "\"fn/serve.h\"", false},
	{"adapters/plant.c", "\"server_config.h\"", false},
	{"adapters/plant.c", "\"runtime/server_config.h\"", false},
	{"adapters/wire/plant.c", "\"domain/prompt.h\"", false},
	{"domain/plant.c", "\"adapters/object_store.h\"", true},
	{"domain/plant.c", "<jansson.h>", true},
	{"domain/plant.c", "\"adapters/wire/sigv4.h\"", false},
	{"domain/plant.c", "\"adapters/object_store_backend.h\"", false},
	{"domain/plant.c", "\"functions/feed/handler.h\"", false},
	{"domain/plant.c", "<curl/curl.h>", false},
	{"domain/plant.c", "\t<sqlite3.h>", false},
	{"functions/feed/plant.c", "\"domain/prompt.h\"", true},
	{"functions/feed/plant.c", "\"functions/feed/handler.h\"", true},
	{"functions/feed/plant.c", "\"functions/generate_image/handler.h\"", false},
	{"functions/feed/plant.c", "\"local/gateway/files.h\"", false},
	{"functions/feed/plant.c", "\"fn/serve.h\"", false},
	{"functions/feed/main.c", "\"fn/serve.h\"", true},
	{"local/gateway/plant.c", "\"fn/http_client.h\"", true},
	{"local/gateway/plant.c", "\"local/gateway/files.h\"", true},
	{"local/gateway/plant.c", "\"local/vertex/words.h\"", false},
	{"local/gateway/plant.c", "\"domain/prompt.h\"", false},
	{"local/gateway/plant.c", "\"adapters/object_store.h\"", false},
	{"tools/phoenixctl/plant.c", "\"domain/prompt.h\"", true},
	{"tools/phoenixctl/plant.c", "\"tools/phoenixctl/tool.h\"", true},
	{"tools/phoenixctl/plant.c", "\"adapters/object_store_backend.h\"", false},
	{"tools/phoenixctl/plant.c", "\"functions/feed/handler.h\"", false},
	{"tools/phoenixctl/plant.c", "<hiredis/hiredis.h>", false},
	{"tests/plant.c", "\"adapters/object_store_backend.h\"", true},
};

/* An include that points up, sideways or past a port is refused, with its file and line. */
START_TEST(a_planted_include_is_seen)
{
	char line[64];

	plant(plants[_i].file, plants[_i].include);
	snprintf(line, sizeof(line), "%s:2", plants[_i].file);
	ck_assert_msg(refused(line) != plants[_i].allowed, "%s: %s", line, plants[_i].include);
}
END_TEST

#define IN_COPY .setup = tree_copy

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = the_tree_keeps_its_layers, IN_COPY},
		{.test = a_planted_include_is_seen, .rows = COUNT(plants), IN_COPY},
	};

	return suite_run("layers", cases, COUNT(cases));
}

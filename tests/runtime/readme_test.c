/* What runtime/README.md says is so: its settings are those of --help, and each line of its
 * contract names tests that exist. */
#include "tests/support/program.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES 145 /* of the contract */

static struct fn_arena *arena;
static const char *readme;

static const char *
file_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	char *text;

	if (fd < 0)
		return NULL;
	ck_assert(fstat(fd, &file) == 0);
	text = fn_arena_alloc(arena, (size_t)file.st_size + 1);
	ck_assert_int_eq(read(fd, text, (size_t)file.st_size), file.st_size);
	text[file.st_size] = '\0';
	close(fd);
	return text;
}

static void
readme_open(void)
{
	arena = fn_arena_new();
	readme = file_text("runtime/README.md");
	ck_assert_ptr_nonnull(readme);
}

static void
readme_close(void)
{
	fn_arena_drop(arena);
}

/* ---- Settings ---------------------------------------------------------------------------- */

static void
add_escaped_bars(struct fn_builder *row, struct fn_bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		fn_addf(row, "%s%c", text.at[i] == '|' ? "\\" : "", text.at[i]);
}

/* "  NAME    meaning (default X)" as a row of the table. */
static const char *
setting_row(struct fn_bytes line)
{
	static const char mark[] = " (default ";
	struct fn_builder row = {.arena = arena};
	struct fn_bytes meaning = fn_bytes_trim(line), name = fn_bytes_cut(&meaning, ' ');
	const char *end = meaning.at + meaning.size,
		   *found = memmem(meaning.at, meaning.size, mark, strlen(mark));

	fn_addf(&row, "| `%.*s` | ", FN_ARG(name));
	if (found) {
		const char *fallback = found + strlen(mark);

		fn_add(&row, FN_BYTES("`"));
		add_escaped_bars(&row, (struct fn_bytes){fallback, (size_t)(end - 1 - fallback)});
		fn_add(&row, FN_BYTES("`"));
		meaning.size = (size_t)(found - meaning.at);
	}
	fn_addf(&row, " | %.*s |\n", FN_ARG(fn_bytes_trim(meaning)));
	return fn_text(arena, fn_built(&row));
}

START_TEST(settings_are_those_of_help)
{
	const char *const options[] = {"--help", NULL};
	struct program *program =
		program_start(&(struct program_setup){.name = "hello", .options = options});
	struct fn_bytes help, line;
	size_t settings = 0;

	ck_assert_int_eq(program_end(program), 0);
	help = fn_bytes(program_said(program));
	while (help.size > 0) {
		line = fn_bytes_cut(&help, '\n');
		if (!fn_bytes_starts(line, "  ") || fn_bytes_starts(line, "   "))
			continue;
		settings++;
		ck_assert_msg(strstr(readme, setting_row(line)), "%s", setting_row(line));
	}
	ck_assert_uint_gt(settings, 5);
	program_drop(program);
}
END_TEST

/* ---- The contract ------------------------------------------------------------------------ */

/* `suite.name` without its quotes. */
static bool
test_exists(struct fn_bytes test)
{
	struct fn_bytes name = test, suite = fn_bytes_cut(&name, '.');
	const char *folder = fn_bytes_is(suite, "conformance") ? "conformance" : "runtime";
	const char *source =
		file_text(fn_textf(arena, "tests/%s/%.*s_test.c", folder, FN_ARG(suite)));

	return source && strstr(source, fn_textf(arena, "START_TEST(%.*s)\n", FN_ARG(name)));
}

/* "| 12 | what holds | `suite.name`, `suite.name` |" */
static void
check_row(struct fn_bytes row, unsigned number)
{
	struct fn_bytes rest = row, shown;

	for (int column = 0; column < 3; column++)
		fn_bytes_cut(&rest, '|');
	shown = fn_bytes_trim(fn_bytes_cut(&rest, '|'));
	if (fn_bytes_is(shown, "not a case"))
		return;
	do {
		struct fn_bytes test = fn_bytes_trim(fn_bytes_cut(&shown, ','));

		ck_assert_msg(test.size > 2 && test.at[0] == '`', "line %u", number);
		test = (struct fn_bytes){test.at + 1, test.size - 2};
		ck_assert_msg(test_exists(test), "line %u: %.*s", number, FN_ARG(test));
	} while (shown.size > 0);
}

START_TEST(each_line_of_the_contract_names_its_tests)
{
	const char *at = strstr(readme, "## The contract");

	ck_assert_ptr_nonnull(at);
	for (unsigned number = 1; number <= LINES; number++) {
		const char *start = fn_textf(arena, "\n| %u | ", number);
		const char *row = strstr(at, start);

		ck_assert_msg(row, "line %u is missing", number);
		at = row + 1;
		check_row((struct fn_bytes){at, strcspn(at, "\n")}, number);
	}
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = settings_are_those_of_help,
			.setup = readme_open,
			.teardown = readme_close},
		{.test = each_line_of_the_contract_names_its_tests,
			.setup = readme_open,
			.teardown = readme_close},
	};

	return suite_run("readme", cases, COUNT(cases));
}
